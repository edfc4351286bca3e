"""The importance-weighted bound of Eq. 15 and 35-36 by enumeration, and Eq. 43's update as IWGAN's."""

import itertools
from typing import Any

import numpy as np
import tensorflow as tf
from scipy.special import gammaln

from tfgen.objectives import FAKE, importance_weights, log_q, reverse
from tfgen.paper.theory.adversarial import log_reverse, mixture, normalizer
from tfgen.paper.theory.tables import gradients


def density_weights(world: Any, y: int) -> tf.Tensor:
    """Eq. 36, w(x) = q^r(y|x) p_theta0(x) / p_theta(x|y) on the support of p_theta(.|y).

    Args:
        world: One `World` without leading axes.
        y: FAKE or REAL.

    Returns:
        (s,) p_theta(x|y) > 0, and (s,) weights of the same images.
    """
    p = world.conditionals
    target = np.exp(log_reverse(world.logits)[y]) * mixture(p).numpy()
    sampled = p[y].numpy()
    support = sampled > 0
    return sampled[support], target[support] / sampled[support]


def tuple_bound(world: Any, y: int, k: int) -> tf.Tensor:
    """Eq. 36, L_k(y) = E log 1/k sum_i w(x_i) over all k-tuples x_i ~ p_theta(x|y).

    L_1 is Eq. 15's bound -KL(p_theta(x|y) || q^r(x|y)) + log Z(y).  L_k does not decrease with k and
    tends to `bound_limit`.  Tuples that are permutations of each other have equal weights: they are
    enumerated once, with their multinomial probability.

    Args:
        world: One `World` without leading axes.
        y: FAKE or REAL.
        k: Number of samples, at least 1.

    Returns:
        Nats.
    """
    p, weights = density_weights(world, y)
    counts = _counts(len(p), k)
    log_probability = gammaln(k + 1) - gammaln(counts + 1).sum(axis=1) + counts @ np.log(p)
    return float(np.exp(log_probability) @ np.log(counts @ weights / k))


def bound_limit(world: Any, y: int) -> float:
    """Eq. 36 as k -> infinity: log sum q^r(y|x) p_theta0(x) over the support of p_theta(.|y).

    It is below log Z(y) if p_theta(.|y) misses an image of the mixture: no number of samples makes up for
    a missed mode.
    """
    p, weights = density_weights(world, y)
    return float(np.log(p @ weights))


def log_marginal(world: Any, y: int) -> float:
    """Eq. 15, log q(y) := log Z(y)."""
    return float(np.log(normalizer(world.conditionals, world.logits)[y]))


def iwgan_and_minimax(logits: Any) -> Any:
    """Eq. 43 is the gradient of Eq. 5's first form, E log(1 - D), over the minibatch's summed odds.

    With o = D/(1 - D) = exp(l), Eq. 40's weights w_i = o_i / sum_j o_j and log D's derivative 1 - D,

        sum_i w_i grad log D_i  =  sum_i o_i (1 - D_i) grad l_i / sum_j o_j
                                =  sum_i D_i grad l_i / sum_j o_j
                                =  -grad sum_i log(1 - D_i) / sum_j o_j,

    for any l_i(theta): by the chain rule it suffices to compare derivatives in l_i.

    Args:
        logits: (k,) l(x_i) of the samples of one step.

    Returns:
        (k,) derivatives of sum_i w_i log D_i, weights held, and those of -sum_i log(1 - D_i) / sum_j o_j.

    Source: Goodfellow et al. (2014); rescaled alike by Eide, Solberg & Kasen (2020), arXiv 2010.02035.
    """

    def sides(logits):
        weighted = tf.reduce_sum(importance_weights(logits) * log_q(reverse(logits), FAKE))
        odds = tf.stop_gradient(tf.reduce_sum(tf.exp(logits)))
        return weighted, -tf.reduce_sum(log_q(logits, FAKE)) / odds

    [weighted], [minimax] = gradients(sides, logits)
    return weighted, minimax


def _counts(values, k):
    """Return all ways to split k samples among the values: int (C(k + values - 1, k), values)."""
    bars = list(itertools.combinations(range(k + values - 1), values - 1))
    bars = np.reshape(bars, (len(bars), values - 1))
    return np.diff(bars, axis=1, prepend=-1, append=k + values - 1) - 1
