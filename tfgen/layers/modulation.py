"""Scales and shifts of feature maps that depend on z or on the label."""

from typing import Any

import keras
import tensorflow as tf


@keras.saving.register_keras_serializable("tfgen")
class Modulation(keras.layers.Layer):
    """Feature maps h scaled and shifted channel by channel, (1 + gamma(c)) h + beta(c).

    After batch normalization it is conditional batch normalization: by the label (de Vries et al. 2017), or
    by the latents, Chen et al.'s (2019) self-modulation.

    Args:
        hidden: Number of units of a ReLU layer between c and gamma, beta; None for gamma, beta linear in c.
    """

    def __init__(self, hidden: int | None = None, **kwargs: Any):
        super().__init__(**kwargs)
        self.hidden = hidden

    def build(self, shapes: Any) -> None:
        (*_, channels), (*_, size) = shapes
        start = {"kernel_initializer": keras.initializers.RandomNormal(0.0, 0.02)}
        self.inner = None
        if self.hidden is not None:
            self.inner = keras.layers.Dense(self.hidden, "relu", dtype=self.dtype_policy)
            self.inner.build((None, size))
            size = self.hidden
        self.outer = keras.layers.Dense(2 * channels, dtype=self.dtype_policy, **start)
        self.outer.build((None, size))

    def call(self, inputs: Any) -> tf.Tensor:
        """Modulate (h, c): feature maps (b, height, width, channels), conditions (b, d)."""
        maps, condition = inputs
        condition = condition if self.inner is None else self.inner(condition)
        gamma, beta = tf.split(self.outer(condition)[:, None, None], 2, axis=-1)
        return maps + gamma * maps + beta

    def compute_output_shape(self, shapes: Any) -> tuple[int | None, ...]:
        return shapes[0]

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "hidden": self.hidden}
