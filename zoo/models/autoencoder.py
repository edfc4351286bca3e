"""Base of AAE and PM, whose eta infers one code per image."""

import abc
from typing import Any

import keras
import tensorflow as tf

from tfgen import distributions, endpoints, networks
from tfgen.unified import Unified


class Autoencoder(Unified):
    """Abstract base of models with a decoder theta and a deterministic encoder eta, z = E_eta(x).

    Args:
        players: {name: network}; theta maps codes (b, d) to images that end in a sigmoid, the means
            of independent Bernoulli pixels; eta maps images to (b, d), which `infer` turns into codes.
        num_classes: Number of values of a class t within the code, or None.
        kwargs: Arguments of `Unified`.

    Raises:
        ValueError: theta has no logits, or theta and eta do not fit each other.
    """

    def __init__(
        self, players: dict[str, keras.Model], num_classes: int | None = None, **kwargs: Any
    ):
        _check_autoencoder(**players)
        networks.before_sigmoid(players["theta"])  # raises unless there are logits
        shape = players["eta"].inputs[0].shape[1:]
        super().__init__(players, shape, num_classes=num_classes, **kwargs)
        self.reconstruction_tracker = keras.metrics.Mean(name="reconstruction")

    @abc.abstractmethod
    def infer(self, images: tf.Tensor, training: bool = False) -> tf.Tensor:
        """Return z = E_eta(x).

        Args:
            images: (b, h, w, c).
            training: Whether batch normalization uses the batch's own statistics.

        Returns:
            (b, d) codes, which theta reads.
        """

    @property
    def metrics(self) -> list[keras.metrics.Metric]:
        return [*super().metrics, self.reconstruction_tracker]

    def reconstruction(
        self, images: tf.Tensor, codes: tf.Tensor, training: bool = False
    ) -> tf.Tensor:
        """Return E_pdata[log p_theta(x|z)] of Bernoulli pixels in nats per image; update its metric.

        Args:
            images: (b, h, w, c).
            codes: (b, d).
            training: See `infer`.
        """
        # From logits, so that the log-likelihood of saturated means stays finite.
        logits = self.call_network(networks.before_sigmoid(self.theta), codes, training=training)
        log_likelihoods = distributions.log_likelihood("bernoulli", logits, images)
        self.reconstruction_tracker.update_state(log_likelihoods)
        return self.mean(log_likelihoods)

    def call(
        self, images: tf.Tensor, labels: tf.Tensor | None = None, training: bool = False
    ) -> tf.Tensor:
        """Return reconstructions: the means of p_theta(x|z) at z = E_eta(x)."""
        return self.decode(self.infer(images))

    def endpoints(self) -> endpoints.Endpoints:
        return {**endpoints.generator(self), **endpoints.autoencoder(self)}


def _check_autoencoder(theta, eta, **_):
    """Raise unless eta maps images of the shape that theta makes to codes of the length that it reads."""
    read, inferred = theta.inputs[0].shape[1:], eta.output_shape[1:]
    if tuple(read) != tuple(inferred):
        raise ValueError(
            f"eta must infer the codes that theta reads. Received: theta={read}, eta={inferred}"
        )
    made, encoded = theta.output_shape[1:], eta.inputs[0].shape[1:]
    if tuple(made) != tuple(encoded):
        raise ValueError(
            f"eta must read the images that theta makes. Received: theta={made}, eta={encoded}"
        )
