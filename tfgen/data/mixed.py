"""Batches of a labelled and an unlabelled domain, for domain adaptation."""

import math
from collections.abc import Sequence

import numpy as np
import tensorflow as tf

from tfgen.checks import check_integer, check_seed
from tfgen.data.pipeline import Fetch, in_epochs, memory_fetch, unpaired_positions


def mixed_batches(
    source: np.ndarray,
    labels: np.ndarray | None,
    target: np.ndarray,
    batch_size: int,
    seed: int = 0,
) -> tf.data.Dataset:
    """Return batches of half source images with labels, half target images with label -1.

    An epoch goes once through the larger domain and cycles the smaller one.

    Args:
        source, target: uint8 (n, h, w, c), (m, h, w, c).
        labels: int32 (n,) of the source.
        batch_size: Number of images per batch, even; the last batch holds the rest.
        seed: Seed of both orders, an integer.

    Returns:
        A finite dataset of (images float32 (b, h, w, c) in [0, 1], labels int32 (b,)), with the counter
        `dataset.epoch` that `tfgen.data.batches` describes.

    Raises:
        ValueError: The domains' images differ in shape, or batch_size is odd or not positive.
    """
    sizes = len(source), len(target)
    fetches = memory_fetch(source, labels), memory_fetch(target, np.zeros(len(target), np.int32))
    shapes = source.shape[1:], target.shape[1:]
    return fetch_mixed_batches(sizes, fetches, shapes, batch_size, seed)


def fetch_mixed_batches(
    sizes: Sequence[int],
    fetches: Sequence[Fetch],
    shapes: Sequence[tuple[int, int, int]],
    batch_size: int,
    seed: int = 0,
) -> tf.data.Dataset:
    """Return the batches of `mixed_batches` from domains whose images are read by position.

    Args:
        sizes: Number of images in the source and in the target.
        fetches: Function per domain, positions int32 (b,) -> images uint8 (b, h, w, c) and labels int32
            (b,), which are ignored for the target.
        shapes: (h, w, c) of each domain.
        batch_size, seed: See `mixed_batches`.
    """
    check_integer("batch_size", batch_size, 0)
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
    half = batch_size // 2
    with tf.device("CPU:0"):  # where tf.data runs
        counter = tf.Variable(0, dtype=tf.int64, trainable=False, name="epoch")

    def gather(*positions):
        (source, labels), (target, _) = (f(i) for f, i in zip(fetches, positions, strict=True))
        images = tf.cast(tf.concat([source, target], axis=0), tf.float32) / 255.0
        unlabelled = tf.fill([tf.shape(target)[0]], tf.constant(-1, labels.dtype))
        return images, tf.concat([labels, unlabelled], axis=0)

    positions = unpaired_positions(sizes, half, seed)
    return in_epochs(positions, gather, counter, math.ceil(max(sizes) / half))
