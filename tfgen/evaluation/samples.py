"""Generated images, as an evaluator sees them beside the real test set."""

import dataclasses
import functools
import itertools
import operator
import os
from collections.abc import Iterator

import numpy as np

from tfgen.evaluation import metrics
from tfgen.evaluation.evaluator import BATCH, SPLITS, Evaluator, find_evaluator, load_evaluator
from tfgen.evaluation.metrics import Interval, Moments
from tfgen.evaluation.task import Task, data_name

NEIGHBOURS = 3  # of precision and recall
KEPT_FEATURES = 10_000  # generated images whose features are kept for pairwise metrics


def sample_quality(task: Task) -> dict[str, Interval]:
    """The evaluator's view of generated images, beside its view of the real test set."""
    evaluator = evaluator_of(task)
    real = evaluator.reference
    generated = _observe_samples(task, evaluator)

    score = metrics.jackknife_interval(
        generated.probabilities, lambda parts: metrics.inception_score(np.concatenate(parts))
    )
    measured = {
        "inception_score": score,
        "inception_score_real": real.inception_score,
        "inception_score_ratio": Interval(*(x / real.inception_score.value for x in score)),
        "fid": metrics.jackknife_interval(generated.moments, real.frechet_distance),
        "kid": metrics.kernel_distance_interval(real.features, generated.features, SPLITS),
    }
    matched = min(len(real.features), len(generated.features))
    shares = metrics.precision_recall(
        real.features[:matched], generated.features[:matched], NEIGHBOURS
    )
    for name, share in shares._asdict().items():
        measured[name] = metrics.proportion_interval(share, matched)
    if generated.labels is not None:
        share = metrics.accuracy(np.concatenate(generated.probabilities), generated.labels)
        measured["conditional_accuracy"] = metrics.proportion_interval(share, task.samples)
        measured["evaluator_accuracy"] = real.accuracy
    return measured


@dataclasses.dataclass(frozen=True)
class Observations:
    """What an evaluator sees in generated images; groups are independent, equal parts of them."""

    probabilities: list[np.ndarray]  # for each group, (n_g, K)
    moments: list[Moments]  # of each group's features
    features: np.ndarray  # (min(n, KEPT_FEATURES), d)
    labels: np.ndarray | None  # (n,) classes asked for


def _observe_samples(task: Task, evaluator: Evaluator) -> Observations:
    """Draws images in batches, and keeps of them what the metrics need."""
    labels = _requested_labels(task, evaluator)
    groups = min(SPLITS, task.samples // 2)
    edges = [task.samples * group // groups for group in range(groups + 1)]
    spans = list(_batches(edges))
    seeds = np.random.SeedSequence(task.seed).generate_state(len(spans)) >> 1  # to fit int32

    probabilities = [[] for _ in range(groups)]
    moments = [[] for _ in range(groups)]
    kept = []
    for (group, start, stop), seed in zip(spans, seeds, strict=True):
        condition = {} if labels is None else {"labels": labels[start:stop]}
        images = task.model.sample(stop - start, seed=int(seed), **condition)
        features, classes = evaluator.observe(images)
        probabilities[group].append(classes)
        moments[group].append(Moments.of(features))
        if start < KEPT_FEATURES:
            kept.append(features)
    return Observations(
        probabilities=[np.concatenate(parts) for parts in probabilities],
        moments=[functools.reduce(operator.add, parts) for parts in moments],
        features=np.concatenate(kept)[:KEPT_FEATURES],
        labels=labels,
    )


def _batches(edges: list[int]) -> Iterator[tuple[int, int, int]]:
    """(group, start, stop) of batches that do not cross the edges of groups."""
    for group, (first, last) in enumerate(itertools.pairwise(edges)):
        for start in range(first, last, BATCH):
            yield group, start, min(start + BATCH, last)


def _requested_labels(task: Task, evaluator: Evaluator) -> np.ndarray | None:
    """(n,) int32, each class in turn, or None for an unconditional model."""
    classes = getattr(task.model, "num_classes", None)
    if not getattr(task.model, "conditional", classes is not None):
        return None
    if classes != evaluator.num_classes:
        raise ValueError(
            "A conditional model and its evaluator must have the same classes. "
            f"Received: model.num_classes={classes}, evaluator.num_classes={evaluator.num_classes}"
        )
    return np.arange(task.samples, dtype=np.int32) % classes


def evaluator_of(task: Task) -> Evaluator:
    """The evaluator that the task gives, or else the data set's own."""
    if isinstance(task.evaluator, Evaluator):
        return task.evaluator
    if task.evaluator is None:
        return load_evaluator(find_evaluator(data_name(task.data)))
    if isinstance(task.evaluator, str | os.PathLike):
        return load_evaluator(task.evaluator)
    raise TypeError(
        "evaluator must be None, the path of an evaluator's folder, or an Evaluator. "
        f"Received: evaluator={task.evaluator!r}"
    )
