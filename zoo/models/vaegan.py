"""VAE/GAN joint models, appendix F: a VAE helped by a GAN, and a GAN helped by an encoder."""

from typing import Any, Self

import keras
import tensorflow as tf

from tfgen import checks, distributions, endpoints, layers, networks
from tfgen.networks import heads
from tfgen.objectives import FAKE, REAL, activation_weights, log_q, reverse
from tfgen.unified import Unified
from zoo.models.variational import GENERATED, POSTERIOR, PRIOR


class _Joint(Unified):
    """Abstract base: theta decodes codes drawn from the prior and codes that eta infers."""

    heads = {**Unified.heads, "eta": heads.posterior}

    def __init__(
        self,
        theta: keras.Model,
        eta: keras.Model,
        phi: keras.Model,
        importance_weighted: bool,
        **kwargs: Any,
    ):
        checks.check_networks(None, theta=theta, phi=phi)
        checks.check_readers(None, eta=eta)
        checks.check_latents(theta, eta)
        players = {"theta": theta, "eta": eta, "phi": phi}
        super().__init__(players, theta.output_shape[1:], **kwargs)
        self.importance_weighted = importance_weighted

    @classmethod
    def build_networks(
        cls,
        shape: tuple[int, int, int],
        num_classes: int | None,
        *,
        width: int,
        latent_dim: int,
        normalization: str | None = "batch",
        spectral: bool = False,
        modulation: str | None = None,
        residual: bool = False,
        **kwargs: Any,
    ) -> Self:
        """Return a model with fresh DCGAN networks, which do not read labels.

        Arguments are those of `zoo.GAN.build_networks`, without augmentation, under which features D_l
        of an image and of its reconstruction would not be comparable.
        """
        theta = networks.image_generator(
            shape, latent_dim, width, None, normalization, modulation=modulation, residual=residual
        )
        eta = networks.encoder(shape, latent_dim, width, normalization=normalization)
        phi = networks.adversary(
            shape, width, None, normalization, spectral=spectral, residual=residual
        )
        return cls(theta, eta, phi, **kwargs)

    def infer(self, images: tf.Tensor, stream: int, training: bool) -> Any:
        """Return q_eta(z|x), {"mean": (b, d), "scale": (b, d)}, and one draw of z, (b, d)."""
        posterior = self.call_network(self.eta, images, training=training)
        noise = self.noise(images, self.latent_dim, stream)
        return posterior, posterior["mean"] + posterior["scale"] * noise

    def generate(self, inferred: tf.Tensor, training: bool) -> tf.Tensor:
        """Return G_theta(z) at b draws z of the prior, and at the b codes given: (b, h, w, c) each.

        One pass decodes both, so that they share theta's batch statistics, whose moving average samples
        are drawn with.  Only phi must not see two kinds of images in one batch.
        """
        prior = self.prior_like(inferred, PRIOR)
        images = self.call_network(
            self.theta, tf.concat([prior, inferred], axis=0), training=training
        )
        return tf.split(images, 2)

    def call(
        self, images: tf.Tensor, labels: tf.Tensor | None = None, training: bool = False
    ) -> tf.Tensor:
        """Return reconstructions G_theta(z) at the mean of q_eta(z|x)."""
        return self.decode(self.call_network(self.eta, images)["mean"])

    def endpoints(self) -> endpoints.Endpoints:
        return {
            **endpoints.generator(self),
            **endpoints.encoder(self),
            **endpoints.discriminator(self),
        }

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "importance_weighted": self.importance_weighted}


@keras.saving.register_keras_serializable("zoo")
class VAEGAN(_Joint):
    """Appendix F: VAE/GAN; with `importance_weighted` IWVAE/GAN, with `temperature` AA-VAE/GAN.

        z ~ N(0, I): x~ = G_theta(z);    z ~ q_eta(z|x), x ~ p_data: x^ = G_theta(z)
        R(x) = log N(D_l(x); D_l(x^), I),    D_l: a layer of phi
        eta:    E_pdata[R(x) - KL(q_eta(z|x) || p(z))]
        theta:  gamma E_pdata[R(x)] + E_pg[log q^r(0|x~)] + E_pdata[log q^r(0|x^)]
        phi:    1/2 E_pdata[log q(1|x)] + 1/4 E_pg[log q(0|x~)] + 1/4 E_pdata[log q(0|x^)]

    Samples and reconstructions are the two halves of y = 0.  R, summed over the layer, is not part of
    phi's objective.  It is a likelihood of features, not of pixels, so R - KL is no bound on
    log p_theta(x).

    The paper does not define the two transfers for this model.  Here importance weights, Eq. 43, act on
    the samples x~; a reconstruction is the only draw of z for its image, k = 1, so its weight is 1.
    Adversary activation, Eq. 17, acts on the VAE's part: E_pdata[R] and E_pdata[R - KL] become
    E_pdata[w R] + E_pg[w R] and E_pdata[w (R - KL)] + E_pg[w (R - KL)], w(x) = q^r(0|x) =
    sigmoid(l(x)/T).  No gradient passes through the samples, their features or w.  Without a temperature
    that part has Lemma 2's perfect discriminator, w = 1 on real images and 0 on generated ones.

    Args:
        theta: Generator, z (b, d) -> images (b, h, w, c).
        eta: Inference net, images -> {"mean": (b, d), "scale": (b, d)}.
        phi: Discriminator, images -> logits (b, 1).
        gamma: Weight >= 0 of R in theta's objective.
        layer: Index of D_l among the layers of phi; -2 is the layer before the logits.
        importance_weighted: Whether to weight the generated samples by Eq. 43.
        temperature: T > 0 of the activation weights; None for no adversary activation.
        kwargs: Arguments of `tfgen.unified.Unified`.

    Source: Larsen et al. (2015); Hu et al. (2018), appendix F.

    Examples:
        >>> import tfgen, zoo
        >>> model = zoo.VAEGAN.build_networks((8, 8, 1), None, width=4, latent_dim=8, temperature=2.0)
        >>> model.table_row
        'AA-VAE/GAN'
        >>> model.compile("adam")
        >>> history = model.fit(tfgen.data.load("digits"), steps_per_epoch=2, verbose=0)
        >>> sorted(history.history)
        ['eta', 'phi', 'theta']
        >>> model.predict(model.sample(2), verbose=0).shape  # reconstructions
        (2, 8, 8, 1)
    """

    def __init__(
        self,
        theta: keras.Model,
        eta: keras.Model,
        phi: keras.Model,
        gamma: float = 0.01,
        layer: int = -2,
        importance_weighted: bool = False,
        temperature: float | None = None,
        **kwargs: Any,
    ):
        checks.check_not_negative(gamma=gamma)
        if temperature is not None:
            checks.check_positive(temperature=temperature)
        networks.with_features(phi, layer)  # raises unless there is the layer
        super().__init__(theta, eta, phi, importance_weighted, **kwargs)
        self.gamma = gamma
        self.layer = layer
        self.temperature = temperature

    @property
    def table_row(self) -> str:
        activated, weighted = self.temperature is not None, self.importance_weighted
        return f"{'AA-' if activated else ''}{'IW' if weighted else ''}VAE/GAN"

    def objectives(
        self, images: tf.Tensor, labels: tf.Tensor | None = None, training: bool = True
    ) -> dict[str, tf.Tensor]:
        posterior, inferred = self.infer(images, POSTERIOR, training)
        generated, reconstructed = self.generate(inferred, training)
        q_real, real = self.judge(images, training)
        q_fake, fake = self.judge(generated, training)
        q_again, again = self.judge(reconstructed, training)
        terms = log_likelihood(real, again), divergence_from_prior(**posterior)
        if self.temperature is None:
            likelihood, divergence = map(self.mean, terms)
        else:
            w_real, w_fake = (activation_weights(q, self.temperature) for q in (q_real, q_fake))
            likelihood, divergence = (
                self.mean(w_real * of_real) + self.mean(w_fake * of_fake)
                for of_real, of_fake in zip(
                    terms, self.terms_of_generated(generated, fake, training), strict=True
                )
            )
        samples = self.expectation(log_q(reverse(q_fake), FAKE), q_fake)
        reconstructions = self.mean(log_q(reverse(q_again), FAKE))
        fakes = self.mean(log_q(q_fake, FAKE)) + self.mean(log_q(q_again, FAKE))
        return {
            "theta": self.gamma * likelihood + samples + reconstructions,
            "eta": likelihood - divergence,
            "phi": self.mean(log_q(q_real, REAL)) / 2 + fakes / 4,
        }

    def judge(self, images: tf.Tensor, training: bool) -> tuple[tf.Tensor, tf.Tensor]:
        """Return l(x), (b,), and the features D_l(x), (b, ...)."""
        outputs = self.call_network(
            networks.with_features(self.phi, self.layer), images, training=training
        )
        return tf.reshape(outputs["logits"], [-1]), tf.cast(outputs["features"], tf.float32)

    def terms_of_generated(self, generated: tf.Tensor, features: tf.Tensor, training: bool) -> Any:
        """Return R(x) and KL, (b,) each, of generated images, without gradient to images or features."""
        generated, features = tf.stop_gradient(generated), tf.stop_gradient(features)
        with layers.frozen_statistics():  # tests and samples see those of real images
            posterior, inferred = self.infer(generated, GENERATED, training)
            reconstructed = self.call_network(self.theta, inferred, training=training)
            _, again = self.judge(reconstructed, training)
        return log_likelihood(features, again), divergence_from_prior(**posterior)

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "gamma": self.gamma,
            "layer": self.layer,
            "temperature": self.temperature,
        }


def divergence_from_prior(mean: tf.Tensor, scale: tf.Tensor) -> tf.Tensor:
    """Return KL(N(mean, diag scale^2) || N(0, I)), (b,) nats, from (b, d) means and scales."""
    q, p = distributions.normal(mean, scale), distributions.standard_normal(mean)
    return distributions.divergence(q, p)


def log_likelihood(features: tf.Tensor, mean: tf.Tensor) -> tf.Tensor:
    """Return log N(D_l(x); D_l(x^), I), summed over the layer.

    Args:
        features: (b, ...) D_l(x).
        mean: (b, ...) D_l(x^).

    Returns:
        (b,) nats.
    """
    features, mean = (tf.reshape(x, [tf.shape(x)[0], -1]) for x in (features, mean))
    return distributions.normal(mean, tf.ones_like(mean)).log_prob(features)


@keras.saving.register_keras_serializable("zoo")
class GANVAE(_Joint):
    """Appendix F: GAN/VAE, a GAN whose encoder guards against missed modes; weighted, IWGAN/VAE.

        z ~ N(0, I): x~ = G_theta(z);    z ~ q_eta(z|x), x ~ p_data: x^ = G_theta(z)
        theta, eta:  E_pg[log q^r(0|x~)] + E_pdata[lambda_2 log q^r(0|x^) - lambda_1 |x - x^|^2]
        phi:         1/2 E_pdata[log q(1|x)] + 1/2 E_pg[log q(0|x~)]

    Theta reconstructs every real image from its code, so that every mode gives theta a gradient.
    This is Che et al.'s regularized GAN: phi's objective is the GAN's, unchanged, and
    lambda_1 = lambda_2 = 0 gives GAN; the manifold and diffusion steps of their MDGAN are left out.
    The squared error is summed over pixels: a Gaussian log-likelihood of variance 1/(2 lambda_1), up
    to its constant.  The first term does not depend on eta.  A draw of z takes the place of their E(x),
    the limit as the scale of q_eta vanishes; the scale learns from the reconstructions alone.

    Importance weights, which the paper does not define for this model, act on the samples x~ as in
    `VAEGAN`.

    Args:
        theta: Generator, z (b, d) -> images (b, h, w, c).
        eta: Inference net, images -> {"mean": (b, d), "scale": (b, d)}.
        phi: Discriminator, images -> logits (b, 1).
        reconstruction_weight: lambda_1 >= 0.
        mode_weight: lambda_2 >= 0.
        importance_weighted: Whether to weight the generated samples by Eq. 43.
        kwargs: Arguments of `tfgen.unified.Unified`.

    Source: Che et al. (2017a); Hu et al. (2018), appendix F.

    Examples:
        >>> import tfgen, zoo
        >>> model = zoo.GANVAE.build_networks((8, 8, 1), None, width=4, latent_dim=8)
        >>> model.compile("adam")
        >>> history = model.fit(tfgen.data.load("digits"), steps_per_epoch=2, verbose=0)
        >>> sorted(history.history)
        ['eta', 'phi', 'theta']
        >>> model.predict(model.sample(2), verbose=0).shape  # reconstructions
        (2, 8, 8, 1)
    """

    def __init__(
        self,
        theta: keras.Model,
        eta: keras.Model,
        phi: keras.Model,
        reconstruction_weight: float = 0.2,
        mode_weight: float = 0.4,
        importance_weighted: bool = False,
        **kwargs: Any,
    ):
        checks.check_not_negative(
            reconstruction_weight=reconstruction_weight, mode_weight=mode_weight
        )
        super().__init__(theta, eta, phi, importance_weighted, **kwargs)
        self.reconstruction_weight = reconstruction_weight
        self.mode_weight = mode_weight

    @property
    def table_row(self) -> str:
        return f"{'IW' if self.importance_weighted else ''}GAN/VAE"

    def objectives(
        self, images: tf.Tensor, labels: tf.Tensor | None = None, training: bool = True
    ) -> dict[str, tf.Tensor]:
        _, inferred = self.infer(images, POSTERIOR, training)
        generated, reconstructed = self.generate(inferred, training)
        q_real = self.logits(images, training=training)
        q_fake = self.logits(generated, training=training)
        q_again = self.logits(reconstructed, training=training)
        distance = tf.reduce_sum((images - reconstructed) ** 2, axis=[1, 2, 3])
        regularizer = self.mode_weight * log_q(reverse(q_again), FAKE)
        regularizer -= self.reconstruction_weight * distance
        objective = self.expectation(log_q(reverse(q_fake), FAKE), q_fake) + self.mean(regularizer)
        return {
            "theta": objective,
            "eta": objective,
            "phi": (self.mean(log_q(q_real, REAL)) + self.mean(log_q(q_fake, FAKE))) / 2,
        }

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "reconstruction_weight": self.reconstruction_weight,
            "mode_weight": self.mode_weight,
        }
