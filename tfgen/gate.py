"""Rules of images and labels, checked on whole arrays and on every batch of a stream."""

import contextlib
import dataclasses
import re
import warnings
from collections.abc import Iterator
from typing import Any

import numpy as np
import tensorflow as tf

from tfgen.checks import check_image_kind, check_images, check_labels, label_rule


@dataclasses.dataclass(frozen=True)
class Images:
    """Rule of one argument: images of a shape, in [0, 1]; see `tfgen.checks.check_images`.

    Args:
        shape: (h, w, c).
        name: Name of the argument, for messages.
    """

    shape: tuple[int, int, int]
    name: str = "images"

    def check(self, values: Any, count: int | None = None) -> None:
        """Raise unless the array `values` keeps the rule; `count` is not read."""
        del count
        self._check_given(values)
        check_images(values, self.shape, self.name)

    def check_kind(self, spec: Any) -> None:
        """Raise unless tensors of the spec may keep the rule."""
        self._check_given(spec)
        received = (None, *self.shape) if spec.shape.rank is None else spec.shape
        check_image_kind(spec.dtype, received, self.shape, self.name)

    def _check_given(self, values):
        if values is None:
            raise ValueError(f"{self.name} are needed. Received: {self.name}=None")

    def holds(self, values: tf.Tensor, images: tf.Tensor) -> tf.Tensor:
        """Whether a tensor keeps the rule; False if its shape is not known."""
        del images
        if values.shape.rank is None or values.shape[1:] != self.shape:
            return tf.constant(False)
        return tf.reduce_all((values >= 0) & (values <= 1)) & (tf.shape(values)[0] > 0)

    def to_array(self, values: Any) -> np.ndarray:
        """Convert to images (n, h, w, c) of the dtype that steps read."""
        return np.asarray(values, "float32")

    def to_tensor(self, values: tf.Tensor) -> tf.Tensor:
        """Convert to images (b, h, w, c) of the dtype that steps read."""
        return tf.ensure_shape(tf.cast(values, tf.float32), (None, *self.shape))


@dataclasses.dataclass(frozen=True)
class Labels:
    """Rule of one argument: one integer per image; see `tfgen.checks.check_labels`."""

    num_classes: int
    unlabelled: bool = False

    def check(self, values: Any, count: int) -> None:
        """Raise unless the array `values` keeps the rule for `count` images."""
        check_labels(values, count, self.num_classes, self.unlabelled)

    def check_kind(self, spec: Any) -> None:
        """Raise unless tensors of the spec may keep the rule."""
        rule = label_rule(self.num_classes, self.unlabelled)
        if spec is None:
            raise ValueError(f"{rule}. Received: labels=None")
        if not spec.dtype.is_integer:
            raise TypeError(f"{rule}. Received: dtype={spec.dtype.name}")
        if spec.shape.rank is not None and tuple(spec.shape)[1:] not in {(), (1,), (None,)}:
            raise ValueError(f"{rule}. Received: shape={tuple(spec.shape)}")

    def holds(self, values: tf.Tensor, images: tf.Tensor) -> tf.Tensor:
        """Whether a tensor keeps the rule; False if its shape is not known."""
        if values.shape.rank is None or tuple(values.shape)[1:] not in {(), (1,)}:
            return tf.constant(False)
        wide = tf.uint64 if values.dtype.is_unsigned else tf.int64
        labels = tf.cast(values, wide)
        within = labels < tf.constant(self.num_classes, wide)
        if wide == tf.int64:
            within &= labels >= (-1 if self.unlabelled else 0)
        return tf.reduce_all(within) & (tf.shape(values)[0] == tf.shape(images)[0])

    def to_array(self, values: Any) -> np.ndarray:
        """Convert to labels (n,) int32."""
        return np.asarray(values, "int32").reshape(-1)

    def to_tensor(self, values: tf.Tensor) -> tf.Tensor:
        """Convert to labels (b,) int32."""
        return tf.cast(tf.reshape(values, [-1]), tf.int32)


def unpack(data: Any) -> tuple:
    """Return (images, labels) of a step's data; labels may be None.

    Args:
        data: Images, or one of (images,), (images, labels), ((images, labels),), optionally with None in
            the place of sample weights.

    Raises:
        TypeError: The structure is another.
        ValueError: There are sample weights.
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


_NO_WEIGHTS = "Objectives weight examples themselves; sample and class weights are not read."


def _entries(data) -> tuple:
    if not isinstance(data, tuple | list):
        return data, None, None
    if len(data) > 3:
        raise TypeError(f"Data are images, or (images, labels). Received: {len(data)} parts")
    return (*data, None, None, None)[:3]


def refuse_weights(**weights: Any) -> None:
    """Raise if weights of examples or classes are given.

    Raises:
        ValueError: A weight is not None.
    """
    for name, value in weights.items():
        if value is not None:
            raise ValueError(f"{_NO_WEIGHTS} Received: {name} is not None")


@contextlib.contextmanager
def in_words(*, may_end: bool = False) -> Iterator[None]:
    """Raise the rule that a batch of a stream breaks as ValueError, as for an array.

    Args:
        may_end: Whether to suppress Keras' warning at the end of a stream of unknown length.

    Raises:
        ValueError: A batch broke a rule; the message states the rule and the value received.
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
    """Rules of images and labels, checked on all data that a model is given.

    Args:
        images: Rule of the images.
        labels: Rule of the labels, or of a second domain's images; None if they are ignored.
        replicas: Number of replicas that share a batch.
    """

    images: Images
    labels: Labels | Images | None
    replicas: int = 1

    # Arrays: whole, before anything runs.

    def check(self, images: Any, labels: Any = None) -> None:
        """Raise unless the arrays keep the rules."""
        self.images.check(images)
        if self.labels is not None:
            self.labels.check(labels, len(images))

    def take(self, data: Any) -> tuple[np.ndarray, ...]:
        """Return (images,) or (images, labels) as checked and converted arrays."""
        images, labels = (None if part is None else _array(part) for part in unpack(data))
        self.check(images, labels)
        if self.labels is None:
            return (self.images.to_array(images),)
        return self.images.to_array(images), self.labels.to_array(labels)

    # Streams: every batch, in the graph.

    def hold(self, *data: Any) -> tuple[tf.Tensor, ...]:
        """Return (images,) or (images, labels) as converted tensors behind an assertion of the rules."""
        images, labels = unpack(data)
        rules: list[tuple[Images | Labels, Any]] = [(self.images, images)]
        if self.labels is not None:
            rules.append((self.labels, labels))
        held = tf.cond(
            tf.reduce_all([rule.holds(part, images) for rule, part in rules])
            & (tf.shape(images)[0] >= self.replicas),
            lambda: True,
            lambda: tf.numpy_function(self._explain, [part for _, part in rules], tf.bool),
        )
        with tf.control_dependencies([held]):
            parts = [rule.to_tensor(tf.identity(part)) for rule, part in rules]
        return tuple(parts) if len(parts) > 1 else parts[0]

    def check_kind(self, spec: Any) -> None:
        """Raise unless tensors of the stream's `element_spec` may keep the rules."""
        images, labels = unpack(tf.nest.map_structure(_of_one_replica, spec))
        self.images.check_kind(images)
        if self.labels is not None:
            self.labels.check_kind(labels)

    def _explain(self, images, labels=None):
        """Return True, or raise the rule that the batch breaks."""
        self.check(images, labels)
        check_batch(len(images), self.replicas)
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


def check_batch(count: int, replicas: int) -> None:
    """Raise if a batch of `count` images leaves a replica without images."""
    if count < replicas:
        raise ValueError(
            "Each batch, also the last one, must leave no replica without images; choose another "
            f"batch_size or drop the remainder. Received: {count} images for {replicas} replicas"
        )
