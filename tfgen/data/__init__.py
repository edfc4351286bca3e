"""Images and labels as arrays or as a tf.data pipeline: digits, TFDS, folders of pictures, arrays.

A split is held in memory as uint8, and a pipeline only permutes, gathers and scales: choose a
slice ("train[:10%]"), a `fraction` or a smaller `size` for a data set that does not fit.
"""

import os

import numpy as np
import tensorflow as tf

from tfgen.data.pictures import to_array
from tfgen.data.pipeline import batches
from tfgen.data.sources import Info, find
from tfgen.data.subsets import hide_labels, stratified

__all__ = ["Info", "arrays", "batches", "info", "load"]


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
      name: "digits" (scikit-learn's 8x8 digits, offline), an image classification data set of TFDS
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


def info(name: str | os.PathLike) -> Info:
    """What is known of a data set before its images are read; `name` as in `arrays`.

    Nothing is downloaded: a TFDS data set that is not on disk may have no `splits` yet.
    """
    return find(name).info
