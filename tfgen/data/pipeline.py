"""Arrays to batches, in an order that is a function of (seed, epoch)."""

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import tensorflow as tf

from tfgen.checks import check_flags, check_integer, check_seed, stored_images, stored_labels
from tfgen.data import augmentation

# Number of batches made ahead. Not tf.data.AUTOTUNE: on one core its adjustment of the number takes
# longer in every epoch.
AHEAD = 2

# Function of positions (b,) that returns images (b, h, w, c), or images and labels (b,); traced by tf.data.
Fetch = Callable[[tf.Tensor], tf.Tensor | tuple[tf.Tensor, tf.Tensor]]


def batches(
    images: Any,
    labels: Any = None,
    batch_size: int = 64,
    seed: int = 0,
    *,
    binarize: bool = False,
    shuffle: bool = True,
    shift: int = 0,
    flip: str | None = None,
    shard: tuple[int, int] = (0, 1),
) -> tf.data.Dataset:
    """Return batches of an epoch e in the order `stateless_shuffle(range(n), seed=[seed, e])`.

    Every iteration over the dataset is the next epoch. `dataset.epoch`, an int64 variable, holds the
    epoch of the next iteration: after `dataset.epoch.assign(5)` it has the images, order and noise of
    epoch 5, in every process. The counter advances when the first batch of an iteration is drawn.
    Datasets derived from this one share the counter but not the attribute.

    Args:
        images: uint8, or floats in [0, 1], (n, h, w, c).
        labels: Integers (n,), -1 = unlabelled; None for images alone.
        batch_size: Number of images per batch; the last batch holds the rest.
        seed: Seed of the order and of the binarization, an integer.
        binarize: Whether to draw each pixel from Bernoulli(its gray value) in every epoch; the noise is a
            function of (seed, epoch, batch).
        shuffle: Whether to shuffle; False keeps the order of the arrays.
        shift, flip: Random shifts and flips, see `tfgen.data.augmentation.augment`.
        shard: (index, count), the part of each batch to keep out of `count` parts of consecutive images,
            with the noise that it has in the whole batch. Sizes of parts differ by at most one.

    Returns:
        A finite dataset of (images float32 (b, h, w, c) in [0, 1], labels int32 (b,)), or of images.

    Raises:
        ValueError: An array is empty or has a wrong rank or length, or a value is out of range or NaN.
        TypeError: Images are neither uint8 nor floats, or labels are not integers.
    """
    images = stored_images(images)
    if labels is not None:
        labels = stored_labels(labels, len(images))
    options = {"binarize": binarize, "shuffle": shuffle, "shift": shift, "flip": flip}
    return fetch_batches(
        len(images), memory_fetch(images, labels), batch_size, seed, shard=shard, **options
    )


def memory_fetch(images: np.ndarray, labels: np.ndarray | None = None) -> Fetch:
    """Return a function that gathers images, and labels if there are any, from memory."""
    with tf.device("CPU:0"):  # where tf.data runs
        images = tf.constant(images)
        labels = None if labels is None else tf.constant(labels)

    def fetch(indices):
        chosen = tf.gather(images, indices)
        return chosen if labels is None else (chosen, tf.gather(labels, indices))

    return fetch


def fetch_batches(
    n: int,
    fetch: Fetch,
    batch_size: int,
    seed: int,
    *,
    binarize: bool = False,
    shuffle: bool = True,
    redraw: bool = True,
    shift: int = 0,
    flip: str | None = None,
    shard: tuple[int, int] = (0, 1),
) -> tf.data.Dataset:
    """Return the batches of `batches` from n images that `fetch` reads by position.

    Args:
        n: Number of images.
        fetch: Function of positions int32 (b,) that returns images uint8 or float32 (b, h, w, c), or images
            and labels (b,).
        batch_size, seed, binarize, shuffle, shift, flip, shard: See `batches`.
        redraw: Whether each epoch binarizes images again; False draws their pixels once.

    Returns:
        See `batches`; a dataset of whole batches also has `worker_shard(index, count)`, which returns it
        with that shard, and `smallest`, the number of images in the smallest batch.
    """
    check_integer("batch_size", batch_size, 1, 2**31 - 1)
    check_seed(seed)
    check_flags(binarize=binarize, shuffle=shuffle)
    index, count = _checked_shard(shard, batch_size)
    augmentation.check(shift, flip)
    with tf.device("CPU:0"):  # where tf.data runs; it cannot reach a variable on a GPU
        epoch_counter = tf.Variable(0, dtype=tf.int64, trainable=False, name="epoch")

    def positions(epoch):  # -> (epoch, start, indices (b,)), one for each batch
        order = tf.range(n)
        if shuffle:
            order = tf.random.experimental.stateless_shuffle(order, seed=[seed, epoch])
        starts = tf.data.Dataset.range(0, n, batch_size)
        return starts.map(lambda start: (epoch, start, order[start : start + batch_size]))

    def gather(epoch, start, indices):
        size = tf.shape(indices)[0]
        part = slice(size * index // count, size * (index + 1) // count)
        fetched = fetch(indices[part])
        images = fetched[0] if isinstance(fetched, tuple) else fetched
        if images.dtype == tf.uint8:
            images = tf.cast(images, tf.float32) / 255.0
        images = augmentation.augment(images, indices[part], n, seed, epoch, shift, flip)
        if binarize:
            drawn_in = epoch if redraw else tf.zeros_like(epoch)
            noise_seed = tf.random.fold_in([seed, drawn_in], start, alg="philox")
            images = _bernoulli(images, noise_seed, size, part)
        return (images, *fetched[1:]) if isinstance(fetched, tuple) else images

    dataset = in_epochs(positions, gather, epoch_counter, math.ceil(n / batch_size))
    if count == 1:
        options: dict[str, Any] = {"binarize": binarize, "shuffle": shuffle, "redraw": redraw}
        options |= {"shift": shift, "flip": flip}
        dataset.smallest = n % batch_size or min(batch_size, n)
        dataset.worker_shard = lambda *shard: fetch_batches(
            n, fetch, batch_size, seed, shard=shard, **options
        )
    return dataset


def _checked_shard(shard, batch_size) -> tuple[int, int]:
    rule = "shard must be (index, count) with 0 <= index < count <= batch_size"
    received = f"Received: shard={shard!r}, batch_size={batch_size}"
    if not (isinstance(shard, tuple | list) and len(shard) == 2):
        raise TypeError(f"{rule}. {received}")
    index, count = shard
    for name, value in (("index", index), ("count", count)):
        check_integer(f"{name} of shard", value, 0)
    if not index < count <= batch_size:
        raise ValueError(f"{rule}. {received}")
    return index, count


def unpaired_positions(
    sizes: Sequence[int], batch_size: int, seed: int, count: int | None = None, shuffle: bool = True
) -> Callable[[tf.Tensor], tf.data.Dataset]:
    """Return positions in two sets of images, in orders that are functions of (seed, epoch).

    An epoch goes once through the longer set and cycles the shorter one; every pass over a set has a
    new order.

    Args:
        sizes: Number of images in each set.
        batch_size: Number of positions in each set per batch.
        seed: Seed of the orders, an integer.
        count: Number of positions in each set per epoch; by default the size of the longer set.
        shuffle: Whether to shuffle; False keeps the order of the sets.

    Returns:
        Function of the epoch that returns a dataset of (indices (b,), indices (b,)), for `in_epochs`.
    """
    count = count or max(sizes)

    def positions(epoch):
        orders = [tf.range(count) % n for n in sizes]
        if shuffle:
            seeds = [tf.random.fold_in([seed, epoch], i, alg="philox") for i in range(2)]
            orders = [_cycle(*arguments, count) for arguments in zip(sizes, seeds, strict=True)]
        starts = tf.data.Dataset.range(0, count, batch_size)
        return starts.map(lambda start: tuple(o[start : start + batch_size] for o in orders))

    return positions


def _cycle(n, seed, count):
    """Return (count,) positions from 0 to n - 1, every n of them a permutation."""
    keys = tf.random.stateless_uniform([-(-count // n), n], seed, alg="philox")
    return tf.reshape(tf.argsort(keys, axis=1), [-1])[:count]


def in_epochs(
    positions: Callable[[tf.Tensor], tf.data.Dataset],
    gather: Callable,
    counter: tf.Variable,
    count: int,
) -> tf.data.Dataset:
    """Return a dataset of batches whose every iteration is the next epoch.

    Args:
        positions: Function of the epoch that returns a dataset of positions, one element per batch.
        gather: Function of such an element that returns the batch.
        counter: int64 variable on the CPU, the epoch of the next iteration; the result's attribute `epoch`.
        count: Number of batches per epoch.
    """
    options = tf.data.Options()
    options.autotune.enabled = False
    options.experimental_distribute.auto_shard_policy = (  # there are no files to shard
        tf.data.experimental.AutoShardPolicy.DATA
    )
    # One element, computed when an iterator draws its first batch.
    epochs = tf.data.Dataset.range(1).map(lambda _: counter.assign_add(1) - 1)
    dataset = (
        epochs.flat_map(positions)
        .map(gather)
        .apply(tf.data.experimental.assert_cardinality(count))
        .prefetch(AHEAD)
        .with_options(options)
    )
    dataset.epoch = counter
    return dataset


def _bernoulli(means, seed, size, part):
    """Draw binary pixels for a part of a batch of this size, equal to the whole batch's draws."""
    shape = tf.concat([[size], tf.shape(means)[1:]], axis=0)
    uniform = tf.random.stateless_uniform(shape, seed, alg="philox")  # in [0, 1)
    return tf.cast(uniform[part] < means, tf.float32)
