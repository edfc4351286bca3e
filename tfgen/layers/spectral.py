"""Spectral normalization of linear layers, for discriminators without batch statistics."""

from typing import Any

import keras
import tensorflow as tf

from tfgen.layers.normalization import statistics_frozen


@keras.saving.register_keras_serializable("tfgen")
class SpectralNormalization(keras.layers.Wrapper):
    """Linear layer with its kernel W divided by its largest singular value, y = (W/s(W)) x + b.

        v = W u/|W u|;    u <- W^T v/|W^T v|;    s(W) = v^T W u,  with a gradient in W only

    W is the kernel as a matrix of its output channels.  Each call does one power iteration from the u of
    the call before, a non-trainable weight; inference and `frozen_statistics` do not change it.
    The inputs are divided by s(W) instead of the kernel, which is the same for a linear layer.

    `keras.layers.SpectralNormalization` assigns the divided kernel to the weight itself within the
    forward pass: the gradient of s(W) is lost, the second of two passes sees another weight, and
    replicas may not assign.

    It computes in the layer's dtype policy: features of a float32 layer are not rounded on their way.

    Args:
        layer: Layer without activation, `Dense` or `Conv2D`; its kernel's last axis is its output channels.

    Source: Miyato et al. (2018), algorithm 1.
    """

    def __init__(self, layer: keras.layers.Layer, **kwargs: Any):
        super().__init__(layer, **{"dtype": layer.dtype_policy, **kwargs})

    def build(self, shape: tuple[int | None, ...]) -> None:
        super().build(shape)
        self.left = self.add_weight(
            name="left",
            shape=(self.layer.kernel.shape[-1],),
            dtype="float32",
            initializer=keras.initializers.RandomNormal(),
            trainable=False,
            aggregation="only_first_replica",
        )

    def call(self, inputs: Any, training: bool | None = None) -> tf.Tensor:
        kernel = tf.cast(self.layer.kernel, tf.float32)
        matrix = tf.reshape(kernel, [-1, kernel.shape[-1]])
        right = tf.linalg.matvec(matrix, tf.cast(self.left, tf.float32))
        right = tf.stop_gradient(tf.math.l2_normalize(right))
        left = tf.linalg.matvec(matrix, right, transpose_a=True)
        left = tf.stop_gradient(tf.math.l2_normalize(left))
        if training and not statistics_frozen():
            self.left.assign(left)
        norm = tf.tensordot(right, tf.linalg.matvec(matrix, left), 1)
        return self.layer(inputs / tf.cast(norm, inputs.dtype))

    def compute_output_shape(self, shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        return self.layer.compute_output_shape(shape)
