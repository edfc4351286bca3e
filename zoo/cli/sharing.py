"""`tfgen publish` and `push`: turn a run into a preset, and upload a preset."""

from pathlib import Path

import click

from tfgen.quiet import quietly
from zoo.cli.options import EVALUATOR, SAMPLES, Folder, NewPath


@click.command()
@click.argument("run", type=Folder())
@click.option("--name", required=True, help="Name of the preset.")
@click.option(
    "--root",
    type=NewPath(),
    help="Folder of presets; by default TFGEN_HOME's, or saved_models/ of a source tree.",
)
@SAMPLES
@EVALUATOR
@click.option("--overwrite", is_flag=True, help="Replace a preset of this name.")
def publish(
    run: Path, name: str, root: Path | None, samples: int, evaluator: str | None, overwrite: bool
) -> None:
    """Turn the finished run in RUN into a preset with a card."""
    with quietly():
        from zoo.preset import publish as publishing

    options = {"samples": samples, "evaluator": evaluator, "overwrite": overwrite}
    click.echo(publishing.publish(run, name, root, **options))


@click.command()
@click.argument("source", metavar="PRESET_OR_RUN")
@click.argument("address", metavar="hf://OWNER/NAME[/FOLDER]")
@click.option(
    "--license",
    metavar="NAME",
    help="License of the weights by the Hub's name, as in apache-2.0.",
)
@click.option("--private", is_flag=True, help="Make a new repository private.")
@SAMPLES
@EVALUATOR
def push(
    source: str,
    address: str,
    license: str | None,
    private: bool,
    samples: int,
    evaluator: str | None,
) -> None:
    """Upload a preset, or a finished run, to the Hugging Face Hub.

    Its card is written in the Hub's form. A run is published first, with --samples and --evaluator. A
    repository may have one folder per preset; TFGEN_PRESETS names such a repository. Log in by `hf auth
    login`, or set HF_TOKEN. This needs the extra `hub`.
    """
    from zoo.preset import push as pushing

    options = {"samples": samples, "evaluator": evaluator}
    click.echo(pushing.push(source, address, license=license, private=private, **options))
