"""Mixtures of Gaussians over codes: a learned prior p(z), and one fitted to the aggregate posterior."""

from typing import Any

import keras
import numpy as np
import tensorflow as tf

from tfgen import distributions


@keras.saving.register_keras_serializable("tfgen")
class MixturePrior(keras.layers.Layer):
    """A learned prior p(z) = sum_k pi_k N(z; m_k, diag s_k^2); z (b, d) passes through unchanged.

    It is a layer of theta, with weights of theta, and draws theta's codes; Eq. 11 takes p(z) as given.  The
    means are initialized from N(0, I).

    Args:
        components: Number of Gaussians.

    Source: Tomczak & Welling (2018), whose components are posteriors of learned images.
    """

    def __init__(self, components: int, **kwargs: Any):
        super().__init__(**kwargs)
        self.components = components

    def build(self, shape: tuple[int | None, ...]) -> None:
        table = (self.components, shape[-1])
        self.logits = self.add_weight(name="logits", shape=table[:1], initializer="zeros")
        start = keras.initializers.RandomNormal(stddev=1.0)
        self.means = self.add_weight(name="means", shape=table, initializer=start)
        self.log_scales = self.add_weight(name="log_scales", shape=table, initializer="zeros")

    def call(self, latents: tf.Tensor) -> tf.Tensor:
        return latents

    def distribution(self) -> Any:
        """Return p(z), a distribution of events (d,)."""
        return distributions.mixture(self.logits, self.means, tf.exp(self.log_scales))

    def draw(self, uniform: tf.Tensor, normal: tf.Tensor) -> tf.Tensor:
        """Draw z ~ p(z), (n, d), from noise (n, 1) uniform on [0, 1) and (n, d) standard normal."""
        chosen = component(tf.nn.softmax(self.logits), uniform)
        return tf.gather(self.means, chosen) + tf.exp(tf.gather(self.log_scales, chosen)) * normal

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "components": self.components}


@keras.saving.register_keras_serializable("tfgen")
class FittedMixture(keras.layers.Layer):
    """Mixture of Gaussians with full covariance for every class, fitted outside of training.

    Args:
        classes: Number of classes, each with its own mixture; 1 for a model without labels.
        components: Number of Gaussians per mixture.
        size: Length of z.
    """

    def __init__(self, classes: int, components: int, size: int, **kwargs: Any):
        super().__init__(trainable=False, **kwargs)
        self.classes, self.components, self.size = classes, components, size
        shapes = {
            "probabilities": (classes, components),
            "means": (classes, components, size),
            "factors": (classes, components, size, size),  # Cholesky's, lower
        }
        for name, shape in shapes.items():
            weight = self.add_weight(name=name, shape=shape, initializer="zeros", trainable=False)
            setattr(self, name, weight)
        self.built = True

    def assign(
        self, label: int, probabilities: tf.Tensor, means: np.ndarray, covariances: np.ndarray
    ) -> None:
        """Set the mixture of one class.

        Args:
            label: Label of the class.
            probabilities: (components,).
            means: (components, size).
            covariances: (components, size, size).
        """
        factors = tf.linalg.cholesky(tf.constant(covariances, tf.float64))
        found = {"probabilities": probabilities, "means": means, "factors": factors}
        for name, value in found.items():
            weight = getattr(self, name)
            weight.assign(
                tf.tensor_scatter_nd_update(weight, [[label]], [tf.cast(value, weight.dtype)])
            )

    def draw(self, uniform: tf.Tensor, normal: tf.Tensor, labels: tf.Tensor) -> tf.Tensor:
        """Draw z (n, size) of classes (n,) from noise (n, 1) uniform on [0, 1), (n, size) normal."""
        chosen = component(tf.gather(self.probabilities, labels), uniform)
        index = tf.stack([labels, chosen], axis=1)
        means, factors = (tf.gather_nd(table, index) for table in (self.means, self.factors))
        return means + tf.linalg.matvec(factors, normal)

    def get_config(self) -> dict[str, Any]:
        arguments = {"classes": self.classes, "components": self.components, "size": self.size}
        return {**super().get_config(), **arguments}


def component(probabilities: tf.Tensor, uniform: tf.Tensor) -> tf.Tensor:
    """Return the index (n,) of the component whose part of [0, 1) holds each number.

    Args:
        probabilities: (k,) or (n, k), which sum to 1.
        uniform: (n, 1) in [0, 1).
    """
    edges = tf.cumsum(probabilities, axis=-1)[..., :-1]  # the last part ends at 1 despite rounding
    return tf.reduce_sum(tf.cast(uniform >= edges, tf.int32), axis=-1)
