"""`tfgen train`: a run from a recipe, which goes on after any stop."""

import contextlib
import shlex
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NoReturn

import click

from tfgen.quiet import quietly
from zoo.cli.options import FOLDER
from zoo.preset import lookup
from zoo.recipes import reading


class Terminated(BaseException):
    """SIGTERM, raised where KeyboardInterrupt would be."""


@click.command()
@click.argument("recipe", required=False)
@click.option(
    "--from", "source",
    help="Train a preset or a run again: its name, folder, card.json or run.json.",
)  # fmt: skip
@click.option(
    "--set", "changes", multiple=True, metavar="KEY=VALUE",
    help="Change the recipe, as in data.size=32, build.width=16 or training.learning_rate=1e-4; "
    "may be given again.",
)  # fmt: skip
@click.option("--data", help="Data set, if not the recipe's: digits, a TFDS name or a folder.")
@click.option("--epochs", type=click.IntRange(1, 100_000), help="Epochs, if not the recipe's.")
@click.option(
    "--seed", type=click.IntRange(0, 2**31 - 1), help="Seed; by default 0, or that of --from."
)
@FOLDER
@click.option("--resume", is_flag=True, help="Go on with the run in this folder.")
@click.option("--init", help="MODEL whose weights to start from; by default fresh ones.")
@click.option(
    "--bfloat16", is_flag=True, default=None,
    help="Multiply in bfloat16, which pays on a processor with AMX.",
)  # fmt: skip
@click.option(
    "--strategy",
    type=click.Choice(["mirrored", "multiworker"]),
    help="Train on all GPUs of this machine, or of the workers that TF_CONFIG or Slurm names.",
)
def train(recipe, source, changes, out, **options):
    """Train RECIPE from fresh weights, with a checkpoint and a grid of samples for each epoch.

    RECIPE is a name that `tfgen list --recipes` shows, or a JSON file with a recipe. A run that was
    stopped or killed goes on with --resume, without RECIPE, and then equals one that was not, bit for bit.
    """
    asked = _arguments(recipe, source, changes, options["resume"])
    options = {**asked, **{key: value for key, value in options.items() if value is not None}}
    with _resumable(out):
        with quietly():
            import tensorflow as tf

            from zoo.preset import train as training

        tf.config.experimental.enable_op_determinism()  # costs under 2 % of a step on CPU
        training.train(options.pop("recipe"), out, **options)
    click.echo(out)


def _arguments(
    recipe: str | None, source: str | None, changes: tuple[str, ...], resume: bool
) -> dict[str, Any]:
    """Arguments of `zoo.preset.train.train`, checked before TensorFlow takes its seconds."""
    if recipe is not None and source is not None:
        raise click.UsageError("RECIPE and --from exclude each other.")
    if source is not None:
        asked = lookup.replay_arguments(source)
    elif recipe is not None:
        asked = {"recipe": reading.read(recipe) if recipe.endswith(".json") else recipe}
    elif resume:
        asked = {"recipe": None}
    else:
        raise click.UsageError("Missing argument 'RECIPE', --from or --resume.")
    asked["changes"] = [*asked.get("changes", ()), *changes]
    if (named := asked["recipe"]) is not None:
        reading.apply_changes(
            lookup.find_recipe(named) if isinstance(named, str) else named, asked["changes"]
        )
    elif changes:
        raise click.UsageError("--set needs RECIPE or --from.")
    return asked


@contextlib.contextmanager
def _resumable(out: Path) -> Iterator[None]:
    """Ends a stopped training in words: 130 after Ctrl-C and 143 after SIGTERM, as shells expect."""

    def terminate(number, frame) -> NoReturn:
        raise Terminated

    before = signal.signal(signal.SIGTERM, terminate)
    try:
        yield
    except (KeyboardInterrupt, Terminated) as stop:
        if (out / "run.json").is_file():
            command = shlex.join(["tfgen", "train", "--resume", "--out", str(out.resolve())])
            click.echo(f"Stopped. It goes on from the last whole epoch with: {command}", err=True)
        else:
            click.echo("Stopped before anything was written.", err=True)
        number = signal.SIGINT if isinstance(stop, KeyboardInterrupt) else signal.SIGTERM
        raise SystemExit(128 + number) from None
    finally:
        signal.signal(signal.SIGTERM, before)
