"""Arguments of `evaluate`, passed to every metric, and the test images of a metric."""

import dataclasses
import os
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import tensorflow as tf

from tfgen import checks
from tfgen import data as datasets
from tfgen.data import naming
from tfgen.unified import Unified


@dataclasses.dataclass(frozen=True)
class EvaluationContext:
    """Arguments of `evaluate`, passed to every metric and picture of a `Capability`."""

    model: Any
    data: Any
    samples: int
    evaluator: Any
    seed: int


def statement(model: Any, name: str) -> Any:
    """Return a trait of a model, an attribute of `Unified`; other objects have the default of `Unified`."""
    return getattr(model, name, getattr(Unified, name))


def is_conditional(model: Any) -> bool:
    """Whether a generator draws for a class: its `conditional`, or else whether it has `num_classes`."""
    return getattr(model, "conditional", getattr(model, "num_classes", None) is not None)


def endpoint_function(model: Any, name: str) -> Callable | None:
    """Return the function of a zoo model's endpoint, another object's method of this name, or None."""
    if hasattr(model, "endpoints"):
        function, _ = model.endpoints().get(name, (None, None))
        return function
    return getattr(model, name, None)


def batches(
    context: EvaluationContext, *, labelled: bool
) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Return the test set's images and labels in batches; only its labelled images if `labelled`.

    Pictures of a folder, and for a model of several domains any named data set, are brought to the model's
    size and channels.
    """
    shape = getattr(context.model, "image_shape", None)
    if isinstance(context.data, tf.data.Dataset):
        dataset = context.data
        pairs = isinstance(dataset.element_spec, tuple) and len(dataset.element_spec) == 2
        if not pairs or dataset.cardinality() == tf.data.INFINITE_CARDINALITY:
            raise ValueError(
                "A test set must be finitely many batches (images, labels). "
                f"Received: data={dataset!r}"
            )
    else:
        name = data_name(context.data)
        fitted = statement(context.model, "multi_domain") or naming.is_folder(name)
        geometry = {"size": shape[0], "channels": shape[-1]} if fitted and shape else {}
        dataset = datasets.load(name, split="test", batch_size=1000, **geometry)
    empty = True
    for batch in dataset:
        images, labels = map(np.asarray, batch)
        checks.check_images(images, images.shape[1:] if shape is None else tuple(shape))
        checks.check_labels(labels, len(images), _num_classes(context.model), unlabelled=True)
        images, labels = images.astype("float32", copy=False), labels.astype("int32").reshape(-1)
        kept = labels >= 0 if labelled else np.full(len(labels), True)
        if kept.any():
            empty = False
            yield images[kept], labels[kept]
    if empty:
        raise ValueError(f"A test set must hold labelled images. Received: data={context.data!r}")


def _num_classes(model) -> int:
    """Return the number of classes whose labels the model reads, or the largest int32 if it reads none."""
    rule = getattr(model, "label_rule", None)
    return getattr(rule, "num_classes", np.iinfo(np.int32).max)


def data_name(data: Any) -> str | os.PathLike:
    if isinstance(data, str | os.PathLike):
        return data
    raise TypeError(
        "data must be a data set's name; a generator also takes any data with evaluator=, "
        f"a classifier a tf.data.Dataset. Received: data={data!r}"
    )
