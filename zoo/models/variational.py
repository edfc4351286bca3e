"""What the likelihood side shares: bounds on log p_theta(x), Eq. 11, and adversary activation, Eq. 17."""

import abc
import math

import keras
import tensorflow as tf

from tfgen import checks, distributions, layers, networks
from tfgen.noise import gaussian
from tfgen.objectives import (
    FAKE,
    REAL,
    activation_weights,
    evidence_bound,
    importance_weighted_bound,
    log_q,
)
from tfgen.unified import Unified

POSTERIOR, GENERATED, PRIOR, PIXELS, LABELS = range(5)  # streams of noise


class Variational(Unified):
    """Abstract base of models with a decoder theta, an inference net eta and perhaps an adversary phi.

    Args:
        players: {name: network}; theta maps z (b, d) [, t (b,)] to images out of a sigmoid, or to
            [images, scale (b, 1, 1, c)]; eta maps images [, t] to {"mean": (b, d), "scale": (b, d)}.
        num_classes: number of class labels the model reads, or None.
        temperature: T > 0 of the activation weights.
        importance_samples: k draws of z; above 1 bounds are Burda et al.'s (2015).
        likelihood: one of `tfgen.distributions.LIKELIHOODS`.
        kwargs: of `Unified`.

    Raises:
        ValueError: an argument is out of range, or theta does not fit the likelihood.
    """

    def __init__(self, players, num_classes, temperature, importance_samples, likelihood, **kwargs):
        _check_variational(players, temperature, importance_samples, likelihood)
        if likelihood == "bernoulli":
            networks.before_sigmoid(players["theta"])  # raises unless there are logits
        shape = players["eta"].inputs[0].shape[1:]
        super().__init__(players, shape, num_classes=num_classes, **kwargs)
        self.temperature = temperature
        self.importance_samples = importance_samples
        self.likelihood = likelihood
        self.bound_tracker = keras.metrics.Mean(name="bound")

    @property
    def binary_pixels(self):
        return self.likelihood == "bernoulli"

    @abc.abstractmethod
    def bound(self, images, labels, noise, training=False):
        """A lower bound on log p_theta(x) or log p_theta(x|t).

        Args:
            images: (b, h, w, c).
            labels: (b,) or None.
            noise: (b, k, d) standard normal draws for z.
            training: whether batch normalisation uses the batch's own statistics.

        Returns:
            (b,) nats an image.
        """

    def bound_noise(self, n, draws, seed):
        """What `bound` reads of k = `draws` codes for each of n images; seed (2,)."""
        return gaussian([n, draws, self.latent_dim], seed)

    @property
    def metrics(self):
        return [*super().metrics, self.bound_tracker]

    def activated(self, images, labels, bounds, training):
        """Eq. 17, 44-46: what theta and eta ascend, and what phi ascends if there is an adversary.

            theta, eta:  E_pdata[w(x) L(x)] + E_pg[w(x) L(x)],    w(x) = q^r(0|x) = sigmoid(l(x)/T)
            phi:         1/2 E_pdata[log q(1|x)] + 1/2 E_pg[log q(0|x)]

        Without phi the discriminator is Lemma 2's perfect one, w = 1 on real images and 0 on generated
        ones.  No gradient passes through w.  KL(q^r(y|x) || p(y)) does not depend on theta or eta and is
        left out.

        Args:
            images, labels: the real ones.
            bounds: (b,) L of the real images.
            training: as in `bound`.

        Returns:
            Scalar objective of theta and eta, and {} or {"phi": scalar objective}.
        """
        if "phi" not in self.players:
            return self.mean(bounds), {}
        with layers.frozen_statistics():  # tests and samples see those of real images
            generated = self.generate_like(images, labels, training)
            noise = self.draws(images, GENERATED)
            generated_bounds = self.bound(generated, labels, noise, training)
        q_real = self.logits(images, labels, training)
        q_fake = self.logits(generated, labels, training)
        w_real, w_fake = (activation_weights(q, self.temperature) for q in (q_real, q_fake))
        objective = self.mean(w_real * bounds) + self.mean(w_fake * generated_bounds)
        phi = (self.mean(log_q(q_real, REAL)) + self.mean(log_q(q_fake, FAKE))) / 2
        return objective, {"phi": phi}

    def generate_like(self, images, labels, training):
        """As many images as given, x ~ p_theta0(x|z), z ~ p(z), as data: without gradient.

        Where the given images are binary these are Bernoulli samples, else means, so that phi
        compares like with like.
        """
        latents = self.prior_like(images, PRIOR)
        labels = self.labels_to_generate(images, labels)
        means = keras.tree.flatten(self.play(self.theta, latents, labels, training))[0]
        if self.likelihood == "bernoulli":
            uniform = self.uniform(images, math.prod(self.image_shape), PIXELS)
            samples = tf.cast(tf.reshape(uniform, tf.shape(means)) < means, means.dtype)
            binary = tf.reduce_all((images == 0) | (images == 1))
            means = tf.where(binary, samples, means)
        return tf.stop_gradient(means)

    def labels_to_generate(self, images, labels):
        """The labels of as many generated images: those of the real ones."""
        return labels

    def elbo(self, posterior, images, labels, noise, training):
        """Eq. 11 by k = 1 draw and the closed-form KL, or the importance-weighted bound of k > 1.

        Args:
            posterior: {"mean": (b, d), "scale": (b, d)} of q_eta.
            images, labels, noise, training: as in `bound`.

        Returns:
            (b,) nats an image.
        """
        mean, scale = posterior["mean"][:, None], posterior["scale"][:, None]  # (b, 1, d)
        q = distributions.normal(mean, scale)
        latents = mean + scale * noise  # (b, k, d)
        log_likelihood = self.log_likelihood(images, latents, labels, training)
        if noise.shape[1] == 1:
            divergence = distributions.divergence(q, distributions.standard_normal(mean))
            return evidence_bound(log_likelihood, divergence)[:, 0]
        p = distributions.standard_normal(latents)
        return importance_weighted_bound(log_likelihood + p.log_prob(latents) - q.log_prob(latents))

    def log_likelihood(self, images, latents, labels=None, training=False):
        """log p_theta(x|z [, t]), summed over pixels.

        Args:
            images: (b, h, w, c).
            latents: (b, k, d).
            labels: (b,) or None.
            training: as in `bound`.

        Returns:
            (b, k) nats.
        """
        k, d = latents.shape[1:]
        labels = None if labels is None else tf.repeat(labels, k)
        # Bernoulli terms are taken from logits: those of saturated means stay finite.
        decoder = (
            networks.before_sigmoid(self.theta) if self.likelihood == "bernoulli" else self.theta
        )
        parameters = self.play(decoder, tf.reshape(latents, [-1, d]), labels, training)
        repeated = tf.repeat(images, k, axis=0)
        terms = distributions.log_likelihood(self.likelihood, parameters, repeated)
        return tf.reshape(terms, [-1, k])

    def track_bound(self, bounds):
        """The metric `bound`: the unweighted bound on the log-likelihood of the real images."""
        self.bound_tracker.update_state(self.mean(bounds) * self.replicas)

    def draws(self, images, stream):
        """Standard normal noise for z, (b, k, d)."""
        k, d = self.importance_samples, self.latent_dim
        return tf.reshape(self.noise(images, k * d, stream), [-1, k, d])

    def call(self, images, labels=None, training=False):
        """Reconstructions: the means of p_theta(x|z [, t]) at the mean of q_eta(z|x [, t])."""
        return self.decode(self.play(self.eta, images, labels)["mean"], labels)

    def get_config(self):
        return {
            **super().get_config(),
            "num_classes": self.num_classes,
            "temperature": self.temperature,
            "importance_samples": self.importance_samples,
            "likelihood": self.likelihood,
        }


def _check_variational(players, temperature, importance_samples, likelihood):
    """The likelihood is known and theta has its parameters; T and k are positive; eta infers theta's z."""
    theta, eta = players["theta"], players["eta"]
    if likelihood not in distributions.LIKELIHOODS:
        raise ValueError(
            f"likelihood must be one of {distributions.LIKELIHOODS}. "
            f"Received: likelihood={likelihood!r}"
        )
    checks.check_positive(temperature=temperature)
    checks.check_integer("importance_samples", importance_samples, 1)
    outputs = 1 if likelihood == "bernoulli" else 2
    if len(theta.outputs) != outputs:
        raise ValueError(
            f"theta must have {outputs} outputs for the {likelihood} likelihood. "
            f"Received: theta with {len(theta.outputs)} outputs"
        )
    checks.check_latents(theta, eta)
