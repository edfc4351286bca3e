"""Controls: models with the cost of a transfer but without its idea."""

from typing import Any, Self

import keras
import tensorflow as tf

import zoo
from tfgen import endpoints, global_batch
from tfgen.objectives import log_categorical
from tfgen.unified import Unified
from zoo.models.gan import GAN
from zoo.models.svae import SVAE

NAMES = ("MinimaxGAN", "Classifier")
RECIPES = {}  # none for `tfgen train`


def register() -> None:
    """Register the controls for `zoo.build` and `zoo.load`."""
    zoo.MODELS.update(dict.fromkeys(NAMES, __name__))


@keras.saving.register_keras_serializable("zoo")
class MinimaxGAN(GAN):
    """Eq. 5's first form, theta: E_pg[-log(1 - D)], rescaled to the size of the GAN's gradient.

    IWGAN's update has the direction of this gradient, see `tfgen.objectives.importance_weights`.  Here the
    coefficients of the logits' gradients have the sum that the GAN's, 1 - D_i, have on the minibatch: with
    D_i = D(x_i) and a constant in brackets

        theta:  [ sum_j (1 - D_j) / sum_j D_j ] E_pg[-log(1 - D)],    gradient ~ sum_i D_i grad l_i.

    Source: Goodfellow et al. (2014); Eide, Solberg & Kasen (2020), "MM-nsat".
    """

    def expectation(self, terms: tf.Tensor, logits: tf.Tensor) -> tf.Tensor:
        """Return E_pg[-log(1 - D)], rescaled; `terms`, the GAN's log D, are not used."""
        d = tf.stop_gradient(tf.sigmoid(logits))
        scale = self.mean(tf.sigmoid(-global_batch.gather(logits))) / self.mean(
            global_batch.gather(d)
        )
        return scale * self.mean(tf.math.softplus(logits))


@keras.saving.register_keras_serializable("zoo")
class Classifier(Unified):
    """Eq. 18's classifier on its own, omega: E[log q_omega(t|x)] over labelled images.

    It is the control of the SVAE: its omega, with the same starting weights, without any bound.

    Args:
        omega: Images (b, h, w, c) -> logits (b, num_classes).
        num_classes: Number of classes.
        kwargs: Arguments of `tfgen.unified.Unified`.
    """

    def __init__(self, omega: keras.Model, num_classes: int | None, **kwargs: Any):
        super().__init__({"omega": omega}, omega.input_shape[1:], num_classes=num_classes, **kwargs)

    @classmethod
    def build_networks(
        cls, shape: tuple[int, int, int], num_classes: int | None, *, seed: int, **arguments: Any
    ) -> Self:
        """Return the classifier of the SVAE that the same arguments and seed build."""
        omega = SVAE.build_networks(shape, num_classes, **arguments).omega
        return cls(omega, num_classes, seed=seed)

    def objectives(
        self, images: tf.Tensor, labels: tf.Tensor | None = None, training: bool = True
    ) -> dict[str, tf.Tensor]:
        logits = self.omega(images, training=training)
        return {"omega": self.mean(log_categorical(logits, labels))}

    def call(
        self, images: tf.Tensor, labels: tf.Tensor | None = None, training: bool = False
    ) -> tf.Tensor:
        """Return class probabilities q_omega(t|x), (b, num_classes)."""
        return tf.nn.softmax(self.omega(images, training=training))

    def endpoints(self) -> endpoints.Endpoints:
        return endpoints.classifier(self)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "num_classes": self.num_classes}
