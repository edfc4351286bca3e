"""Runs a model and an evaluator over data and returns named numbers with intervals."""

import dataclasses
import functools
import itertools
import operator
import os
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import tensorflow as tf

from tfgen import data as datasets
from tfgen import likelihood, metrics
from tfgen.evaluator import BATCH, SPLITS, Evaluator, find_evaluator, load_evaluator
from tfgen.metrics import Interval, Moments

NEIGHBOURS = 3  # of precision and recall
KEPT_FEATURES = 10_000  # generated images whose features are kept for pairwise metrics
MAX_SAMPLES = 10_000_000
DRAWS = (64, 1024)  # of importance-weighted bounds
DECODED = 1_024_000  # images decoded for one of them: 1,000 test images at 1,024 draws
CHAINS, STEPS = 100, 300  # of annealed importance sampling


def evaluate(model, data, samples: int = 10_000, evaluator=None, seed: int = 0) -> dict:
    """Scores a model by every family of metrics that acts on a part the model has.

    A model with `sample` is scored by an evaluator on `samples` generated images:

    - `inception_score`, beside the real test set's `inception_score_real` and their
      `inception_score_ratio`, in which the real score counts as a constant;
    - `fid`, against the moments of the whole test set. It is biased upwards by a term that falls
      with 1/samples, so only values at equal `samples` compare; with fewer samples than features it
      is defined but mostly bias. Its interval is about its expectation at this `samples`;
    - `kid`, unbiased, on at most 10,000 generated images and the reference's feature sample;
    - `precision` and `recall`, at 3 neighbours, on equally many generated and real images (at most
      the reference's feature sample). Their intervals take the two manifolds as given;
    - `conditional_accuracy`, if the model is conditional: the share of samples that the evaluator
      gives the class asked for (each class equally often), beside `evaluator_accuracy`, its
      accuracy on the real test set.

    A model with `classify` has its `accuracy` measured on the test split.

    A model with `bound` has bounds on the log-likelihood of the test images measured, in nats an
    image, given their labels if it is a conditional model that learns from labelled images only. A
    Bernoulli likelihood reads one fixed binarisation of the test set, drawn from the grey values;
    other likelihoods read the images as they are:

    - `bound`, the variational bound, on the whole test set;
    - `iw_bound_64` and `iw_bound_1024`, the importance-weighted bounds, on as many images as 1,024,000
      draws allow: the whole of MNIST's test set and 1,000 images. A model that sums over classes
      draws for each of them, on a tenth of these images if there are ten classes;
    - `ais_bound`, annealed importance sampling on 100 images (ten), an independent check, and
      `ais_bound_gain`, its mean difference from `iw_bound_1024` on the same images;
    - `active_units` of z, by Burda et al. (2015);
    - `bits_per_dim`, the variational bound's, if the likelihood is the discretised logistic.

    Intervals have level .95.

    Args:
      model: has the endpoint `sample`, and then the method `sample(n, seed=, [labels=])` ->
        (n, h, w, c) in [0, 1]; the endpoint `classify`; or `bound`, and then what `tfgen.likelihood`
        asks for. Of an object without `endpoints()` the methods of these names are taken. A
        generator is conditional if it says so by `conditional`, or else if its `num_classes` is
        not None.
      data: the data set's name; it names the evaluator and the test split. For a classifier or a
        bound also a `tf.data.Dataset` of batches (images, labels), where label -1 is passed over.
      samples: how many images to generate, from 4 to 10,000,000.
      evaluator: an `Evaluator` or the path of its folder; None looks for `resnet_<data>`.
      seed: fixes the samples and the draws of z, and with them every number.

    Returns:
      {metric: {"value": float, "low": float, "high": float}}.

    Raises:
      TypeError: the model offers none of these parts, or an argument has the wrong type.
      ValueError: an argument is out of range, or model and evaluator disagree on images or classes.
      FileNotFoundError: there is no evaluator for the data set.
    """
    _check_integer("samples", samples, NEIGHBOURS + 1, MAX_SAMPLES)
    _check_integer("seed", seed, 0, 2**31 - 1)
    families = [measure for part, measure in FAMILIES.items() if _part(model, part) is not None]
    if not families:
        raise TypeError(
            f"A model must offer one of {', '.join(FAMILIES)} to be evaluated. "
            f"Received: model={model!r}"
        )
    task = Task(model, data, int(samples), evaluator, int(seed))
    measured = {name: value for measure in families for name, value in measure(task).items()}
    return {name: interval._asdict() for name, interval in measured.items()}


@dataclasses.dataclass(frozen=True)
class Task:
    """The arguments of `evaluate`, as every family of metrics receives them."""

    model: Any
    data: Any
    samples: int
    evaluator: Any
    seed: int


# ---- families of metrics -----------------------------------------------------------------------


def sample_quality(task: Task) -> dict[str, Interval]:
    """The evaluator's view of generated images, beside its view of the real test set."""
    evaluator = _evaluator(task)
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


def classification(task: Task) -> dict[str, Interval]:
    """The share of the test split's labelled images that the model classifies right."""
    classify = tf.function(_part(task.model, "classify"), reduce_retracing=True)
    probabilities, labels = [], []
    for images, truth in _test_batches(task, labelled=True):
        probabilities.append(classify(tf.constant(images, tf.float32))["probabilities"].numpy())
        labels.append(truth)
    labels = np.concatenate(labels)
    share = metrics.accuracy(np.concatenate(probabilities), labels)
    return {"accuracy": metrics.proportion_interval(share, len(labels))}


def likelihood_bounds(task: Task) -> dict[str, Interval]:
    """Bounds on the log-likelihood of the test split's images, and what rests on them."""
    model, seed = task.model, task.seed
    given_labels = model.conditional and not model.unlabelled
    batches = _test_batches(task, labelled=given_labels)
    images, labels = map(np.concatenate, zip(*batches, strict=True))
    images = likelihood.observed(model.likelihood, images)
    # Test sets come sorted by class: the first images of a random order are like all of them.
    order = np.random.default_rng(0).permutation(len(images))
    images, labels = images[order], labels[order] if given_labels else None
    classes = likelihood.class_count(model)

    def first(count):
        return images[:count], None if labels is None else labels[:count]

    bound = metrics.mean_interval(likelihood.variational_bound(model, images, labels, seed))
    measured = {"bound": bound}
    for draws in DRAWS:
        counted = first(max(2, DECODED // (draws * classes)))
        tightest = likelihood.importance_weighted_bound(model, *counted, draws, seed)
        measured[f"iw_bound_{draws}"] = metrics.mean_interval(tightest)
    annealed = likelihood.annealed_bound(
        model, *first(max(2, CHAINS // classes)), steps=STEPS, seed=seed
    )
    measured["ais_bound"] = metrics.mean_interval(annealed)
    shared = min(len(annealed), len(tightest))
    measured["ais_bound_gain"] = metrics.mean_interval(annealed[:shared] - tightest[:shared])
    measured["active_units"] = likelihood.active_units(model, images, labels)
    if model.likelihood == "logistic":
        measured["bits_per_dim"] = likelihood.bits_per_dimension(bound, model.image_shape)
    return measured


# The part of a model (an endpoint's name) -> what is measured on it.
FAMILIES: dict[str, Callable[[Task], dict[str, Interval]]] = {
    "sample": sample_quality,
    "classify": classification,
    "bound": likelihood_bounds,
}


# ---- generated images --------------------------------------------------------------------------


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


# ---- arguments ----------------------------------------------------------------------------------


def _test_batches(task: Task, labelled: bool) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """The test set's images and labels in batches; only its labelled images if `labelled`."""
    if isinstance(task.data, tf.data.Dataset):
        dataset = task.data
        pairs = isinstance(dataset.element_spec, tuple) and len(dataset.element_spec) == 2
        if not pairs or dataset.cardinality() == tf.data.INFINITE_CARDINALITY:
            raise ValueError(
                "A test set must be finitely many batches (images, labels). "
                f"Received: data={dataset!r}"
            )
    else:
        dataset = datasets.load(_name(task.data), split="test", batch_size=1000)
    shape = getattr(task.model, "image_shape", None)
    empty = True
    for batch in dataset:
        images, labels = map(np.asarray, batch)
        if shape is not None and images.shape[1:] != tuple(shape):
            raise ValueError(
                f"The model reads images of shape {tuple(shape)}. "
                f"Received: images of shape {images.shape[1:]}"
            )
        kept = labels >= 0 if labelled else np.full(len(labels), True)
        if kept.any():
            empty = False
            yield images[kept], labels[kept]
    if empty:
        raise ValueError(f"A test set must hold labelled images. Received: data={task.data!r}")


def _evaluator(task: Task) -> Evaluator:
    if isinstance(task.evaluator, Evaluator):
        return task.evaluator
    if task.evaluator is None:
        return load_evaluator(find_evaluator(_name(task.data)))
    if isinstance(task.evaluator, str | os.PathLike):
        return load_evaluator(task.evaluator)
    raise TypeError(
        "evaluator must be None, the path of an evaluator's folder, or an Evaluator. "
        f"Received: evaluator={task.evaluator!r}"
    )


def _part(model, name: str) -> Callable | None:
    """The function of a zoo model's endpoint, or any other object's method, or None."""
    if hasattr(model, "endpoints"):
        function, _ = model.endpoints().get(name, (None, None))
        return function
    return getattr(model, name, None)


def _name(data) -> str:
    if isinstance(data, str):
        return data
    raise TypeError(
        "data must be a data set's name; a generator also takes any data with evaluator=, "
        f"a classifier a tf.data.Dataset. Received: data={data!r}"
    )


def _check_integer(name: str, value, low: int, high: int) -> None:
    if isinstance(value, bool) or not isinstance(value, int | np.integer):
        raise TypeError(f"{name} must be an integer. Received: {name}={value!r}")
    if not low <= value <= high:
        raise ValueError(f"{name} must lie in [{low}, {high}]. Received: {name}={value}")
