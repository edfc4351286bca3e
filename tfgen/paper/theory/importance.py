"""The importance-weighted bound of Eq. 15 and 35-36 with exact density weights, by enumeration."""

import itertools

import numpy as np
from scipy.special import gammaln

from tfgen.paper.theory.adversarial import log_reverse, mixture, normaliser


def density_weights(world, y):
    """Eq. 36, w(x) = q^r(y|x) p_theta0(x) / p_theta(x|y) on the support of p_theta(.|y).

    Args:
        world: one `World` without leading axes.
        y: FAKE or REAL.

    Returns:
        (s,) p_theta(x|y) > 0, and (s,) weights of the same images.
    """
    p = world.conditionals
    target = np.exp(log_reverse(world.logits)[y]) * mixture(p).numpy()
    sampled = p[y].numpy()
    support = sampled > 0
    return sampled[support], target[support] / sampled[support]


def tuple_bound(world, y, k):
    """Eq. 36, L_k(y) = E log 1/k sum_i w(x_i) over all k-tuples x_i ~ p_theta(x|y).

    L_1 is Eq. 15's bound -KL(p_theta(x|y) || q^r(x|y)) + log Z(y).  L_k does not fall with k and
    tends to `bound_limit`.  Tuples that hold each image equally often have one weight: they are
    enumerated once and counted by their multinomial probability.

    Args:
        world: one `World` without leading axes.
        y: FAKE or REAL.
        k: samples, at least 1.

    Returns:
        Nats.
    """
    p, weights = density_weights(world, y)
    counts = _counts(len(p), k)
    log_probability = gammaln(k + 1) - gammaln(counts + 1).sum(axis=1) + counts @ np.log(p)
    return float(np.exp(log_probability) @ np.log(counts @ weights / k))


def bound_limit(world, y):
    """Eq. 36 for k to infinity: log sum q^r(y|x) p_theta0(x) over the support of p_theta(.|y).

    Below log Z(y) if p_theta(.|y) misses an image of the mixture: no number of samples makes up
    for a missed mode.
    """
    p, weights = density_weights(world, y)
    return float(np.log(p @ weights))


def log_marginal(world, y):
    """Eq. 15, log q(y) := log Z(y)."""
    return float(np.log(normaliser(world.conditionals, world.logits)[y]))


def _counts(values, k):
    """Every way to split k samples among the values: int (C(k + values - 1, k), values)."""
    bars = list(itertools.combinations(range(k + values - 1), values - 1))
    bars = np.reshape(bars, (len(bars), values - 1))
    return np.diff(bars, axis=1, prepend=-1, append=k + values - 1) - 1
