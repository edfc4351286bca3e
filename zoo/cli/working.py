"""`tfgen evaluate`, `symmetry` and `export`: scores and exports of a model."""

from pathlib import Path
from typing import Any

import click

import tfgen
import zoo
from tfgen.quiet import quietly
from zoo.cli.loading import data_of, evaluation_data_of, fetch_evaluators, load_model
from zoo.cli.options import (
    EVALUATOR,
    JSON,
    MODEL,
    SEED,
    TRUSTED,
    CountOrFolder,
    NewPath,
    fetched_once,
    trusts,
)
from zoo.cli.printing import print_json, print_metrics


@click.command()
@click.argument("model", required=False, callback=fetched_once)
@TRUSTED
@click.option(
    "--data", multiple=True,
    help="Data set; twice for the domains A and B of a translator; by default that of MODEL's card.",
)  # fmt: skip
@click.option(
    "--samples", type=CountOrFolder(), default=10_000, show_default=True, metavar="N|FOLDER",
    help="Number of generated images to score, or a folder of pictures to score instead of MODEL's.",
)  # fmt: skip
@click.option(
    "--against",
    help="Folder of pictures, or data set, against which to score the pictures of --samples.",
)
@click.option(
    "--inception", type=click.Path(path_type=Path), metavar="NETWORK",
    help="Print only the literature's FID against the training images, by the features of this "
    "network: a .keras file, or the folder of a SavedModel.",
)  # fmt: skip
@EVALUATOR
@SEED
@JSON
def evaluate(
    model: str,
    data: tuple[str, ...],
    samples: int,
    against: Any,
    inception: Path | None,
    evaluator: str | None,
    seed: int,
    as_json: bool,
) -> Any:
    """Score MODEL on its data set, or a folder of pictures.

    Samples are scored by an evaluator, classes and bounds on the test set. With --samples FOLDER --against
    FOLDER, score the pictures of one folder against those of another, by --evaluator or the evaluator of
    the data set --against.
    """
    if isinstance(samples, int) is (model is None) or (model is None) is (against is None):
        raise click.UsageError("Give MODEL, or --samples FOLDER with --against, and not both.")
    if inception is not None and (model is None or evaluator is not None):
        raise click.UsageError("--inception scores MODEL, and has no --evaluator.")
    if model is None:
        metrics = _compare_folders(samples, against, evaluator, seed)
    elif inception is not None:
        metrics = _inception_fid(model, data, inception, samples, seed)
    else:
        names = evaluation_data_of(model, data)
        loaded = load_model(model)
        if evaluator is None:
            fetch_evaluators(names)
        metrics = tfgen.evaluate(loaded, names, samples, evaluator=evaluator, seed=seed)
    if as_json:
        print_json(metrics)
    else:
        print_metrics(metrics)


def _compare_folders(samples, against, evaluator, seed):
    with quietly():
        from tfgen.evaluation import compare
        from tfgen.evaluation.evaluator import find_evaluator
    if evaluator is None:
        evaluator = find_evaluator(against)
    return compare(samples, against, evaluator, seed)


def _inception_fid(model, data, network, samples, seed):
    names = evaluation_data_of(model, data)
    if not isinstance(names, str):
        raise ValueError(f"FID is of one data set. Received: {', '.join(names)}")
    loaded = load_model(model, "sample")
    from tfgen.evaluation.inception import inception_fid

    return {"inception_fid": inception_fid(loaded, names, network, samples, seed=seed)._asdict()}


@click.command()
@MODEL
@click.option("--data", help="Data set; by default the one of MODEL's card.")
@click.option(
    "--samples", type=click.IntRange(1, 1_000_000), default=10_000, show_default=True,
    help="Number of generated images.",
)  # fmt: skip
@click.option(
    "--epochs", type=click.IntRange(1, 100_000),
    help="Number of epochs on the generated images; by default that of the evaluator's recipe.",
)  # fmt: skip
@EVALUATOR
@SEED
@JSON
@click.option("--out", type=NewPath(".md"), help="Markdown file to write.")
def symmetry(
    model: str,
    data: str | None,
    samples: int,
    epochs: int | None,
    evaluator: str | None,
    seed: int,
    as_json: bool,
    out: Path | None,
) -> None:
    """Compare generated pairs (image, label) with distilled ones.

    Section 6 of the paper: a classifier learns from MODEL's images with the labels that they were drawn
    for, another from the same images with the evaluator's probabilities, others from real images; all
    are tested on the real test set. MODEL must be conditional.
    """
    data = data_of(model, data)
    zoo.locate(model)  # an unknown name is refused before TensorFlow takes its seconds
    with quietly():
        from zoo.studies import symmetry

    options = {"epochs": epochs, "evaluator": evaluator, "seed": seed, "trusted": trusts()}
    report = symmetry.report(model, data, samples, **options)
    if out is not None:
        out.parent.mkdir(parents=True, exist_ok=True)
        out.write_text(symmetry.page([report]))
    if as_json:
        print_json(report)
    else:
        print_metrics(report["metrics"])


@click.command()
@MODEL
@click.option("--out", type=NewPath(), required=True, help="Folder or file to write.")
@click.option(
    "--format", "form", type=click.Choice(["savedmodel", "onnx", "litert"]), default="savedmodel",
    show_default=True, help="Format of the export.",
)  # fmt: skip
@click.option(
    "--warmup", is_flag=True, help="Add requests that a server replays when it loads the model."
)
def export(model: str, out: Path, form: str, warmup: bool) -> None:
    """Write MODEL as a SavedModel, ONNX or LiteRT file.

    A SavedModel is written to --out as the next version, or as the version that --out names. With --format
    onnx or litert, write the noise-free part of MODEL, a generator's decoder, a translator or a classifier,
    to the file --out, which ends in .onnx or .tflite.
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
