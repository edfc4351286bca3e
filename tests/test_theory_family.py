"""GAN, InfoGAN, AAE and ADA as one function under swaps."""

import itertools

import numpy as np
import pytest
import tensorflow as tf
from enumeration import EXACT, sigmoid, softmax
from numpy.testing import assert_allclose

from tfgen.objectives import FAKE, REAL
from tfgen.paper import theory
from tfgen.paper.theory import gradients


@pytest.fixture
def tables():
    """p(z) and p_data over 3 codes and 4 images, logits of both conditionals, l(x) and l(z)."""
    normal = np.random.default_rng(10).normal
    prior, data = softmax(normal(size=3)), softmax(normal(size=4))
    return prior, data, normal(size=(3, 4)), normal(size=(4, 3)), normal(size=4), normal(size=3)


def test_gan_by_hand():
    """p_g = (3/4, 1/4), p_data = (1/4, 3/4), D = (1/4, 3/4)."""
    generated, data = np.array([0.75, 0.25]), np.array([0.25, 0.75])
    objectives = theory.gan(generated, data, tf.constant([-np.log(3.0), np.log(3.0)], tf.float64))
    assert_allclose(objectives["phi"], 0.25 * np.log(0.25) + 0.75 * np.log(0.75), **EXACT)
    assert_allclose(objectives["theta"], 0.75 * np.log(0.25) + 0.25 * np.log(0.75), **EXACT)


def test_infogan_without_recovery_is_the_gan(tables):
    prior, data, theta, eta, logits, _ = tables
    log_inference = np.transpose(np.log(softmax(eta)))
    infogan = theory.infogan(prior, softmax(theta), data, log_inference, logits, weight=0.0)
    gan = theory.gan(prior @ softmax(theta), data, logits)
    for player in ("phi", "theta"):
        assert_allclose(infogan[player], gan[player], **EXACT)


def test_aae_is_infogan_with_images_and_codes_exchanged(tables):
    """Eq. 32 and its theta, eta objective written out, values and gradients."""
    prior, data, theta, eta, _, logits = tables

    def swapped(theta, eta, logits):
        log_decoder = tf.transpose(tf.nn.log_softmax(theta))
        objectives = theory.aae(data, tf.nn.softmax(eta), prior, log_decoder, logits)
        return objectives["phi"], objectives["theta"]

    def equation_32(theta, eta, logits):
        log_real, log_inferred = -tf.math.softplus(-logits), -tf.math.softplus(logits)
        encoder, log_decoder = tf.nn.softmax(eta), tf.nn.log_softmax(theta)
        phi, reconstruction = 0.5 * tf.reduce_sum(prior * log_real), 0.0
        for x, z in itertools.product(range(4), range(3)):
            inferred = data[x] * encoder[x, z]
            phi += 0.5 * inferred * log_inferred[z]
            reconstruction += inferred * (log_decoder[z, x] + log_real[z])
        return phi, reconstruction

    parameters = theta, eta, logits
    assert_allclose(swapped(*parameters), equation_32(*map(tf.constant, parameters)), **EXACT)
    for found, expected in zip(
        gradients(swapped, *parameters), gradients(equation_32, *parameters), strict=True
    ):
        for gradient, other in zip(found, expected, strict=True):
            assert_allclose(gradient, other, **EXACT)


def test_ada_between_prior_and_data_is_the_gan(tables):
    """Codes for y = 0; images, whose feature is the image itself, for y = 1."""
    prior, data, theta, _, logits, _ = tables
    domains = np.zeros((2, 7))
    domains[FAKE, :3], domains[REAL, 3:] = prior, data

    def players(theta, logits):
        generator = tf.nn.softmax(theta)
        ada = theory.ada(domains, tf.concat([generator, np.eye(4)], axis=0), logits)
        gan = theory.gan(tf.linalg.matvec(generator, prior, transpose_a=True), data, logits)
        return ada["phi"], gan["phi"], ada["theta"], gan["theta"]

    ada_phi, gan_phi, ada_theta, gan_theta = gradients(players, theta, logits)
    assert_allclose(ada_phi[1], gan_phi[1], **EXACT)
    assert_allclose(ada_theta[0], gan_theta[0], **EXACT)
    assert np.abs(gan_phi[1]).max() > 1e-2
    assert np.abs(gan_theta[0]).max() > 1e-2
    values = players(*map(tf.constant, (theta, logits)))
    assert_allclose(values[0], values[1], **EXACT)
    constant = data @ np.log(sigmoid(-logits))  # E_pdata log(1 - D), which theta does not reach
    assert_allclose(values[2] - values[3], constant, **EXACT)


def test_ada_moves_the_source_domain_too(tables):
    """Two ordinary domains: the label flip of Eq. 2 in both."""
    _, _, theta, _, logits, _ = tables
    domains = np.array([[1.0, 0.0, 0.0], [0.0, 1.0, 0.0]])
    [[gradient]] = gradients(
        lambda theta: [theory.ada(domains, tf.nn.softmax(theta), logits)["theta"]], theta
    )
    assert gradient[0].any()
    assert gradient[1].any()
    assert not gradient[2].any()
