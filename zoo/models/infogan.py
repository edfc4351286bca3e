"""InfoGAN, Eq. 9-10: a GAN whose codes can be inferred from its images."""

import math
from collections.abc import Sequence
from typing import Any, Self

import keras
import tensorflow as tf

from tfgen import checks, distributions, endpoints, networks
from tfgen.noise import Batch, Samples
from tfgen.objectives import FAKE, REAL, log_categorical, log_q, reverse
from tfgen.unified import Unified

NOISE, CODES = range(2)  # streams of noise


@keras.saving.register_keras_serializable("zoo")
class InfoGAN(Unified):
    """Eq. 9-10: InfoGAN; with `importance_weighted` IWInfoGAN.

        y = 1: x ~ p_data;    y = 0: x = G_theta(z), z = (noise, c), noise ~ N(0, I)
        c = (category, one-hot and uniform; continuous codes, uniform on [-1, 1])
        log q_eta(c|x) = log Categorical(category; logits(x)) + log N(continuous; mean(x), I)
        phi:         1/2 E_pdata[log q(1|x)] + 1/2 E_pg[log q(0|x)]
        theta, eta:  E_pg[log q^r(0|x) + lambda log q_eta(c|x)]

    lambda = 0 gives GAN.  q_eta(z|x, y=1) is fixed: eta learns from generated images only.  Continuous
    codes are uniform, as in Chen et al. (2016), so that a sweep from -1 to 1 covers a code's whole
    range.  The scale of q_eta is 1, as in their program: with an inferred scale log q_eta grows without
    bound, and the continuous codes outweigh the other terms.

    Eq. 9 has log q_eta in phi's objective too.  That term depends on phi only if q_eta shares the
    discriminator's trunk, as in Chen et al.: phi then owns the trunk and ascends both terms, and eta
    owns its head.  Here the networks are separate, so the term is constant in phi and left out.

    Importance weights multiply log q^r alone; the paper does not define them for InfoGAN.

    Args:
        theta: Generator, z (b, d) -> images (b, h, w, c); the codes are the last columns of z.
        phi: Discriminator, images -> logits (b, 1).
        eta: Inference net, images -> {"logits": (b, num_categories), "mean": (b, num_continuous)}.
        num_categories: Number K of values of the categorical code.
        num_continuous: Number C of continuous codes.
        info_weight: lambda >= 0.
        importance_weighted: Whether to weight log q^r of the generated samples by Eq. 43.
        kwargs: Arguments of `tfgen.unified.Unified`.

    Raises:
        ValueError: The networks do not fit each other or the codes, or lambda is negative.

    Source: Chen et al. (2016), InfoGAN; Hu et al. (2018), section 3.2.

    Examples:
        >>> import tfgen, zoo
        >>> model = zoo.InfoGAN.build_networks((8, 8, 1), None, width=4, latent_dim=16)
        >>> model.parts  # lengths of noise, one-hot category, continuous codes
        (4, 10, 2)
        >>> model.compile("adam")
        >>> history = model.fit(tfgen.data.load("digits"), steps_per_epoch=2, verbose=0)
        >>> sorted(history.history)  # information: a lower bound on I(c; x) in nats
        ['eta', 'information', 'phi', 'theta']
        >>> model.categories(model.sample(2)).shape  # q_eta(category|x)
        TensorShape([2, 10])
    """

    clustering = True

    def __init__(
        self,
        theta: keras.Model,
        phi: keras.Model,
        eta: keras.Model,
        num_categories: int = 10,
        num_continuous: int = 2,
        info_weight: float = 1.0,
        importance_weighted: bool = False,
        **kwargs: Any,
    ):
        checks.check_features(theta, phi=phi, eta=eta)
        checks.check_readers(None, theta=theta, phi=phi, eta=eta)
        _check_codes(theta, eta, num_categories, num_continuous, info_weight)
        players = {"theta": theta, "phi": phi, "eta": eta}
        super().__init__(players, theta.output_shape[1:], **kwargs)
        self.num_categories = num_categories
        self.num_continuous = num_continuous
        self.info_weight = info_weight
        self.importance_weighted = importance_weighted
        self.information = keras.metrics.Mean(name="information")

    @property
    def table_row(self) -> str:
        return "IWInfoGAN" if self.importance_weighted else "InfoGAN"

    @classmethod
    def build_networks(
        cls,
        shape: tuple[int, int, int],
        num_classes: int | None,
        *,
        width: int,
        latent_dim: int,
        num_categories: int = 10,
        num_continuous: int = 2,
        normalization: str | None = "batch",
        spectral: bool = False,
        modulation: str | None = None,
        augment: Sequence[str] = (),
        residual: bool = False,
        **kwargs: Any,
    ) -> Self:
        """Return a model with fresh networks; other arguments as in `zoo.GAN.build_networks`."""
        theta = networks.image_generator(
            shape, latent_dim, width, None, normalization, modulation=modulation, residual=residual
        )
        phi = networks.adversary(
            shape, width, None, normalization, spectral=spectral, augment=augment, residual=residual
        )
        codes = (num_categories, num_continuous)
        eta = networks.code_posterior(shape, *codes, width, normalization)
        return cls(theta, phi, eta, *codes, **kwargs)

    @property
    def metrics(self) -> list[keras.metrics.Metric]:
        return [*super().metrics, self.information]

    def objectives(
        self, images: tf.Tensor, labels: tf.Tensor | None = None, training: bool = True
    ) -> dict[str, tf.Tensor]:
        latents = self.prior_like(images)
        generated = self.call_network(self.theta, latents, training=training)
        q_real = self.logits(images, training=training)
        q_fake = self.logits(generated, training=training)
        log_codes = self.log_code(generated, latents, training)
        self.track_information(log_codes)
        objective = self.expectation(log_q(reverse(q_fake), FAKE), q_fake)
        objective += self.info_weight * self.mean(log_codes)
        return {
            "theta": objective,
            "phi": (self.mean(log_q(q_real, REAL)) + self.mean(log_q(q_fake, FAKE))) / 2,
            "eta": objective,
        }

    def log_code(self, images: tf.Tensor, latents: tf.Tensor, training: bool = False) -> tf.Tensor:
        """Return log q_eta(c|x), (b,) nats, of the code c, the last columns of z (b, d)."""
        posterior = self.call_network(self.eta, images, training=training)
        _, category, continuous = tf.split(latents, self.parts, axis=1)
        q = distributions.normal(posterior["mean"], scale=1.0)
        log_category = log_categorical(posterior["logits"], tf.argmax(category, axis=1))
        return log_category + q.log_prob(continuous)

    def track_information(self, log_codes: tf.Tensor) -> None:
        """Update the metric `information`, E log q_eta(c|x) + H(c), a lower bound on I(c; x) in nats."""
        entropy = math.log(self.num_categories) + self.num_continuous * math.log(2)
        self.information.update_state(log_codes + entropy)

    # z = (noise, category, continuous codes).

    @property
    def parts(self) -> tuple[int, int, int]:
        """Lengths of the parts of z: noise, category, continuous codes."""
        codes = (self.num_categories, self.num_continuous)
        return (self.latent_dim - sum(codes), *codes)

    def draw_prior(self, noise: Samples | Batch, stream: int = NOISE) -> tf.Tensor:
        """Draw z = (noise ~ N(0, I), one-hot category, uniform, continuous codes, uniform on [-1, 1])."""
        uniform = noise.uniform(1 + self.num_continuous, stream + CODES)
        index = tf.cast(self.num_categories * uniform[:, 0], tf.int32)
        category = tf.one_hot(index, self.num_categories)
        gaussian = noise.gaussian(self.parts[0], stream)
        return tf.concat([gaussian, category, 2 * uniform[:, 1:] - 1], axis=1)

    # Use.

    def call(
        self, images: tf.Tensor, labels: tf.Tensor | None = None, training: bool = False
    ) -> tf.Tensor:
        return self.logits(images, training=training)

    def categories(self, images: tf.Tensor) -> tf.Tensor:
        """q_eta(category|x), (b, K) probabilities."""
        return tf.nn.softmax(self.call_network(self.eta, images, training=False)["logits"])

    def endpoints(self) -> endpoints.Endpoints:
        def encode(images):
            """Infer the code: probabilities of the categories, then means of the continuous codes."""
            means = self.call_network(self.eta, images, training=False)["mean"]
            return {"latents": tf.concat([self.categories(images), means], axis=1)}

        encoding = {"encode": (encode, {"images": endpoints.images_spec(self)})}
        return {
            **endpoints.generator(self),
            **endpoints.complete(self, encoding),
            **endpoints.classifier(self, self.categories),
            **endpoints.discriminator(self),
        }

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "num_categories": self.num_categories,
            "num_continuous": self.num_continuous,
            "info_weight": self.info_weight,
            "importance_weighted": self.importance_weighted,
        }


def _check_codes(theta, eta, num_categories, num_continuous, info_weight):
    """Raise unless eta infers the codes, the last columns of theta's z, and lambda is not negative."""
    expected = {"logits": num_categories, "mean": num_continuous}
    inferred = {name: eta.output[name].shape[-1] for name in expected}
    if inferred != expected:
        raise ValueError(
            "eta must infer num_categories logits and num_continuous means. "
            f"Received: eta={inferred}, {num_categories=}, {num_continuous=}"
        )
    drawn = theta.inputs[0].shape[-1]
    if drawn <= num_categories + num_continuous:
        raise ValueError(
            "theta's z must hold noise and, as its last columns, the codes. "
            f"Received: theta={drawn}, {num_categories=}, {num_continuous=}"
        )
    checks.check_not_negative(info_weight=info_weight)
