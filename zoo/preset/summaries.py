"""Summaries of a recipe's data sets, made before a picture is decoded."""

from typing import Any

import tfgen
from zoo import registry
from zoo.recipes import LEARN_FROM_LABELS


def notes(recipe: dict[str, Any], name: str) -> list[str]:
    """Return decisions about the splits of a recipe's folders, from names alone, without TensorFlow.

    Args:
        recipe: Entry of `zoo.RECIPES`, or a dictionary like it.
        name: Name of the recipe, for the error.

    Raises:
        ValueError: A folder holds no pictures, or has no classes though the recipe learns from labels.
    """
    from tfgen.data.layout import layout, require_class_folders
    from tfgen.data.naming import is_folder

    data, told = recipe["data"], []
    for key in ("name", "target"):
        if isinstance(data.get(key), str) and is_folder(data[key]):
            folder = layout(data[key])
            if key == "name" and _learns_from_labels(recipe):
                count = sum(map(len, folder.splits.values()))
                require_class_folders(data[key], folder.class_names, count, name)
            told += folder.notes
    return told


def _learns_from_labels(recipe):
    build = recipe["build"]
    conditional = build.get("conditional") or build.get("semi_supervised")
    return conditional or recipe["model"] in LEARN_FROM_LABELS


def summarize(recipe: dict[str, Any], name: str) -> "list[tfgen.data.Summary]":
    """Return summaries of a recipe's data sets.

    Args:
        recipe: Entry of `zoo.RECIPES`, or a dictionary like it.
        name: Name of the recipe, for the error.

    Raises:
        ValueError: The recipe learns from labels, and its data have no classes.
    """
    data = recipe["data"]
    if _learns_from_labels(recipe) or registry.model_class(recipe["model"]).needs_labels:
        # Its shape does not matter, and with a geometry no picture is opened.
        tfgen.data.require_classes(tfgen.data.info(data["name"], size=1, channels=1), name)
    geometry = {key: data[key] for key in ("size", "channels") if key in data}
    names = [data[key] for key in ("name", "target") if key in data]
    return [tfgen.data.summary(name, **geometry) for name in names]
