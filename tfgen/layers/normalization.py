"""Batch normalization of images: fused, synchronized in two passes, with moving averages one can freeze."""

import contextlib
import contextvars
from collections.abc import Iterator
from typing import Any

import keras
import tensorflow as tf

from tfgen import global_batch

_statistics_are_frozen = contextvars.ContextVar("statistics_are_frozen", default=False)


@contextlib.contextmanager
def frozen_statistics() -> Iterator[None]:
    """Keep moving averages unchanged while `BatchNormalization` trains on the batch's statistics.

    The state of every other layer that training changes without a gradient stays as well.
    """
    token = _statistics_are_frozen.set(True)
    try:
        yield
    finally:
        _statistics_are_frozen.reset(token)


def statistics_frozen() -> bool:
    """Return whether the caller runs within `frozen_statistics`."""
    return _statistics_are_frozen.get()


@keras.saving.register_keras_serializable("tfgen")
class BatchNormalization(keras.layers.BatchNormalization):
    """`keras.layers.BatchNormalization` of images by TensorFlow's fused kernel: same state, same results.

    Synchronized statistics are summed over the replicas in two passes, the squares about the common
    mean.  Keras computes masked normalization and other ranks.  Under `frozen_statistics` the moving
    averages stay.
    """

    def call(
        self, inputs: Any, training: bool | None = None, mask: tf.Tensor | None = None
    ) -> tf.Tensor:
        images = len(inputs.shape) == 4 and self.axis in (-1, 3) and self.center and self.scale
        fused = images and inputs.dtype != tf.float64  # no kernel of its own
        if not (training and self.trainable and fused) or mask is not None:
            return super().call(inputs, training=training, mask=mask)
        normalize = self._over_replicas if self.synchronized else self._fused
        gamma, beta = (tf.cast(weight, tf.float32) for weight in (self.gamma, self.beta))
        outputs, mean, variance = normalize(inputs, gamma, beta)
        if not statistics_frozen():
            for running, value in ((self.moving_mean, mean), (self.moving_variance, variance)):
                old = tf.cast(running, tf.float32)
                running.assign(old * self.momentum + value * (1 - self.momentum))
        return outputs

    def _fused(self, inputs, gamma, beta):
        outputs, mean, variance = tf.compat.v1.nn.fused_batch_norm(
            inputs, gamma, beta, epsilon=self.epsilon
        )
        count = tf.cast(tf.reduce_prod(tf.shape(inputs)[:3]), tf.float32)
        return outputs, mean, variance * (count - 1) / count  # the kernel's is the unbiased one

    def _over_replicas(self, inputs, gamma, beta):
        values = tf.cast(inputs, tf.float32)
        count = tf.cast(tf.reduce_prod(tf.shape(inputs)[:3]), tf.float32)
        count, sums = global_batch.total([count, tf.reduce_sum(values, [0, 1, 2])])
        mean = sums / count
        variance = global_batch.total(tf.reduce_sum((values - mean) ** 2, [0, 1, 2])) / count
        outputs = tf.nn.batch_normalization(values, mean, variance, beta, gamma, self.epsilon)
        return tf.cast(outputs, inputs.dtype), mean, variance
