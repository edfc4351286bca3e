"""Find a recipe by name, file or preset, before TensorFlow is imported."""

import contextlib
import difflib
from pathlib import Path
from typing import Any

from tfgen import untrusted
from zoo import registry
from zoo.preset.load import locate
from zoo.recipes import reading


def find_recipe(name: str) -> reading.Recipe:
    """Return the recipe of this name.

    Raises:
        ValueError: There is none; the message names the nearest.
    """
    recipes = registry.recipes()
    if name not in recipes:
        nearest = difflib.get_close_matches(name, recipes, n=1, cutoff=0)
        raise ValueError(
            f"A recipe must be one of zoo.RECIPES; the nearest is {nearest[0]!r}. "
            f"Received: {name!r}"
        )
    return recipes[name]


def replay_arguments(source: str) -> dict[str, Any]:
    """Return the arguments of `zoo.preset.train.train` that train a preset or a run again.

    Args:
        source: Name of a preset, folder with card.json or run.json, or such a file.

    Raises:
        FileNotFoundError: There is no such preset, folder or file.
        ValueError: The file holds no recipe.
    """
    path = _find_record(source)
    recipe = reading.read(path)
    found = untrusted.read_document(path)
    arguments = {key: found[key] for key in ("seed", "init", "bfloat16") if key in found}
    changes = changes_of(found.get("name"), recipe)
    if changes is None:
        return {"recipe": recipe, **arguments}
    return {"recipe": found["name"], "changes": changes, **arguments}


def changes_of(name: str | None, recipe: reading.Recipe) -> list[str] | None:
    """Return the changes that turn the named recipe into `recipe`; None if there are none."""
    if name not in (recipes := registry.recipes()):
        return None
    try:
        return reading.find_changes(recipe, recipes[name])
    except ValueError:
        return None


def _find_record(source: str) -> Path:
    path = Path(source)
    with contextlib.suppress(OSError):  # a name longer than a file's may be
        if path.suffix == ".json" and path.is_file():
            return path
        if (path / "run.json").is_file():
            return path / "run.json"
    folder = locate(source)
    if not folder.is_dir():
        raise FileNotFoundError(f"A model file alone has no recipe. Received: {source!r}")
    return folder / "card.json"
