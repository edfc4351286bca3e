"""The distributions of the likelihood side against hand computations, and at extreme parameters."""

import itertools
import math

import numpy as np
import pytest
import tensorflow as tf
from scipy import stats

from tfgen import distributions
from tfgen.evaluation import metrics


def test_the_divergence_is_that_of_draws_within_its_error():
    rng = np.random.default_rng(0)
    mean, scale = rng.normal(size=(3, 5)), rng.uniform(0.2, 2, size=(3, 5))
    q = distributions.normal(mean, scale)
    p = distributions.standard_normal(tf.constant(mean))
    z = mean + scale * rng.normal(size=(20_000, 3, 5))
    ratios = (q.log_prob(z) - p.log_prob(z)).numpy()
    by_hand = 0.5 * (mean**2 + scale**2 - 1 - 2 * np.log(scale)).sum(axis=1)
    np.testing.assert_allclose(distributions.divergence(q, p), by_hand, rtol=1e-12)
    for image in range(3):
        interval = metrics.mean_interval(ratios[:, image], level=0.999)
        assert interval.low < by_hand[image] < interval.high


def test_bernoulli_terms_are_summed_over_pixels():
    """log 3/4 + log 1/2 + log 1/5, and the sum of the logarithms of a binary gray mean."""
    logits = tf.constant(np.log([3.0, 1.0, 4.0]).reshape(1, 1, 3, 1))
    images = np.array([1.0, 1.0, 0.0]).reshape(1, 1, 3, 1)
    expected = math.log(3 / 4) + math.log(1 / 2) + math.log(1 / 5)
    found = distributions.log_likelihood("bernoulli", logits, images)
    np.testing.assert_allclose(found, [expected], rtol=1e-12)


def test_a_gray_image_stands_for_the_mean_of_its_binarizations():
    logits = tf.constant(np.random.default_rng(0).normal(size=(1, 1, 3, 1)))
    gray = np.array([0.2, 0.5, 0.9])
    expected = sum(
        np.prod(np.where(bits, gray, 1 - gray))
        * float(
            distributions.log_likelihood(
                "bernoulli", logits, np.reshape(bits, (1, 1, 3, 1)).astype(float)
            )[0]
        )
        for bits in itertools.product([False, True], repeat=3)
    )
    found = distributions.log_likelihood("bernoulli", logits, gray.reshape(1, 1, 3, 1))
    np.testing.assert_allclose(found, [expected], rtol=1e-12)


@pytest.mark.parametrize("logit", [-1e4, -100.0, 100.0, 1e4])
@pytest.mark.parametrize("pixel", [0.0, 1.0])
def test_bernoulli_terms_and_gradients_stay_finite_at_extreme_logits(logit, pixel):
    logits = tf.constant(logit, shape=(1, 1, 1, 1))
    with tf.GradientTape() as tape:
        tape.watch(logits)
        value = distributions.log_likelihood("bernoulli", logits, tf.fill([1] * 4, pixel))
    right = (logit > 0) == bool(pixel)
    np.testing.assert_allclose(value, [0.0 if right else -abs(logit)], atol=1e-6)
    gradient = tape.gradient(value, logits)
    expected = 0.0 if right else (1.0 if pixel else -1.0)
    np.testing.assert_allclose(tf.reshape(gradient, []), expected, atol=1e-6)


def test_gaussian_terms_are_summed_over_pixels():
    mean, scale = np.zeros((1, 2, 2, 1)), np.full((1, 1, 1, 1), 0.5)
    images = np.arange(4).reshape(1, 2, 2, 1) / 3
    expected = stats.norm(0, 0.5).logpdf(images).sum()
    found = distributions.log_likelihood("gaussian", (mean, scale), images)
    np.testing.assert_allclose(found, [expected], rtol=1e-12)


@pytest.mark.parametrize(("mean", "scale"), [(0.0, 0.1), (0.37, 1e-3), (0.5, 1.0), (1.0, 10.0)])
def test_the_256_levels_of_a_logistic_have_probability_1(mean, scale):
    levels = (np.arange(256) / 255).reshape(256, 1, 1, 1)
    parameters = np.full((256, 1, 1, 1), mean), np.full((256, 1, 1, 1), scale)
    log_probabilities = distributions.log_likelihood("logistic", parameters, levels)
    np.testing.assert_allclose(np.exp(log_probabilities).sum(), 1.0, rtol=1e-9)


@pytest.mark.parametrize("level", [0, 1, 100, 254, 255])
def test_a_level_of_a_logistic_by_hand(level):
    """F(k + 1/2) - F(k - 1/2) of a logistic at 255 x 0.4 with scale 255 x 0.05; tails at the ends."""
    share = stats.logistic(255 * 0.4, 255 * 0.05)
    low = share.cdf(level - 0.5) if level else 0.0
    high = share.cdf(level + 0.5) if level < 255 else 1.0
    parameters = np.full((1, 1, 1, 1), 0.4), np.full((1, 1, 1, 1), 0.05)
    image = np.full((1, 1, 1, 1), level / 255)
    found = distributions.log_likelihood("logistic", parameters, image)
    np.testing.assert_allclose(found, [math.log(high - low)], rtol=1e-9)


@pytest.mark.parametrize("scale", [1e-6, 1e-4, 1.0, 1e4])
def test_gradients_of_a_logistic_stay_finite_at_extreme_scales(scale):
    mean, pixel = (
        tf.constant(values, tf.float32)
        for values in np.meshgrid([0.0, 0.3, 1.0], [0.0, 128 / 255, 1.0])
    )
    mean, pixel = (tf.reshape(x, (9, 1, 1, 1)) for x in (mean, pixel))
    parameters = mean, tf.fill(mean.shape, scale)
    with tf.GradientTape() as tape:
        tape.watch(parameters)
        values = distributions.log_likelihood("logistic", parameters, pixel)
    assert np.isfinite(values).all()
    assert all(np.isfinite(gradient).all() for gradient in tape.gradient(values, parameters))
