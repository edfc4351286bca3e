"""Batches of a labelled and an unlabelled domain, for domain adaptation."""

import math
from collections.abc import Sequence

import numpy as np
import tensorflow as tf

from tfgen.checks import check_integer, check_seed
from tfgen.data import augmentation
from tfgen.data.pipeline import Fetch, in_epochs, memory_fetch, unpaired_positions


def mixed_batches(
    source: np.ndarray,
    labels: np.ndarray | None,
    target: np.ndarray,
    batch_size: int,
    seed: int = 0,
    *,
    shift: int = 0,
) -> tf.data.Dataset:
    """Return batches of half source images with labels, half target images with label -1.

    An epoch goes once through the larger domain and cycles the smaller one.

    Args:
        source, target: uint8 (n, h, w, c), (m, h, w, c).
        labels: int32 (n,) of the source.
        batch_size: Number of images per batch, even; the last batch holds the rest.
        seed: Seed of both orders and of the shifts, an integer.
        shift: Largest shift in pixels of the images of both domains, drawn for every place of an epoch: an
            image that an epoch reads again has another one.

    Returns:
        A finite dataset of (images float32 (b, h, w, c) in [0, 1], labels int32 (b,)), with the counter
        `dataset.epoch` that `tfgen.data.batches` describes.

    Raises:
        ValueError: The domains' images differ in shape, batch_size is odd or not positive, or shift is
            negative or not an integer.
    """
    sizes = len(source), len(target)
    fetches = memory_fetch(source, labels), memory_fetch(target, np.zeros(len(target), np.int32))
    shapes = source.shape[1:], target.shape[1:]
    return fetch_mixed_batches(sizes, fetches, shapes, batch_size, seed, shift=shift)


def fetch_mixed_batches(
    sizes: Sequence[int],
    fetches: Sequence[Fetch],
    shapes: Sequence[tuple[int, int, int]],
    batch_size: int,
    seed: int = 0,
    *,
    shift: int = 0,
) -> tf.data.Dataset:
    """Return the batches of `mixed_batches` from domains whose images are read by position.

    Args:
        sizes: Number of images in the source and in the target.
        fetches: Function per domain, positions int32 (b,) -> images uint8 (b, h, w, c) and labels int32
            (b,), which are ignored for the target.
        shapes: (h, w, c) of each domain.
        batch_size, seed, shift: See `mixed_batches`.
    """
    check_integer("batch_size", batch_size, 0)
    augmentation.check(shift, flip=None)
    check_seed(seed)
    if batch_size < 2 or batch_size % 2:
        raise ValueError(
            f"batch_size must be even, half of each domain. Received: batch_size={batch_size}"
        )
    source_shape, target_shape = map(tuple, shapes)
    if source_shape != target_shape:
        raise ValueError(
            "Both domains need images of one shape; size= and channels= bring them to it. "
            f"Received: source={source_shape}, target={target_shape}"
        )
    half, longest = batch_size // 2, max(sizes)
    with tf.device("CPU:0"):  # where tf.data runs
        counter = tf.Variable(0, dtype=tf.int64, trainable=False, name="epoch")
    orders = unpaired_positions(sizes, half, seed)

    def positions(epoch):  # -> (epoch, number of the batch, indices (b,), indices (b,))
        return orders(epoch).enumerate().map(lambda number, pair: (epoch, number, *pair))

    def gather(epoch, number, *indices):
        (source, labels), (target, _) = (f(i) for f, i in zip(fetches, indices, strict=True))
        images = tf.cast(tf.concat([source, target], axis=0), tf.float32) / 255.0
        count = tf.shape(target)[0]
        places = tf.cast(number, tf.int32) * half + tf.range(count)
        both = tf.concat([places, longest + places], axis=0)
        images = augmentation.augment(images, both, 2 * longest, seed, epoch, shift)
        unlabelled = tf.fill([count], tf.constant(-1, labels.dtype))
        return images, tf.concat([labels, unlabelled], axis=0)

    return in_epochs(positions, gather, counter, math.ceil(longest / half))
