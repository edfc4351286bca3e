"""PNG pictures: grids of images, interpolations between latent codes, maps of the latent space."""

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf
from PIL import Image
from scipy import stats

from tfgen import checks
from tfgen.atomic import replace_file
from tfgen.data.pictures import convert
from tfgen.drawing import plots
from tfgen.drawing.tiles import MOST_COLUMNS, captions, grid


def samples(
    model: Any,
    n: int = 64,
    seed: int = 0,
    labels: Any = None,
    class_names: Sequence[str] | None = (),
    prior: str | None = None,
) -> Image.Image:
    """Draw the grid of `model.sample(n, seed, labels, prior)`, with the labels if the model is conditional.

    With the default labels, each class in turn, a column holds one class.

    Args:
        model: A generator of the zoo.
        n, seed, labels, prior: See `sample`.
        class_names: Names of class 0, 1, ..., to write above images instead of their labels.
    """
    most = min(n, MOST_COLUMNS)
    in_turn = labels is None and model.conditional and model.num_classes <= most
    labels = checks.sample_labels(model, n, seed, labels)
    images = model.sample(n, seed=seed, labels=labels, prior=prior)
    columns = _columns(n, model.num_classes) if in_turn else None
    return grid(images, captions(labels, class_names), columns)


def _columns(n: int, num_classes: int) -> int:
    """Return the multiple of the number of classes that makes a grid of n tiles about square."""
    return num_classes * max(1, round(math.sqrt(n) / num_classes))


def interpolation(
    model: Any, rows: int = 8, columns: int = 9, seed: int = 0, labels: Any = None
) -> Image.Image:
    """Draw the grid whose rows are G_theta(z [, t]), z on an arc between two draws of the prior.

    In a model with codes, continuous codes move on a straight line, and a row keeps its category.

    Args:
        model: A generator of the zoo.
        rows: Number of pairs of latent codes.
        columns: Number of images per row, both ends included.
        seed: Seed of the latent codes.
        labels: (rows,) class labels for a conditional model; by default arange(rows) % num_classes.

    Raises:
        ValueError, TypeError: An argument breaks a rule.
    """
    if columns < 2:
        raise ValueError(f"A row must have at least its two ends. Received: columns={columns}")
    labels = checks.sample_labels(model, rows, seed, labels)
    start, end = np.split(np.asarray(model.prior(2 * rows, seed)), 2)
    latents = _walk(model, start, end, columns).reshape(rows * columns, -1)
    if labels is not None:
        labels = np.repeat(labels, columns)
    return grid(np.asarray(model.decode(tf.constant(latents), labels)), labels, columns)


def traversal(model: Any, rows: int = 3, columns: int = 9, seed: int = 0) -> Image.Image:
    """Draw the grid of G_theta(z) that varies one code after another and holds the rest of z.

    The categories come first, one per row; a column holds one draw of the rest of z.  Then each
    continuous code has `rows` rows, in which it runs from -1 on the left to 1 on the right; each row holds
    one draw of the rest of z.  The value of the code is written above each image.

    Args:
        model: A generator of the zoo with codes.
        rows: Number of draws of the rest of z for each continuous code.
        columns: Number of images per row.
        seed: Seed of the draws.

    Raises:
        ValueError, TypeError: An argument breaks a rule, or the model has no codes.

    Source: Chen et al. (2016), Fig. 2.
    """
    categories, continuous = model.num_categories, model.num_continuous
    if not categories + continuous:
        raise ValueError(f"A traversal needs a model with codes. Received: {model.name} without")
    for name, value, least in (("rows", rows, 1), ("columns", columns, 2)):
        if value < least:
            raise ValueError(f"{name} must be at least {least}. Received: {name}={value}")
    drawn = np.asarray(model.prior(max(rows, columns), seed))
    held = [drawn[:columns]] * categories
    held += [np.repeat(drawn[[row]], columns, axis=0) for row in range(rows)] * continuous
    latents = np.stack(held)  # (rows of tiles, columns, d)
    codes = latents[:, :, -(categories + continuous) :]
    codes[:categories, :, :categories] = np.eye(categories)[:, None]
    captions = np.repeat([f"c = {category}" for category in range(categories)], columns).tolist()
    sweep = np.linspace(-1.0, 1.0, columns)
    for code in range(continuous):
        start = categories + code * rows
        codes[start : start + rows, :, categories + code] = sweep
        captions += [f"c{code + 1} = {value:.2f}" for value in sweep] * rows
    images = model.decode(tf.constant(latents.reshape(-1, model.latent_dim)))
    return grid(np.asarray(images), captions, columns)


def reconstructions(
    model: Any, images: np.ndarray, labels: np.ndarray | None = None, seed: int = 0
) -> Image.Image:
    """Draw the grid of images, each above G_theta(z [, t]) at a draw z ~ q_eta(z|x [, t]).

    Args:
        model: Model with the endpoint `reconstruct`.
        images: float32 (n, h, w, c) in [0, 1], as the model's.
        labels: (n,) class labels for a conditional model, written above the images.
        seed: Seed of the first image's draw; the next have seed + 1 and so on.

    Raises:
        ValueError, TypeError: An argument breaks a rule.
    """
    images = np.asarray(images)
    checks.check_images(images, model.image_shape)
    condition = {}
    if model.conditional:
        checks.check_labels(labels, len(images), model.num_classes)
        condition = {"labels": np.asarray(labels, np.int32)}
    reconstruct, _ = model.endpoints()["reconstruct"]
    seeds = np.arange(seed, seed + len(images)).astype(np.int32)
    rebuilt = reconstruct(images=images.astype(np.float32), seeds=seeds, **condition)["images"]
    columns = math.isqrt(len(images) - 1) + 1
    tiles = _in_pairs_of_rows(images, np.asarray(rebuilt), columns, filler=1.0)
    if not model.conditional:
        return grid(tiles, columns=columns)
    captions = np.asarray(labels).astype(str)
    captions = _in_pairs_of_rows(captions, np.full_like(captions, ""), columns, filler="")
    return grid(tiles, captions, columns)


def translations(model: Any, images: np.ndarray, direction: str = "ab") -> Image.Image:
    """Draw the grid of images of one domain, each above its translation into the other.

    Args:
        model: Model with the endpoints `translate_ab` and `translate_ba`.
        images: float32 (n, h, w, c) in [0, 1], as the model's domain A, or B for direction "ba".
        direction: "ab" or "ba".

    Raises:
        ValueError, TypeError: An argument breaks a rule.
    """
    shapes = {"ab": model.image_shape, "ba": model.image_shape_b}
    if direction not in shapes:
        raise ValueError(f"direction must be 'ab' or 'ba'. Received: direction={direction!r}")
    images = np.asarray(images)
    checks.check_images(images, shapes[direction])
    translate, _ = model.endpoints()[f"translate_{direction}"]
    translated = translate(images=images.astype(np.float32))["images"].numpy()
    size, _, channels = images.shape[1:]
    columns = math.isqrt(len(images) - 1) + 1
    lower = convert(translated, size, channels)  # to stand in one grid with the images
    return grid(_in_pairs_of_rows(images, lower, columns, filler=1.0), columns=columns)


def latent_map(model: Any, images: np.ndarray, labels: np.ndarray | None) -> Any:
    """Draw the posterior means E_q[z|x [, t]] with Matplotlib, one point per image, one color per class.

    Codes of more than two dimensions are shown on their first two principal components, with the
    share of the variance that each holds.

    Args:
        model: Model with the endpoint `encode`.
        images: float32 (n, h, w, c) in [0, 1], as the model's; at least 2 of them.
        labels: (n,) class labels.

    Returns:
        A `matplotlib.figure.Figure`, which `tfgen.drawing.plots.save` writes.

    Raises:
        ImportError: Matplotlib, of the extra `plots`, is not installed.
        ValueError, TypeError: An argument breaks a rule.
    """
    images = np.asarray(images)
    checks.check_images(images, model.image_shape)
    checks.check_labels(labels, len(images), model.num_classes or np.iinfo(np.int32).max)
    labels = np.asarray(labels, np.int32)
    if model.latent_dim < 2 or len(images) < 2:
        raise ValueError(
            "A map needs at least 2 latent dimensions and 2 images. "
            f"Received: latent_dim={model.latent_dim}, {len(images)} images"
        )
    encode, _ = model.endpoints()["encode"]
    condition = {"labels": labels} if model.conditional else {}
    points = np.asarray(encode(images=images.astype(np.float32), **condition)["latents"])
    names = ["first unit", "second unit"]
    if points.shape[1] > 2:
        from sklearn.decomposition import PCA

        components = PCA(n_components=2).fit(points)
        points = components.transform(points)
        shares = components.explained_variance_ratio_
        names = [f"principal component {i}, {share:.0%}" for i, share in enumerate(shares, 1)]
    figure, [axis] = plots.axes(1, size=(5.0, 4.0))
    for label in np.unique(labels):
        axis.scatter(*points[labels == label].T, s=4, label=str(label))
    axis.set(xlabel=names[0], ylabel=names[1])
    axis.legend(markerscale=3, frameon=False, loc="center left", bbox_to_anchor=(1, 0.5))
    return figure


def latent_plane(model: Any, columns: int = 15, label: int | None = None) -> Image.Image:
    """Draw the grid of G_theta(z [, t]) over quantiles of the prior of a two-dimensional z.

    Tiles represent equal shares of the prior's mass: each unit of z runs through the normal quantiles
    of (i + 1/2)/columns, the first from left to right, the second from bottom to top.

    Args:
        model: A generator of the zoo with latent_dim = 2.
        columns: Number of tiles per side.
        label: Class of all images of a conditional model; by default 0.

    Raises:
        ValueError: z has another length, or an argument is out of range.

    Source: Kingma & Welling (2014), Fig. 4.
    """
    if model.latent_dim != 2:
        raise ValueError(f"latent_dim must be 2. Received: latent_dim={model.latent_dim}")
    if label is None and model.conditional:
        label = 0
    labels = None if label is None else [label] * columns**2
    labels = checks.sample_labels(model, columns**2, 0, labels)
    quantiles = stats.norm.ppf((np.arange(columns) + 0.5) / columns)
    across, up = np.meshgrid(quantiles, quantiles[::-1])
    latents = np.stack([across, up], axis=-1).reshape(-1, 2).astype(np.float32)
    return grid(np.asarray(model.decode(tf.constant(latents), labels)), columns=columns)


def spherical(start: np.ndarray, end: np.ndarray, steps: int) -> np.ndarray:
    """Spherical interpolation: sin((1-s)w)/sin(w) start + sin(sw)/sin(w) end, w the angle between.

    In many dimensions N(0, I) lies near a sphere; a straight line would leave it.

    Args:
        start, end: (rows, d), neither zero nor opposite to each other.
        steps: Number of points s, evenly from 0 to 1.

    Returns:
        (rows, steps, d) float32.

    Source: Shoemake (1985), Animating rotation with quaternion curves.
    """
    norms = np.linalg.norm(start, axis=-1) * np.linalg.norm(end, axis=-1)
    angle = np.arccos(np.clip((start * end).sum(axis=-1) / norms, -1.0, 1.0))[:, None]  # (rows, 1)
    share = np.linspace(0.0, 1.0, steps)  # (steps,)
    # sin(aw)/sin(w) with sinc, which is finite where the two directions are one.
    weight = [a * np.sinc(a * angle / np.pi) / np.sinc(angle / np.pi) for a in (1 - share, share)]
    points = weight[0][..., None] * start[:, None] + weight[1][..., None] * end[:, None]
    return points.astype(np.float32)


def save(picture: Image.Image, path: str | Path) -> str | Path:
    """Write a picture as PNG atomically; `path` ends in .png.

    Raises:
        ValueError: The path has another suffix.
        OSError: The folder cannot be written.
    """
    path = Path(path)
    if path.suffix.lower() != ".png":
        raise ValueError(f"A picture's file must end in .png. Received: path={str(path)!r}")
    with replace_file(path) as aside:
        picture.save(aside, format="PNG")
    return path


def _walk(model, start, end, steps):
    """Return points from start to end, (rows, steps, d): noise on an arc, codes on a line, one category."""
    noise = model.latent_dim - model.num_categories - model.num_continuous
    arc = spherical(start[:, :noise], end[:, :noise], steps)
    codes = np.linspace(start[:, noise:], end[:, noise:], steps, axis=1)
    codes[:, :, : model.num_categories] = codes[:, :1, : model.num_categories]
    return np.concatenate([arc, codes], axis=2, dtype=np.float32)


def _in_pairs_of_rows(upper, lower, columns, filler):
    """Return rows of `columns` entries, alternating between the upper and the lower array, padded."""
    missing = -len(upper) % columns
    rows = []
    for array in (upper, lower):
        padding = [(0, missing)] + [(0, 0)] * (array.ndim - 1)
        padded = np.pad(array, padding, constant_values=filler)
        rows.append(padded.reshape(-1, columns, *array.shape[1:]))
    return np.stack(rows, axis=1).reshape(-1, *upper.shape[1:])
