"""Divergences and derivatives of distributions given as float64 tables."""

from collections.abc import Callable
from typing import Any

import numpy as np
import tensorflow as tf


def kl(p: Any, q: Any) -> tf.Tensor:
    """KL(p || q) = sum_x p(x) log p(x)/q(x), in nats, with 0 log 0 = 0.

    Args:
        p, q: (..., n) probabilities; leading axes hold independent distributions.

    Returns:
        (...) divergences, infinite where q misses a value of p.
    """
    return tf.reduce_sum(tf.math.xlogy(p, p) - tf.math.xlogy(p, q), axis=-1)


def jsd(p: Any, q: Any) -> tf.Tensor:
    """JSD(p || q) = 1/2 KL(p || m) + 1/2 KL(q || m), m = (p + q)/2, in nats; arguments as in `kl`."""
    middle = (p + q) / 2
    return (kl(p, middle) + kl(q, middle)) / 2


def gradients(function: Callable, *parameters: Any) -> list[list[np.ndarray]]:
    """Exact derivatives of a function's values at the parameters, by automatic differentiation.

    Args:
        function: Function of one float64 tensor per parameter that returns a sequence of tensors.
        parameters: Arrays.

    Returns:
        One list per value with one array per parameter; zeros where a value does not depend on it.
    """
    tensors = [tf.constant(parameter, tf.float64) for parameter in parameters]
    with tf.GradientTape(persistent=True) as tape:
        tape.watch(tensors)
        values = function(*tensors)
    derivatives = [
        tape.gradient(value, tensors, unconnected_gradients=tf.UnconnectedGradients.ZERO)
        for value in values
    ]
    return [[derivative.numpy() for derivative in one] for one in derivatives]
