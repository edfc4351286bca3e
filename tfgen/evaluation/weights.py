"""Effective sample size of the importance weights of an IWGAN's samples."""

import numpy as np

from tfgen.evaluation.context import EvaluationContext, endpoint_function, is_conditional
from tfgen.evaluation.intervals import Interval, mean_interval
from tfgen.objectives import effective_sample_size, importance_weights

K, BATCHES = 64, 100  # weights that are normalized together, and sets of them


def weights_of_samples(context: EvaluationContext) -> dict[str, Interval]:
    """Return {"ess_share": ESS / K of Eq. 43's weights of K samples}, if theta learns with such weights.

        ESS = (sum_i w_i)^2 / sum_i w_i^2,   w = softmax(l_1 .. l_K),   K = 64

    It is 1 if phi's logits of generated images are all equal, so that IWGAN is GAN, and 1/K if one image
    has all the weight.  Phi is the one that is published, without batch statistics.
    """
    model = context.model
    judges = endpoint_function(model, "discriminate") is not None  # images, not codes
    if not (judges and getattr(model, "importance_weighted", False)):
        return {}
    count = K * BATCHES
    labels = np.arange(count, dtype=np.int32) % model.num_classes if is_conditional(model) else None
    drawn = {} if labels is None else {"labels": labels}
    images = model.sample(count, seed=context.seed, **drawn)
    shares = []
    for start in range(0, count, K):
        part = slice(start, start + K)
        logits = model.logits(images[part], None if labels is None else labels[part])
        shares.append(float(effective_sample_size(importance_weights(logits))) / K)
    return {"ess_share": mean_interval(shares)}
