"""Wake and sleep (Eq. 14) against enumeration, and section 3.5's readings of them."""

import itertools

import numpy as np
import pytest
import tensorflow as tf
from enumeration import (
    EXACT,
    one,
    random_autoencoder,
    random_worlds,
    sigmoid,
    softmax,
    vae,
)
from numpy.testing import assert_allclose

from tfgen.paper import theory
from tfgen.paper.theory import gradients


@pytest.fixture
def world():
    return one(random_worlds(), 3)


@pytest.fixture
def autoencoder():
    return random_autoencoder()


@pytest.fixture
def machine():
    """Three hidden and three visible binary units, and p_data over the visible states."""
    normal = np.random.default_rng(9).normal
    generative = normal(size=3), normal(size=(3, 3)), normal(size=3)
    recognition = normal(size=(3, 3)), normal(size=3)
    return generative, recognition, softmax(normal(size=8))


def bernoulli(state, logits):
    return np.prod(np.where(np.array(state) == 1, sigmoid(logits), sigmoid(-logits)))


def pairs():
    """(index of x, x, index of h, h) of all states."""
    for (i, x), (j, h) in itertools.product(enumerate(theory.states(3)), repeat=2):
        yield i, x, j, h


def test_tables_are_the_machines_probabilities(machine):
    (hidden_bias, weights, visible_bias), (back, bias), _ = machine
    joint = np.exp(theory.generative_table(hidden_bias, weights, visible_bias))
    inferred = np.exp(theory.recognition_table(back, bias))
    assert joint.shape == inferred.shape == (8, 8)
    for i, x, j, h in pairs():
        visible = bernoulli(x, h @ weights + visible_bias)
        assert_allclose(joint[i, j], bernoulli(h, hidden_bias) * visible, **EXACT)
        assert_allclose(inferred[i, j], bernoulli(h, x @ back + bias), **EXACT)
    assert_allclose(joint.sum(), 1, **EXACT)
    assert_allclose(inferred.sum(axis=1), 1, **EXACT)


def test_wake_phase_equals_enumeration_and_the_delta_rule(machine):
    (hidden_bias, weights, visible_bias), (back, bias), data = machine
    log_recognition = theory.recognition_table(back, bias)

    def objective(*generative):
        return [theory.wake(data, log_recognition, theory.generative_table(*generative))]

    [found] = gradients(objective, *machine[0])
    value, by_hand = 0, [np.zeros(3), np.zeros((3, 3)), np.zeros(3)]
    for i, x, _, h in pairs():
        weight = data[i] * bernoulli(h, x @ back + bias)
        logits = h @ weights + visible_bias
        value += weight * np.log(bernoulli(h, hidden_bias) * bernoulli(x, logits))
        by_hand[0] += weight * (h - sigmoid(hidden_bias))
        by_hand[1] += weight * np.outer(h, x - sigmoid(logits))
        by_hand[2] += weight * (x - sigmoid(logits))
    assert_allclose(objective(*machine[0])[0], value, **EXACT)
    for gradient, rule in zip(found, by_hand, strict=True):
        assert_allclose(gradient, rule, **EXACT)


def test_sleep_phase_equals_enumeration_and_the_delta_rule(machine):
    (hidden_bias, weights, visible_bias), (back, bias), _ = machine
    log_generative = theory.generative_table(*machine[0])

    def objective(*recognition):
        return [theory.sleep(log_generative, theory.recognition_table(*recognition))]

    [found] = gradients(objective, *machine[1])
    value, by_hand = 0, [np.zeros((3, 3)), np.zeros(3)]
    for _, x, _, h in pairs():
        weight = bernoulli(h, hidden_bias) * bernoulli(x, h @ weights + visible_bias)
        value += weight * np.log(bernoulli(h, x @ back + bias))
        by_hand[0] += weight * np.outer(x, h - sigmoid(x @ back + bias))
        by_hand[1] += weight * (h - sigmoid(x @ back + bias))
    assert_allclose(objective(*machine[1])[0], value, **EXACT)
    for gradient, rule in zip(found, by_hand, strict=True):
        assert_allclose(gradient, rule, **EXACT)


def test_each_phase_takes_the_other_net_as_given(machine):
    generative, recognition, data = machine

    def phases(*parameters):
        joint = theory.generative_table(*parameters[:3])
        inferred = theory.recognition_table(*parameters[3:])
        return theory.wake(data, inferred, joint), theory.sleep(joint, inferred)

    wake, sleep = gradients(phases, *generative, *recognition)
    assert not any(gradient.any() for gradient in (*wake[3:], *sleep[:3]))
    assert all(gradient.any() for gradient in (*wake[:3], *sleep[3:]))


def test_sleep_descends_the_divergence_that_table_1_states(machine):
    """KL(p_theta(x, h) || p_theta(x) q_lambda(h|x)): the phases' divergences run opposite ways."""
    joint = np.exp(theory.generative_table(*machine[0]))

    def objectives(*recognition):
        log_q = theory.recognition_table(*recognition)
        reached = joint.sum(axis=1, keepdims=True) * tf.exp(log_q)
        divergence = tf.reduce_sum(joint * (np.log(joint) - tf.math.log(reached)))
        return theory.sleep(np.log(joint), log_q), divergence

    ascent, descent = gradients(objectives, *machine[1])
    for up, down in zip(ascent, descent, strict=True):
        assert_allclose(up, -down, **EXACT)


def test_wake_with_codes_is_the_vaes_theta_gradient(autoencoder):
    """Section 3.5: h = z, lambda = eta."""

    def objectives(theta, eta):
        log_joint = tf.transpose(tf.nn.log_softmax(theta)) + np.log(autoencoder.prior)
        wake = theory.wake(autoencoder.data, tf.nn.log_softmax(eta), log_joint)
        return wake, 2 * vae(autoencoder)(theta, eta)

    wake, full = gradients(objectives, autoencoder.theta, autoencoder.eta)
    assert np.abs(wake[0]).max() > 1e-2
    assert_allclose(wake[0], full[0], **EXACT)
    assert not wake[1].any()
    assert full[1].any()


def test_sleep_with_the_real_fake_indicator_is_the_gans_phi_objective(world):
    """Section 3.5: h = y, lambda = phi."""
    log_joint = np.log(np.transpose(world.conditionals) / 2)  # (x, y)

    def objectives(logits):
        log_q = tf.stack([-tf.math.softplus(logits), -tf.math.softplus(-logits)], axis=1)
        return theory.sleep(log_joint, log_q), theory.gan(*world.conditionals, logits)["phi"]

    sleep, phi = objectives(tf.constant(world.logits))
    assert_allclose(sleep, phi, **EXACT)
    [[sleep], [phi]] = gradients(objectives, world.logits)
    assert np.abs(phi).max() > 1e-2
    assert_allclose(sleep, phi, **EXACT)
