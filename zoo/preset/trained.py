"""Publishes a model that was trained in Python, by `fit`, without a run's folder."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import tfgen
from tfgen.atomic import replace_folder
from tfgen.evaluation.evaluator import find_evaluator
from zoo.preset import publish as publishing
from zoo.preset.cards import Card
from zoo.preset.provenance import machine, versions


def publish(
    model: tfgen.Unified,
    folder: str | os.PathLike,
    *,
    data: str | os.PathLike | Mapping[str, Any],
    evaluator: str | os.PathLike | None = None,
    samples: int = 10_000,
    description: str | None = None,
    overwrite: bool = False,
) -> Path:
    """Write a model as a preset: weights, SavedModel, picture, scores, card and page.

    Theta is the average, if the model keeps one, and a discriminator is calibrated on training images as
    `zoo.preset.calibrate` says. The folder appears whole or not at all. `zoo.load` and the commands take it
    by its path, and by its name if it lies in the folder `presets` of TFGEN_HOME.

    Args:
        model: A trained model of the zoo or of a class that `zoo.MODELS` lists.
        folder: Folder of the preset; its name is the preset's.
        data: Name or folder of the data set that the model learned from and is scored on, or a recipe's
            `data` (name, target, fraction, ...).
        evaluator: Folder of the evaluator that scores samples; None takes one of the same data beside
            `folder`, or the data set's own.
        samples: Number of generated images that are scored.
        description: One line; by default the class and the data.
        overwrite: Replace what is in `folder`.

    Returns:
        The preset's folder.

    Raises:
        FileExistsError: There is such a folder.
        FileNotFoundError: No evaluator for the data set, or not the data.
        TypeError: The model is not one of the zoo.
        ValueError: The name breaks the rule, or the data have another shape than the model.
    """
    folder = Path(folder)
    publishing.check_name(folder.name)
    publishing.check_free(folder, overwrite)
    if not isinstance(model, tfgen.Unified):
        raise TypeError(f"Only a model of the zoo can be published. Received: model={model!r:.80}")
    data = _data_of(model, data)
    released = model.release()
    if "sample" in released.endpoints() and evaluator is None:
        evaluator = find_evaluator(data["name"], folder.parent)
    epochs = int(model.epochs.numpy())
    with replace_folder(folder) as aside:
        found = publishing.write_files(aside, released, data, samples, evaluator, model.seed)
        kind = type(model).__name__
        card = Card(
            name=folder.name,
            description=description or f"{kind}, on {Path(data['name']).name}",
            recipe={
                "model": kind,
                "data": data,
                "build": {},
                "training": {"epochs": epochs, "steps": int(model.steps.numpy())},
            },
            seed=model.seed,
            commands=[],
            epochs=epochs,
            machine=machine(),
            versions=versions(),
            **found,
        )
        publishing.write_card(aside, card)
    return folder


def _data_of(model, data) -> dict[str, Any]:
    """A recipe's `data`, with what brings the images to the model's shape."""
    given = dict(data) if isinstance(data, Mapping) else {"name": data}
    name = os.fspath(given["name"])
    given["name"] = str(Path(name).expanduser().resolve()) if Path(name).is_dir() else name
    height, _, channels = model.image_shape
    if tfgen.data.info(given["name"]).shape != model.image_shape:
        given = {"size": height, "channels": channels, **given}
    return given
