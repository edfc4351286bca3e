"""Named data sets as arrays or as a `tf.data` pipeline, in every form that the zoo trains on."""

import os
from typing import Any

import numpy as np
import tensorflow as tf

from tfgen.checks import check_flags
from tfgen.data.domains import fetch_unpaired_batches
from tfgen.data.mixed import fetch_mixed_batches
from tfgen.data.named import find
from tfgen.data.pictures import Geometry
from tfgen.data.pipeline import batches
from tfgen.data.selection import select
from tfgen.data.sources import Info
from tfgen.data.subsets import stratified_subset

HELD_OUT_BATCH = 500


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
    crop: bool = False,
    binarize: bool = False,
    shuffle: bool | None = None,
    shift: int = 0,
    flip: str | None = None,
    stream: bool = False,
    cached: bool = False,
    shard: tuple[int, int] = (0, 1),
) -> tf.data.Dataset:
    """Return batches (images, labels) of a named data set, in an order fixed by (seed, epoch).

    Args:
        name, split, fraction, labelled, seed, size, channels, pad, crop: See `arrays`.
        batch_size, binarize, shift, flip: See `batches`.
        shuffle: Whether to shuffle; None shuffles if `split` begins with "train".
        stream: Whether to read each batch from disk when it is needed, instead of the whole split into
            memory; the batches are the same. A folder then needs `size` and `channels`, because pictures
            are not opened before they are read, and a broken picture raises only then. A share of a TFDS
            data set (`fraction`, `labelled`) needs one pass over its labels.
        cached: Whether a stream keeps each decoded picture of a folder on disk, for later epochs and
            commands, see `tfgen.data.cache`; without `stream` pictures are always kept.
        shard: (index, count), the part of each batch that worker `index` of `count` reads: consecutive
            images. The parts of all workers make the batch.

    Returns:
        A finite `tf.data.Dataset` of images float32 (b, h, w, c) in [0, 1] and labels int32 (b,),
        with the counter `dataset.epoch` that `batches` describes.

    Raises:
        FileNotFoundError, TypeError, ValueError: See `arrays` and `batches`.

    Examples:
        >>> import tfgen
        >>> batches = tfgen.data.load("digits", fraction=0.5, labelled=0.1, batch_size=32)
        >>> images, labels = next(iter(batches))
        >>> images.shape, images.dtype.name
        (TensorShape([32, 8, 8, 1]), 'float32')
        >>> sum(int((labels < 0).numpy().sum()) for _, labels in batches)  # images without a label
        646
    """
    geometry = {"size": size, "channels": channels, "pad": pad, "crop": crop}
    selection = select(name, split, fraction, labelled, seed, stream=stream, **geometry)
    if shuffle is None:
        shuffle = split.startswith("train")
    check_flags(cached=cached)
    options = {"binarize": binarize, "shuffle": shuffle, "shift": shift, "flip": flip}
    reading = {"stream": stream, "cached": cached, "shard": shard}
    return selection.batches(batch_size, seed, **reading, **options)


def load_with_validation(
    name: str | os.PathLike,
    held_out: float,
    batch_size: int = 64,
    seed: int = 0,
    *,
    binarize: bool = False,
    shift: int = 0,
    flip: str | None = None,
    stream: bool = False,
    cached: bool = False,
    **subset: Any,
) -> tuple[tf.data.Dataset, tf.data.Dataset]:
    """Return batches of `load` without a share of the images, and batches of that share for validation.

    Args:
        held_out: Share in (0, 1) of the kept images that is held out, stratified by the labels that
            are not hidden, drawn by `seed`.
        binarize: Whether to binarize; pixels of images held out are drawn only once.
        shift, flip: Augmentation of the images to train on, see `batches`.
        name, batch_size, seed, stream, cached, subset: See `load` and `arrays`.

    Returns:
        Batches to train on, and batches of the images held out in a fixed order.

    Raises:
        FileNotFoundError, TypeError: See `load`.
        ValueError: No image is left to train on, or see `load`.
    """
    whole = select(name, seed=seed, stream=stream, **subset)
    chosen = stratified_subset("held_out", whole.labels, held_out, seed)
    rest = np.setdiff1d(np.arange(len(whole)), chosen)
    if not len(rest):
        raise ValueError(
            "held_out must leave images to train on. "
            f"Received: held_out={held_out} of {len(whole)} images"
        )
    options = {"binarize": binarize, "shift": shift, "flip": flip}
    reading = {"stream": stream, "cached": cached}
    training = whole.only(rest).batches(batch_size, seed, **reading, **options)
    kept = whole.only(chosen)
    if stream:
        fixed = {"shuffle": False, "binarize": binarize, "redraw": False}
        return training, kept.batches(HELD_OUT_BATCH, seed, **reading, **fixed)
    images = kept.array()
    if binarize:
        images = np.where(np.random.default_rng(seed).random(images.shape) * 255 < images, 255, 0)
    return training, batches(images.astype(np.uint8), kept.labels, HELD_OUT_BATCH, shuffle=False)


def load_adaptation(
    source: str | os.PathLike,
    target: str | os.PathLike,
    split: str = "train",
    batch_size: int = 128,
    seed: int = 0,
    *,
    shift: int = 0,
    stream: bool = False,
    cached: bool = False,
    **geometry: Any,
) -> tf.data.Dataset:
    """Return batches, half of a labelled source domain and half of an unlabelled target.

    The target's images have the label -1: their labels are not read.

    Args:
        source, target: Names of data sets, as in `arrays`.
        split: Split of either data set.
        batch_size, seed, shift: See `tfgen.data.mixed.mixed_batches`, which also says what an epoch is.
        stream, cached: See `load`.
        geometry: Arguments size, channels, pad and crop of `arrays`, which bring both domains to one shape.

    Returns:
        A finite `tf.data.Dataset` of images float32 (b, h, w, c) in [0, 1] and labels int32 (b,), with
        the counter `dataset.epoch` that `batches` describes.

    Raises:
        FileNotFoundError, TypeError, ValueError: See `arrays` and `tfgen.data.mixed.mixed_batches`.
    """
    domains = [select(name, split, stream=stream, **geometry) for name in (source, target)]
    fetches, shapes = zip(*[d.fetch(stream=stream, cached=cached) for d in domains], strict=True)
    return fetch_mixed_batches(
        [len(domain) for domain in domains], fetches, shapes, batch_size, seed, shift=shift
    )


def load_unpaired(
    name: str | os.PathLike,
    target: str | os.PathLike,
    split: str = "train",
    batch_size: int = 64,
    seed: int = 0,
    *,
    length: int | None = None,
    stream: bool = False,
    cached: bool = False,
    **geometry: Any,
) -> tf.data.Dataset:
    """Return batches of two unpaired domains of images, A and B, without labels.

    Args:
        name, target: Names of data sets, A and B, as in `arrays`.
        split: Split of either data set; its images are shuffled if it begins with "train".
        batch_size, seed, length: See `unpaired_batches`, which also says what an epoch is.
        stream, cached: See `load`.
        geometry: Arguments size, channels, pad and crop of `arrays`, which bring both domains to one shape.

    Returns:
        A finite `tf.data.Dataset` of (images_a, images_b), float32 (b, h, w, c) in [0, 1], with the
        counter `dataset.epoch` that `batches` describes.

    Raises:
        FileNotFoundError, TypeError, ValueError: See `arrays` and `unpaired_batches`.
    """
    domains = [select(domain, split, stream=stream, **geometry) for domain in (name, target)]
    fetches = [_images_of(domain.fetch(stream=stream, cached=cached)[0]) for domain in domains]
    sizes, shuffle = [len(domain) for domain in domains], split.startswith("train")
    return fetch_unpaired_batches(sizes, fetches, batch_size, seed, length=length, shuffle=shuffle)


def _images_of(fetch):
    return lambda indices: fetch(indices)[0]


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
    crop: bool = False,
) -> tuple[np.ndarray, np.ndarray]:
    """Return images uint8 (n, h, w, c) and labels int32 (n,) of a named data set, -1 = unlabelled.

    A folder holds one sub-folder per class, with all pictures below it, or pictures directly
    (unlabelled). Sub-folders named train, validation and test (or training, val, valid, dev, testing,
    in any case), if there are no others, are its splits, each with this layout. Without split folders a
    tenth of 20 pictures or more is held out as "test", stratified by class, and the rest is "train";
    "train+test" has all pictures. With a validation folder and no test folder, "test" is the validation
    split. Hidden files and those that tools leave behind are skipped; `summary` counts them.

    Pictures are 8 bits per channel as a viewer shows them: turned as their EXIF orientation says,
    transparency on white, 16 bits cut to their high byte, the first image of an animation; one channel
    if all are gray, else three. Decoded pictures are kept on disk, see `tfgen.data.cache`.

    Args:
        name: "digits" (scikit-learn's 8x8 digits, offline), "digits_negative" (the same, 255 - x, as a
            second domain), an image classification data set of TFDS
            ("mnist", "svhn_cropped", "usps", "mnist_m", ...), looked up in the folder that the
            environment variable TFDS_DATA_DIR names and downloaded if it is not there, or a folder of
            pictures. A TFDS name wins over a folder of that name; "./mnist" is always a folder.
        split: Split, slice of one, or sum of these in TFDS's syntax: "test", "train[:90%]".
        fraction: Share in (0, 1] of the split's images that are kept, stratified by class, at least
            one per class. A smaller share with the same seed is a subset of a larger one.
        labelled: Share in [0, 1] of the kept images that keep their label, drawn like `fraction`;
            the others get -1.
        seed: Seed of both draws, an integer in [0, 2**32).
        size: Height and width to resize to (antialiased bilinear), or to pad to. Without `pad` and `crop`
            an image that is not square is squeezed into the square.
        channels: 1 or 3, to convert between gray and RGB.
        pad: Whether to pad the centered image with zeros instead of resizing it.
        crop: Whether to resize the largest centered square, which keeps the aspect ratio.

    Returns:
        Images and labels.

    Raises:
        FileNotFoundError: The data set is not on disk and cannot be downloaded.
        ValueError: The name or split is unknown, no image is left, a share or size is out of range, a
            folder has another layout, a picture cannot be read, or sizes differ without `size`.
        TypeError: The name is neither a string nor a path, or the split is not a string.
    """
    geometry = {"size": size, "channels": channels, "pad": pad, "crop": crop}
    selection = select(name, split, fraction, labelled, seed, **geometry)
    return selection.array(), selection.labels


def info(name: str | os.PathLike, *, size: int | None = None, channels: int | None = None) -> Info:
    """Return shape, classes and splits of a data set without reading its images; arguments as in `arrays`.

    Nothing is downloaded: a TFDS data set that is not on disk may have no `splits` yet. With `size` and
    `channels` no picture of a folder is opened.
    """
    source, geometry = find(name), Geometry(size, channels)
    if size is not None and channels is not None:
        shape: tuple[int | None, int | None, int] = (size, size, channels)
    else:
        shape = geometry.shape(*source.shape())
    return Info(source.name, shape, source.num_classes, source.splits, source.class_names)


def on_disk(name: str | os.PathLike) -> bool:
    """Return whether a data set can be read without a download; `name` as in `arrays`."""
    return find(name).on_disk
