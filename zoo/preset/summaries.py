"""What lies under the names of a recipe's data, looked at before a picture is decoded."""

from typing import Any

import tfgen
from zoo import registry


def summarize(recipe: dict[str, Any], name: str) -> list[tfgen.data.Summary]:
    """Summaries of a recipe's data sets.

    Args:
        recipe: an entry of `zoo.RECIPES`, or a dictionary like it.
        name: of the recipe, for the error.

    Raises:
        ValueError: the recipe learns from labels, and its data have no classes.
    """
    data, build = recipe["data"], recipe["build"]
    conditional = build.get("conditional") or build.get("semi_supervised")
    if conditional or registry.model_class(recipe["model"]).needs_labels:
        # Its shape does not matter, and with a geometry no picture is opened.
        tfgen.data.require_classes(tfgen.data.info(data["name"], size=1, channels=1), name)
    geometry = {key: data[key] for key in ("size", "channels") if key in data}
    names = [data[key] for key in ("name", "target") if key in data]
    return [tfgen.data.summary(name, **geometry) for name in names]
