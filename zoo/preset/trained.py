"""Publish a model that was trained in Python, by `fit`, without the folder of a run."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import tfgen
from tfgen.atomic import replace_folder
from tfgen.data import naming
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

    Theta is the average, if the model keeps one, and a discriminator is calibrated on training images by
    `zoo.preset.calibrate`. The folder appears whole or not at all. `zoo.load` and the commands find it by
    its path, and by its name if it is in the folder `presets` of TFGEN_HOME.

    Args:
        model: Trained model of a class in `zoo.MODELS`.
        folder: Folder of the preset; its name is the preset's.
        data: Name or folder of the data set that the model learned from and is scored on, or a recipe's
            `data` (name, target, fraction, ...).
        evaluator: Folder of the evaluator that scores samples; None for an evaluator of the same data
            beside `folder`, or else the data set's own.
        samples: Number of generated images to score.
        description: One line; by default the class and the data.
        overwrite: Whether to replace an older `folder`.

    Returns:
        Folder of the preset.

    Raises:
        FileExistsError: The folder exists.
        FileNotFoundError: The data set or its evaluator is missing.
        TypeError: The model is not one of the zoo.
        ValueError: The name breaks the rule, or the shape of the data is not the model's.

    Examples:
        >>> import tempfile, tfgen, zoo
        >>> model = zoo.ResNet.build_networks((8, 8, 1), 10, width=4, blocks=1)
        >>> model.compile("adam")
        >>> history = model.fit(tfgen.data.load("digits"), verbose=0)
        >>> images = tfgen.data.arrays("digits", "test[:2]")[0].astype("float32") / 255
        >>> with tempfile.TemporaryDirectory() as root:
        ...     folder = zoo.publish(model, f"{root}/resnet_small", data="digits")
        ...     print(zoo.card(folder)["description"])
        ...     print(zoo.load(folder).predict(images, verbose=0).shape)
        ResNet, on digits
        (2, 10)
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
    """Return a recipe's `data`, with the size and channels of the model."""
    given = dict(data) if isinstance(data, Mapping) else {"name": data}
    given |= {key: naming.absolute(given[key]) for key in ("name", "target") if key in given}
    height, _, channels = model.image_shape
    if tfgen.data.info(given["name"]).shape != model.image_shape:
        given = {"size": height, "channels": channels, **given}
    return given
