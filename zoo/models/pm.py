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
    """Appendix D: PM, an encoder eta of units that predictors phi cannot predict from each other.

        z_i = 1 if E_eta(x)_i > 1/2, else 0,    x ~ p_data,  i = 1 .. d
        phi:         sum_i E log P_phi(z_i|z_-i)
        theta, eta:  E log p_theta(x|z) - beta sum_i E log P_phi(z_i|z_-i)

    The best predictors reach -sum_i H(z_i|z_-i), so that eta ascends reconstruction and conditional
    entropies.  For independent units these are the entropies H(z_i), at most log 2 each, and p(z) is
    then a product of fair coins, from which samples are drawn.  The second term is constant in theta.

    Schmidhuber's units are deterministic, lie in (0, 1), and become binary by training.  Here they are
    rounded at 1/2, with the gradient of the unit before rounding (straight-through; Bengio et al.
    2013): a unit holds at most one bit, and the units are independent exactly if no z_i can be
    predicted from z_-i.  Bernoulli units would be unpredictable by their noise alone, at the price of
    their information on x.

    Phi lags behind eta, so its objective understates the dependence that is left; `tfgen.evaluate`
    measures it with predictors fitted from scratch.

    Args:
        theta: Decoder, codes (b, d) -> images (b, h, w, c) that end in a sigmoid.
        eta: Encoder, images -> units (b, d) in (0, 1).
        phi: Predictors, codes -> logits (b, d); the i-th logit must not depend on z_i, see
            `tfgen.networks.predictors`.
        beta: Weight >= 0 of the predictability; 0 gives an autoencoder.
        kwargs: Arguments of `tfgen.unified.Unified`.

    Raises:
        ValueError: The networks do not fit each other, or beta is negative.

    Source: Schmidhuber (1992), Learning factorial codes by predictability minimization; Hu et al.
        (2018), appendix D.

    Examples:
        >>> import numpy as np, tfgen, zoo
        >>> model = zoo.PM.build_networks((8, 8, 1), None, width=4, units=6, hidden=8)
        >>> model.compile("adam")
        >>> history = model.fit(tfgen.data.load("digits"), steps_per_epoch=2, verbose=0)
        >>> sorted(history.history)
        ['eta', 'phi', 'reconstruction', 'theta']
        >>> codes = model.infer(model.sample(4)).numpy()
        >>> codes.shape, bool(np.isin(codes, [0, 1]).all())
        ((4, 6), True)
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
        """Return a model with fresh DCGAN networks and predictors.

        Args:
            shape, width, normalization: See `tfgen.networks`.
            num_classes: Number of classes of the data set, whose labels are not read.
            units: Number d of units of the code.
            hidden: Number of hidden units of each predictor.
            kwargs: Arguments of the constructor.
        """
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
        """Draw z from a product of fair coins."""
        return binary(noise.uniform(self.latent_dim, stream))

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "beta": self.beta}


def _check_predictors(theta, phi):
    """Raise unless phi reads the codes that theta reads, and has a logit for each unit."""
    checks.check_code_discriminator(theta, phi)
    if tuple(phi.output_shape) != tuple(phi.inputs[0].shape):
        raise ValueError(
            "phi must predict every unit of the code. "
            f"Received: units={phi.inputs[0].shape[1:]}, logits={phi.output_shape[1:]}"
        )


def binary(units: tf.Tensor) -> tf.Tensor:
    """Return 1 where a unit is above 1/2, else 0, with the gradient of the unit itself."""
    return units + tf.stop_gradient(tf.cast(units > 0.5, units.dtype) - units)
