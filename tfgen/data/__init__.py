"""Images and labels as arrays or as a tf.data pipeline: digits, TFDS, folders of pictures, arrays.

A split is held in memory as uint8, and a pipeline only permutes, gathers and scales: choose a
slice ("train[:10%]"), a `fraction` or a smaller `size` for a data set that does not fit.
"""

import dataclasses
import os

import numpy as np
import tensorflow as tf

from tfgen.data.domains import unpaired_batches
from tfgen.data.mixed import mixed_batches
from tfgen.data.pictures import to_array
from tfgen.data.pipeline import batches
from tfgen.data.sources import Info, find
from tfgen.data.subsets import hide_labels, stratified

HELD_OUT_BATCH = 500

__all__ = [
    "Info",
    "adaptation",
    "arrays",
    "batches",
    "divided",
    "info",
    "load",
    "on_disk",
    "unpaired",
    "unpaired_batches",
]


def load(
    name: str | os.PathLike,
    split: str = "train",
    fraction: float = 1.0,
    labelled: float = 1.0,
    batch_size: int = 64,
    seed: int = 0,
    *,
    size: int | None = None,
    channels: int | None = None,
    pad: bool = False,
    binarise: bool = False,
    shuffle: bool | None = None,
) -> tf.data.Dataset:
    """Batches (images, labels) of a named data set, ordered by a function of (seed, epoch).

    Args:
      name, split, fraction, labelled, seed, size, channels, pad: which images, as in `arrays`.
      batch_size, binarise: as in `batches`.
      shuffle: None shuffles if `split` begins with "train", and keeps the order otherwise.

    Returns:
      A finite `tf.data.Dataset` of images float32 (b, h, w, c) in [0, 1] and labels int32 (b,),
      with the counter `dataset.epoch` that `batches` describes.

    Raises:
      As `arrays` and `batches` do.
    """
    images, labels = arrays(
        name, split, fraction, labelled, seed, size=size, channels=channels, pad=pad
    )
    if shuffle is None:
        shuffle = split.startswith("train")
    return batches(images, labels, batch_size, seed, binarise=binarise, shuffle=shuffle)


def divided(
    name: str | os.PathLike,
    held_out: float,
    batch_size: int = 64,
    seed: int = 0,
    *,
    binarise: bool = False,
    **subset,
) -> tuple[tf.data.Dataset, tf.data.Dataset]:
    """A split without some of its images, as `load` gives it, and those, to choose a model by.

    Args:
      held_out: share in (0, 1) of the kept images that is held out, stratified by the labels that
        are not hidden, drawn by `seed`.
      binarise: also of the images held out, each pixel drawn once and for all.
      name, batch_size, seed, subset: as in `load` and `arrays`.

    Returns:
      The pipeline to train on, and that of the images held out, in a fixed order.

    Raises:
      As `load` does; ValueError if nothing would be left to train on.
    """
    images, labels = arrays(name, seed=seed, **subset)
    chosen = stratified("held_out", labels, held_out, seed)
    rest = np.setdiff1d(np.arange(len(labels)), chosen)
    if not len(rest):
        raise ValueError(
            "held_out must leave images to train on. "
            f"Received: held_out={held_out} of {len(labels)} images"
        )
    kept = images[chosen]
    if binarise:
        kept = np.where(np.random.default_rng(seed).random(kept.shape) * 255 < kept, 255, 0)
    return (
        batches(images[rest], labels[rest], batch_size, seed, binarise=binarise),
        batches(kept.astype(np.uint8), labels[chosen], HELD_OUT_BATCH, shuffle=False),
    )


def adaptation(
    source: str | os.PathLike,
    target: str | os.PathLike,
    split: str = "train",
    batch_size: int = 128,
    seed: int = 0,
    **geometry,
) -> tf.data.Dataset:
    """Batches of a labelled source domain and an unlabelled target, half and half.

    The target's images have the label -1: their own labels never leave this function.

    Args:
      source, target: names of data sets, as in `arrays`.
      split: of either data set.
      batch_size, seed: as in `tfgen.data.mixed.mixed_batches`, which also says what an epoch is.
      geometry: size, channels and pad of `arrays`, by which both domains get one shape.

    Returns:
      A finite `tf.data.Dataset` of images float32 (b, h, w, c) in [0, 1] and labels int32 (b,), with
      the counter `dataset.epoch` that `batches` describes.

    Raises:
      As `arrays` and `mixed_batches` do.
    """
    source_images, labels = arrays(source, split, **geometry)
    target_images, _ = arrays(target, split, **geometry)
    return mixed_batches(source_images, labels, target_images, batch_size, seed)


def unpaired(
    name: str | os.PathLike,
    target: str | os.PathLike,
    split: str = "train",
    batch_size: int = 64,
    seed: int = 0,
    *,
    length: int | None = None,
    **geometry,
) -> tf.data.Dataset:
    """Batches of two domains of images without labels, A and B, which nothing pairs.

    Args:
      name, target: names of data sets, A and B, as in `arrays`.
      split: of either data set; its images are shuffled if it begins with "train".
      batch_size, seed, length: as in `unpaired_batches`, which also says what an epoch is.
      geometry: size, channels and pad of `arrays`, by which both domains get one shape.

    Returns:
      A finite `tf.data.Dataset` of (images_a, images_b), float32 (b, h, w, c) in [0, 1], with the
      counter `dataset.epoch` that `batches` describes.

    Raises:
      As `arrays` and `unpaired_batches` do.
    """
    images_a, images_b = (arrays(domain, split, **geometry)[0] for domain in (name, target))
    shuffle = split.startswith("train")
    return unpaired_batches(images_a, images_b, batch_size, seed, length=length, shuffle=shuffle)


def arrays(
    name: str | os.PathLike,
    split: str = "train",
    fraction: float = 1.0,
    labelled: float = 1.0,
    seed: int = 0,
    *,
    size: int | None = None,
    channels: int | None = None,
    pad: bool = False,
) -> tuple[np.ndarray, np.ndarray]:
    """Images uint8 (n, h, w, c) and labels int32 (n,) of a named data set, -1 = unlabelled.

    Args:
      name: "digits" (scikit-learn's 8x8 digits, offline), "digits_negative" (the same, 255 - x: a
        second domain for models of two), an image classification data set of TFDS
        ("mnist", "svhn_cropped", "usps", "mnist_m", ...), looked up in the folder that the
        environment variable TFDS_DATA_DIR names and downloaded if it is not there, or a folder of
        pictures: one sub-folder a class, or pictures directly (unlabelled), sorted by file name.
        Sub-folders named train, validation and test, and no others, are its splits; else all is
        "train". A TFDS name wins over a folder of that name; "./mnist" is always a folder.
      split: a split, slice or sum of them in TFDS's syntax: "test", "train[:90%]".
      fraction: share in (0, 1] of the split's images that are kept, stratified by class, at least
        one a class. A smaller share with the same seed is a subset of a larger one.
      labelled: share in [0, 1] of the kept images that keep their label, drawn like `fraction`;
        the others get -1.
      seed: of both draws, an integer in [0, 2**32).
      size: height and width to resize to (antialiased bilinear), or to pad to.
      channels: 1 or 3, to convert between grey and RGB.
      pad: zeros around the centred image instead of resizing.

    Raises:
      FileNotFoundError: the data set is neither on disk nor can it be downloaded.
      ValueError: an unknown name or split, an empty result, a share or size out of range, or
        pictures of different sizes without `size`.
    """
    images, labels = find(name).read(split)
    if not len(labels):
        raise ValueError(f"The split must hold images. Received: name={name!r}, split={split!r}")
    kept = stratified("fraction", labels, fraction, seed)
    labels = hide_labels(labels[kept], labelled, seed)
    return to_array([images[i] for i in kept], size, channels, pad), labels


def info(name: str | os.PathLike, *, size: int | None = None, channels: int | None = None) -> Info:
    """What is known of a data set before its images are read; arguments as in `arrays`.

    Nothing is downloaded: a TFDS data set that is not on disk may have no `splits` yet.
    """
    known = find(name).info
    height, width, depth = known.shape
    shape = (size or height, size or width, channels or depth)
    return dataclasses.replace(known, shape=shape)


def on_disk(name: str | os.PathLike) -> bool:
    """Whether a data set can be read without a download; `name` as in `arrays`."""
    return find(name).on_disk
