"""Scores of a classifier on a target domain without its labels, to choose epochs and settings.

Each is a proxy of the accuracy on the target: higher is better.  None reads a label of the target;
`importance_weighted_accuracy` reads the source's.
"""

import numpy as np
from scipy import special

from tfgen.evaluation.metrics import distributions

TEMPERATURE = 0.05  # of soft neighborhoods, Saito et al. (2021)


def importance_weighted_accuracy(correct: np.ndarray, logits: np.ndarray) -> float:
    """E_target[correct] estimated on source images, by weights w(x) = p_target(x)/p_source(x).

        sum_i w_i correct_i / sum_i w_i,    w = exp(l)

    It is self-normalized, so a constant in l, the domains' prior odds, cancels.

    Args:
        correct: (n,) 0 or 1, whether the classifier is right on held-out source images.
        logits: (n,) log-odds l of target against source, by a domain classifier on these images.

    Source: Sugiyama et al. (2007), importance-weighted cross-validation.
    """
    correct, logits = np.asarray(correct, float), np.asarray(logits, float)
    if correct.shape != logits.shape or correct.ndim != 1 or not len(correct):
        raise ValueError(
            "correct and logits must be of the same images, at least one. "
            f"Received: shapes {correct.shape}, {logits.shape}"
        )
    if not np.isin(correct, (0, 1)).all() or not np.isfinite(logits).all():
        raise ValueError(
            "correct must be 0 or 1, and logits finite. Received: "
            f"correct from {correct.min()} to {correct.max()}, logits from {logits.min()} to {logits.max()}"
        )
    return float(special.softmax(logits) @ correct)


def soft_neighborhood_density(features: np.ndarray, temperature: float = TEMPERATURE) -> float:
    """Return the mean entropy of every image's soft neighbors among the others, in nats.

        p_ij = softmax_j(<f_i, f_j>/T), j != i, for features of unit length;    1/n sum_i H(p_i)

    It is high if classes form dense clusters, where an image has many neighbors as near as the nearest.

    Args:
        features: (n, d) of target images; Saito et al. take class probabilities.
        temperature: T > 0.

    Source: Saito et al. (2021), *Tune it the Right Way*.
    """
    rows = np.asarray(features, float)
    if rows.ndim != 2 or not rows.size or not np.isfinite(rows).all():
        raise ValueError(
            f"features must be finite, (n, d) and not empty. Received: shape {rows.shape}"
        )
    if not temperature > 0:
        raise ValueError(f"temperature must be positive. Received: temperature={temperature}")
    if len(rows) < 2:
        raise ValueError(f"An image needs a neighbor. Received: {len(rows)} images")
    rows = rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), np.finfo(float).tiny)
    similarities = rows @ rows.T / temperature
    np.fill_diagonal(similarities, -np.inf)
    return float(special.entr(special.softmax(similarities, axis=1)).sum(axis=1).mean())


def batch_nuclear_norm(probabilities: np.ndarray) -> float:
    """|P|_*/sqrt(n min(n, K)), the sum of P's singular values divided by its maximum.

    It is 1 for certain predictions spread evenly over min(n, K) classes, and lower for uncertain or
    one-sided predictions.

    Args:
        probabilities: (n, K) P, one row per target image.

    Source: Cui et al. (2020), batch nuclear-norm maximization.
    """
    rows = distributions(probabilities)
    return float(np.linalg.norm(rows, "nuc") / np.sqrt(len(rows) * min(rows.shape)))


def information_maximization(probabilities: np.ndarray) -> float:
    """H(E p(t|x)) - E H(p(t|x)), the mutual information of image and prediction, in nats.

    It is log K for certain predictions spread evenly over K classes, 0 if all predictions are equal.

    Args:
        probabilities: (n, K) p(t|x), one row per target image.

    Source: Krause et al. (2010); Musgrave et al. (2021) compare it as a validator.
    """
    rows = distributions(probabilities)
    marginal = special.entr(rows.mean(axis=0)).sum()
    return float(marginal - special.entr(rows).sum(axis=1).mean())
