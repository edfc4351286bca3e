"""Bounds on the log-likelihood of the test split, and metrics derived from them."""

import numpy as np

from tfgen.evaluation import likelihood, metrics
from tfgen.evaluation.context import EvaluationContext, batches
from tfgen.evaluation.intervals import Interval

IMPORTANCE_SAMPLES = (64, 1024)  # of importance-weighted bounds
DECODED = 1_024_000  # images decoded for one of them: 1,000 test images at 1,024 draws
CHAINS, STEPS = 100, 300  # of annealed importance sampling


def likelihood_bounds(context: EvaluationContext) -> dict[str, Interval]:
    """Return bounds on the log-likelihood of the test split's images, and metrics derived from them."""
    model, seed = context.model, context.seed
    given_labels = model.conditional and not model.unlabelled
    read = batches(context, labelled=given_labels)
    images, labels = map(np.concatenate, zip(*read, strict=True))
    images = likelihood.prepare_images(model.likelihood, images)
    # Test sets may be sorted by class: a random order makes the first images representative.
    order = np.random.default_rng(0).permutation(len(images))
    images, labels = images[order], labels[order] if given_labels else None
    classes = likelihood.class_count(model)

    def first(count):
        return images[:count], None if labels is None else labels[:count]

    variational = likelihood.variational_bound(model, images, labels, seed)
    bound = metrics.mean_interval(variational)
    measured = {"bound": bound}
    for k in IMPORTANCE_SAMPLES:
        counted = first(max(2, DECODED // (k * classes)))
        tightest = likelihood.importance_weighted_bound(model, *counted, k, seed)
        measured[f"iw_bound_{k}"] = metrics.mean_interval(tightest)
        gain = tightest - variational[: len(tightest)]  # of the same images
        measured[f"iw_bound_{k}_gain"] = metrics.mean_interval(gain)
    if _can_anneal(model) and classes == 1:  # a sum over ten classes would leave ten images
        annealed = likelihood.annealed_bound(model, *first(CHAINS), steps=STEPS, seed=seed)
        measured["ais_bound"] = metrics.mean_interval(annealed)
        shared = min(len(annealed), len(tightest))
        measured["ais_bound_gain"] = metrics.mean_interval(annealed[:shared] - tightest[:shared])
    if hasattr(model, "log_likelihood"):
        measured["active_units"] = likelihood.active_units(model, images, labels)
    if model.likelihood == "logistic":
        measured["bits_per_dim"] = likelihood.bits_per_dimension(bound, model.image_shape)
    return measured


def _can_anneal(model) -> bool:
    """Whether the model has log p(x|z) with z ~ N(0, I), from which chains start."""
    return hasattr(model, "log_likelihood") and getattr(model, "learned_prior", None) is None
