"""Batches of two unpaired domains of images, for CycleGAN."""

import math
from collections.abc import Sequence
from typing import Any

import tensorflow as tf

from tfgen.checks import check_integer, check_seed, stored_images
from tfgen.data.pipeline import (
    Fetch,
    in_epochs,
    memory_fetch,
    unpaired_positions,
)


def unpaired_batches(
    images_a: Any,
    images_b: Any,
    batch_size: int = 64,
    seed: int = 0,
    *,
    length: int | None = None,
    shuffle: bool = True,
) -> tf.data.Dataset:
    """Return batches of equally many images of both domains, each domain in its own order.

    An epoch goes once through the longer domain and cycles the shorter one. The two orders are
    independent functions of (seed, epoch), even if the domains are pictures of the same things.

    Args:
        images_a, images_b: uint8, or floats in [0, 1], (n, h, w, c) and (m, h', w', c').
        batch_size: Number of images of each domain per batch; the last batch holds the rest.
        seed: Seed of both orders, an integer.
        length: Number of images of each domain per epoch, drawn again in each epoch; by default the size
            of the longer domain.
        shuffle: Whether to shuffle; False keeps the order of the arrays.

    Returns:
        A finite dataset of (images_a, images_b), float32 in [0, 1], with the counter `dataset.epoch`
        that `tfgen.data.batches` describes.

    Raises:
        ValueError: batch_size or length is not positive, or see `tfgen.data.batches`.
        TypeError: See `tfgen.data.batches`.
    """
    domains = [stored_images(images) for images in (images_a, images_b)]
    fetches = [memory_fetch(images) for images in domains]
    sizes = [len(images) for images in domains]
    return fetch_unpaired_batches(sizes, fetches, batch_size, seed, length=length, shuffle=shuffle)


def fetch_unpaired_batches(
    sizes: Sequence[int],
    fetches: Sequence[Fetch],
    batch_size: int,
    seed: int,
    *,
    length: int | None = None,
    shuffle: bool = True,
) -> tf.data.Dataset:
    """Return the batches of `unpaired_batches` from domains whose images are read by position.

    Args:
        sizes: Number of images in each domain.
        fetches: Function per domain, positions int32 (b,) -> images uint8 or float32 (b, h, w, c).
        batch_size, seed, length, shuffle: See `unpaired_batches`.
    """
    length = max(sizes) if length is None else length
    for name, value in (("batch_size", batch_size), ("length", length)):
        check_integer(name, value, 1)
    check_seed(seed)
    with tf.device("CPU:0"):  # where tf.data runs
        counter = tf.Variable(0, dtype=tf.int64, trainable=False, name="epoch")

    def gather(*positions):
        chosen = zip(fetches, positions, strict=True)
        return tuple(_scale(fetch(indices)) for fetch, indices in chosen)

    positions = unpaired_positions(sizes, batch_size, seed, length, shuffle)
    return in_epochs(positions, gather, counter, math.ceil(length / batch_size))


def _scale(images):
    return tf.cast(images, tf.float32) / 255.0 if images.dtype == tf.uint8 else images
