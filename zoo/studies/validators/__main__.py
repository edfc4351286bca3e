"""`python -m zoo.studies.validators`."""

import json
from typing import Any

import click

from tfgen.atomic import replace_file
from zoo.preset.provenance import machine, versions
from zoo.studies.validators.pages import PAGES, page, recorded_bounds
from zoo.studies.validators.runs import pending, run


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.option(
    "--only-page", is_flag=True, help="Write the page of what is recorded, and run nothing."
)
def main(only_page: bool) -> None:
    """Train and score all runs that are not recorded yet."""
    path = PAGES / "validators.json"
    facts = {"machine": machine(), "versions": versions()}
    results: Any = {"facts": facts, "runs": []}
    if path.is_file():
        results = json.loads(path.read_text())
    for setting, weight, seed in [] if only_page else pending(list(results["runs"])):
        results["runs"].append(run(setting, weight, seed))
        _write(path, results)
        last = results["runs"][-1]["epochs"][-1]
        click.echo(f"{setting.recipe} {weight} {seed} {last}", err=True)
    _write(path, results)


def _write(path, results):
    with replace_file(path) as aside:
        aside.write_text(json.dumps(results, indent=1) + "\n")
    path.with_suffix(".md").write_text(page(results, recorded_bounds()))


if __name__ == "__main__":
    main()
