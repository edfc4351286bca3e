"""The `tfgen` command.  TensorFlow is imported by the commands that compute, not by the others."""

import contextlib
import dataclasses
import json
import os
import tempfile
from pathlib import Path

import click

import tfgen
import zoo
from zoo.recipes import scored, tested

# TensorFlow reports failed optimisations of its graphs as errors; real ones are exceptions.
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

MOST_TILES = 10_000
REFUSALS = (ValueError, TypeError, OSError, ImportError)


class Commands(click.Group):
    """Turns an error that states a broken rule into one line on stderr and exit code 1."""

    def invoke(self, ctx):
        try:
            return super().invoke(ctx)
        except BrokenPipeError:
            raise  # click ends quietly when a pipe's reader has gone
        except REFUSALS as error:
            raise click.ClickException(" ".join(str(error).split())) from error


class NewPath(click.ParamType):
    """A path to write: its nearest existing folder must be writable, and it ends in `suffix`."""

    name = "path"

    def __init__(self, suffix=None):
        self.suffix = suffix

    def convert(self, value, param, ctx):
        path = Path(value)
        if self.suffix and (path.suffix.lower() != self.suffix or path.is_dir()):
            self.fail(f"A file that ends in {self.suffix} is needed. Received: {value}", param, ctx)
        folder = path.parent if self.suffix else path
        while not folder.exists():
            folder = folder.parent
        try:
            with tempfile.TemporaryFile(dir=folder):
                return path
        except OSError as error:
            self.fail(f"{folder} cannot be written: {error.strerror}", param, ctx)


MODEL = click.argument("model")
JSON = click.option("--json", "as_json", is_flag=True, help="Print JSON.")
SEED = click.option(
    "--seed", type=click.IntRange(0, 2**31 - 1), default=0, show_default=True, help="Seed."
)
PICTURE = click.option(
    "--out", type=NewPath(".png"), required=True, help="PNG file to write."
)  # fmt: skip
FOLDER = click.option("--out", type=NewPath(), required=True, help="Folder to write.")
SAMPLES = click.option(
    "--samples", type=click.IntRange(4, 10_000_000), default=10_000, show_default=True,
    help="Number of generated images to score.",
)  # fmt: skip
EVALUATOR = click.option(
    "--evaluator", type=click.Path(exists=True, file_okay=False),
    help="Folder of the evaluator, if not the data set's own.",
)  # fmt: skip


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(tfgen.__version__)
def main():
    """Deep generative models of Hu et al. (2018), pretrained.

    MODEL is a preset's name, a preset's folder, a .keras file or hf://owner/name.
    """


@main.command("list")
@JSON
def list_presets(as_json):
    """List the published presets."""
    presets = zoo.presets()
    if as_json:
        _print_json(presets)
        return
    if not presets:
        click.echo("No preset is published here.")
        return
    _print_table(("preset", "description"), presets.items())


@main.command()
@MODEL
@JSON
@click.option("--figure", type=NewPath(".png"), help="PNG file to draw the graphical model into.")
def info(model, as_json, figure):
    """Show what is known of MODEL: its card, or what its file says, and its row of Table 1."""
    from tfgen import graphs, table

    path = zoo.locate(model)
    facts = zoo.card(model) if path.is_dir() else _facts(_load(model))
    rows = table.named(facts.get("row"))
    if figure is not None:
        if not rows:
            raise ValueError(f"Only a model of Table 1 can be drawn. Received: {model}")
        graphs.draw({f"{row.name} ({row.equations})": row.arcs for row in rows}, figure)
    if as_json:
        _print_json({**facts, "table_1": {row.name: dataclasses.asdict(row) for row in rows}})
        return
    facts = dict(facts)
    metrics = facts.pop("evaluation", {}).get("metrics")
    facts.pop("sha256", None)
    _print_table(None, [(key, _short(value)) for key, value in facts.items() if value is not None])
    if metrics:
        _print_metrics(metrics)
    for row in rows:
        click.echo(f"\nTable 1: {row.name}, {row.equations}")
        _print_table(None, table.facts(row))


@main.command()
@MODEL
@click.option(
    "-n", type=click.IntRange(1, MOST_TILES), default=64, show_default=True, help="Images."
)
@SEED
@click.option("--label", type=int, help="Class of all images; by default each class in turn.")
@PICTURE
def sample(model, n, seed, label, out):
    """Draw images from MODEL into a PNG grid."""
    loaded = _load(model, "sample")
    from tfgen import pictures

    labels = None if label is None else [label] * n
    click.echo(pictures.save(pictures.samples(loaded, n, seed, labels), out))


@main.command()
@MODEL
@click.option("--rows", type=click.IntRange(1, 100), default=8, show_default=True, help="Pairs.")
@click.option(
    "--columns", type=click.IntRange(2, 100), default=9, show_default=True, help="Images a pair."
)
@SEED
@click.option("--label", type=int, help="Class of all rows; by default each class in turn.")
@PICTURE
def interpolate(model, rows, columns, seed, label, out):
    """Draw the images between pairs of latent codes, a row for each pair."""
    loaded = _load(model, "decode")
    from tfgen import pictures

    labels = None if label is None else [label] * rows
    click.echo(pictures.save(pictures.interpolation(loaded, rows, columns, seed, labels), out))


@main.command()
@MODEL
@click.option(
    "--rows", type=click.IntRange(1, 100), default=3, show_default=True,
    help="Rows of each continuous code.",
)  # fmt: skip
@click.option(
    "--columns", type=click.IntRange(2, 100), default=9, show_default=True, help="Images a row."
)
@SEED
@PICTURE
def traverse(model, rows, columns, seed, out):
    """Draw what each code of MODEL does: one is swept, the rest of the latent code is held.

    The first rows show one category each, the others a continuous code from -1 to 1.
    """
    loaded = _load(model, "decode")
    from tfgen import pictures

    click.echo(pictures.save(pictures.traversal(loaded, rows, columns, seed), out))


@main.command()
@MODEL
@click.option("--data", help="Data set; by default the one of MODEL's card.")
@click.option(
    "-n", type=click.IntRange(1, MOST_TILES // 2), default=32, show_default=True, help="Images."
)
@SEED
@PICTURE
def reconstruct(model, data, n, seed, out):
    """Draw the first test images above what MODEL decodes of their latent codes.

    Models with a Bernoulli likelihood are shown the binarised images that their bound is measured on.
    """
    data = _data(model, data)
    loaded = _load(model, "reconstruct")
    from tfgen import likelihood, pictures

    images, labels = tfgen.data.arrays(data, f"test[:{n}]")
    images = likelihood.observed(getattr(loaded, "likelihood", None), images / 255)
    click.echo(pictures.save(pictures.reconstructions(loaded, images, labels, seed), out))


@main.command()
@MODEL
@click.option(
    "--direction", type=click.Choice(["ab", "ba"]), default="ab", show_default=True,
    help="From domain A to B, or from B to A.",
)  # fmt: skip
@click.option("--data", help="Data set of the images; by default the one of MODEL's card.")
@click.option(
    "-n", type=click.IntRange(1, MOST_TILES // 2), default=32, show_default=True, help="Images."
)
@PICTURE
def translate(model, direction, data, n, out):
    """Draw the first test images of one domain above MODEL's translations into the other."""
    if data is None:
        data = zoo.card(model)["recipe"]["data"]["name" if direction == "ab" else "target"]
    loaded = _load(model, f"translate_{direction}")
    from tfgen import pictures

    size, _, channels = loaded.image_shape if direction == "ab" else loaded.image_shape_b
    images, _ = tfgen.data.arrays(data, f"test[:{n}]", size=size, channels=channels)
    click.echo(pictures.save(pictures.translations(loaded, images / 255, direction), out))


@main.command()
@click.argument("preset", metavar="PRESET")
@click.option("--data", help="Data set, if not the preset's: digits, a TFDS name or a folder.")
@click.option("--epochs", type=click.IntRange(1, 100_000), help="Epochs, if not the preset's.")
@SEED
@FOLDER
@click.option("--resume", is_flag=True, help="Go on with the run in this folder.")
@click.option("--init", help="MODEL whose weights to start from; by default fresh ones.")
@click.option(
    "--bfloat16", is_flag=True, default=None,
    help="Multiply in bfloat16 on a processor that has it (AMX, AVX-512 BF16): twice as fast.",
)  # fmt: skip
def train(preset, data, epochs, seed, out, resume, init, bfloat16):
    """Train PRESET's recipe from fresh weights, with a checkpoint and a grid of samples an epoch.

    A run that was killed goes on with --resume, and then equals one that was not, bit for bit.
    """
    with _quietly():
        import tensorflow as tf

        from zoo import training

    tf.config.experimental.enable_op_determinism()  # costs under 2 % of a step on CPU
    options = {"data": data, "epochs": epochs, "seed": seed, "init": init, "resume": resume}
    training.train(preset, out, bfloat16=bfloat16, **options)
    click.echo(out)


@main.command()
@MODEL
@click.option(
    "--data", multiple=True,
    help="Data set, given twice for the domains A and B of a model of two; by default MODEL's card's.",
)  # fmt: skip
@SAMPLES
@EVALUATOR
@SEED
@JSON
def evaluate(model, data, samples, evaluator, seed, as_json):
    """Score MODEL: its samples by an evaluator, its classes on the test set."""
    data = _scored(model, data)
    loaded = _load(model)
    metrics = tfgen.evaluate(loaded, data, samples, evaluator=evaluator, seed=seed)
    if as_json:
        _print_json(metrics)
    else:
        _print_metrics(metrics)


@main.command()
@MODEL
@click.option("--data", help="Data set; by default the one of MODEL's card.")
@click.option(
    "--samples", type=click.IntRange(1, 1_000_000), default=10_000, show_default=True,
    help="Number of generated images.",
)  # fmt: skip
@click.option(
    "--epochs", type=click.IntRange(1, 100_000),
    help="Passes over the generated images, if not as many as the evaluator's recipe has.",
)  # fmt: skip
@EVALUATOR
@SEED
@JSON
@click.option("--out", type=NewPath(".md"), help="Markdown file to write.")
def symmetry(model, data, samples, epochs, evaluator, seed, as_json, out):
    """Compare pairs that MODEL makes by drawing images for labels with pairs by distillation.

    Section 6 of the paper: a classifier learns from MODEL's images with the labels that they were drawn
    for, another from the same images with the evaluator's probabilities, others from real images; all
    are tested on the real test set. MODEL must be conditional.
    """
    data = _data(model, data)
    zoo.locate(model)  # an unknown name is refused before TensorFlow takes its seconds
    with _quietly():
        from zoo import symmetry

    report = symmetry.report(model, data, samples, epochs=epochs, evaluator=evaluator, seed=seed)
    if out is not None:
        out.parent.mkdir(parents=True, exist_ok=True)
        out.write_text(symmetry.page([report]))
    if as_json:
        _print_json(report)
    else:
        _print_metrics(report["metrics"])


@main.command()
@MODEL
@FOLDER
def export(model, out):
    """Write MODEL as a SavedModel in --out, as the next version or as the one that --out names."""
    if not out.name.isdecimal():
        versions = [int(path.name) for path in out.glob("*") if path.name.isdecimal()]
        out = out / str(max(versions, default=0) + 1)
    loaded = _load(model)
    click.echo(tfgen.export(loaded, out))


@main.command()
@click.argument("run", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option("--name", required=True, help="Name of the preset.")
@click.option(
    "--root", type=NewPath(), default="saved_models", show_default=True, help="Folder of presets."
)
@SAMPLES
@EVALUATOR
@click.option("--overwrite", is_flag=True, help="Replace a preset of this name.")
def publish(run, name, root, samples, evaluator, overwrite):
    """Turn the finished run in folder RUN into a preset, with its scores and its card."""
    with _quietly():
        from zoo import publishing

    options = {"samples": samples, "evaluator": evaluator, "overwrite": overwrite}
    click.echo(publishing.publish(run, name, root, **options))


def _scored(model, names):
    """The data set of this name, or both of two; by default what the model's card was scored on."""
    if names:
        return names[0] if len(names) == 1 else names
    card = zoo.card(model)
    return scored(card["recipe"]["data"], card["endpoints"])


@main.command()
@FOLDER
@click.option(
    "--seeds", type=click.IntRange(0, 100), default=5, show_default=True,
    help="Trainings of each model on each mixture of Gaussians, about a minute each; 0: none.",
)  # fmt: skip
def theory(out, seeds):
    """Check the paper's statements by exact computation and write the page about them.

    Lemmas 1 and 2 and Eq. 8, 10, 14, 17, 26, 36, Fig. 1, 2 and 4, Table 1, and models of the zoo on
    mixtures of Gaussians.
    """
    with _quietly():  # the processes that train models, too
        from tfgen.theory import report

        section = report.NOT_RUN
        if seeds:
            from zoo import gaussians

            section = gaussians.write(out, seeds)
    click.echo(report.write(out, f"tfgen theory --out {out} --seeds {seeds}", section))


def _data(model, name):
    """The data set of this name, by default the one that the model's card was scored on."""
    return tested(zoo.card(model)["recipe"]["data"]) if name is None else name


def _load(name, endpoint=None):
    """The model, which must have the endpoint that a command needs."""
    zoo.locate(name)  # an unknown name is refused before TensorFlow takes its seconds
    with _quietly():
        model = zoo.load(name)
    if endpoint is not None and endpoint not in model.endpoints():
        raise ValueError(
            f"MODEL must have the endpoint {endpoint!r}. "
            f"Received: {name} with {', '.join(model.endpoints())}"
        )
    return model


@contextlib.contextmanager
def _quietly():
    """Imports TensorFlow, dropping what it writes to stderr meanwhile whatever its log level."""
    kept = os.dup(2)
    with open(os.devnull, "w") as null:
        os.dup2(null.fileno(), 2)
    try:
        yield
        from absl import logging

        logging.set_verbosity(logging.ERROR)
    finally:
        os.dup2(kept, 2)
        os.close(kept)


def _facts(model):
    import inspect

    return {
        "model": type(model).__name__,
        "equation": inspect.getdoc(type(model)).splitlines()[0],
        "row": model.row,
        "image_shape": list(model.image_shape),
        "num_classes": model.num_classes,
        "parameters": {name: network.count_params() for name, network in model.players.items()},
        "endpoints": list(model.endpoints()),
        "epochs": int(model.epochs),
    }


def _print_json(value):
    click.echo(json.dumps(value, indent=2))


def _print_metrics(metrics):
    rows = [
        (name, *(f"{number[key]:.4f}" for key in ("value", "low", "high")))
        for name, number in metrics.items()
    ]
    _print_table(("metric", "value", "low", "high"), rows)


def _print_table(header, rows):
    from rich.console import Console
    from rich.table import Table

    table = Table(*header or ("", ""), box=None, show_header=header is not None)
    for row in rows:
        table.add_row(*map(str, row))
    Console(soft_wrap=False, markup=False).print(table)


def _short(value):
    """A card's value in a line."""
    if isinstance(value, dict):
        return ", ".join(f"{key} {_short(part)}" for key, part in value.items())
    if isinstance(value, list):
        return ", ".join(map(str, value))
    return value


if __name__ == "__main__":
    main(prog_name="tfgen")
