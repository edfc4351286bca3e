"""The gate that all images and labels pass on their way into a model, and what they become there.

`fit`, `validation_data`, `evaluate`, `predict` and their batchwise kin hand over arrays, `tf.data`,
`keras.utils.PyDataset`, generators or distributed data sets.  The gate holds each batch of them against
the model's rules, converts harmless dtypes (images of any floating-point dtype to float32, labels of any
integer dtype to int32, labels (n, 1) to (n,)) and refuses the rest in words: arrays and the first batch
before anything runs, a later batch before it can enter a step.
"""

import contextlib
import dataclasses
import re
import types
import warnings
from collections.abc import Callable, Iterator

import keras
import numpy as np
import tensorflow as tf

from tfgen.checks import Images, Labels, check_integer

BATCH = 32  # Keras' default
_EMPTY = "The data set must hold at least one batch. Received: an empty data set"
Stream = tf.data.Dataset | tf.distribute.DistributedDataset | keras.utils.PyDataset | Iterator


def unpack(data) -> tuple:
    """(images, labels) of what a step is given; labels may be None.

    Args:
        data: images, or a tuple of one of (images,), (images, labels), ((images, labels),), each perhaps
            with None in the place of sample weights.

    Raises:
        TypeError: another structure.
        ValueError: there are sample weights.
    """
    x, y, weights = _entries(data)
    if weights is not None and not isinstance(
        weights, tf.experimental.Optional | tf.NoneTensorSpec
    ):
        raise ValueError(f"{_NO_WEIGHTS} Received: a third part, {weights!r:.80}")
    if isinstance(x, tuple | list) and y is None:
        x, y, *more = (*x, None)[: max(2, len(x))]
        y = (y, *more) if more else y
    for part in (x, y):
        if isinstance(part, dict | tuple | list) or x is None:
            raise TypeError(
                "Data are images, or (images, labels); TFDS gives pairs with as_supervised=True. "
                f"Received: {data!r:.200}"
            )
    return x, y


_NO_WEIGHTS = "Objectives weigh examples themselves; weights of the user's are not read."


def _entries(data) -> tuple:
    if not isinstance(data, tuple | list):
        return data, None, None
    if len(data) > 3:
        raise TypeError(f"Data are images, or (images, labels). Received: {len(data)} parts")
    return (*data, None, None)[:3]


def refuse_weights(**weights) -> None:
    """Raise if weights of examples or classes are given.

    Raises:
        ValueError: one is not None.
    """
    for name, value in weights.items():
        if value is not None:
            raise ValueError(f"{_NO_WEIGHTS} Received: {name} is not None")


@contextlib.contextmanager
def in_words(*, may_end: bool = False):
    """Within it a rule that a batch of a stream breaks raises as the rule of an array does.

    Args:
        may_end: Keras does not warn at the end of a stream whose length it did not know.

    Raises:
        ValueError: a batch broke a rule; the message says which, and what was received.
    """
    try:
        with warnings.catch_warnings():
            if may_end:
                warnings.filterwarnings("ignore", "Your input ran out of data", UserWarning)
            yield
    except tf.errors.InvalidArgumentError as error:
        words = re.search(r"ValueError: ([^\n]* Received: [^\n]*)", str(error))
        if words is None:
            raise
        raise ValueError(words[1]) from None


@dataclasses.dataclass(frozen=True)
class Gate:
    """Rules of images and labels, held against whatever a model is given.

    Args:
        images: rule of the images.
        labels: rule of the labels, or of a second domain's images; None: they are passed over.
        replicas: number of replicas that share a batch.
    """

    images: Images
    labels: Labels | Images | None
    replicas: int = 1

    # Arrays: whole, before anything runs.

    def check(self, images, labels=None) -> None:
        """Raise unless the arrays keep the rules."""
        self.images.check(images)
        if self.labels is not None:
            self.labels.check(labels, len(images))

    def take(self, data) -> tuple[np.ndarray, ...]:
        """(images,) or (images, labels) as arrays that steps read, checked and converted."""
        images, labels = (None if part is None else _array(part) for part in unpack(data))
        self.check(images, labels)
        if self.labels is None:
            return (self.images.to_array(images),)
        return self.images.to_array(images), self.labels.to_array(labels)

    # Streams: every batch, in the graph.

    def hold(self, *data) -> tuple[tf.Tensor, ...]:
        """(images,) or (images, labels) as tensors that steps read, with an assertion of the rules."""
        images, labels = unpack(data)
        rules = [(self.images, images)]
        if self.labels is not None:
            rules.append((self.labels, labels))
        held = tf.cond(
            tf.reduce_all([rule.holds(part, images) for rule, part in rules])
            & _fills(tf.shape(images)[0], self.replicas),
            lambda: True,
            lambda: tf.numpy_function(self._explain, [part for _, part in rules], tf.bool),
        )
        with tf.control_dependencies([held]):
            parts = tuple(rule.to_tensor(tf.identity(part)) for rule, part in rules)
        return parts if len(parts) > 1 else parts[0]

    def check_kind(self, spec) -> None:
        """Raise unless the stream's `element_spec` promises what the rules can read."""
        images, labels = unpack(tf.nest.map_structure(_of_one_replica, spec))
        self.images.check_kind(images)
        if self.labels is not None:
            self.labels.check_kind(labels)

    def _explain(self, images, labels=None):
        """True, unless the batch breaks a rule: then that rule is raised, in words."""
        self.check(images, labels)
        if not _fills(len(images), self.replicas):
            raise ValueError(_last_batch_rule(len(images), self.replicas))
        return np.True_


def _of_one_replica(spec):
    return (
        tf.nest.flatten(spec, expand_composites=True)[0] if hasattr(spec, "_value_specs") else spec
    )


def _array(values) -> np.ndarray:
    if isinstance(values, np.ndarray):
        return values
    if not hasattr(values, "__array__"):
        raise TypeError(f"Images and labels are arrays. Received: {type(values).__name__}")
    return np.asarray(values)


def stream(gate: Gate, x, y, make_batches: Callable, batch_size: int | None, **order) -> Stream:
    """Batches that keep the rules, of whatever Keras' entries take.

    Args:
        gate: the rules.
        x, y: of `fit`, `evaluate` or `predict`.
        make_batches: makes the batches of arrays; keywords: batch_size and those of `order`.
        batch_size: images per batch of arrays; None: 32.
        order: seed and shuffle of arrays.

    Returns:
        What Keras trains on, evaluates or predicts without `y`; with the counter `epoch` of
        `tfgen.data.batches` where there is one.

    Raises:
        ValueError, TypeError: the data break a rule.
    """
    if isinstance(x, tuple | list | np.ndarray | tf.Tensor | tf.Variable) or hasattr(
        x, "__array__"
    ):
        arrays = gate.take(x if y is None else (x, y))
        batch_size = batch_size or BATCH
        _check_batches(max(map(len, arrays)), batch_size, gate.replicas)
        return make_batches(*arrays, batch_size=batch_size, **order)
    if y is not None:
        raise ValueError("A stream of batches holds its labels. Received: y is not None")
    if isinstance(x, tf.data.Dataset):
        return _held(gate, x)
    if isinstance(x, tf.distribute.DistributedDataset):
        gate.check_kind(x.element_spec)
        return x  # its batches are held where a step unpacks them
    if isinstance(x, keras.utils.PyDataset):
        return _Held(gate, x)
    if isinstance(x, types.GeneratorType):
        return _taken(gate, x)
    raise TypeError(
        "Data are arrays, a tf.data.Dataset, a keras.utils.PyDataset or a generator of batches. "
        f"Received: {type(x).__name__}"
    )


def _held(gate, dataset):
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
    _check_multiple(len(tf.nest.flatten(first)[0]), gate.replicas)
    return held


def _taken(gate, batches):
    first = next(batches, None)
    if first is None:
        raise ValueError(_EMPTY)
    taken = gate.take(first)

    def batches_again():
        yield taken
        yield from map(gate.take, batches)

    return batches_again()


class _Held(keras.utils.PyDataset):
    """Another `PyDataset` with every batch held against the rules."""

    def __init__(self, gate: Gate, inner: keras.utils.PyDataset):
        super().__init__(inner.workers, inner.use_multiprocessing, inner.max_queue_size)
        self._gate, self._inner = gate, inner
        if inner.num_batches is not None and inner.num_batches < 1:
            raise ValueError(_EMPTY)
        self[0]

    @property
    def num_batches(self):
        return self._inner.num_batches

    def __getitem__(self, index):
        return self._gate.take(self._inner[index])

    def on_epoch_begin(self):
        self._inner.on_epoch_begin()

    def on_epoch_end(self):
        self._inner.on_epoch_end()


def _check_batches(count, batch_size, replicas):
    _check_multiple(min(batch_size, count), replicas)
    rest = count % batch_size
    if rest and not _fills(rest, replicas):
        raise ValueError(_last_batch_rule(rest, replicas))


def _fills(count, replicas):
    """Whether a batch, cut into equal parts but for the last one, leaves no replica without images."""
    part = (count + replicas - 1) // replicas
    return part * (replicas - 1) < count


def _check_multiple(batch_size, replicas):
    if batch_size % replicas:
        raise ValueError(
            "batch_size must be a multiple of the number of replicas. "
            f"Received: batch_size={batch_size}, replicas={replicas}"
        )


def _last_batch_rule(rest, replicas):
    return (
        "The last batch must leave no replica without images; choose another batch_size or drop the "
        f"remainder. Received: {rest} images for {replicas} replicas"
    )


def split(data: tuple, share: float) -> tuple[tuple, tuple]:
    """Arrays without their last share, and that, held out as Keras' validation_split does.

    Raises:
        ValueError: the share is out of range or leaves no image on one side.
    """
    if not 0 < share < 1:
        raise ValueError(f"validation_split must lie in [0, 1). Received: validation_split={share}")
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
    """Epochs are not negative; sizes, steps and frequencies are at least 1, where they are given.

    Raises:
        TypeError: one is not an int.
        ValueError: one is out of range.
    """
    for name, value in arguments.items():
        if name in _LEAST and value is not None and not isinstance(value, list | tuple):
            check_integer(name, value, _LEAST[name])


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
    """The first epoch's batches of a stream that does not say where it ends, if steps are given."""
    if steps and isinstance(batches, tf.data.Dataset) and batches.cardinality() < 0:
        return batches.take(steps)
    return batches


def labelled_share(dataset) -> float:
    """The share of the images that have a label.

    Args:
        dataset: finite stream of batches (images, labels).

    Raises:
        TypeError: the stream cannot be read twice.
        ValueError: no image has a label, or the data set has no end.
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
            "The share of labelled images must be that of a finite data set. "
            f"Received: {dataset!r}, which repeats without end"
        )
    counts = [(len(labels), int(np.sum(np.asarray(labels) >= 0))) for _, labels in dataset]
    images, labelled = map(sum, zip(*counts, strict=True))
    if not labelled:
        raise ValueError(
            f"At least one image must have a label. Received: {images} images, all labelled -1"
        )
    return labelled / images
