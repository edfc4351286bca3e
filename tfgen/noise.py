"""Random draws as functions of (seed, step, stream, row) in training, of (seed, stream, row) in samples.

Every draw is stateless (Philox), so that the same seed gives the same numbers in every process and on
every device.  A stream is an int that numbers the uses of noise within an objective or a prior.
"""

import dataclasses
from collections.abc import Callable, Sequence
from typing import Any

import tensorflow as tf


def gaussian(shape: Sequence[Any], seed: Any) -> tf.Tensor:
    """Draw standard normal numbers of a shape, a function of the seed (2,)."""
    return tf.random.stateless_normal(shape, seed, alg="philox", name="normal")


def uniform(shape: Sequence[Any], seed: Any) -> tf.Tensor:
    """Draw numbers of a shape, uniform on [0, 1), a function of the seed (2,)."""
    return tf.random.stateless_uniform(shape, seed, alg="philox", name="uniform")


def step_seed(seed: Any, stream: int, step: Any, batch: Any) -> tf.Tensor:
    """Return the seed (2,) of a stream at a step, after `batch` batches of the epoch or evaluation.

    Args:
        seed: Seed of the model, an int.
        stream: Number of the use of noise within an objective.
        step: Number of training steps so far, an int64 scalar.
        batch: Number of batches since metrics were reset, a scalar; it advances during evaluation, when
            `step` does not.
    """
    at_step = tf.random.fold_in(tf.constant([seed, stream], "int64"), step)
    return tf.random.fold_in(at_step, tf.cast(batch, "int64"))


@dataclasses.dataclass(frozen=True)
class Samples:
    """Rows 0 to n - 1 of every stream of a seed, as `sample` draws them.

    Args:
        n: Number of rows.
        seed: int32.
    """

    n: int | tf.Tensor
    seed: int | tf.Tensor

    def gaussian(self, size: int, stream: int = 0) -> tf.Tensor:
        """Standard normal rows, (n, size)."""
        return gaussian([self.n, size], tf.stack([self.seed, stream]))

    def uniform(self, size: int, stream: int = 0) -> tf.Tensor:
        """Rows uniform on [0, 1), (n, size)."""
        return uniform([self.n, size], tf.stack([self.seed, stream]))


@dataclasses.dataclass(frozen=True)
class Batch:
    """This replica's rows of the global batch at a training step.

    Args:
        seed: Function of a stream that returns its seed (2,), the same on every replica.
        count: Number of rows in the global batch.
        start, end: This replica's rows.
    """

    seed: Callable[[int], tf.Tensor]
    count: tf.Tensor
    start: tf.Tensor
    end: tf.Tensor

    def gaussian(self, size: int, stream: int = 0) -> tf.Tensor:
        """Standard normal rows, (end - start, size)."""
        return gaussian([self.count, size], self.seed(stream))[self.start : self.end]

    def uniform(self, size: int, stream: int = 0) -> tf.Tensor:
        """Rows uniform on [0, 1), (end - start, size)."""
        return uniform([self.count, size], self.seed(stream))[self.start : self.end]
