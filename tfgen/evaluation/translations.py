"""Translations between two domains: whether they keep labels, and whether they can be inverted."""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import tensorflow as tf

from tfgen import data as datasets
from tfgen.data.pictures import convert
from tfgen.evaluation import metrics
from tfgen.evaluation.context import EvaluationContext, endpoint_function
from tfgen.evaluation.evaluator import BATCH, Evaluator, find_evaluator, load_evaluator
from tfgen.evaluation.intervals import Interval


class Domain(NamedTuple):
    """One of the two domains: its test images as the model reads them, and its evaluator."""

    images: np.ndarray  # (n, h, w, c) float32 in [0, 1]
    labels: np.ndarray  # (n,) int32, -1 where there is none
    judge: Evaluator
    translate: Callable  # images of this domain -> images of the other


def translation_quality(context: EvaluationContext) -> dict[str, Interval]:
    """Return labels kept by each direction, and the errors of each cycle, on both test splits."""
    a, b = _domains(context)
    return {**_one_way(a, b, "a", "b"), **_one_way(b, a, "b", "a")}


def _one_way(source: Domain, target: Domain, here: str, there: str) -> dict[str, Interval]:
    translated = _through(source.translate, source.images)
    cycled = _through(target.translate, translated)
    errors = np.abs(cycled - source.images).mean(axis=(1, 2, 3))
    accuracy = target.judge.reference.accuracy
    known = {} if accuracy is None else {f"evaluator_accuracy_{there}": accuracy}
    return {
        f"label_kept_{here}{there}": _share_kept(translated, source.labels, target.judge),
        f"label_kept_{here}{there}_untranslated": _share_kept(
            source.images, source.labels, target.judge
        ),
        **known,
        f"cycle_error_{here}{there}{here}": metrics.mean_interval(errors),
    }


def _share_kept(images: np.ndarray, labels: np.ndarray, judge: Evaluator) -> Interval:
    """Return the share of labelled images that a classifier assigns their label."""
    images, labels = images[labels >= 0], labels[labels >= 0]
    size, _, channels = judge.image_shape
    observed = (judge.observe(convert(chunk, size, channels)) for chunk in _chunks(images))
    probabilities = np.concatenate([classes for _, classes in observed])
    return metrics.proportion_interval(metrics.accuracy(probabilities, labels), len(labels))


def _through(translate: Callable, images: np.ndarray) -> np.ndarray:
    return np.concatenate(
        [translate(tf.constant(chunk))["images"].numpy() for chunk in _chunks(images)]
    )


def _chunks(images: np.ndarray) -> list[np.ndarray]:
    return [images[start : start + BATCH] for start in range(0, len(images), BATCH)]


def _domains(context: EvaluationContext) -> list[Domain]:
    names = _pair("data", context.data, "names of data sets, (A, B)")
    judges = (None, None)
    if context.evaluator is not None:
        judges = _pair("evaluator", context.evaluator, "evaluators or their folders, of A and of B")
    shapes = (context.model.image_shape, context.model.image_shape_b)
    domains = []
    for name, judge, shape, endpoint in zip(
        names, judges, shapes, ("translate_ab", "translate_ba"), strict=True
    ):
        if not isinstance(judge, Evaluator):
            judge = load_evaluator(find_evaluator(name) if judge is None else judge)
        images, labels = datasets.arrays(name, "test", size=shape[0], channels=shape[-1])
        if (labels < 0).all():
            raise ValueError(f"A test set must hold labelled images. Received: data={name!r}")
        translate = tf.function(endpoint_function(context.model, endpoint), reduce_retracing=True)
        domains.append(Domain(images / np.float32(255), labels, judge, translate))
    return domains


def _pair(argument: str, value, meaning: str) -> tuple:
    if isinstance(value, tuple | list) and len(value) == 2:
        return tuple(value)
    raise TypeError(
        f"{argument} must be two {meaning}, for a model that translates. "
        f"Received: {argument}={value!r}"
    )
