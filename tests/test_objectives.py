"""Hand-computed values and gradients of the paper's terms."""

import numpy as np
import pytest
import tensorflow as tf

from tfgen.objectives import (
    FAKE,
    REAL,
    activation_weights,
    importance_weights,
    log_categorical,
    log_q,
    log_smoothed_categorical,
    remove_smoothing,
    reverse,
)

LOGITS = tf.constant([0.0, np.log(3.0), -np.log(3.0)], tf.float32)  # D = 1/2, 3/4, 1/4


def test_log_q_is_the_logarithm_of_the_discriminators_probability():
    np.testing.assert_allclose(log_q(LOGITS, REAL), np.log([0.5, 0.75, 0.25]), rtol=1e-6)
    np.testing.assert_allclose(log_q(LOGITS, FAKE), np.log([0.5, 0.25, 0.75]), rtol=1e-6)


def test_reversal_swaps_real_and_generated():
    np.testing.assert_array_equal(log_q(reverse(LOGITS), FAKE), log_q(LOGITS, REAL))
    np.testing.assert_array_equal(log_q(reverse(LOGITS), REAL), log_q(LOGITS, FAKE))


def test_log_q_keeps_its_gradient_at_extreme_logits():
    logits = tf.constant([-80.0, 80.0])
    with tf.GradientTape() as tape:
        tape.watch(logits)
        values = log_q(logits, REAL)
    np.testing.assert_allclose(values, [-80.0, 0.0], atol=1e-6)
    np.testing.assert_allclose(tape.gradient(values, logits), [1.0, 0.0], atol=1e-6)


def test_importance_weights_are_the_softmax_of_the_logits():
    """Odds 1, 3 and 1/3 over their sum 13/3."""
    np.testing.assert_allclose(importance_weights(LOGITS), [3 / 13, 9 / 13, 1 / 13], rtol=1e-6)


def test_importance_weights_over_a_larger_minibatch():
    """The shares of two halves, each normalized over the whole, are the whole's weights."""
    halves = [importance_weights(part, over=LOGITS) for part in (LOGITS[:1], LOGITS[1:])]
    np.testing.assert_array_equal(tf.concat(halves, 0), importance_weights(LOGITS))


@pytest.mark.parametrize("logits", [[80.0, -80.0], [-80.0, -80.0], [80.0, 80.0, 80.0]])
def test_importance_weights_stay_finite(logits):
    weights = importance_weights(tf.constant(logits)).numpy()
    assert np.isfinite(weights).all()
    np.testing.assert_allclose(weights.sum(), 1.0, rtol=1e-6)


@pytest.mark.parametrize("weigh", [importance_weights, activation_weights])
def test_weights_carry_no_gradient(weigh):
    with tf.GradientTape() as tape:
        tape.watch(LOGITS)
        weights = weigh(LOGITS)
    assert tape.gradient(weights, LOGITS) is None


def test_activation_weights_are_the_tempered_probabilities():
    np.testing.assert_allclose(activation_weights(LOGITS), [0.5, 0.75, 0.25], rtol=1e-6)
    np.testing.assert_allclose(
        activation_weights(2 * LOGITS, temperature=2.0), [0.5, 0.75, 0.25], rtol=1e-6
    )
    np.testing.assert_allclose(activation_weights(LOGITS, temperature=1e9), 0.5, rtol=1e-6)


@pytest.mark.parametrize("temperature", [0.0, -1.0, float("nan")])
def test_temperature_must_be_positive(temperature):
    with pytest.raises(ValueError, match="temperature must be positive. Received: temperature="):
        activation_weights(LOGITS, temperature)


def test_log_categorical_picks_the_label():
    logits = tf.math.log([[0.2, 0.3, 0.5], [0.6, 0.3, 0.1]])
    np.testing.assert_allclose(
        log_categorical(logits, tf.constant([2, 0])), np.log([0.5, 0.6]), rtol=1e-6
    )


def test_smoothed_labels():
    logits = tf.math.log([[0.7, 0.2, 0.1], [0.25, 0.25, 0.5]])
    expected = [
        0.7 * np.log(0.2) + 0.1 * np.log(0.7 * 0.2 * 0.1),
        0.7 * np.log(0.5) + 0.1 * np.log(0.25 * 0.25 * 0.5),
    ]
    np.testing.assert_allclose(log_smoothed_categorical(logits, [1, 2], 0.3), expected, rtol=1e-6)
    np.testing.assert_array_equal(
        log_smoothed_categorical(logits, [1, 2], 0.0), log_categorical(logits, [1, 2])
    )


def test_unsmoothed_undoes_the_smoothing_of_probabilities():
    probabilities = np.array([[0.7, 0.2, 0.1], [1.0, 0.0, 0.0]])
    smoothed = 0.7 * probabilities + 0.3 / 3
    np.testing.assert_allclose(remove_smoothing(smoothed, 0.3), probabilities, atol=1e-12)
    surer = tf.constant([[0.92, 0.08, 0.0]])  # than smoothed labels ever are
    np.testing.assert_allclose(remove_smoothing(surer, 0.3), [[1.0, 0.0, 0.0]], atol=1e-6)
