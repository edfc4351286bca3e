"""Runs of the study: train ADA, and score it after every epoch by validators and by the target's labels."""

import itertools
import time
from collections.abc import Iterator
from typing import Any, NamedTuple

import keras
import numpy as np

import tfgen
import zoo
from tfgen.data.mixed import mixed_batches
from tfgen.evaluation import metrics, validators
from zoo.preset.provenance import machine

WEIGHTS = (0.1, 0.3, 1.0)  # lambda of the adversarial term
SOURCE_ONLY = 0.0
EVERY_WEIGHT = (SOURCE_ONLY, *WEIGHTS)


class Setting(NamedTuple):
    """A recipe of ADA and what its runs share: the largest shift in pixels, numbers of epochs and seeds."""

    recipe: str
    shift: int
    epochs: int
    seeds: int

    def runs(self, runs: list[dict[str, Any]]) -> list[dict[str, Any]]:
        """Return its runs among the recorded ones."""
        return [r for r in runs if (r["recipe"], r["shift"]) == (self.recipe, self.shift)]


RANKED = Setting("ada_mnist_mnist_m", 0, 8, 2)  # where the target's labels rank the validators
PLAIN = (Setting("ada_mnist_usps", 0, 8, 5), Setting("ada_usps_mnist", 0, 8, 5))
SHIFTED = (Setting("ada_mnist_usps", 2, 6, 5), Setting("ada_usps_mnist", 2, 6, 5))
HELD = 2_000  # number of images of each domain that validators read
VALIDATORS = {
    "importance-weighted accuracy": "Sugiyama et al. (2007)",
    "soft neighborhood density": "Saito et al. (2021)",
    "batch nuclear norm": "Cui et al. (2020)",
    "information maximization": "Krause et al. (2010)",
}


class Domains(NamedTuple):
    """Images uint8 (n, h, w, c) and labels int32 (n,) of the source and the target of a run."""

    source: tuple[np.ndarray, np.ndarray]
    held: tuple[np.ndarray, np.ndarray]  # of the source, for validators
    target: np.ndarray
    test: tuple[np.ndarray, np.ndarray]  # of the target


def domains(data: dict[str, Any], seed: int) -> Domains:
    """Return the images of a recipe's `data`; the seed draws the source's images that are held out."""
    geometry = _geometry(data)
    images, labels = tfgen.data.arrays(data["name"], "train", **geometry)
    order = np.random.default_rng(seed).permutation(len(images))
    held, kept = order[:HELD], np.sort(order[HELD:])
    target, _ = tfgen.data.arrays(data["target"], "train", **geometry)
    test = tfgen.data.arrays(data["target"], "test", **geometry)
    return Domains((images[kept], labels[kept]), (images[held], labels[held]), target, test)


def scores(model: zoo.ADA, given: Domains) -> dict[str, float]:
    """Return the value of each validator, and the model's "accuracy" on the target's test split."""
    (images, labels), target = given.held, given.target[:HELD]
    probabilities = model.predict(_scale(target), verbose=0)
    correct = model.predict(_scale(images), verbose=0).argmax(axis=1) == labels
    features = model.theta.predict(_scale(images), verbose=0)
    source_odds = model.phi.predict(features, verbose=0).astype(np.float64).reshape(-1)
    found = (
        validators.importance_weighted_accuracy(correct, -source_odds),
        validators.soft_neighborhood_density(probabilities),
        validators.batch_nuclear_norm(probabilities),
        validators.information_maximization(probabilities),
    )
    test_images, test_labels = given.test
    accuracy = metrics.accuracy(model.predict(_scale(test_images), verbose=0), test_labels)
    return {**dict(zip(VALIDATORS, found, strict=True)), "accuracy": accuracy}


def run(setting: Setting, weight: float, seed: int) -> dict[str, Any]:
    """Train a recipe with a weight of its adversarial term, and score it after every epoch.

    Args:
        setting: Recipe, shift and number of epochs on the larger domain.
        weight: Final lambda, reached at the end of training.
        seed: Seed of weights, order, shifts and the images held out.
    """
    recipe, epochs = zoo.RECIPES[setting.recipe], setting.epochs
    given = domains(recipe["data"], seed)
    size = recipe["training"]["batch_size"]
    batches = mixed_batches(*given.source, given.target, size, seed, shift=setting.shift)
    steps = len(batches) * epochs
    build = {**recipe["build"], "adversarial_weight": weight, "ramp": steps}
    training = {**recipe["training"], "epochs": epochs}
    recipe = {**recipe, "build": build, "training": training}
    keras.utils.set_random_seed(seed)
    info = tfgen.data.info(recipe["data"]["name"], **_geometry(recipe["data"]))
    model = zoo.build(recipe, info, seed=seed, batches=len(batches))
    began, history = time.perf_counter(), []
    for epoch in range(epochs):
        model.fit(batches, initial_epoch=epoch, epochs=epoch + 1, verbose=0)
        history.append({key: round(v, 6) for key, v in scores(model, given).items()})
    return {
        "recipe": setting.recipe,
        "shift": setting.shift,
        "weight": weight,
        "seed": seed,
        "epochs": history,
        "seconds": round(time.perf_counter() - began, 1),
        "machine": machine(),
    }


def pending(runs: list[dict[str, Any]]) -> Iterator[tuple[Setting, float, int]]:
    """Return the runs that are not recorded; those that rank the validators come first."""
    recorded = {(r["recipe"], r["shift"], r["weight"], r["seed"]) for r in runs}
    for settings, weights in (((RANKED,), WEIGHTS), ((*PLAIN, *SHIFTED), EVERY_WEIGHT)):
        for seed in range(max(setting.seeds for setting in settings)):
            for setting, weight in itertools.product(settings, weights):
                key = setting.recipe, setting.shift, weight, seed
                if seed < setting.seeds and key not in recorded:
                    yield setting, weight, seed


def _geometry(data):
    return {key: data[key] for key in ("size", "channels") if key in data}


def _scale(images):
    return images.astype(np.float32) / 255
