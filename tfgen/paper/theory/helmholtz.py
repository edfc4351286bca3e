"""Wake-sleep (Eq. 14) on machines whose states can be enumerated, as tables of log-probabilities.

`wake` and `sleep` read tables, so they give exact values and gradients for every machine with known
log-probabilities; `generative_table` and `recognition_table` are those of a machine with one binary layer.
"""

import itertools
from typing import Any

import numpy as np
import tensorflow as tf


def states(units: Any) -> np.ndarray:
    """Return all binary states of a layer, float64 (2**units, units)."""
    return np.array(list(itertools.product((0.0, 1.0), repeat=units)))


def wake(data: Any, log_recognition: Any, log_generative: Any) -> tf.Tensor:
    """Eq. 14, wake: theta ascends E_pdata(x) E_q_lambda(h|x) log p_theta(x, h).

    Args:
        data: (x,) p_data.
        log_recognition: (x, h) log q_lambda(h|x), taken as constant.
        log_generative: (x, h) log p_theta(x, h).

    Returns:
        Scalar, nats.
    """
    weights = data[:, None] * tf.stop_gradient(tf.exp(log_recognition))
    return tf.reduce_sum(weights * log_generative)


def sleep(log_generative: Any, log_recognition: Any) -> tf.Tensor:
    """Eq. 14, sleep: lambda ascends E_p_theta(x, h) log q_lambda(h|x).

    Args:
        log_generative: (x, h) log p_theta(x, h), taken as constant.
        log_recognition: (x, h) log q_lambda(h|x).

    Returns:
        Scalar, nats.
    """
    return tf.reduce_sum(tf.stop_gradient(tf.exp(log_generative)) * log_recognition)


def generative_table(hidden_bias: Any, weights: Any, visible_bias: Any) -> tf.Tensor:
    """log p_theta(x, h), h ~ Bernoulli(sigmoid(b)), x ~ Bernoulli(sigmoid(h W + c)).

    Args:
        hidden_bias: (units of h,) b.
        weights: (units of h, units of x) W.
        visible_bias: (units of x,) c.

    Returns:
        float64 tensor (2**units of x, 2**units of h), nats.
    """
    hidden, visible = (states(len(bias)) for bias in (hidden_bias, visible_bias))
    log_prior = _log_bernoulli(hidden, hidden_bias)  # (h,)
    log_visible = _log_bernoulli(visible[:, None], hidden @ weights + visible_bias)  # (x, h)
    return log_prior + log_visible


def recognition_table(weights: Any, bias: Any) -> tf.Tensor:
    """log q_lambda(h|x), h ~ Bernoulli(sigmoid(x R + d)).

    Args:
        weights: (units of x, units of h) R.
        bias: (units of h,) d.

    Returns:
        float64 tensor (2**units of x, 2**units of h), nats.
    """
    visible, hidden = (states(units) for units in weights.shape)
    return _log_bernoulli(hidden, (visible @ weights + bias)[:, None])


def _log_bernoulli(state, logits):
    """Return the sum of log Bernoulli(state; sigmoid(logits)) over the last axis, the units."""
    return tf.reduce_sum(state * logits - tf.math.softplus(logits), axis=-1)
