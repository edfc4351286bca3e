"""Distributions of z and of pixels, by TensorFlow Probability."""

from collections.abc import Callable
from typing import Any

import tensorflow as tf
import tensorflow_probability as tfp

tfd, tfb = tfp.distributions, tfp.bijectors
Distribution = tfp.distributions.Distribution

LIKELIHOODS = ("bernoulli", "logistic", "gaussian")
LEVELS = 256
LEAPFROGS, HMC_STEP = 4, 0.4  # a quarter of the period of a unit Gaussian: uncorrelated draws


def normal(mean: tf.Tensor, scale: tf.Tensor) -> Distribution:
    """q_eta(z|x) = N(mean, diag scale^2), or the prior's N(0, I).

    Args:
        mean, scale: (..., d), scale > 0.

    Returns:
        Distribution of events (d,).
    """
    return tfd.Independent(tfd.Normal(mean, scale), reinterpreted_batch_ndims=1)


def standard_normal(like: tf.Tensor) -> Distribution:
    """p(z) = N(0, I) with the shape of `like`, (..., d)."""
    return normal(tf.zeros_like(like), tf.ones_like(like))


def mixture(logits: tf.Tensor, means: tf.Tensor, scales: tf.Tensor) -> Distribution:
    """p(z) = sum_k softmax(logits)_k N(z; means_k, diag scales_k^2).

    Args:
        logits: (k,).
        means, scales: (k, d), scales > 0.

    Returns:
        Distribution of events (d,).
    """
    return tfd.MixtureSameFamily(tfd.Categorical(logits=logits), normal(means, scales))


def divergence(q: Distribution, p: Distribution) -> tf.Tensor:
    """Eq. 11, KL(q || p) in closed form, in nats."""
    return tfd.kl_divergence(q, p)


def bernoulli(logits: tf.Tensor) -> Distribution:
    """p_theta(x|z) of pixels or units in {0, 1}, from logits (b, ...); log_prob sums over them.

    A gray image x stands for its dynamic binarizations b ~ Bernoulli(x): log_prob(x) is the mean of
    log_prob(b) over them, since it is linear in the pixels.
    """
    units = len(logits.shape) - 1
    return tfd.Independent(tfd.Bernoulli(logits=logits, dtype=logits.dtype), units)


def gaussian(mean: tf.Tensor, scale: tf.Tensor) -> Distribution:
    """p_theta(x|z) = N(mean, scale^2) of pixels in [0, 1]; log_prob sums over pixels.

    Args:
        mean: (b, h, w, c).
        scale: (b, 1, 1, c), positive.
    """
    return tfd.Independent(tfd.Normal(mean, scale), 3)


def discretized_logistic(mean: tf.Tensor, scale: tf.Tensor) -> Distribution:
    """p_theta(x|z) of the 256 gray levels 0/255 .. 255/255: a logistic density's share of each level.

    The outer levels take the tails (Kingma et al. 2016; Salimans et al. 2017).  The event is the level
    255 x, so that log_prob is the logarithm of a probability, in nats, and gives bits per dimension.

    Args:
        mean: (b, h, w, c) in [0, 1].
        scale: (b, 1, 1, c), positive.
    """
    top = LEVELS - 1.0
    level = tfd.Logistic(top * mean, top * scale)
    shifted = tfd.TransformedDistribution(level, tfb.Shift(tf.constant(-0.5, mean.dtype)))
    return tfd.Independent(tfd.QuantizedDistribution(shifted, low=0.0, high=top), 3)


def log_likelihood(kind: str, parameters: Any, images: tf.Tensor) -> tf.Tensor:
    """log p_theta(x|z), summed over pixels, in nats per image.

    Args:
        kind: "bernoulli", "gaussian" or "logistic".
        parameters: Logits (b, h, w, c) of a Bernoulli, else (mean (b, h, w, c), scale (b, 1, 1, c)).
        images: (b, h, w, c) in [0, 1].

    Returns:
        (b,).
    """
    if kind == "bernoulli":
        return bernoulli(parameters).log_prob(images)
    if kind == "gaussian":
        return gaussian(*parameters).log_prob(images)
    return discretized_logistic(*parameters).log_prob(tf.round((LEVELS - 1) * images))


def annealed_log_weights(
    log_likelihood: Callable[[tf.Tensor], tf.Tensor], scale: tf.Tensor, steps: int, seed: tf.Tensor
) -> tf.Tensor:
    """Annealed importance sampling (Neal 2001): log w of chains with E[w] = p(x) = E_N(0,I)[p(x|z)].

    A chain runs from z ~ N(0, I) through the densities proportional to N(z; 0, I) p(x|z)^beta,
    beta = (i/steps)^4, i = 1 .. steps, by one transition of Hamiltonian Monte Carlo each, and

        log w = sum_i (beta_i - beta_i-1) log p(x|z_i-1).

    Transitions leave their density unchanged for every `scale`, so E[w] = p(x) holds for every scale;
    step sizes follow the scales (1 - beta + beta/scale^2)^(-1/2) of an annealed Gaussian posterior.

    `tfp.mcmc.sample_annealed_importance_chain` is not used: it anneals linearly in beta, and accepts a
    proposal by comparison with the log-density that the last state had at the previous beta
    (tensorflow/probability issue 1429).

    Args:
        log_likelihood: z (b, d) -> log p(x|z), (b,), one image per chain.
        scale: (b, d), standard deviations of p(z|x), for instance q_eta's.
        steps: Number of transitions.
        seed: (2,) int32.

    Returns:
        (b,) nats.

    Source: Neal (2001), Annealed importance sampling; Friel & Pettitt (2008) for the powers of i/steps;
        Wu et al. (2017), On the quantitative analysis of decoder-based generative models.
    """
    prior = standard_normal(scale)
    betas = tf.linspace(tf.zeros([], scale.dtype), 1.0, steps + 1) ** 4

    def anneal(i, latents, log_weights):
        beta = betas[i + 1]
        log_weights += (beta - betas[i]) * log_likelihood(latents)
        kernel = tfp.mcmc.HamiltonianMonteCarlo(
            lambda z: prior.log_prob(z) + beta * log_likelihood(z),
            step_size=HMC_STEP / tf.sqrt(1 - beta + beta / scale**2),
            num_leapfrog_steps=LEAPFROGS,
        )
        start = kernel.bootstrap_results(latents)  # at this beta
        latents, _ = kernel.one_step(latents, start, seed=tf.random.fold_in(seed, i + 1))
        return i + 1, latents, log_weights

    latents = prior.sample(seed=tf.random.fold_in(seed, 0))
    start = (0, latents, tf.zeros_like(latents[:, 0]))
    *_, log_weights = tf.while_loop(lambda i, *_: i < steps, anneal, start)
    return log_weights
