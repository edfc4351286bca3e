"""Data of every kind that Keras' methods accept, as batches checked by `tfgen.gate`.

`fit`, `validation_data`, `evaluate`, `predict` and their `*_on_batch` forms accept arrays, `tf.data`,
`keras.utils.PyDataset`, generators and distributed data sets.  The gate checks each batch against the
model's rules, converts harmless dtypes (images of any floating-point dtype to float32, labels of any
integer dtype to int32, labels (n, 1) to (n,)) and rejects all others: arrays and the first batch before
anything runs, a later batch before it enters a step.
"""

import dataclasses
import functools
import numbers
import types
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from tfgen.checks import check_integer
from tfgen.gate import Gate, check_batch, in_words

BATCH = 32  # Keras' default
_EMPTY = "The data set must hold at least one batch. Received: an empty data set"
Stream = tf.data.Dataset | tf.distribute.DistributedDataset | keras.utils.PyDataset | Iterator


def stream(
    gate: Gate, x: Any, y: Any, make_batches: Callable, batch_size: int | None, **order: Any
) -> Stream:
    """Return checked batches of any data that Keras' methods accept.

    Args:
        gate: Rules of the data.
        x, y: Arguments of `fit`, `evaluate` or `predict`.
        make_batches: Function that makes batches of arrays; keywords: batch_size and those of `order`.
        batch_size: Number of images per batch of arrays; None for 32.
        order: Seed and shuffle of arrays.

    Returns:
        Batches that Keras takes as `x` without `y`, with the counter `epoch` of `tfgen.data.batches` if
        there is one.

    Raises:
        ValueError, TypeError: The data break a rule.
    """
    if isinstance(x, tuple | list | np.ndarray | tf.Tensor | tf.Variable) or hasattr(
        x, "__array__"
    ):
        arrays = gate.take(x if y is None else (x, y))
        batch_size = batch_size or BATCH
        count = max(map(len, arrays))
        check_batch(count % batch_size or min(batch_size, count), gate.replicas)
        return make_batches(*arrays, batch_size=batch_size, **order)
    if y is not None:
        raise ValueError("A stream of batches holds its labels. Received: y is not None")
    if isinstance(x, tf.data.Dataset):
        return _check_dataset(gate, x)
    if isinstance(x, tf.distribute.DistributedDataset):
        gate.check_kind(x.element_spec)
        return x  # its batches are held where a step unpacks them
    if isinstance(x, keras.utils.PyDataset):
        return _CheckedSequence(gate, x)
    if isinstance(x, types.GeneratorType):
        return _check_generator(gate, x)
    raise TypeError(
        "Data are arrays, a tf.data.Dataset, a keras.utils.PyDataset or a generator of batches. "
        f"Received: {type(x).__name__}"
    )


def _check_dataset(gate, dataset):
    gate.check_kind(dataset.element_spec)
    held = dataset.map(gate.hold)
    epoch = getattr(dataset, "epoch", None)
    before = None if epoch is None else epoch.numpy()
    with in_words():
        first = next(iter(held.take(1)), None)
    if first is None:
        raise ValueError(_EMPTY)
    if epoch is not None:
        epoch.assign(before)  # the look into it was no epoch
        held.epoch = epoch
    check_batch(getattr(dataset, "smallest", gate.replicas), gate.replicas)
    if hasattr(dataset, "worker_shard"):
        held.worker_shard = functools.partial(_checked_shard, gate, dataset)
    return held


def _checked_shard(gate, dataset, index, count):
    part = dataset.worker_shard(index, count)
    held = part.map(dataclasses.replace(gate, replicas=gate.replicas // count).hold)
    held.epoch = part.epoch
    return held


def _check_generator(gate, batches):
    first = next(batches, None)
    if first is None:
        raise ValueError(_EMPTY)
    taken = gate.take(first)

    def batches_again():
        yield taken
        yield from map(gate.take, batches)

    return batches_again()


class _CheckedSequence(keras.utils.PyDataset):
    """Another `PyDataset` with every batch checked against the rules."""

    def __init__(self, gate: Gate, inner: keras.utils.PyDataset):
        super().__init__(inner.workers, inner.use_multiprocessing, inner.max_queue_size)
        self._gate, self._inner = gate, inner
        if inner.num_batches is not None and inner.num_batches < 1:
            raise ValueError(_EMPTY)
        self[0]

    @property
    def num_batches(self) -> int | None:
        return self._inner.num_batches

    def __getitem__(self, index):
        return self._gate.take(self._inner[index])

    def on_epoch_begin(self) -> None:
        self._inner.on_epoch_begin()

    def on_epoch_end(self) -> None:
        self._inner.on_epoch_end()


def split(data: Sequence[Any], share: float) -> tuple[tuple, tuple]:
    """Split arrays into all but their last share, and that share, as Keras' validation_split does.

    Raises:
        ValueError: The share is out of range or leaves no image on one side.
    """
    if isinstance(share, bool) or not isinstance(share, numbers.Real) or not 0 < share < 1:
        raise ValueError(
            f"validation_split must lie in [0, 1). Received: validation_split={share!r}"
        )
    kept = [int(len(array) * (1 - share)) for array in data]
    for array, count in zip(data, kept, strict=True):
        if not 0 < count < len(array):
            raise ValueError(
                "validation_split must leave at least one image on either side. "
                f"Received: validation_split={share} of {len(array)} images"
            )
    pairs = list(zip(data, kept, strict=True))
    return tuple(array[:n] for array, n in pairs), tuple(array[n:] for array, n in pairs)


def check_numbers(arguments: dict) -> None:
    """Check that epochs are not negative, and that sizes, steps and frequencies, if given, are at least 1.

    Raises:
        TypeError: A number is not an int.
        ValueError: A number is out of range.
    """
    for name, value in arguments.items():
        of_epochs = name == "validation_freq" and isinstance(value, list | tuple)
        if name in _LEAST and value is not None and not of_epochs:
            check_integer(name, value, _LEAST[name], _MOST)


_MOST = 2**31 - 1
_LEAST = {
    "batch_size": 1,
    "epochs": 0,
    "initial_epoch": 0,
    "steps_per_epoch": 1,
    "steps": 1,
    "validation_steps": 1,
    "validation_batch_size": 1,
    "validation_freq": 1,
}


def one_epoch(batches: Stream, steps: int | None) -> Stream:
    """Return the first epoch's batches of a stream of unknown length, if steps are given."""
    dataset: Any = batches
    unknown = tf.data.UNKNOWN_CARDINALITY
    if steps and isinstance(dataset, tf.data.Dataset) and dataset.cardinality() == unknown:
        return dataset.take(steps)
    return batches


def labelled_share(dataset: Any) -> float:
    """Return the share of the images that have a label.

    Args:
        dataset: Finite stream of batches (images, labels).

    Raises:
        TypeError: The stream cannot be read twice.
        ValueError: No image has a label, or the data set has no end.
    """
    if isinstance(dataset, keras.utils.PyDataset) and dataset.num_batches is not None:
        dataset = (dataset[index] for index in range(dataset.num_batches))
    elif not isinstance(dataset, tf.data.Dataset):
        raise TypeError(
            "The share of labelled images is counted before training, in arrays or a tf.data.Dataset. "
            f"Received: {type(dataset).__name__}"
        )
    elif dataset.cardinality() == tf.data.INFINITE_CARDINALITY:
        raise ValueError(
            "The share of labelled images needs a finite data set. "
            f"Received: {dataset!r}, which repeats without end"
        )
    counts = [(len(labels), int(np.sum(np.asarray(labels) >= 0))) for _, labels in dataset]
    images, labelled = map(sum, zip(*counts, strict=True))
    if not labelled:
        raise ValueError(
            f"At least one image must have a label. Received: {images} images, all labelled -1"
        )
    return labelled / images
