"""Evaluators: published classifiers that score a generator without the data set and without Keras.

An evaluator is a folder with

    1/             a SavedModel with the signatures `classify` (images -> probabilities, labels) and
                   `features` (images -> features, probabilities)
    reference.npz  its measurements of the real test set, see `Reference`
"""

import dataclasses
import functools
import operator
import os
import re
import shlex
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf

from tfgen import home, untrusted
from tfgen.atomic import replace_file
from tfgen.data import naming
from tfgen.evaluation import metrics
from tfgen.evaluation.intervals import Interval
from tfgen.evaluation.metrics import Moments

SPLITS = 20  # independent parts of a sample, whose spread gives the intervals
BATCH = 500
REFERENCE_FEATURES = 2_000  # test images whose features a reference keeps


@dataclasses.dataclass(frozen=True)
class Reference:
    """An evaluator's measurements of the real test set: the best scores, and statistics for FID and KID."""

    count: int  # images in the test set
    inception_score: Interval
    accuracy: Interval | None  # None where labels are unknown
    mean: np.ndarray  # (d,) float64, features of the whole test set
    covariance: np.ndarray  # (d, d) float64
    features: np.ndarray  # (m, d) float16, of a random sample of the test set in random order

    def frechet_distance(self, moments: list[Moments]) -> float:
        """Return the Frechet distance of the test set's features from a sample's, given in groups."""
        whole = functools.reduce(operator.add, moments)
        return metrics.frechet_distance(self.mean, self.covariance, whole.mean, whole.covariance)


@dataclasses.dataclass(frozen=True)
class Evaluator:
    """A published classifier and its reference."""

    module: Any  # the loaded SavedModel, which keeps its signatures' variables alive
    reference: Reference

    @property
    def image_shape(self) -> tuple[int, int, int]:
        _, inputs = self.module.signatures["features"].structured_input_signature
        return tuple(inputs["images"].shape[1:])

    @property
    def num_classes(self) -> int:
        return self.module.signatures["features"].structured_outputs["probabilities"].shape[-1]

    def observe(self, images: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return features (b, d) and class probabilities (b, K) of images (b, h, w, c) in [0, 1]."""
        images = np.asarray(images)
        if images.shape[1:] != self.image_shape:
            raise ValueError(
                f"The evaluator reads images of shape {self.image_shape}. "
                f"Received: images of shape {images.shape[1:]}"
            )
        return _observe(self.module.signatures["features"], images)


def reference(features: Callable, images: np.ndarray, labels: np.ndarray | None) -> Reference:
    """Measure the real test set, once, when an evaluator is published.

    Args:
        features: Signature `features` of the evaluator, called with `images=`.
        images: (n, h, w, c) float32 in [0, 1], the whole test set.
        labels: (n,) integers in [0, K).
    """
    images, labels = np.asarray(images), np.asarray(labels)
    if len(images) < 2 * SPLITS or len(images) != len(labels):
        raise ValueError(
            f"An evaluator's reference needs at least {2 * SPLITS} test images, each with its label; of a "
            "folder of pictures without a test folder a tenth is held out. "
            f"Received: {len(images)} images, {len(labels)} labels"
        )
    # Test sets may be sorted by class: a random order makes every part representative.
    order = np.random.default_rng(0).permutation(len(images))
    batches = [
        _observe(features, images[order[start : start + BATCH]])
        for start in range(0, len(order), BATCH)
    ]
    observed, probabilities = (np.concatenate(parts) for parts in zip(*batches, strict=True))
    moments = Moments.of(observed)
    return Reference(
        count=len(images),
        inception_score=metrics.jackknife_interval(
            np.array_split(probabilities, SPLITS),
            lambda parts: metrics.inception_score(np.concatenate(parts)),
        ),
        accuracy=metrics.proportion_interval(
            metrics.accuracy(probabilities, labels[order]), len(labels)
        ),
        mean=moments.mean,
        covariance=moments.covariance,
        features=observed[:REFERENCE_FEATURES].astype(np.float16),
    )


def save_reference(folder: Path, reference: Reference) -> None:
    """Write `reference.npz` into an evaluator's folder atomically."""
    with replace_file(Path(folder) / "reference.npz") as aside:
        np.savez_compressed(aside, **vars(reference))


def load_reference(folder: Path) -> Reference:
    """Read `reference.npz` from an evaluator's folder.

    Raises:
        ValueError: The file is damaged or is not a reference.
    """
    names = [field.name for field in dataclasses.fields(Reference)]
    fields = untrusted.read_arrays(Path(folder) / "reference.npz", names)
    intervals = {name: Interval(*fields[name].tolist()) for name in ("inception_score", "accuracy")}
    return Reference(**{**fields, **intervals, "count": int(fields["count"])})


def load_evaluator(folder: str | os.PathLike) -> Evaluator:
    """Load the SavedModel and the reference of an evaluator's folder.

    A SavedModel is a program that TensorFlow runs, which may read and write files: load one only from a
    source whose code you would run.

    Raises:
        FileNotFoundError: The folder holds no evaluator.
        ValueError: The SavedModel has no `features`, or the reference is damaged.
    """
    folder = Path(folder)
    if not _is_evaluator(folder):
        raise FileNotFoundError(
            "An evaluator's folder must hold reference.npz and a SavedModel in 1/. "
            f"Received: evaluator={str(folder)!r}"
        )
    module = tf.saved_model.load(str(folder / "1"))
    if "features" not in module.signatures:
        raise ValueError(
            "An evaluator's SavedModel must have the signature `features`. "
            f"Received: {folder} with signatures {sorted(module.signatures)}"
        )
    return Evaluator(module, load_reference(folder))


def find_evaluator(data: str | os.PathLike, root: Path | None = None) -> Path:
    """Find the folder of a data set's evaluator: the preset `resnet_<data>`, or one whose card names it.

    Args:
        data: Name of the data set, or its folder of pictures.
        root: Folder of presets to search first.

    Raises:
        FileNotFoundError: There is none; the message says how to make one.
    """
    data = naming.absolute(data)  # as cards name folders
    places: list[Path] = [*([] if root is None else [root]), *_roots()]
    roots = list(dict.fromkeys(places))
    for place in roots:
        named = [place / f"resnet_{data}"] if os.sep not in str(data) else []
        for folder in (*named, *_learned_from(data, place)):
            if _is_evaluator(folder):
                return folder
    raise FileNotFoundError(
        f"No evaluator for this data set in {', '.join(map(str, roots))}. Pass evaluator= the folder of "
        f"one, which `tfgen train resnet_mnist --data {shlex.quote(str(data))} --out runs/resnet` and "
        f"`tfgen publish runs/resnet --name resnet_{re.sub(r'[^a-z0-9]+', '_', Path(data).name.lower())}` "
        f"make; zoo.locate('resnet_{Path(data).name}') fetches a published one. "
        f"Received: data={data!r}"
    )


def _learned_from(data: str | os.PathLike, root: Path) -> Iterator[Path]:
    """Yield folders of presets whose cards say that they learned from this data set."""
    for path in sorted(root.glob("*/card.json")):
        recipe = untrusted.read_document(path).get("recipe")
        learned = recipe.get("data") if isinstance(recipe, dict) else None
        if isinstance(learned, dict) and learned.get("name") == data:
            yield path.parent


def _roots() -> list[Path]:
    """Return folders of presets: beside the packages in a checkout, inside `zoo` in a wheel, the user's."""
    site = Path(__file__).resolve().parents[2]
    return [site / "saved_models", site / "zoo" / "saved_models", home.presets()]


def _is_evaluator(folder: Path) -> bool:
    return (folder / "reference.npz").is_file() and (folder / "1" / "saved_model.pb").is_file()


def _observe(features: Callable, images: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    # This form fails for NaN, too.
    if not (images.min() >= 0.0 and images.max() <= 1.0):
        raise ValueError(
            "Images must be finite and lie in [0, 1]. "
            f"Received: images from {images.min()} to {images.max()}"
        )
    outputs = features(images=tf.constant(images, tf.float32))
    return outputs["features"].numpy(), outputs["probabilities"].numpy()
