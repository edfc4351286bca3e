"""Metrics and picture of each endpoint: the table that evaluation and pages read.

The file of a model with another kind of endpoint adds an entry:

    CAPABILITIES["segment"] = Capability(measure=overlap, draw=draw_segments, caption="Segments")
"""

import dataclasses
import math
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import numpy as np
import tensorflow as tf
from PIL import Image

from tfgen import data as datasets
from tfgen.drawing import pictures
from tfgen.evaluation.bounds import likelihood_bounds
from tfgen.evaluation.classes import classification
from tfgen.evaluation.context import EvaluationContext, batches, data_name, endpoint_function
from tfgen.evaluation.independence import code_independence
from tfgen.evaluation.intervals import Interval
from tfgen.evaluation.samples import sample_quality
from tfgen.evaluation.translations import translation_quality
from tfgen.evaluation.weights import weights_of_samples

SHOWN = 64  # images in a picture


@dataclasses.dataclass(frozen=True)
class Capability:
    """Metrics and picture of models that have an endpoint.

    The sentences may name `{data}`, `{samples}`, `{seed}` and `{evaluator}` of the evaluation.

    Args:
        measure: Function that returns metrics of the model; None if other endpoints have all of them.
        draw: Function that draws the model on its test data; None if another endpoint's picture shows it.
        caption: Caption of the picture.
        scored: Sentence on how the metrics are measured.
        limits: Sentences on the limits of the model.
        ceilings: {metric: name of the metric that bounds it, or its best possible value}.
        example: Line of Python that uses a loaded `model`; may name `{shape}`, (h, w, c), and `{label}`.
    """

    measure: Callable[[EvaluationContext], dict[str, Interval]] | None = None
    draw: Callable[[EvaluationContext], Image.Image] | None = None
    caption: str = ""
    scored: str = ""
    limits: str = ""
    ceilings: Mapping[str, str | float] = dataclasses.field(default_factory=dict)
    example: str = ""


def ceilings() -> dict[str, str | float]:
    """Return {metric: metric that bounds it, or its best possible value} of all endpoints."""
    found = [capability.ceilings for capability in CAPABILITIES.values()]
    return {metric: ceiling for part in found for metric, ceiling in part.items()}


def measures_of(model: Any) -> list[Callable[[EvaluationContext], dict[str, Interval]]]:
    """Return the measures of every endpoint that a model has.

    Raises:
        TypeError: None of its endpoints is measured.
    """
    known = {name: found.measure for name, found in CAPABILITIES.items() if found.measure}
    measures = [m for name, m in known.items() if endpoint_function(model, name) is not None]
    if not measures:
        raise TypeError(
            f"A model must offer one of {', '.join(known)} to be evaluated. "
            f"Received: model={model!r}"
        )
    return measures


def main_capability(endpoints: Iterable[str]) -> Capability:
    """Return the capability that presents a model: the first, in the table's order, with a picture.

    Raises:
        ValueError: None of the endpoints has a picture.
    """
    endpoints = list(endpoints)
    for name, capability in CAPABILITIES.items():
        if capability.draw is not None and name in endpoints:
            return capability
    drawn = [name for name, capability in CAPABILITIES.items() if capability.draw]
    raise ValueError(
        f"A preset must have one of the endpoints {', '.join(drawn)}. "
        f"Received: {', '.join(endpoints)}"
    )


def _sample_quality(context: EvaluationContext) -> dict[str, Interval]:
    return {**sample_quality(context), **weights_of_samples(context)}


def _draw_samples(context: EvaluationContext) -> Image.Image:
    """SHOWN samples, or as many more as show each class equally often."""
    classes = context.model.num_classes if context.model.conditional else 1
    n = math.ceil(SHOWN / classes) * classes
    return pictures.samples(context.model, n, class_names=_class_names(context))


def _draw_classified(context: EvaluationContext) -> Image.Image:
    """Draw the first test images, each under its predicted class."""
    images = next(batches(context, labelled=False))[0][:SHOWN]
    classify: Any = endpoint_function(context.model, "classify")
    found = classify(images=tf.constant(images))["labels"].numpy()
    return pictures.grid(images, pictures.captions(found, _class_names(context)))


def _class_names(context: EvaluationContext) -> tuple[str, ...]:
    # With a geometry no picture of a folder is opened.
    return datasets.info(data_name(context.data), size=1, channels=1).class_names


def _draw_translated(context: EvaluationContext) -> Image.Image:
    """Draw the first test images of domain A, each above its translation into B."""
    size, _, channels = context.model.image_shape
    split = f"test[:{SHOWN // 2}]"
    images, _ = datasets.arrays(context.data[0], split, size=size, channels=channels)
    return pictures.translations(context.model, images / np.float32(255))


_CLASSIFIED = {
    "draw": _draw_classified,
    "caption": "Test images, each under its predicted class",
    "scored": "On the test split of {data}.",
    "example": "probabilities = model.predict(images)  # images (n, {shape}) in [0, 1]",
}
_OF_SAMPLES: dict[str, str | float] = {
    "inception_score": "inception_score_real",
    "inception_score_ratio": 1.0,
    "conditional_accuracy": "evaluator_accuracy",
    "precision": 1.0,
    "recall": 1.0,
    "fid": 0.0,
    "kid": 0.0,
}
_CLASSES = "It predicts one of the classes of {data} for any picture, even if none of them fits."

# Endpoint -> metrics and picture of models that have it.
CAPABILITIES: dict[str, Capability] = {
    "sample": Capability(
        measure=_sample_quality,
        draw=_draw_samples,
        caption="Samples of seed 0",
        scored="{samples:,} samples of seed {seed}, scored by `{evaluator}`.",
        limits=(
            "It draws only pictures like those of {data}. Scores by `{evaluator}` compare only with scores "
            "by the same evaluator at the same number of samples; the paper has other evaluators, so its "
            "numbers compare only as shares of the real test set's."
        ),
        ceilings={
            f"{prefix}{name}": ceiling
            for prefix in ("", "aggregate_", "truncated_")
            for name, ceiling in _OF_SAMPLES.items()
        },
        example="# (64, {shape}) in [0, 1]\nimages = model.sample(64, seed=0{label})",
    ),
    "features": Capability(
        limits=f"{_CLASSES} It was made to score generators of {{data}}.", **_CLASSIFIED
    ),
    "classify": Capability(
        measure=classification,
        limits=_CLASSES,
        ceilings={"accuracy": 1.0, "accuracy_binarized": 1.0},
        **_CLASSIFIED,
    ),
    "bound": Capability(measure=likelihood_bounds),
    "encode": Capability(measure=code_independence),
    "translate_ab": Capability(
        measure=translation_quality,
        draw=_draw_translated,
        caption="Test images, each above its translation",
        scored="On the test splits of {data}, by the evaluators of both.",
        limits="It translates only pictures like those of {data}.",
        ceilings={
            "label_kept_ab": "evaluator_accuracy_b",
            "label_kept_ba": "evaluator_accuracy_a",
            "cycle_error_aba": 0.0,
            "cycle_error_bab": 0.0,
        },
        example="# images (n, {shape}) in [0, 1]\ntranslated = model.predict(images)",
    ),
}
