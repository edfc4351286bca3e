"""Binary codes of the test split: their entropy, and the dependence of their units."""

import numpy as np
import tensorflow as tf
from scipy import special
from sklearn.ensemble import HistGradientBoostingClassifier
from threadpoolctl import threadpool_limits

from tfgen.evaluation import metrics
from tfgen.evaluation.context import EvaluationContext, batches, endpoint_function, statement
from tfgen.evaluation.intervals import Interval

TREES, LEAVES = 100, 8  # of each predictor
FEWEST = 5  # occurrences of a unit's rarer value that predictors are fitted to


def code_independence(context: EvaluationContext) -> dict[str, Interval]:
    """Return entropy and predictability of a model's binary codes, and their reconstruction error."""
    if not statement(context.model, "binary_code"):
        return {}
    encode, decode = (
        tf.function(endpoint_function(context.model, name), reduce_retracing=True)
        for name in ("encode", "decode")
    )
    codes, errors = [], []
    for images, _ in batches(context, labelled=False):
        latents = encode(images=tf.constant(images, tf.float32))["latents"]
        decoded = decode(latents=latents)["images"].numpy()
        codes.append(latents.numpy())
        errors.append(((decoded - images) ** 2).mean(axis=(1, 2, 3)))
    # Test sets may be sorted by class: a random order makes both halves representative.
    codes = np.random.default_rng(context.seed).permutation(np.concatenate(codes))
    return {
        "code_entropy": code_entropy(codes),
        "predictability": predictability(codes, context.seed),
        "reconstruction_error": metrics.mean_interval(np.concatenate(errors)),
    }


def code_entropy(codes: tf.Tensor) -> Interval:
    """Return sum_i H(z_i), the entropies of the units, in bits, at most one per unit.

    H is the mean of -log P(z_i) under the units' own means, and the interval is that mean's.

    Args:
        codes: (n, d) in {0, 1}.
    """
    return metrics.mean_interval(-_log2_bernoulli(codes, codes.mean(axis=0)).sum(axis=1))


def predictability(codes: tf.Tensor, seed: int = 0) -> Interval:
    """Estimate sum_i H(z_i) - H(z_i|z_-i) by predictors, in bits; 0 for independent units.

    Gradient-boosted trees are fitted to one half of the codes, each unit from the others, and compared on
    the other half with the units' means in the first. Their gain estimates the sum of the mutual
    informations I(z_i; z_-i) from below, up to the sampling error that the interval states. From few
    codes predictors learn chance patterns, and the estimate can be negative.

    Args:
        codes: (n, d) in {0, 1}, in random order.
        seed: Seed of the trees' early stopping.
    """
    fitted, scored = np.array_split(codes, 2)
    gain = np.zeros(len(scored))
    for unit in range(codes.shape[1]):
        target = fitted[:, unit]
        if min(target.sum(), len(target) - target.sum()) < FEWEST:
            continue  # nearly constant: predicted as well without the others
        trees = HistGradientBoostingClassifier(
            max_iter=TREES,
            max_leaf_nodes=LEAVES,
            early_stopping=True,
            validation_fraction=0.2,
            n_iter_no_change=5,
            random_state=seed,
        )
        with threadpool_limits(1):  # threads only slow trees this small
            trees.fit(np.delete(fitted, unit, axis=1), target)
            predicted = trees.predict_proba(np.delete(scored, unit, axis=1))[:, 1]
        gain += _log2_bernoulli(scored[:, unit], predicted)
        gain -= _log2_bernoulli(scored[:, unit], target.mean())
    return metrics.mean_interval(gain)


def _log2_bernoulli(values, means):
    """Return log2 P(z) of values in {0, 1}; 0 log 0 is 0."""
    return (special.xlogy(values, means) + special.xlog1py(1 - values, -means)) / np.log(2)
