"""`tfgen train`: a run of a recipe, which can be resumed after any stop."""

from pathlib import Path
from typing import Any

import click

from tfgen.quiet import quietly
from zoo.cli import several
from zoo.cli.options import FOLDER, TRUSTED, Seeds, trusts
from zoo.cli.stopping import resumable
from zoo.preset import lookup, summaries
from zoo.recipes import reading


def _check_name(ctx: click.Context, param: click.Parameter, value: str | None) -> str | None:
    """Refuse an unknown recipe before any other argument is looked at."""
    if value is not None and not value.endswith(".json"):
        lookup.find_recipe(value)
    return value


@click.command()
@click.argument("recipe", required=False, callback=_check_name)
@click.option(
    "--from", "source",
    help="Train a preset or a run again: its name, folder, card.json or run.json.",
)  # fmt: skip
@click.option(
    "--set", "changes", multiple=True, metavar="KEY=VALUE",
    help="Change of the recipe, as in data.size=32, build.width=16 or training.learning_rate=1e-4; "
    "may be repeated. Without a value the key is removed, as in training.patience=.",
)  # fmt: skip
@click.option("--data", help="Data set: digits, a TFDS name or a folder; by default the recipe's.")
@click.option(
    "--epochs", type=click.IntRange(1, 100_000), help="Number of epochs; by default the recipe's."
)
@click.option(
    "--seed", type=click.IntRange(0, 2**31 - 1), help="Seed; by default 0, or that of --from."
)
@click.option(
    "--seeds", type=Seeds(), metavar="0-4",
    help="Train with each of these seeds, in folders seed_N of --out, and print a table of all.",
)  # fmt: skip
@FOLDER
@click.option("--resume", is_flag=True, help="Continue the run in --out.")
@click.option(
    "--init", metavar="MODEL", help="Start from its weights; by default from fresh weights."
)
@TRUSTED
@click.option(
    "--bfloat16", is_flag=True, default=None,
    help="Multiply in bfloat16, which is faster on a processor with AMX.",
)  # fmt: skip
@click.option(
    "--strategy",
    type=click.Choice(["mirrored", "multiworker"]),
    help="Train on all GPUs of this machine, or of the workers that TF_CONFIG or Slurm names.",
)
def train(
    recipe: str | None,
    source: str | None,
    changes: tuple[str, ...],
    out: Path,
    **options: Any,
) -> None:
    """Train a recipe, with a checkpoint after each epoch.

    Training starts from fresh weights; each epoch also leaves a grid of samples. RECIPE is a name from
    `tfgen list --recipes`, or a JSON file with a recipe. With --resume and without RECIPE a stopped or
    killed run continues, and equals an uninterrupted run bit for bit.

    The option --set changes any value of a recipe: --set data.size=32 --set training.batch_size=128.
    """
    seeds = options.pop("seeds")
    asked = _arguments(recipe, source, changes, options["data"], options["resume"])
    if seeds is not None:
        several.train(
            _command_words(recipe, source, changes, options), seeds, out, options["resume"]
        )
        return
    options = {**asked, **{key: value for key, value in options.items() if value is not None}}
    with resumable(out, "run.json"):
        with quietly():
            import tensorflow as tf

            from zoo.preset import train as training

        tf.config.experimental.enable_op_determinism()  # costs under 2 % of a step on CPU
        training.train(options.pop("recipe"), out, trusted=trusts(), **options)
    click.echo(out)


def _arguments(
    recipe: str | None,
    source: str | None,
    changes: tuple[str, ...],
    data: str | None,
    resume: bool,
) -> dict[str, Any]:
    """Return the arguments of `zoo.preset.train.train`, checked before TensorFlow is imported."""
    if recipe is not None and source is not None:
        raise click.UsageError("RECIPE and --from exclude each other.")
    if source is not None:
        asked: dict[str, Any] = lookup.replay_arguments(source)
    elif recipe is not None:
        asked = {"recipe": reading.read(recipe) if recipe.endswith(".json") else recipe}
    elif resume:
        asked = {"recipe": None}
    else:
        raise click.UsageError("Missing argument 'RECIPE', --from or --resume.")
    asked["changes"] = [*(asked.get("changes") or ()), *changes]
    if (named := asked["recipe"]) is not None:
        original = lookup.find_recipe(named) if isinstance(named, str) else named
        name = named if isinstance(named, str) else original["model"]
        _check_pictures(reading.apply_changes(original, asked["changes"]), name, data)
    elif changes:
        raise click.UsageError("--set needs RECIPE or --from.")
    return asked


def _check_pictures(recipe: reading.Recipe, name: str, data: str | None) -> None:
    """Print decisions about a folder of pictures; raise if the recipe cannot learn from it."""
    if data is not None:
        recipe = {**recipe, "data": {**recipe["data"], "name": data}}
    for note in summaries.notes(recipe, name):
        click.echo(f"note: {note}", err=True)


def _command_words(
    recipe: str | None, source: str | None, changes: tuple[str, ...], options: dict[str, Any]
) -> list[str]:
    """Return the command's arguments except seeds, folder and --resume."""
    if options["seed"] is not None:
        raise click.UsageError("--seed and --seeds exclude each other.")
    if recipe is None and source is None:
        raise click.UsageError("--seeds needs RECIPE or --from.")
    words = ["--from", source] if source is not None else [str(recipe)]
    for change in changes:
        words += ["--set", change]
    for name in ("data", "epochs", "init", "strategy"):
        if options[name] is not None:
            words += [f"--{name}", str(options[name])]
    return [
        *words,
        *(["--bfloat16"] if options["bfloat16"] else []),
        *(["--trusted"] if trusts() else []),
    ]
