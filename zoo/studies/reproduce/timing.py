"""Hours of runs from a timed training step, before anything starts."""

import collections
import json
import time
from typing import Any

import keras
import numpy as np

import tfgen
from zoo.preset import train as training
from zoo.studies.reproduce import controls
from zoo.studies.reproduce.cells import TRAINING_IMAGES
from zoo.studies.reproduce.plan import Run

BATCHES = 32  # timed after as many untimed ones: a multiple of the steps between returns to Python
_INDIFFERENT = ("temperature", "alpha")  # arguments without effect on the time of a step


def hours(runs: list[Run]) -> dict[tuple[str, str], tuple[int, int, float]]:
    """Return the training time of runs, without their scoring.

    Returns:
        {(cell, arm): (number of runs, steps per run, hours of all runs)}.
    """
    controls.register()
    seconds: dict[str, float] = {}
    found = {}
    counts = collections.Counter((run.cell.name, run.arm) for run in runs)
    recipes = {(run.cell.name, run.arm): run.cell.arms[run.arm] for run in runs}
    for part, recipe in recipes.items():
        key = _key(recipe)
        if key not in seconds:
            seconds[key] = step_seconds(recipe)
        steps = steps_of(recipe)
        found[part] = (counts[part], steps, counts[part] * steps * seconds[key] / 3600)
    return found


def steps_of(recipe: dict[str, Any]) -> int:
    """Return the number of steps of a whole run."""
    data, settings = recipe["data"], recipe["training"]
    images = round(TRAINING_IMAGES[data["name"]] * data.get("fraction", 1.0))
    return -(-images // settings["batch_size"]) * settings["epochs"]


def step_seconds(recipe: dict[str, Any]) -> float:
    """Return the wall time of a training step on random images, after a warm-up."""
    size = recipe["training"]["batch_size"] * BATCHES
    info: Any = tfgen.data.info(recipe["data"]["name"])
    rng = np.random.default_rng(0)
    images = rng.integers(2, size=(size, *info.shape)).astype(np.float32)
    labels = rng.integers(info.num_classes, size=size)
    model = training.fresh_model(recipe, 0, BATCHES)
    for _ in range(2):
        began = time.perf_counter()
        model.fit(images, labels, batch_size=recipe["training"]["batch_size"], verbose=0)
    taken = time.perf_counter() - began
    keras.backend.clear_session()
    return taken / BATCHES


def _key(recipe):
    build = {key: value for key, value in recipe["build"].items() if key not in _INDIFFERENT}
    return json.dumps([recipe["model"], recipe["data"]["name"], build], sort_keys=True)
