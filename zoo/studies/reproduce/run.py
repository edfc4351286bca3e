"""One run of a cell for `python -m zoo.studies.reproduce`: train, score, append the record."""

import datetime
import hashlib
import math
import os
import shutil
import threading
import time
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf

import tfgen
from tfgen.evaluation import likelihood, metrics
from zoo.preset import train as training
from zoo.preset.provenance import machine, versions
from zoo.preset.run import Run
from zoo.studies.reproduce import controls, records
from zoo.studies.reproduce.cells import SAMPLERS, Cell, cells

SAMPLES = 50_000  # with 10,000, sampling noise in the scores is as large as the paper's effect
SCORING_SEED = 0
DECIMALS = 6
CHECKPOINTS = (
    15  # checkpoints of a run, at most: with the shortest epochs they take half of the time
)


def run(cell: Cell, arm: str, seed: int, scale: str, folder: Path, samples: int = SAMPLES) -> None:
    """Train and score one arm with one seed, and append the record.

    Args:
        cell: Cell of the run.
        arm: Name of one of its arms.
        seed: Seed of subset, order, noise and starting weights.
        scale: Scale of the cell.
        folder: Folder of all runs and their records.
        samples: Number of generated images to score.

    Raises:
        ValueError: The run does not pair with those that this machine, with these versions, recorded with
            its seed, see `records.check_pair`, or a score is not finite.
    """
    controls.register()
    recipe = cell.arms[arm]
    record = {
        "cell": cell.name,
        "arm": arm,
        "seed": seed,
        "scale": scale,
        "recipe": recipe,
        "start": starting_weights(recipe, seed),
        "data": training_data(recipe["data"], seed),
    }
    known = records.read(folder / "records", cell.name)
    pairs = records.by_place(r for r in known if r["scale"] == scale).get(seed, {})
    here = records.place(machine(), versions())
    records.check_pair([*pairs.get(here, {}).values(), record])  # before the first step

    out = folder / "runs" / f"{cell.name}-{list(cell.arms).index(arm)}-{seed}-{scale}"
    every = math.ceil(recipe["training"]["epochs"] / CHECKPOINTS)
    model = training.train(recipe, out, seed=seed, resume=True, every=every, verbose=0)
    run = Run(out)
    ended = datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds")
    record |= {
        "steps": int(model.steps),
        "seconds": round(sum(epoch["seconds"] for epoch in run.history), 1),
        "scores": {key: round(v, DECIMALS) for key, v in scores(model, recipe, samples).items()},
        "machine": run.record.machine,
        "versions": run.record.versions,
        "ended": ended,
    }
    records.append(folder / "records", record)
    shutil.rmtree(out)


def starting_weights(recipe: dict[str, Any], seed: int) -> dict[str, str]:
    """Return {player: sha256 of its weights before the first step}."""
    model = training.fresh_model(recipe, seed, batches=1)
    return {
        name: _sha256(*network.get_weights()) if network.weights else ""
        for name, network in model.players.items()
    }


def training_data(data: dict[str, Any], seed: int) -> str:
    """Return the sha256 of the labelled training images and their labels."""
    kept = {key: data[key] for key in ("name", "fraction", "labelled") if key in data}
    images, labels = tfgen.data.arrays(**kept, seed=seed)
    return _sha256(images[labels >= 0], labels[labels >= 0])


def scores(model: Any, recipe: dict[str, Any], samples: int) -> dict[str, float]:
    """Return the scores of a trained model on the test split; those of theta's average have "average_"."""
    data = recipe["data"]["name"]
    if recipe["model"] in SAMPLERS:
        last = _samples(without_average(model), data, samples)
        mean = _samples(model, data, samples)
        return {**last, **{f"average_{key}": value for key, value in mean.items()}}
    images, labels = tfgen.data.arrays(data, "test")
    gray = images.astype(np.float32) / 255
    binary = likelihood.prepare_images("bernoulli", gray)
    found = {}
    if "bound" in model.endpoints():
        read = labels if model.conditional and not model.unlabelled else None
        bounds = likelihood.variational_bound(model, binary, read, SCORING_SEED)
        found["bound"] = float(bounds.mean())
    if "classify" in model.endpoints():
        for name, given in {"accuracy": gray, "accuracy_binary": binary}.items():
            found[name] = metrics.accuracy(model.predict(given, verbose=0), labels)
    return found


def without_average(model: Any) -> Any:
    """Return the model with theta in the place of its average."""
    bare = type(model).from_config({**model.get_config(), "average": None})
    for name, network in model.players.items():
        bare.players[name].set_weights(network.get_weights())
    return bare


def _samples(model, data, samples):
    measured = tfgen.evaluate(model, data, samples, seed=SCORING_SEED)
    kept = ("inception_score_ratio", "fid", "precision", "recall", "conditional_accuracy")
    return {name: measured[name]["value"] for name in kept if name in measured}


def _end_with(parent):
    """End this process, whose checkpoints are whole at any time, once its parent has ended."""
    while os.getppid() == parent:
        time.sleep(1)
    os._exit(1)


def _sha256(*arrays):
    digest = hashlib.sha256()
    for array in arrays:
        digest.update(np.ascontiguousarray(array).tobytes())
    return digest.hexdigest()


def main(
    cell: str, arm: str, seed: str, scale: str, folder: str, parent: str | None = None
) -> None:
    """Do the run that the command line names; end with the process `parent`, if it is given."""
    if parent is not None:
        threading.Thread(target=_end_with, args=(int(parent),), daemon=True).start()
    tf.config.experimental.enable_op_determinism()
    keras.config.set_dtype_policy("float32")
    run(cells(scale)[cell], arm, int(seed), scale, Path(folder))
