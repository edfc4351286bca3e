"""Scores of generated images by an evaluator, against the real test set."""

import dataclasses
import functools
import itertools
import operator
import os
from collections.abc import Iterable

import numpy as np

from tfgen import progress
from tfgen.evaluation import metrics
from tfgen.evaluation.context import EvaluationContext, data_name, is_conditional, statement
from tfgen.evaluation.evaluator import (
    BATCH,
    SPLITS,
    Evaluator,
    Reference,
    find_evaluator,
    load_evaluator,
)
from tfgen.evaluation.intervals import Interval
from tfgen.evaluation.metrics import Moments, PrecisionRecall

NEIGHBORS = 3  # of precision and recall
_OF_REAL_IMAGES = ("inception_score_real", "evaluator_accuracy")
KEPT_FEATURES = 10_000  # generated images whose features are kept for pairwise metrics


def sample_quality(context: EvaluationContext) -> dict[str, Interval]:
    """Score generated images by the evaluator, against the real test set."""
    evaluator = evaluator_of(context)
    measured = _scores(context, evaluator, _observe_samples(context, evaluator))
    second = statement(context.model, "second_prior")
    if second is not None:
        drawn = _scores(context, evaluator, _observe_samples(context, evaluator, prior=second))
        kept = {name: value for name, value in drawn.items() if name not in _OF_REAL_IMAGES}
        measured |= {f"{second}_{name}": value for name, value in kept.items()}
    return measured


def _scores(
    context: EvaluationContext, evaluator: Evaluator, generated: "Observations"
) -> dict[str, Interval]:
    real = evaluator.reference
    measured = quality(real, generated)
    if generated.labels is not None:
        share = metrics.accuracy(np.concatenate(generated.probabilities), generated.labels)
        measured["conditional_accuracy"] = metrics.proportion_interval(share, context.samples)
        if real.accuracy is not None:
            measured["evaluator_accuracy"] = real.accuracy
    return measured


@dataclasses.dataclass(frozen=True)
class Observations:
    """Features and class probabilities of a sample of images, in independent, equal groups."""

    probabilities: list[np.ndarray]  # for each group, (n_g, K)
    moments: list[Moments]  # of each group's features
    features: np.ndarray  # (min(n, KEPT_FEATURES), d)
    labels: np.ndarray | None = None  # (n,) classes the images were drawn for

    @property
    def inception_score(self) -> Interval:
        return metrics.jackknife_interval(
            self.probabilities, lambda parts: metrics.inception_score(np.concatenate(parts))
        )


def quality(real: Reference, generated: Observations) -> dict[str, Interval]:
    """Return inception scores, FID, KID, precision and recall of a sample against a reference."""
    score = generated.inception_score
    return {
        "inception_score": score,
        "inception_score_real": real.inception_score,
        "inception_score_ratio": Interval(*(x / real.inception_score.value for x in score)),
        "fid": metrics.jackknife_interval(generated.moments, real.frechet_distance),
        "kid": metrics.kernel_distance_interval(real.features, generated.features, SPLITS),
        **_coverage(real.features, generated.features),
    }


def _coverage(real: np.ndarray, generated: np.ndarray) -> dict[str, Interval]:
    """Return precision and recall of the first draw of as many generated images as real ones.

    Each is a proportion that depends on two manifolds, which are random too: with enough generated images
    for several draws the interval is at least that of their spread.
    """
    matched = min(len(real), len(generated))
    draws = [
        metrics.precision_recall(real[:matched], part, NEIGHBORS)
        for part in np.split(generated, range(matched, len(generated), matched))
        if len(part) == matched
    ]
    measured = {}
    for name in PrecisionRecall._fields:
        shares = [getattr(draw, name) for draw in draws]
        measured[name] = metrics.redrawn_interval(shares, matched)
    return measured


def _observe_samples(context: EvaluationContext, evaluator: Evaluator, **drawn) -> Observations:
    """Draw images in batches and keep their features and probabilities; `drawn` is passed to `sample`."""
    labels = _requested_labels(context, evaluator)
    parts = spans(context.samples)
    seeds = np.random.SeedSequence(context.seed).generate_state(len(parts)) >> 1  # to fit int32

    def draw(start: int, stop: int, seed: int) -> np.ndarray:
        condition = {} if labels is None else {"labels": labels[start:stop]}
        return context.model.sample(stop - start, seed=seed, **condition, **drawn)

    images = (
        draw(start, stop, int(seed)) for (_, start, stop), seed in zip(parts, seeds, strict=True)
    )
    return dataclasses.replace(observations(evaluator, parts, images), labels=labels)


def observations(
    evaluator: Evaluator, parts: list[tuple[int, int, int]], images: Iterable[np.ndarray]
) -> Observations:
    """Return features and probabilities of images (b, h, w, c) in [0, 1], given for each of the `spans`."""
    groups = parts[-1][0] + 1
    probabilities, moments = ([[] for _ in range(groups)] for _ in range(2))
    kept = []
    for (group, start, _), batch in zip(progress.track(parts, "scoring"), images, strict=True):
        features, classes = evaluator.observe(batch)
        probabilities[group].append(classes)
        moments[group].append(Moments.of(features))
        if start < KEPT_FEATURES:
            kept.append(features)
    return Observations(
        probabilities=[np.concatenate(parts) for parts in probabilities],
        moments=[functools.reduce(operator.add, parts) for parts in moments],
        features=np.concatenate(kept)[:KEPT_FEATURES],
    )


def spans(count: int) -> list[tuple[int, int, int]]:
    """Yield (group, start, stop) of batches of `count` images that do not cross the edges of groups."""
    groups = min(SPLITS, count // 2)
    edges = [count * group // groups for group in range(groups + 1)]
    return [
        (group, start, min(start + BATCH, last))
        for group, (first, last) in enumerate(itertools.pairwise(edges))
        for start in range(first, last, BATCH)
    ]


def _requested_labels(context: EvaluationContext, evaluator: Evaluator) -> np.ndarray | None:
    """Return (n,) int32, each class in turn, or None for an unconditional model."""
    if not is_conditional(context.model):
        return None
    classes = context.model.num_classes
    if classes != evaluator.num_classes:
        raise ValueError(
            "A conditional model and its evaluator must have the same classes. "
            f"Received: model.num_classes={classes}, evaluator.num_classes={evaluator.num_classes}"
        )
    return np.arange(context.samples, dtype=np.int32) % evaluator.num_classes


def evaluator_of(context: EvaluationContext) -> Evaluator:
    """Return the evaluator of the context, or else that of the data set."""
    if isinstance(context.evaluator, Evaluator):
        return context.evaluator
    if context.evaluator is None:
        return load_evaluator(find_evaluator(data_name(context.data)))
    if isinstance(context.evaluator, str | os.PathLike):
        return load_evaluator(context.evaluator)
    raise TypeError(
        "evaluator must be None, the path of an evaluator's folder, or an Evaluator. "
        f"Received: evaluator={context.evaluator!r}"
    )
