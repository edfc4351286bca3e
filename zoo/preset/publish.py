"""Publish a finished run as a preset: weights, SavedModel, picture, card and page.

A preset's folder holds

    model.keras     without optimizer slots, theta at its average
    1/              the SavedModel, in TensorFlow Serving's layout
    reference.npz   of classifiers: their measurements of the real test set
    samples.png
    card.json       and README.md, made from it
"""

import hashlib
import inspect
import os
import re
import shlex
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf

import tfgen
from tfgen.atomic import replace_folder, write_json
from tfgen.drawing import pictures
from tfgen.evaluation import capabilities
from tfgen.evaluation.context import EvaluationContext
from tfgen.evaluation.evaluator import find_evaluator, load_evaluator, reference, save_reference
from tfgen.paper import table
from tfgen.saved_model import min_runtime
from zoo.preset import calibrate, lookup, paper
from zoo.preset.cards import Card
from zoo.preset.load import own_root
from zoo.preset.page import page
from zoo.preset.run import Record, Run
from zoo.recipes import evaluation_data, test_set

EVALUATION_SEED = 0
MOST_GAUSSIANS, IMAGES_OF_A_GAUSSIAN = 50, 100  # components of the second sampler, over all classes


def publish(
    run: str | Path,
    name: str,
    root: str | Path | None = None,
    *,
    samples: int = 10_000,
    evaluator: str | Path | None = None,
    overwrite: bool = False,
) -> Path:
    """Turn a finished run's folder into the preset `root/name`, which appears whole or not at all.

    Args:
        run: Folder of a run of `zoo.preset.train.train`.
        name: Name of the preset: small letters, digits and underscores, as in "iwgan_mnist".
        root: Folder of the presets; None for the folder that `zoo.load` searches, see `own_root`.
        samples: Number of generated images to score.
        evaluator: Folder of the evaluator that scores them; None for an evaluator of the same data in
            `root`, or else the data set's own.
        overwrite: Whether to replace a preset of this name.

    Returns:
        Folder of the preset.

    Raises:
        FileExistsError: There is a preset of this name.
        FileNotFoundError: The folder holds no run, or its data set has no evaluator.
        ValueError: The run is not finished, or the name breaks the rule.
    """
    root = own_root() if root is None else Path(root)
    check_name(name)
    target = root / name
    check_free(target, overwrite)
    finished = Run(run)
    model = finished.model().release()
    data, seed = finished.record.recipe["data"], finished.record.seed
    if "sample" in model.endpoints() and evaluator is None:
        evaluator = find_evaluator(data["name"], root)
    with replace_folder(target) as folder:
        found = write_files(folder, model, data, samples, evaluator, seed)
        write_card(folder, _card(name, finished, found))
    return target


def check_name(name: str) -> None:
    """Check the name of a preset.

    Raises:
        ValueError: The name breaks the rule.
    """
    if not re.fullmatch("[a-z][a-z0-9_]*", name):
        raise ValueError(
            "A preset's name must consist of small letters, digits and underscores. "
            f"Received: name={name!r}"
        )


def check_free(folder: Path, overwrite: bool) -> None:
    """Check that a preset's folder does not exist, or may be replaced.

    Raises:
        FileExistsError: The folder exists.
    """
    if folder.exists() and not overwrite:
        raise FileExistsError(
            "A preset is replaced only by overwriting (--overwrite, overwrite=True). "
            f"Received: {str(folder)!r}"
        )


def write_files(
    folder: Path,
    model: tfgen.Unified,
    data: dict[str, Any],
    samples: int,
    evaluator: str | os.PathLike | None,
    seed: int,
) -> dict[str, Any]:
    """Write all files of a preset except its card and page.

    Args:
        folder: Empty folder of the preset.
        model: Released model, whose discriminator is calibrated here.
        data: Data of its recipe.
        samples: Number of generated images to score.
        evaluator: Folder of the evaluator that scores them; None for a model without samples.
        seed: Seed of the second sampler's mixture.

    Returns:
        Entries of the card on the model, its data, its scores and these files.
    """
    capability = capabilities.main_capability(model.endpoints())
    if hasattr(model, "fit_sampler"):
        fit_sampler(model, data, seed)
    calibrate.calibrate(model, data)
    model.save(folder / "model.keras")
    tfgen.export(model, folder / "1")
    if "features" in model.endpoints():
        _write_reference(folder, data)
    tested = evaluation_data(data, model.endpoints())
    context = EvaluationContext(model, tested, samples, evaluator, EVALUATION_SEED)
    draw: Any = capability.draw
    pictures.save(draw(context), folder / "samples.png")
    evaluation = {"seed": EVALUATION_SEED, "metrics": tfgen.evaluate(**vars(context))}
    if evaluator is not None:
        evaluation |= {"evaluator": Path(evaluator).name, "samples": samples}
    judges = "discriminate" in model.endpoints()
    return {
        **facts(model),
        "data": _data_facts(data),
        "evaluation": evaluation,
        "min_runtime": min_runtime(folder / "1"),
        "discriminator": calibrate.accuracy(model, data) if judges else None,
        **checksums(folder),
    }


def commands(record: Record, name: str) -> list[str]:
    """Return the command lines that train and publish a run again.

    Args:
        record: Record of the run.
        name: Name of the preset.
    """
    data, training = record.recipe["data"], record.recipe["training"]
    changes = lookup.changes_of(record.name, record.recipe)
    words = ["tfgen", "train"]
    if changes is None:
        words += ["--from", name]
    else:
        words += [record.name, "--data", data["name"], "--epochs", training["epochs"]]
        for change in changes:
            if not change.startswith(("data.name=", "training.epochs=")):
                words += ["--set", change]
    words += ["--seed", record.seed]
    words += [] if record.init is None else ["--init", record.init]
    words += ["--out", f"runs/{name}"] + ["--bfloat16"] * record.bfloat16
    publishing = ["tfgen", "publish", f"runs/{name}", "--name", name]
    return [shlex.join(map(str, line)) for line in (words, publishing)]


def write_card(folder: Path, card: Card) -> None:
    """Write a preset's `card.json` and the page made from it."""
    write_json(folder / "card.json", card.to_dict())
    (folder / "README.md").write_text(page(card))


def facts(model: tfgen.Unified) -> dict[str, Any]:
    """Return the entries of a card on the model."""
    row = model.table_row
    return {
        "model": type(model).__name__,
        "equation": _equation(model),
        "table_row": list(row) if isinstance(row, tuple) else row,
        "image_shape": list(model.image_shape),
        "num_classes": model.num_classes,
        "parameters": {name: network.count_params() for name, network in model.players.items()},
        "endpoints": list(model.endpoints()),
    }


def _equation(model):
    """Return the model's rows of Table 1, or the first line of its class if it has none."""
    rows = table.find_rows(model.table_row)
    if not rows:
        return (inspect.getdoc(type(model)) or "").splitlines()[0]
    names = " and ".join(row.name for row in rows)
    return f"{names}, {'; '.join(dict.fromkeys(row.equations for row in rows))}"


def _card(name, run: Run, found: dict[str, Any]) -> Card:
    record, history = run.record, run.history
    return Card(
        name=name,
        description=record.recipe["description"],
        recipe=record.recipe,
        seed=record.seed,
        init=record.init,
        bfloat16=record.bfloat16,
        commands=commands(record, name),
        epochs=len(history),
        best_epoch=run.best_epoch,
        wall_seconds=round(sum(epoch["seconds"] for epoch in history), 1),
        machine=record.machine,
        versions=record.versions,
        paper=paper.numbers(record.recipe),
        **found,
    )


def _data_facts(data):
    """Return the entries of a card on the data of a recipe."""
    geometry = {key: data[key] for key in ("name", "size", "channels") if key in data}
    info = tfgen.data.info(**geometry)
    return {
        "name": info.name,
        "splits": info.splits,
        "class_names": list(info.class_names),
        **_target(data),
    }


def checksums(folder: Path) -> dict[str, Any]:
    """Return checksums and size of a preset's files, except the card and the page."""
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    files = [path for path in files if path.name not in ("card.json", "README.md")]
    return {
        "sha256": {path.relative_to(folder).as_posix(): _sha256(path) for path in files},
        "bytes": sum(path.stat().st_size for path in files),
    }


def fit_sampler(model: Any, data: dict[str, Any], seed: int) -> None:
    """Fit the second sampler of a likelihood model to the training images of its recipe."""
    kept = ("name", "split", "fraction", "labelled", "size", "channels", "pad")
    images, labels = tfgen.data.arrays(**{k: data[k] for k in kept if k in data}, seed=seed)
    components = max(1, min(MOST_GAUSSIANS, len(images) // IMAGES_OF_A_GAUSSIAN))
    classes = model.num_classes if model.conditional else 1
    model.fit_sampler(images.astype(np.float32) / 255, labels, max(1, components // classes))


def _target(data):
    """Return the second data set of a model of two domains, as an entry of the card."""
    return {"target": data["target"]} if "target" in data else {}


def _sha256(path):
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _write_reference(folder, data):
    geometry = {key: data[key] for key in ("size", "channels", "pad") if key in data}
    images, labels = tfgen.data.arrays(test_set(data), "test", **geometry)
    module = tf.saved_model.load(str(folder / "1"))
    scaled = images.astype(np.float32) / 255.0
    save_reference(folder, reference(module.signatures["features"], scaled, labels))
    load_evaluator(folder)
