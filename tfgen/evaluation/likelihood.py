"""Estimates of log p_theta(x) on test images: variational, importance-weighted and annealed bounds.

Every bound is one number per image, in nats, and is in expectation at most log p_theta(x), or
log p_theta(x|t) of a model that reads labels.  A model states

    bound(images, labels, noise)   (b,) nats, the importance-weighted bound of k draws of its codes
    bound_noise(n, k, seed)        (n, k, size) noise that these draws read

A `zoo.models.variational.Variational` has the prior p(z) = N(0, I), which annealing and active units
assume.  A model with `class_bounds`, L(x, t) of every class, sums over the classes:

    p(x) = sum_t p(t) p(x|t),   p(t) uniform.

exp of an importance-weighted or annealed estimate of log p(x|t) is unbiased for p(x|t), so its sum over
t, weighted by p(t), is unbiased for p(x), and the logarithm of the sum bounds log p(x) in expectation by
Jensen's inequality, without the classifier q_omega.  The variational bound U(x) has another form: its
classes are weighted by q_omega, and sum_t q_omega(t|x)(L(x, t) - log q_omega(t|x)) is at most
log sum_t exp L(x, t).
"""

import itertools
import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import tensorflow as tf
from scipy.special import logsumexp

from tfgen import distributions
from tfgen.checks import check_integer
from tfgen.evaluation.intervals import Interval, mean_interval

ROWS = 512  # images decoded at once; larger blocks fall out of the processor's cache
ACTIVE = 0.01  # variance of E[z_i|x] over images above which a unit is active


def prepare_images(likelihood: str | None, images: np.ndarray) -> np.ndarray:
    """Return images to measure a likelihood on: for "bernoulli", one draw b ~ Bernoulli(x) of each pixel.

    The draw is fixed, the same in every evaluation (static binarization); 0 and 1 stay as they are.

    Args:
        likelihood: One of `tfgen.distributions.LIKELIHOODS`.
        images: (n, h, w, c) in [0, 1].

    Returns:
        (n, h, w, c) float32.
    """
    images = np.asarray(images, np.float32)
    if likelihood != "bernoulli":
        return images
    return (np.random.default_rng(0).random(images.shape) < images).astype(np.float32)


def class_count(model: Any) -> int:
    """Return the number of classes that a model sums over, or 1; each draw of z is decoded as often."""
    return model.num_classes if hasattr(model, "class_bounds") else 1


def variational_bound(
    model: Any, images: np.ndarray, labels: np.ndarray | None = None, seed: int = 0
) -> np.ndarray:
    """Eq. 11, E_q[log p(x|z)] - KL(q(z|x) || p(z)), by one draw of z per image; U(x) over classes.

    Without a closed-form KL it is log p(x, z) - log q(z|x) at the draw.

    Args:
        model: See the module.
        images: (n, h, w, c) in [0, 1].
        labels: (n,) class labels for a model that reads them.
        seed: Seed of the draws.

    Returns:
        (n,) float64 nats.

    Raises:
        TypeError: Images are not floats, or labels not integers.
        ValueError: Images or labels break a rule of the model's `predict`.
    """
    images, labels = _taken(model, images, labels)
    bound = tf.function(lambda images, labels, noise: model.bound(images, labels, noise))
    rows = max(1, ROWS // class_count(model))
    return np.concatenate(
        [
            bound(x, t, model.bound_noise(len(x), 1, (seed, index))).numpy().astype(np.float64)
            for index, (x, t) in enumerate(_batches(images, labels, rows))
        ]
    )


def importance_weighted_bound(
    model: Any,
    images: np.ndarray,
    labels: np.ndarray | None = None,
    importance_samples: int = 64,
    seed: int = 0,
) -> np.ndarray:
    """Burda et al. (2015), log 1/k sum_i p(x, z_i)/q(z_i|x), z_i ~ q_eta(z|x), i = 1 .. k.

    It does not fall with k, in expectation, and tends to log p(x).  At k = 1 it is the variational
    bound, with the closed-form KL where there is one.  Draws are streamed: memory does not depend on
    k or n.

    Args:
        importance_samples: Number k of draws.
        model, images, labels, seed: See `variational_bound`.

    Returns:
        (n,) float64 nats.

    Raises:
        TypeError: k is no integer; or see `variational_bound`.
        ValueError: k is below 1; or see `variational_bound`.
    """
    k = importance_samples
    check_integer("importance_samples", k, 1)
    images, labels = _taken(model, images, labels)
    if k == 1:
        return variational_bound(model, images, labels, seed)
    terms = tf.function(lambda images, labels, noise: _log_estimates(model, images, labels, noise))
    classes = class_count(model)
    blocks = _blocks(k, max(3, ROWS // classes))
    rows = max(1, ROWS // (classes * blocks[0]))
    counter = itertools.count()
    bounds = []
    for x, t in _batches(images, labels, rows):
        log_sum = np.full([len(x), classes], -np.inf)
        for block in blocks:
            log_mean = terms(x, t, model.bound_noise(len(x), block, (seed, next(counter)))).numpy()
            log_sum = np.logaddexp(log_sum, log_mean.astype(np.float64) + math.log(block))
        bounds.append(logsumexp(log_sum, axis=1) - math.log(k))
    return np.concatenate(bounds)


def annealed_bound(
    model: Any,
    images: np.ndarray,
    labels: np.ndarray | None = None,
    steps: int = 300,
    seed: int = 0,
) -> np.ndarray:
    """Annealed importance sampling (Neal 2001) of log p(x), one chain per image and class.

    It does not rest on the inference net: chains start from the prior, and q_eta's scales only set their
    step sizes.  See `tfgen.distributions.annealed_log_weights`.

    Args:
        steps: Number of densities between prior and posterior; more give a tighter bound.
        model, images, labels, seed: See `variational_bound`.

    Returns:
        (n,) float64 nats.

    Raises:
        TypeError: The number of steps is no integer; or see `variational_bound`.
        ValueError: There is no step; or see `variational_bound`.
    """
    check_integer("steps", steps, 1)
    images, labels = _taken(model, images, labels)
    classes = class_count(model)
    images = tf.repeat(images, classes, axis=0)
    if classes > 1:
        labels = tf.tile(tf.range(classes), [len(images) // classes])

    @tf.function
    def chains(images, labels):
        return distributions.annealed_log_weights(
            lambda latents: model.log_likelihood(images, latents[:, None], labels)[:, 0],
            model.call_network(model.eta, images, labels)["scale"],
            steps,
            tf.constant([seed, 0]),
        )

    log_weights = chains(images, labels).numpy().astype(np.float64).reshape(-1, classes)
    return logsumexp(log_weights, axis=1) - math.log(classes)


def active_units(model: Any, images: np.ndarray, labels: np.ndarray | None = None) -> Interval:
    """Burda et al. (2015): number of units of z with Var_x(E_q[z_i|x]) > 0.01.

    Args:
        model, images, labels: See `variational_bound`.

    Returns:
        Interval: the number, and the numbers with every unit's variance at the low and at the high end of
        its own interval.

    Raises:
        TypeError, ValueError: See `variational_bound`.
    """
    images, labels = _taken(model, images, labels)
    means = tf.function(lambda images, labels: _posterior_mean(model, images, labels))
    means = np.concatenate([means(x, t).numpy() for x, t in _batches(images, labels, ROWS)])
    deviations = (means - means.mean(axis=0, dtype=np.float64)) ** 2  # (n, d)
    variances = np.array([mean_interval(unit) for unit in deviations.T])  # (d, 3)
    return Interval(*map(float, (variances > ACTIVE).sum(axis=0)))


def bits_per_dimension(bound: Interval, shape: Sequence[int]) -> Interval:
    """Return -L/(D ln 2), bits for each of the D values of an image, from an Interval of L in nats.

    It is a code length if p(x|z) is a probability of discrete levels, as under the logistic likelihood.

    Args:
        bound: `tfgen.evaluation.metrics.Interval`.
        shape: (h, w, c).
    """
    value, low, high = (-nats / (math.prod(shape) * math.log(2)) for nats in bound)
    return Interval(value, high, low)


def _taken(model, images, labels):
    """Return images (n, h, w, c) float32 and labels (n,) int32, or None if the model reads none."""
    images, *read = model.gate(predicting=True).take((images, labels))
    return images, *(read or [None])


def _log_estimates(model, images, labels, noise):
    """Return logs of unbiased estimates of p(x, t) of every class, (b, classes), or of p(x), (b, 1)."""
    if class_count(model) > 1:
        return model.class_bounds(images, noise)
    return model.bound(images, labels, noise)[:, None]


def _posterior_mean(model, images, labels):
    """Return E_q[z|x] or E_q[z|x, t], (b, d); a sum over classes is weighted by q_omega(t|x)."""
    if class_count(model) == 1:
        return model.call_network(model.eta, images, labels)["mean"]
    probabilities = tf.nn.softmax(model.omega(images, training=False))
    means = [
        model.call_network(model.eta, images, tf.fill([tf.shape(images)[0]], t))["mean"]
        for t in range(model.num_classes)
    ]
    return tf.einsum("bt,tbd->bd", probabilities, tf.stack(means))


def _batches(images, labels, rows):
    """Yield (images, labels or None) in batches, as tensors."""
    for start in range(0, len(images), rows):
        x, t = (None if a is None else a[start : start + rows] for a in (images, labels))
        yield tf.convert_to_tensor(x), None if t is None else tf.convert_to_tensor(t)


def _blocks(k, most):
    """Return sizes of nearly equal parts of at least 2 draws each; 1 would use the closed-form KL."""
    return [len(part) for part in np.array_split(np.arange(k), math.ceil(k / most))]
