"""L_k of Eq. 15 and 36 against sums over all tuples, and its limit."""

import dataclasses
import itertools

import keras
import numpy as np
import pytest
import tensorflow as tf
from enumeration import EXACT, one, random_worlds, sigmoid
from numpy.testing import assert_allclose

import zoo
from tfgen import networks
from tfgen.objectives import FAKE, REAL, importance_weights, log_q, reverse
from tfgen.paper import theory
from tfgen.paper.theory import World


@pytest.fixture
def world():
    return one(random_worlds(), 3)


def small(world, images=3):
    """The world cut down to its first images."""
    data = world.data[:images] / world.data[:images].sum()
    return World(world.theta[:images], data, world.logits[:images])


@pytest.mark.parametrize("y", [FAKE, REAL])
def test_tuple_bound_equals_the_sum_over_all_tuples(world, y):
    p, weights = theory.density_weights(small(world), y)
    by_hand = sum(
        np.prod(p[list(drawn)]) * np.log(np.mean(weights[list(drawn)]))
        for drawn in itertools.product(range(3), repeat=4)
    )
    assert_allclose(theory.tuple_bound(small(world), y, 4), by_hand, **EXACT)


@pytest.mark.parametrize("y", [FAKE, REAL])
def test_one_sample_is_equation_15(world, y):
    p, log_z = world.conditionals[y], theory.log_marginal(world, y)
    reversed_q = sigmoid(world.logits if y == FAKE else -world.logits)
    posterior = reversed_q * np.mean(world.conditionals, axis=0) / np.exp(log_z)
    assert_allclose(theory.tuple_bound(world, y, 1), -theory.kl(p, posterior) + log_z, **EXACT)


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("y", [FAKE, REAL])
def test_tuple_bound_rises_to_its_limit(seed, y):
    world = one(World.random(seed=seed, worlds=1, images=3), 0)
    bounds = [theory.tuple_bound(world, y, k) for k in (1, 2, 3, 5, 10, 30, 100, 300)]
    assert (np.diff(bounds) > 0).all()
    limit = theory.bound_limit(world, y)
    p, weights = theory.density_weights(world, y)
    variance = p @ (weights / np.exp(limit) - 1) ** 2
    assert 0 < limit - bounds[-1] < variance / 300  # about variance / 2k for large k
    assert_allclose(limit, theory.log_marginal(world, y), **EXACT)


def test_no_number_of_samples_makes_up_for_a_missed_image(world):
    missing = small(world)
    missing = dataclasses.replace(missing, theta=np.array([-np.inf, *missing.theta[1:]]))
    limit, log_z = theory.bound_limit(missing, FAKE), theory.log_marginal(missing, FAKE)
    lost = sigmoid(missing.logits[0]) * missing.data[0] / 2  # q^r(0|x) p_theta0(x) of that image
    assert_allclose(np.exp(log_z) - np.exp(limit), lost, **EXACT)
    assert lost > 1e-3
    assert theory.tuple_bound(missing, FAKE, 300) < limit
    assert_allclose(theory.bound_limit(missing, REAL), theory.log_marginal(missing, REAL), **EXACT)


def test_iwgan_weights_are_the_density_weights_of_the_optimal_discriminator(world):
    """Eq. 40: with the discriminator's odds exact, the normalized weights are softmax(l)."""
    optimal = world.with_optimal_discriminator()
    _, weights = theory.density_weights(optimal, FAKE)
    assert_allclose(weights / weights.sum(), importance_weights(tf.constant(optimal.logits)))
    _, weights = theory.density_weights(world, FAKE)
    differences = weights / weights.sum() - importance_weights(tf.constant(world.logits))
    assert np.abs(differences).max() > 0.01


def test_iwgans_update_is_the_minimax_gradient_over_the_batchs_odds():
    logits = 3 * np.random.default_rng(0).normal(size=64)
    weighted, minimax = theory.iwgan_and_minimax(logits)
    assert_allclose(weighted, minimax, rtol=1e-12, atol=0)
    assert_allclose(weighted, sigmoid(logits) / np.exp(logits).sum(), rtol=1e-12, atol=0)


def test_a_model_updates_theta_along_the_minimax_gradient():
    """The objective of `zoo.GAN` in float32, through networks: equal to 1e-6 of its size."""
    keras.utils.set_random_seed(1)
    theta = networks.mlp_generator((4, 4, 1), 3, 8)
    phi = networks.mlp_discriminator((4, 4, 1), 8, 1)
    for weight in phi.trainable_variables:
        weight.assign(4 * weight)  # odds that differ
    model = zoo.GAN(theta, phi, importance_weighted=True)
    latents = tf.random.stateless_normal([64, 3], [0, 1])
    with tf.GradientTape(persistent=True) as tape:
        logits = model.logits(theta(latents), training=True)
        weighted = model.expectation(log_q(reverse(logits), FAKE), logits)
        minimax = -tf.reduce_sum(log_q(logits, FAKE))
    odds = tf.reduce_sum(tf.exp(logits))
    for variable in theta.trainable_variables:
        expected = tape.gradient(minimax, variable) / odds
        scale = float(tf.reduce_max(tf.abs(expected)))
        assert_allclose(tape.gradient(weighted, variable), expected, rtol=0, atol=1e-6 * scale)
