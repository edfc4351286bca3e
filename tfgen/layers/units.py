"""Layers for labels, likelihood scales, and predictors of one unit from the others."""

from typing import Any

import keras
import tensorflow as tf


@keras.saving.register_keras_serializable("tfgen")
class OneHot(keras.layers.Layer):
    """Class labels t, (b,) integers, as one-hot rows, (b, num_classes); t = -1 gives a row of zeros."""

    def __init__(self, num_classes: int, **kwargs: Any):
        super().__init__(**kwargs)
        self.num_classes = num_classes

    def call(self, labels: tf.Tensor) -> tf.Tensor:
        return keras.ops.one_hot(labels, self.num_classes, dtype=self.compute_dtype)

    def compute_output_shape(self, shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        return (*shape, self.num_classes)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "num_classes": self.num_classes}


@keras.saving.register_keras_serializable("tfgen")
class ChannelScale(keras.layers.Layer):
    """Learned scale of a likelihood, one per channel: images (b, h, w, c) -> (b, 1, 1, c)."""

    def build(self, shape: tuple[int | None, ...]) -> None:
        start = keras.initializers.Constant(-2.0)
        self.log_scale = self.add_weight(name="log_scale", shape=(shape[-1],), initializer=start)

    def call(self, images: Any) -> tf.Tensor:
        scale = keras.ops.exp(self.log_scale)
        return keras.ops.broadcast_to(scale, (keras.ops.shape(images)[0], 1, 1, scale.shape[0]))

    def compute_output_shape(self, shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        return (shape[0], 1, 1, shape[-1])


@keras.saving.register_keras_serializable("tfgen")
class LeaveOneOut(keras.layers.Layer):
    """For every unit all others, in their order: z (b, d) -> (b, d, d - 1), whose row i is z_-i.

    Raises:
        ValueError: There are more than LIMIT units.
    """

    LIMIT = 1024

    def build(self, shape: tuple[Any, ...]) -> None:
        if shape[-1] > self.LIMIT:
            raise ValueError(f"Units must be at most {self.LIMIT}. Received: shape={tuple(shape)}")

    def call(self, units: keras.KerasTensor) -> keras.KerasTensor:
        size = units.shape[-1]
        others = [[j for j in range(size) if j != i] for i in range(size)]
        return keras.ops.take(units, others, axis=-1)

    def compute_output_shape(self, shape: tuple[Any, ...]) -> tuple[Any, ...]:
        return (*shape, shape[-1] - 1)
