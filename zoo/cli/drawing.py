"""`tfgen sample`, `interpolate`, `traverse`, `map`, `reconstruct` and `translate`: PNG pictures."""

from pathlib import Path

import click

import tfgen
import zoo
from zoo.cli.loading import class_names, data_of, load_model
from zoo.cli.options import MODEL, MOST_TILES, PICTURE, SEED


@click.command()
@MODEL
@click.option(
    "-n",
    type=click.IntRange(1, MOST_TILES),
    default=64,
    show_default=True,
    help="Number of images.",
)
@SEED
@click.option("--label", type=int, help="Class of all images; by default each class in turn.")
@click.option(
    "--prior", type=click.Choice(["aggregate", "truncated"]),
    help="Draw codes from the second sampler of MODEL, the mixture of `fit_sampler` or truncated z, where "
    "`tfgen info MODEL` lists generate_aggregate or generate_truncated; by default from p(z).",
)  # fmt: skip
@PICTURE
def sample(model: str, n: int, seed: int, label: int | None, prior: str | None, out: Path) -> None:
    """Draw images from MODEL into a PNG grid."""
    loaded = load_model(model, "sample")
    from tfgen.drawing import pictures

    labels = None if label is None else [label] * n
    picture = pictures.samples(loaded, n, seed, labels, class_names(model), prior)
    click.echo(pictures.save(picture, out))


@click.command()
@MODEL
@click.option("--rows", type=click.IntRange(1, 100), default=8, show_default=True, help="Pairs.")
@click.option(
    "--columns",
    type=click.IntRange(2, 100),
    default=9,
    show_default=True,
    help="Number of images per pair.",
)
@SEED
@click.option("--label", type=int, help="Class of all rows; by default each class in turn.")
@PICTURE
def interpolate(
    model: str, rows: int, columns: int, seed: int, label: int | None, out: Path
) -> None:
    """Draw images between pairs of latent codes.

    Each row follows the arc between one pair.
    """
    loaded = load_model(model, "decode")
    from tfgen.drawing import pictures

    labels = None if label is None else [label] * rows
    click.echo(pictures.save(pictures.interpolation(loaded, rows, columns, seed, labels), out))


@click.command()
@MODEL
@click.option(
    "--rows", type=click.IntRange(1, 100), default=3, show_default=True,
    help="Number of rows per continuous code.",
)  # fmt: skip
@click.option(
    "--columns",
    type=click.IntRange(2, 100),
    default=9,
    show_default=True,
    help="Number of images per row.",
)
@SEED
@PICTURE
def traverse(model: str, rows: int, columns: int, seed: int, out: Path) -> None:
    """Draw the effect of each latent code of MODEL.

    In each row one code varies, the rest of z is fixed. The first rows show one category each, the others a
    continuous code from -1 to 1.
    """
    loaded = load_model(model, "decode")
    from tfgen.drawing import pictures

    click.echo(pictures.save(pictures.traversal(loaded, rows, columns, seed), out))


@click.command("map")
@MODEL
@click.option("--data", help="Data set; by default the one of MODEL's card.")
@click.option(
    "-n", type=click.IntRange(2, 100_000), default=5000, show_default=True, help="Number of images."
)
@PICTURE
def latent_map(model: str, data: str | None, n: int, out: Path) -> None:
    """Draw the latent codes of test images, colored by class.

    MODEL infers them from the first images. Codes of more than two dimensions are shown on their first two
    principal components.
    """
    data = data_of(model, data)
    loaded = load_model(model, "encode")
    from tfgen.drawing import pictures, plots

    images, labels = _test_images(loaded, data, n)
    click.echo(plots.save(pictures.latent_map(loaded, images, labels), out))


@click.command()
@MODEL
@click.option("--data", help="Data set; by default the one of MODEL's card.")
@click.option(
    "-n",
    type=click.IntRange(1, MOST_TILES // 2),
    default=32,
    show_default=True,
    help="Number of images.",
)
@SEED
@PICTURE
def reconstruct(model: str, data: str | None, n: int, seed: int, out: Path) -> None:
    """Draw the first test images above MODEL's reconstructions.

    Models with a Bernoulli likelihood reconstruct binarized images, as their bound is measured on.
    """
    data = data_of(model, data)
    loaded = load_model(model, "reconstruct")
    from tfgen.drawing import pictures

    images, labels = _test_images(loaded, data, n)
    click.echo(pictures.save(pictures.reconstructions(loaded, images, labels, seed), out))


@click.command()
@MODEL
@click.option(
    "--direction", type=click.Choice(["ab", "ba"]), default="ab", show_default=True,
    help="Direction of the translation: from domain A to B, or from B to A.",
)  # fmt: skip
@click.option("--data", help="Data set of the images; by default the one of MODEL's card.")
@click.option(
    "-n",
    type=click.IntRange(1, MOST_TILES // 2),
    default=32,
    show_default=True,
    help="Number of images.",
)
@PICTURE
def translate(model: str, direction: str, data: str | None, n: int, out: Path) -> None:
    """Draw test images above MODEL's translations of them.

    The images are the first of one domain's test set, their translations are of the other domain.
    """
    if data is None:
        data = zoo.card(model)["recipe"]["data"]["name" if direction == "ab" else "target"]
    loaded = load_model(model, f"translate_{direction}")
    from tfgen.drawing import pictures

    name = str(data)
    size, _, channels = loaded.image_shape if direction == "ab" else loaded.image_shape_b
    images, _ = tfgen.data.arrays(name, f"test[:{n}]", size=size, channels=channels)
    click.echo(pictures.save(pictures.translations(loaded, images / 255, direction), out))


def _test_images(model, data, n):
    """Return the first n test images and labels; images are binarized for a Bernoulli likelihood."""
    from tfgen.evaluation import likelihood

    size, _, channels = model.image_shape
    images, labels = tfgen.data.arrays(data, f"test[:{n}]", size=size, channels=channels)
    return likelihood.prepare_images(model.likelihood, images / 255), labels
