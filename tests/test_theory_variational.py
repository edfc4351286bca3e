"""Lemma 2 (Eq. 11-13) with its joint, and Eq. 17, by enumeration."""

import numpy as np
import pytest
import tensorflow as tf
from enumeration import EXACT, random_autoencoder, sigmoid, softmax, vae
from numpy.testing import assert_allclose

from tfgen.objectives import FAKE, REAL, activation_weights
from tfgen.paper import theory
from tfgen.paper.theory import gradients


@pytest.fixture
def autoencoder():
    return random_autoencoder()


def test_evidence_bound_by_hand(autoencoder):
    inference, likelihood = softmax(autoencoder.eta), softmax(autoencoder.theta)
    by_hand = [
        sum(
            inference[x, z] * np.log(likelihood[z, x] * autoencoder.prior[z] / inference[x, z])
            for z in range(3)
        )
        for x in range(5)
    ]
    bounds = theory.evidence_bound(autoencoder.theta, autoencoder.eta, autoencoder.prior)
    assert_allclose(bounds, by_hand, **EXACT)
    assert (bounds.numpy() < np.log(autoencoder.prior @ likelihood)).all()


def test_lemma_2_has_the_vaes_gradients(autoencoder):
    perfect = theory.perfect_discriminator(images=5)

    def objectives(theta, eta):
        joint = theory.joint_objective(autoencoder, perfect, theta, eta)
        return vae(autoencoder)(theta, eta), joint

    expected, found = gradients(objectives, autoencoder.theta, autoencoder.eta)
    for gradient, other in zip(expected, found, strict=True):
        assert np.abs(gradient).max() > 1e-2
        assert_allclose(other, gradient, **EXACT)


def test_lemma_2_differs_from_the_vae_by_a_constant(autoencoder):
    rng = np.random.default_rng(6)
    perfect = theory.perfect_discriminator(images=5)
    points = [(rng.normal(size=(3, 5)), rng.normal(size=(5, 3))) for _ in range(4)]
    differences = [
        theory.joint_objective(autoencoder, perfect, *point) - vae(autoencoder)(*point)
        for point in points
    ]
    assert_allclose(differences, differences[0], **EXACT)


def normalized(world, theta, eta):
    """Gradients (theta, eta) under the joint, p_theta(z, y|x) and p_theta(z|x, y) p(y) in turn."""
    perfect = theory.perfect_discriminator(images=5)

    def objectives(theta, eta):
        return [
            objective(world, perfect, theta, eta)
            for objective in (
                theory.joint_objective,
                theory.posterior_objective,
                theory.code_posterior_objective,
            )
        ]

    return gradients(objectives, theta, eta)


def test_a_posterior_over_codes_keeps_etas_gradient_and_changes_thetas(autoencoder):
    joint, _, posterior = normalized(autoencoder, autoencoder.theta, autoencoder.eta)
    assert_allclose(posterior[1], joint[1], **EXACT)
    assert np.abs(posterior[0] - joint[0]).max() > 1e-2


def test_the_posterior_as_printed_changes_thetas_gradient_away_from_theta0(autoencoder):
    """At theta0 the normalizer's gradient is an expected score, which is zero."""
    joint, posterior, _ = normalized(autoencoder, autoencoder.theta, autoencoder.eta)
    for gradient, other in zip(joint, posterior, strict=True):
        assert_allclose(other, gradient, **EXACT)
    elsewhere = np.random.default_rng(11).normal(size=(3, 5))
    joint, posterior, _ = normalized(autoencoder, elsewhere, autoencoder.eta)
    assert_allclose(posterior[1], joint[1], **EXACT)
    assert np.abs(posterior[0] - joint[0]).max() > 1e-2


def test_the_normalized_objective_is_a_negative_kl(autoencoder):
    """By enumeration of p_theta(z, y|x), for a learned discriminator; it is never positive."""
    logits = np.random.default_rng(7).normal(size=5)
    learned = theory.learned_discriminator(logits)
    found = theory.posterior_objective(autoencoder, learned, autoencoder.theta, autoencoder.eta)

    likelihood = softmax(autoencoder.theta)
    joint = np.empty((2, 3, 5))  # p_theta(x|z,y) p(z|y) p(y)
    joint[FAKE] = 0.5 * autoencoder.prior[:, None] * likelihood
    joint[REAL] = 0.5 * autoencoder.prior[:, None] * autoencoder.data
    inferred = np.empty((2, 3, 5))  # q_eta(z|x,y) q^r(y|x)
    inferred[FAKE] = softmax(autoencoder.eta).T * sigmoid(logits)
    inferred[REAL] = autoencoder.prior[:, None] * sigmoid(-logits)
    divergence = np.sum(inferred * np.log(inferred / (joint / joint.sum(axis=(0, 1)))), axis=(0, 1))
    mixture = (autoencoder.prior @ likelihood + autoencoder.data) / 2
    assert_allclose(found, -mixture @ divergence, **EXACT)
    assert found < 0


def test_equation_17_weighs_real_and_generated_images_by_the_reversed_discriminator(autoencoder):
    logits = np.random.default_rng(8).normal(size=5)
    learned = theory.learned_discriminator(logits)
    weights = activation_weights(tf.constant(logits))
    generated = autoencoder.prior @ softmax(autoencoder.theta)

    def objectives(theta, eta):
        bounds = theory.evidence_bound(theta, eta, autoencoder.prior)
        weighted = tf.reduce_sum((autoencoder.data + generated) * weights * bounds) / 2
        return weighted, theory.joint_objective(autoencoder, learned, theta, eta)

    expected, found = gradients(objectives, autoencoder.theta, autoencoder.eta)
    for gradient, other in zip(expected, found, strict=True):
        assert_allclose(other, gradient, **EXACT)
