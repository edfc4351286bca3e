"""Base of VAE and SVAE: bounds on log p_theta(x), Eq. 11, and adversary activation, Eq. 17."""

import abc
import math
from typing import Any, Self

import keras
import numpy as np
import tensorflow as tf
from sklearn.mixture import GaussianMixture

from tfgen import checks, distributions, layers, networks, noise, sampling
from tfgen.evaluation import likelihood
from tfgen.networks import heads
from tfgen.noise import Batch, Samples, gaussian
from tfgen.objectives import (
    FAKE,
    REAL,
    activation_weights,
    evidence_bound,
    importance_weighted_bound,
    log_q,
)
from tfgen.unified import Unified

POSTERIOR, GENERATED, PRIOR, PIXELS, LABELS, COMPONENT = range(6)  # streams of noise
COVARIANCE = 1e-4  # added to variances of a fitted mixture, so that they stay positive


class Variational(Unified):
    """Abstract base of models with a decoder theta, an inference net eta and perhaps an adversary phi.

    Args:
        players: {name: network}; theta maps z (b, d) [, t (b,)] to images that end in a sigmoid, or
            to [images, scale (b, 1, 1, c)]; eta maps images [, t] to {"mean": (b, d), "scale": (b, d)}.
        num_classes: Number of class labels the model reads, or None.
        temperature: T > 0 of the activation weights.
        importance_samples: Number k of draws of z; above 1, bounds are those of Burda et al. (2015).
        likelihood: One of `tfgen.distributions.LIKELIHOODS`.
        aggregate: Number of Gaussians of the mixture that `fit_sampler` fitted; None if there is none.
        kwargs: Arguments of `Unified`.

    Raises:
        ValueError: An argument is out of range, or theta does not fit the likelihood.
    """

    heads = {**Unified.heads, "theta": heads.scaled_images, "eta": heads.posterior}

    def __init__(
        self,
        players: dict[str, keras.Model],
        num_classes: int | None,
        temperature: float,
        importance_samples: int,
        likelihood: str,
        aggregate: int | None = None,
        **kwargs: Any,
    ):
        _check_variational(players, temperature, importance_samples, likelihood)
        if likelihood == "bernoulli":
            networks.before_sigmoid(players["theta"])  # raises unless there are logits
        shape = players["eta"].inputs[0].shape[1:]
        super().__init__(players, shape, num_classes=num_classes, **kwargs)
        self.temperature = temperature
        self.importance_samples = importance_samples
        self.likelihood = likelihood
        self.bound_tracker = keras.metrics.Mean(name="bound")
        self.aggregate: Any = self._mixture(aggregate)

    @property
    def binary_pixels(self) -> bool:
        return self.likelihood == "bernoulli"

    @abc.abstractmethod
    def bound(
        self, images: tf.Tensor, labels: tf.Tensor | None, noise: tf.Tensor, training: bool = False
    ) -> tf.Tensor:
        """Return a lower bound on log p_theta(x) or log p_theta(x|t).

        Args:
            images: (b, h, w, c).
            labels: (b,) or None.
            noise: (b, k, d) standard normal draws for z.
            training: Whether batch normalization uses the batch's own statistics.

        Returns:
            (b,) nats per image.
        """

    def bound_noise(self, n: int, k: int, seed: Any) -> tf.Tensor:
        """Return noise for `bound`, (n, k, size): k codes of each of n images, from a seed (2,)."""
        return gaussian([n, k, self.latent_dim], seed)

    @property
    def metrics(self) -> list[keras.metrics.Metric]:
        return [*super().metrics, self.bound_tracker]

    def fit_sampler(
        self,
        images: np.ndarray,
        labels: np.ndarray | None = None,
        components: int = 50,
        seed: int = 0,
    ) -> Self:
        """Fit Gaussians to the aggregate posterior E_pdata[q_eta(z|x)], for `sample(prior="aggregate")`.

        A VAE's codes leave holes in p(z) = N(0, I), where samples resemble no image.  The objective and
        p(z), and with them all bounds, stay as they are.  A conditional model has a mixture per class;
        images without a label have the class that omega predicts.

        Args:
            images: (n, h, w, c) in [0, 1], of the training split; under a Bernoulli likelihood gray
                pixels are binarized once.
            labels: (n,) for a conditional model.
            components: Number of Gaussians of full covariance per class.
            seed: Seed of the codes, one draw per image, and of the start of the fit.

        Returns:
            The model.

        Raises:
            TypeError: Images are not floats, or labels not integers.
            ValueError: Images or labels break a rule of `fit`, or a class has fewer images than components,
                or fewer than two.

        Source: Ghosh et al. (2020), ex-post density estimation.
        """
        checks.check_integer("components", components, 1)
        checks.check_seed(seed)
        images = np.asarray(images)
        checks.check_images(images, self.image_shape)
        images = likelihood.prepare_images(self.likelihood, images)
        labels, codes = self._posterior_draws(images, labels, seed)
        classes = (self.num_classes or 1) if self.conditional else 1
        counts = np.bincount(labels, minlength=classes)
        if counts.min() < max(2, components):
            raise ValueError(
                "Every class must have at least as many images as components, and two. "
                f"Received: components={components}, images of each class={counts.tolist()}"
            )
        self._resize_mixture(components)
        for label in range(classes):
            fitted = GaussianMixture(components, random_state=seed, reg_covar=COVARIANCE)
            fitted.fit(codes[labels == label])
            self.aggregate.assign(label, fitted.weights_, fitted.means_, fitted.covariances_)
        return self

    def _resize_mixture(self, components):
        """Make `aggregate` a mixture of so many components; Keras keeps no layer that it replaces."""
        if self.aggregate is not None and self.aggregate.components != components:
            self._tracker.untrack(self.aggregate)
            self.aggregate = None
        if self.aggregate is None:
            self.aggregate = self._mixture(components)

    @property
    def second_prior(self) -> str | None:
        return None if self.aggregate is None else "aggregate"

    def second_codes(self, n: Any, seed: Any, labels: Any) -> tf.Tensor:
        samples = noise.Samples(n, seed)
        labels = (
            tf.zeros([n], tf.int32) if labels is None else tf.convert_to_tensor(labels, tf.int32)
        )
        drawn = samples.uniform(1, COMPONENT), samples.gaussian(self.latent_dim)
        return self.aggregate.draw(*drawn, labels)

    def release(self) -> Self:
        released = super().release()
        if self.aggregate is not None:
            released.aggregate.set_weights(self.aggregate.get_weights())
        return released

    def _mixture(self, components):
        if components is None:
            return None
        classes = (self.num_classes or 1) if self.conditional else 1
        return layers.FittedMixture(classes, components, self.latent_dim, name="aggregate")

    def _posterior_draws(self, images, labels, seed):
        """Return labels (n,), zeros without classes, and one draw of q_eta(z|x [, t]) per image."""
        labels = self._known_labels(images, labels) if self.conditional else None
        columns = images if labels is None else [images, labels.astype("int32")]
        posterior = self.eta.predict(columns, batch_size=sampling.BATCH, verbose=0)
        draws = noise.Samples(len(images), seed).gaussian(self.latent_dim).numpy()
        codes = posterior["mean"] + posterior["scale"] * draws
        labels = np.zeros(len(images), int) if labels is None else np.asarray(labels, int)
        return labels, codes.astype(np.float64)

    def _known_labels(self, images, labels):
        """Return labels (n,) in [0, classes); omega predicts those that are missing."""
        predicts = "omega" in self.players
        if labels is None and predicts:
            labels = np.full(len(images), -1)
        checks.check_labels(labels, len(images), self.num_classes or 1, predicts)
        labels = np.asarray(labels).reshape(-1)
        if not predicts:
            return labels
        return np.where(labels < 0, self.predict(images, verbose=0).argmax(axis=-1), labels)

    @property
    def learned_prior(self) -> Any:
        """Layer of theta that holds a learned p(z), or None for N(0, I)."""
        found = [layer for layer in self.theta.layers if layer.name == networks.PRIOR]
        return found[0] if found else None

    def draw_prior(self, noise: Samples | Batch, stream: int = 0) -> tf.Tensor:
        learned = self.learned_prior
        if learned is None:
            return super().draw_prior(noise, stream)
        normal = noise.gaussian(self.latent_dim, stream)
        return learned.draw(noise.uniform(1, stream + COMPONENT), normal)

    def activated_objectives(
        self, images: tf.Tensor, labels: tf.Tensor | None, bounds: tf.Tensor, training: bool
    ) -> tuple[tf.Tensor, dict[str, tf.Tensor]]:
        """Eq. 17, 44-46: return the objective of theta and eta, and phi's if there is an adversary.

            theta, eta:  E_pdata[w(x) L(x)] + E_pg[w(x) L(x)],    w(x) = q^r(0|x) = sigmoid(l(x)/T)
            phi:         1/2 E_pdata[log q(1|x)] + 1/2 E_pg[log q(0|x)]

        Without phi the discriminator is Lemma 2's perfect one, w = 1 on real images and 0 on generated
        ones.  No gradient passes through w.  KL(q^r(y|x) || p(y)) does not depend on theta or eta and is
        left out.

        Args:
            images, labels: Real images and their labels.
            bounds: (b,) L of the real images.
            training: See `bound`.

        Returns:
            Scalar objective of theta and eta, and {} or {"phi": scalar objective}.
        """
        if "phi" not in self.players:
            return self.mean(bounds), {}
        with layers.frozen_statistics():  # tests and samples see those of real images
            generated = self.generate_like(images, labels, training)
            noise = self.latent_noise(images, GENERATED)
            generated_bounds = self.bound(generated, labels, noise, training)
        q_real = self.logits(images, labels, training)
        q_fake = self.logits(generated, labels, training)
        w_real, w_fake = (activation_weights(q, self.temperature) for q in (q_real, q_fake))
        objective = self.mean(w_real * bounds) + self.mean(w_fake * generated_bounds)
        phi = (self.mean(log_q(q_real, REAL)) + self.mean(log_q(q_fake, FAKE))) / 2
        return objective, {"phi": phi}

    def generate_like(
        self, images: tf.Tensor, labels: tf.Tensor | None, training: bool
    ) -> tf.Tensor:
        """Draw as many images as given, x ~ p_theta0(x|z), z ~ p(z), without gradient.

        They are Bernoulli samples if the given images are binary, else means, so that phi compares
        images of one kind.
        """
        latents = self.prior_like(images, PRIOR)
        labels = self.labels_to_generate(images, labels)
        means = keras.tree.flatten(self.call_network(self.theta, latents, labels, training))[0]
        if self.likelihood == "bernoulli":
            uniform = self.uniform(images, math.prod(self.image_shape), PIXELS)
            samples = tf.cast(tf.reshape(uniform, tf.shape(means)) < means, means.dtype)
            binary = tf.reduce_all((images == 0) | (images == 1))
            means = tf.where(binary, samples, means)
        return tf.stop_gradient(means)

    def labels_to_generate(self, images: tf.Tensor, labels: tf.Tensor | None) -> tf.Tensor | None:
        """Return labels of as many generated images: by default those of the real ones."""
        return labels

    def elbo(
        self,
        posterior: dict[str, tf.Tensor],
        images: tf.Tensor,
        labels: tf.Tensor | None,
        noise: tf.Tensor,
        training: bool,
    ) -> tf.Tensor:
        """Eq. 11 by k = 1 draw of z and the closed-form KL, or the importance-weighted bound if k > 1.

        Under a learned prior the KL has no closed form, and with k = 1 it is estimated from the draw.

        Args:
            posterior: {"mean": (b, d), "scale": (b, d)} of q_eta.
            images, labels, noise, training: See `bound`.

        Returns:
            (b,) nats per image.
        """
        mean, scale = posterior["mean"][:, None], posterior["scale"][:, None]  # (b, 1, d)
        q = distributions.normal(mean, scale)
        latents = mean + scale * noise  # (b, k, d)
        log_likelihood = self.log_likelihood(images, latents, labels, training)
        learned = self.learned_prior
        if noise.shape[1] == 1 and learned is None:
            divergence = distributions.divergence(q, distributions.standard_normal(mean))
            return evidence_bound(log_likelihood, divergence)[:, 0]
        p = distributions.standard_normal(latents) if learned is None else learned.distribution()
        return importance_weighted_bound(log_likelihood + p.log_prob(latents) - q.log_prob(latents))

    def log_likelihood(
        self,
        images: tf.Tensor,
        latents: tf.Tensor,
        labels: tf.Tensor | None = None,
        training: bool = False,
    ) -> tf.Tensor:
        """Return log p_theta(x|z [, t]), summed over pixels.

        Args:
            images: (b, h, w, c).
            latents: (b, k, d).
            labels: (b,) or None.
            training: See `bound`.

        Returns:
            (b, k) nats.
        """
        k, d = latents.shape[1:]
        labels = None if labels is None else tf.repeat(labels, k)
        # Bernoulli terms are computed from logits, so that those of saturated means stay finite.
        decoder = (
            networks.before_sigmoid(self.theta) if self.likelihood == "bernoulli" else self.theta
        )
        parameters = self.call_network(decoder, tf.reshape(latents, [-1, d]), labels, training)
        repeated = tf.repeat(images, k, axis=0)
        terms = distributions.log_likelihood(self.likelihood, parameters, repeated)
        return tf.reshape(terms, [-1, k])

    def track_bound(self, bounds: tf.Tensor) -> None:
        """Update the metric `bound`, the unweighted bound on the log-likelihood of the real images."""
        self.bound_tracker.update_state(bounds)

    def latent_noise(self, images: tf.Tensor, stream: int) -> tf.Tensor:
        """Return standard normal noise for z, (b, k, d)."""
        k, d = self.importance_samples, self.latent_dim
        return tf.reshape(self.noise(images, k * d, stream), [-1, k, d])

    def call(
        self, images: tf.Tensor, labels: tf.Tensor | None = None, training: bool = False
    ) -> tf.Tensor:
        """Return reconstructions: the means of p_theta(x|z [, t]) at the mean of q_eta(z|x [, t])."""
        return self.decode(self.call_network(self.eta, images, labels)["mean"], labels)

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "num_classes": self.num_classes,
            "temperature": self.temperature,
            "importance_samples": self.importance_samples,
            "likelihood": self.likelihood,
            "aggregate": None if self.aggregate is None else self.aggregate.components,
        }


def _check_variational(players, temperature, importance_samples, likelihood):
    """Raise unless theta fits the likelihood, T and k are positive, and eta infers theta's z."""
    theta, eta = players["theta"], players["eta"]
    if likelihood not in distributions.LIKELIHOODS:
        raise ValueError(
            f"likelihood must be one of {distributions.LIKELIHOODS}. "
            f"Received: likelihood={likelihood!r}"
        )
    checks.check_positive(temperature=temperature)
    if temperature != 1 and players.get("phi") is None:
        raise ValueError(
            "The temperature of the weights needs the discriminator phi that gives them. "
            f"Received: temperature={temperature}, phi=None"
        )
    checks.check_integer("importance_samples", importance_samples, 1)
    outputs = 1 if likelihood == "bernoulli" else 2
    if len(theta.outputs) != outputs:
        raise ValueError(
            f"theta must have {outputs} outputs for the {likelihood} likelihood. "
            f"Received: theta with {len(theta.outputs)} outputs"
        )
    checks.check_latents(theta, eta)
