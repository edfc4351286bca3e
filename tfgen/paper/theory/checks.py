"""Numbers of the report: both sides of each statement of the paper on random worlds."""

import collections
import dataclasses
import functools
from typing import Any, NamedTuple

import numpy as np
import tensorflow as tf

from tfgen.objectives import FAKE, REAL, activation_weights
from tfgen.paper.theory.adversarial import (
    Bound,
    CodeWorld,
    World,
    bound,
    bound_failure_rate,
    lemma_1,
    lemma_1_with_codes,
    no_worse_than_a_coin,
    optimal_gradient,
)
from tfgen.paper.theory.family import aae, ada, gan, infogan
from tfgen.paper.theory.helmholtz import sleep, wake
from tfgen.paper.theory.importance import (
    bound_limit,
    iwgan_and_minimax,
    log_marginal,
    tuple_bound,
)
from tfgen.paper.theory.tables import gradients
from tfgen.paper.theory.variational import (
    Autoencoder,
    code_posterior_objective,
    evidence_bound,
    joint_objective,
    learned_discriminator,
    perfect_discriminator,
    posterior_objective,
)

IMAGES, CODES = 7, 4
ROUNDING = 1e-12  # nats
MINIBATCH = 4  # samples of an IWGAN's step


class Agreement(NamedTuple):
    """Two sides of an equation over many worlds, in nats or as gradients in nats."""

    worlds: int
    error: float  # largest difference of the sides
    size: float  # largest value: two sides that are zero agree for nothing


def agreement(worlds: int, left: Any, right: Any) -> Any:
    """Return the `Agreement` of arrays, or of lists of arrays."""
    left, right = ([side] if isinstance(side, np.ndarray) else side for side in (left, right))
    pairs = list(zip(left, right, strict=True))
    return Agreement(
        worlds,
        error=max(float(np.abs(one - other).max()) for one, other in pairs),
        size=max(float(np.abs(one).max()) for one, _ in pairs),
    )


def generator_gradients(worlds: int, seed: int = 0) -> Any:
    """Compare both sides of Eq. 6, 8, 10 and 43, and of Eq. 8 without its condition.

    Returns:
        {statement: Agreement}.
    """
    world = World.random(seed, worlds, IMAGES)
    optimal = world.with_optimal_discriminator()
    codes = CodeWorld.random(seed, worlds, CODES, IMAGES)
    return {
        "Lemma 1, Eq. 6, any D": agreement(worlds, *lemma_1(world)),
        "Eq. 8, the optimal D": agreement(worlds, lemma_1(optimal)[0], optimal_gradient(optimal)),
        "Eq. 10, any D and q_eta": agreement(worlds, *lemma_1_with_codes(codes)),
        "Eq. 43: minimax over the batch's odds": agreement(worlds, *_importance(worlds, seed)),
        "Eq. 8 taken for any D": agreement(worlds, lemma_1(world)[0], optimal_gradient(world)),
    }


def _importance(worlds, seed):
    """Return both sides of `iwgan_and_minimax` for random minibatches."""
    logits = np.random.default_rng(seed).normal(size=(worlds, MINIBATCH))
    return zip(*map(iwgan_and_minimax, logits), strict=True)


def stationary_points(worlds: int, seed: int = 0) -> Any:
    """Compute theta's gradient at points where it may vanish: if D is constant on the support of p_g.

    Returns:
        {point: largest entry of the gradient}.
    """
    world = World.random(seed, worlds, IMAGES)
    matched = dataclasses.replace(world, theta=np.log(world.data))
    cut = matched.theta.copy()
    cut[:, 0] = -np.inf
    missing = dataclasses.replace(matched, theta=cut)
    found = {
        "constant D, any p_g": lemma_1(world.with_constant_discriminator())[0],
        "optimal D, p_g = p_data": lemma_1(matched.with_optimal_discriminator())[0],
        "optimal D, p_g = p_data without one of its images": optimal_gradient(missing),
        "any D, p_g = p_data": lemma_1(matched)[0],
        "optimal D, any p_g": lemma_1(world.with_optimal_discriminator())[0],
    }
    return {point: float(np.abs(gradient).max()) for point, gradient in found.items()}


class Failures(NamedTuple):
    """Eq. 26 over random worlds of one size."""

    images: int
    rates: dict  # {discriminator: share of worlds in which JSD > E KL}
    exceptions: int  # worlds in which the exact condition and the bound disagree
    coins: int  # worlds under any D that is no worse than a coin
    failing_coins: int  # of these, in how many JSD > E KL


def bound_failures(sizes: Any, worlds: int) -> Any:
    """Check Eq. 26 by the number of images, under four discriminators, and its exact condition.

    Args:
        sizes: Numbers of images.
        worlds: Number of random worlds of each size.

    Returns:
        [Failures].
    """
    return [_failures(World.random(images, worlds, images)) for images in sizes]


def _failures(world):
    terms, coin = bound(world), no_worse_than_a_coin(world)
    disagree = (terms.jsd <= terms.kl) != (terms.log_q <= terms.log_normalizer)
    discriminators = {
        "any": world,
        "optimal": world.with_optimal_discriminator(),
        "constant": world.with_constant_discriminator(),
        "inverted": world.with_inverted_discriminator(),
    }
    return Failures(
        images=world.data.shape[-1],
        rates={name: bound_failure_rate(one) for name, one in discriminators.items()},
        exceptions=int(disagree.sum()),
        coins=int(coin.sum()),
        failing_coins=int((coin & (terms.jsd > terms.kl + ROUNDING)).sum()),
    )


def counter_example() -> Any:
    """Compute Eq. 26 on two images: p_g = (3/4, 1/4), p_data = (1/4, 3/4), D = p_g/(p_g + p_data).

    Returns:
        A `Bound`.
    """
    world = World(np.log([0.75, 0.25]), np.array([0.25, 0.75]), np.zeros(2))
    return Bound(*map(float, bound(world.with_inverted_discriminator())))


class Tightening(NamedTuple):
    """Eq. 36 at y = 0 in one world."""

    bounds: dict  # {k: L_k}
    limit: float
    log_marginal: float


def tightening(samples: Any, seed: int = 0) -> Any:
    """Compute Eq. 36, L_k against k, if p_g covers three images and if it misses one of them.

    Args:
        samples: Values of k.
        seed: Seed of the world.

    Returns:
        `Tightening` of each world.
    """
    random = World.random(seed, worlds=1, images=3)
    covering = World(random.theta[0], random.data[0], random.logits[0])
    missing = dataclasses.replace(covering, theta=np.array([-np.inf, *covering.theta[1:]]))
    return [
        Tightening(
            bounds={k: tuple_bound(world, FAKE, k) for k in samples},
            limit=bound_limit(world, FAKE),
            log_marginal=log_marginal(world, FAKE),
        )
        for world in (covering, missing)
    ]


def variational_gradients(worlds: int, seed: int = 0) -> Any:
    """Compare gradients of readings of Eq. 12 with those of the objective (Lemma 2, Eq. 17, erratum 1b).

    Returns:
        {(reading, player): Agreement}.
    """
    sides = collections.defaultdict(lambda: ([], []))
    for index in range(seed, seed + worlds):
        for name, (reading, objective, at) in _readings(index).items():
            found = gradients(lambda *at, o=objective, r=reading: (o(*at), r(*at)), *at)
            for player, *both in zip(("theta", "eta"), *found, strict=True):
                for side, gradient in zip(sides[name, player], both, strict=True):
                    side.append(gradient)
    return {case: agreement(worlds, *pair) for case, pair in sides.items()}


def _readings(seed):
    """Return {name: (reading of Eq. 12, objective it should ascend, point)}, functions of (theta, eta)."""
    world = Autoencoder.random(seed, CODES, IMAGES)
    logits = np.random.default_rng(seed).normal(size=IMAGES)
    perfect, learned = perfect_discriminator(IMAGES), learned_discriminator(logits)
    here, elsewhere = (world.theta, world.eta), (-world.theta, world.eta)
    vae = functools.partial(_half_bound, world)
    activated = functools.partial(_activated, world, logits)

    def reading(objective, reversed_q):
        return functools.partial(objective, world, reversed_q)

    return {
        "the joint, perfect D: the VAE": (reading(joint_objective, perfect), vae, here),
        "the joint, learned D: Eq. 17": (reading(joint_objective, learned), activated, here),
        "p(z,y|x) as printed, at theta0": (reading(posterior_objective, perfect), vae, here),
        "p(z,y|x) as printed, elsewhere": (reading(posterior_objective, perfect), vae, elsewhere),
        "p(z|x,y) p(y)": (reading(code_posterior_objective, perfect), vae, here),
    }


def _half_bound(world, theta, eta):
    """Return half of Eq. 11 over p_data, by Lemma 2's p(y) = 1/2."""
    return tf.reduce_sum(world.data * evidence_bound(theta, eta, world.prior)) / 2


def _activated(world, logits, theta, eta):
    """Return Eq. 17 as models train it: bounds of real and generated images, weighted by q^r(0|x)."""
    generated = tf.linalg.matvec(tf.nn.softmax(world.theta), world.prior, transpose_a=True)
    weights = activation_weights(tf.constant(logits))
    bounds = evidence_bound(theta, eta, world.prior)
    return tf.reduce_sum((world.data + generated) * weights * bounds) / 2


def correspondences(seed: int = 0) -> Any:
    """Compare wake-sleep with VAE and GAN (section 3.5), and adversarial models with each other.

    Returns:
        {statement: Agreement}, of gradients.
    """
    world = Autoencoder.random(seed, CODES, IMAGES)
    normal = np.random.default_rng(seed).normal
    logits, code_logits = normal(size=IMAGES), normal(size=CODES)
    prior, data = world.prior, world.data
    log_data, log_prior = np.log(data), np.log(prior)

    def generated(theta):
        return tf.linalg.matvec(tf.nn.softmax(theta), prior, transpose_a=True)

    def wake_and_vae(theta):
        log_joint = tf.transpose(tf.nn.log_softmax(theta)) + log_prior
        return (
            wake(data, tf.nn.log_softmax(world.eta), log_joint),
            2 * _half_bound(world, theta, tf.constant(world.eta)),
        )

    def sleep_and_phi(logits):
        p = generated(world.theta)
        log_joint = tf.stack([tf.math.log(p), log_data], axis=1) + np.log(0.5)  # (x, y)
        log_q = tf.stack([-tf.math.softplus(logits), -tf.math.softplus(-logits)], axis=1)
        return sleep(log_joint, log_q), gan(p, data, logits)["phi"]

    def infogan_and_gan(theta):
        log_inference = tf.transpose(tf.nn.log_softmax(world.eta))
        tables = prior, tf.nn.softmax(theta), data, log_inference, logits
        return infogan(*tables, weight=0.0)["theta"], gan(generated(theta), data, logits)["theta"]

    def aae_and_equation_32(eta):
        log_decoder = tf.transpose(tf.nn.log_softmax(world.theta))
        inferred = data[:, None] * tf.nn.softmax(eta)  # (x, z)
        log_d = -tf.math.softplus(-code_logits)
        return (
            aae(data, tf.nn.softmax(eta), prior, log_decoder, code_logits)["theta"],
            tf.reduce_sum(inferred * (log_decoder + log_d)),
        )

    def ada_and_gan(theta):
        domains = np.zeros((2, CODES + IMAGES))
        domains[FAKE, :CODES], domains[REAL, CODES:] = prior, data
        extractor = tf.concat([tf.nn.softmax(theta), np.eye(IMAGES)], axis=0)
        return (
            ada(domains, extractor, logits)["theta"],
            gan(generated(theta), data, logits)["theta"],
        )

    cases = {
        "wake with h = z: the VAE's step of theta": (wake_and_vae, world.theta),
        "sleep with h = y: the GAN's step of phi": (sleep_and_phi, logits),
        "InfoGAN with lambda = 0: the GAN": (infogan_and_gan, world.theta),
        "AAE: InfoGAN with x and z exchanged is Eq. 32": (aae_and_equation_32, world.eta),
        "ADA with z from the prior against data: the GAN": (ada_and_gan, world.theta),
    }
    found = {}
    for name, (sides, parameter) in cases.items():
        [left], [right] = gradients(sides, parameter)
        found[name] = agreement(1, left, right)
    return found
