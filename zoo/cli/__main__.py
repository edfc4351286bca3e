from zoo.cli import main

main(prog_name="tfgen")
