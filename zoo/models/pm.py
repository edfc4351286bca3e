"""Predictability minimization (Schmidhuber 1992; appendix D): codes of independent binary units."""

from typing import Any, Self

import keras
import tensorflow as tf

from tfgen import checks, networks
from tfgen.networks import heads
from tfgen.noise import Batch, Samples
from tfgen.objectives import log_bernoulli
from zoo.models.autoencoder import Autoencoder


@keras.saving.register_keras_serializable("zoo")
class PM(Autoencoder):
    """Appendix D: predictors phi of each unit of the code from the others, and an encoder eta against them.

        z_i = 1 if E_eta(x)_i > 1/2, else 0,    x ~ p_data,  i = 1 .. d
        phi:         sum_i E log P_phi(z_i|z_-i)
        theta, eta:  E log p_theta(x|z) - beta sum_i E log P_phi(z_i|z_-i)

    The best predictors reach -sum_i H(z_i|z_-i), so that eta ascends reconstruction and conditional
    entropies: for independent units these are the entropies H(z_i), at most log 2 each, and p(z) is
    then a product of fair coins, from which samples are drawn.  The second term is constant in theta.

    Schmidhuber's units are deterministic, lie in (0, 1), and become binary by training.  Here they are
    cut at 1/2, with the gradient of the uncut unit (straight-through; Bengio et al. 2013): a unit says
    one bit at most, hides nothing from a predictor of its mean, and z_i unpredictable from z_-i, for
    all i, is independence.  Bernoulli units would be unpredictable by their noise alone, at the price of
    their information on x.

    Phi runs behind eta, so that its objective understates the dependence that is left; `tfgen.evaluate`
    measures it by predictors fitted afresh.

    Args:
        theta: Decoder, codes (b, d) -> images (b, h, w, c) out of a sigmoid.
        eta: Encoder, images -> units (b, d) in (0, 1).
        phi: Predictors, codes -> logits (b, d), of which the i-th must not depend on z_i; see
            `tfgen.networks.predictors`.
        beta: Weight >= 0 of the predictability; 0 is an autoencoder.
        average, seed: See `tfgen.unified.Unified`.

    Raises:
        ValueError: The networks do not fit each other, or beta is negative.

    Source: Schmidhuber (1992), Learning factorial codes by predictability minimization; Hu et al.
        (2018), appendix D.
    """

    table_row = "PM"
    binary_code = True
    heads = {**Autoencoder.heads, "phi": heads.logits}  # one per unit

    def __init__(
        self,
        theta: keras.Model,
        eta: keras.Model,
        phi: keras.Model,
        beta: float = 1.0,
        **kwargs: Any,
    ):
        _check_predictors(theta, phi)
        checks.check_not_negative(beta=beta)
        super().__init__({"theta": theta, "phi": phi, "eta": eta}, **kwargs)
        self.beta = beta

    @classmethod
    def build_networks(
        cls,
        shape: tuple[int, int, int],
        num_classes: int | None,
        *,
        width: int,
        units: int,
        hidden: int = 64,
        normalization: str | None = "batch",
        **kwargs: Any,
    ) -> Self:
        """A model with fresh DCGAN networks and predictors; other arguments are the constructor's."""
        theta = networks.generator(shape, units, width, None, normalization)
        eta = networks.code_encoder(shape, units, width, normalization, activation="sigmoid")
        return cls(theta, eta, networks.predictors(units, hidden), **kwargs)

    def objectives(
        self, images: tf.Tensor, labels: tf.Tensor | None = None, training: bool = True
    ) -> dict[str, tf.Tensor]:
        codes = self.infer(images, training)
        log_p = log_bernoulli(
            self.call_network(self.phi, codes, training=training), codes
        )  # (b, d)
        predictability = self.mean(tf.reduce_sum(log_p, axis=1))
        objective = self.reconstruction(images, codes, training) - self.beta * predictability
        return {"theta": objective, "phi": predictability, "eta": objective}

    def infer(self, images: tf.Tensor, training: bool = False) -> tf.Tensor:
        return binary(self.call_network(self.eta, images, training=training))

    def draw_prior(self, noise: Samples | Batch, stream: int = 0) -> tf.Tensor:
        """Fair coins."""
        return binary(noise.uniform(self.latent_dim, stream))

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "beta": self.beta}


def _check_predictors(theta, phi):
    """Phi reads the codes that theta reads, and has a logit for each unit."""
    checks.check_code_discriminator(theta, phi)
    if tuple(phi.output_shape) != tuple(phi.inputs[0].shape):
        raise ValueError(
            "phi must predict every unit of the code. "
            f"Received: units={phi.inputs[0].shape[1:]}, logits={phi.output_shape[1:]}"
        )


def binary(units: tf.Tensor) -> tf.Tensor:
    """1 where a unit is above 1/2, else 0, with the gradient of the unit itself."""
    return units + tf.stop_gradient(tf.cast(units > 0.5, units.dtype) - units)
