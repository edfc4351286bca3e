"""`tfgen evaluate`, `symmetry` and `export`: what is made of a model."""

import click

import tfgen
import zoo
from tfgen.quiet import quietly
from zoo.cli.loading import data_of, evaluation_data_of, fetch_evaluators, load_model
from zoo.cli.options import (
    EVALUATOR,
    JSON,
    MODEL,
    SAMPLES,
    SEED,
    NewPath,
)
from zoo.cli.printing import print_json, print_metrics


@click.command()
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
    data = evaluation_data_of(model, data)
    loaded = load_model(model)
    if evaluator is None:
        fetch_evaluators(data)
    metrics = tfgen.evaluate(loaded, data, samples, evaluator=evaluator, seed=seed)
    if as_json:
        print_json(metrics)
    else:
        print_metrics(metrics)


@click.command()
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
    data = data_of(model, data)
    zoo.locate(model)  # an unknown name is refused before TensorFlow takes its seconds
    with quietly():
        from zoo.studies import symmetry

    report = symmetry.report(model, data, samples, epochs=epochs, evaluator=evaluator, seed=seed)
    if out is not None:
        out.parent.mkdir(parents=True, exist_ok=True)
        out.write_text(symmetry.page([report]))
    if as_json:
        print_json(report)
    else:
        print_metrics(report["metrics"])


@click.command()
@MODEL
@click.option("--out", type=NewPath(), required=True, help="Folder, or file, to write.")
@click.option(
    "--format", "form", type=click.Choice(["savedmodel", "onnx", "litert"]), default="savedmodel",
    show_default=True, help="Of the export.",
)  # fmt: skip
@click.option("--warmup", is_flag=True, help="Add requests that a server replays when it loads.")
def export(model, out, form, warmup):
    """Write MODEL as a SavedModel in --out, as the next version or as the one that --out names.

    With --format onnx or litert, write to the file --out, which ends in .onnx or .tflite, what MODEL
    computes without noise: a generator's decoder, a translator or a classifier.
    """
    if warmup and form != "savedmodel":
        raise ValueError(f"Only a SavedModel has warm-up requests. Received: --format {form}")
    if form != "savedmodel":
        return click.echo(_export_interchange(model, out, form))
    if not out.name.isdecimal():
        versions = [int(path.name) for path in out.glob("*") if path.name.isdecimal()]
        out = out / str(max(versions, default=0) + 1)
    loaded = load_model(model)
    click.echo(tfgen.export(loaded, out, warmup=warmup))


def _export_interchange(model, out, form):
    suffix = {"onnx": ".onnx", "litert": ".tflite"}[form]
    if out.suffix != suffix:
        raise ValueError(f"A file of this format ends in {suffix}. Received: --out {out}")
    loaded = load_model(model)
    from tfgen import interchange

    return getattr(interchange, form)(loaded, out)
