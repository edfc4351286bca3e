"""Recipes from files, changes by name, and the rules of recipes, without heavy imports."""

import json
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from tfgen import old_names, untrusted

Recipe = dict[str, Any]

REQUIRED = {"model": str, "data": dict, "build": dict, "training": dict}
SECTIONS = ("data", "build", "training")
RANGES = {  # of `training`: type, lowest, highest
    "epochs": (int, 1, 100_000),
    "batch_size": (int, 1, 1_000_000),
    "learning_rate": (float, 1e-12, 1e3),
    "beta_1": (float, 0, 1 - 1e-9),
    "momentum": (float, 0, 1 - 1e-9),
    "weight_decay": (float, 0, 1e3),
    "patience": (int, 1, 100_000),
}
NAMES = ("decay", "optimizer")  # of `training`
OPTIMIZERS = {  # and the keys that each needs
    "adam": ("beta_1",),
    "sgd": ("momentum", "weight_decay"),
}
RATES = "rates"


def read(path: str | Path) -> Recipe:
    """Read a recipe from a JSON file: a recipe itself, a run's `run.json` or a preset's `card.json`.

    Raises:
        ValueError: The file holds no recipe.
        OSError: The file cannot be read.
    """
    try:
        found = untrusted.read_document(Path(path))
        found = old_names.renew(found.get("recipe", found))
    except ValueError as error:
        raise ValueError(f"A recipe must be a JSON object. Received: {path}, {error}") from error
    try:
        check(found)
    except ValueError as error:
        raise ValueError(f"{error} in {path}") from error
    return found


def apply_changes(recipe: Recipe, assignments: Iterable[str]) -> Recipe:
    """Return a copy of a recipe with other values; the description names its data set.

    Args:
        recipe: Recipe to change.
        assignments: Changes such as "training.epochs=3"; a value is JSON, or else the text itself. Without
            a value, as in "training.patience=", the key is removed.

    Raises:
        ValueError: An assignment has another form, or a value breaks a rule.
    """
    recipe, before = old_names.renew(recipe), recipe["data"]["name"]
    for assignment in assignments:
        path, equals, text = assignment.partition("=")
        section, _, key = path.partition(".")
        if not equals or section not in SECTIONS or not key.isidentifier():
            raise ValueError(
                "A change must have the form data.KEY=VALUE, build.KEY=VALUE or "
                f"training.KEY=VALUE. Received: {assignment!r}"
            )
        change = old_names.renew({key: _value(text)})
        if text:
            recipe[section] |= change
        elif change.keys() <= recipe[section].keys():
            recipe[section] = {k: v for k, v in recipe[section].items() if k not in change}
        else:
            raise ValueError(f"A key to remove must be one of the recipe. Received: {assignment!r}")
    check(recipe)
    if recipe["data"]["name"] != before and "description" in recipe:
        # "..., on MNIST, ..." says what it learned from.
        title = Path(recipe["data"]["name"]).name
        recipe["description"] = re.sub(r"\bon [^,]*", f"on {title}", recipe["description"], count=1)
    return recipe


def find_changes(recipe: Recipe, original: Recipe) -> list[str]:
    """Return the assignments that turn `original` into `recipe`, see `apply_changes`.

    Raises:
        ValueError: There are none, since the model differs.
    """
    assignments = []
    for section in SECTIONS:
        assignments += [
            f"{section}.{key}=" for key in original[section] if key not in recipe[section]
        ]
        for key, value in recipe[section].items():
            if key not in original[section] or original[section][key] != value:
                assignments.append(f"{section}.{key}={json.dumps(value)}")
    if apply_changes(original, assignments) != recipe:
        raise ValueError(f"Only data, build and training can be changed. Received: {recipe}")
    return assignments


def check(recipe: Any) -> None:
    """Check a recipe's keys against those in `zoo.recipes`, and the ranges of its training.

    Raises:
        ValueError: A key is missing, unknown or of another type, or a number is out of range.
    """
    if not isinstance(recipe, dict):
        raise ValueError(f"A recipe must be an object. Received: {recipe!r:.80}")
    for key, kind in REQUIRED.items():
        if not isinstance(recipe.get(key), kind):
            raise ValueError(
                f"A recipe must have {key!r}, a {kind.__name__}. Received: {recipe.get(key)!r:.80}"
            )
    if not isinstance(recipe.get("description", ""), str):
        raise ValueError(
            f"A recipe's description must be a str. Received: {recipe['description']!r:.80}"
        )
    if not isinstance(recipe["data"].get("name"), str):
        raise ValueError(
            f"A recipe's data must have a name. Received: {recipe['data'].get('name')!r:.80}"
        )
    training = recipe["training"]
    for key in {"epochs", "batch_size", "learning_rate", "decay", *training}:
        if key in RANGES:
            check_number(f"training.{key}", training.get(key), *RANGES[key])
        elif key == RATES and isinstance(training[key], dict):
            for player, rate in training[key].items():
                check_number(f"training.{key}.{player}", rate, *RANGES["learning_rate"])
        elif key not in NAMES or not isinstance(training.get(key), str | None):
            raise ValueError(
                f"training has the keys {', '.join([*RANGES, RATES, *NAMES])}. "
                f"Received: {key}={training.get(key)!r:.80}"
            )
    optimizer = training.get("optimizer", "adam")
    if optimizer not in OPTIMIZERS:
        raise ValueError(
            f"optimizer must be one of {', '.join(OPTIMIZERS)}. Received: optimizer={optimizer!r}"
        )
    for key in OPTIMIZERS[optimizer]:
        if key not in training:
            raise ValueError(
                f"training with the optimizer {optimizer!r} must have {key}. "
                f"Received: {', '.join(training)}"
            )


def check_number(name: str, value: Any, kind: type, low: float, high: float) -> None:
    """Check that a value is a number of a kind, int or float, from `low` to `high`.

    Raises:
        ValueError: The value is not.
    """
    right = int if kind is int else int | float
    if isinstance(value, bool) or not isinstance(value, right) or not low <= value <= high:
        whole = "an integer" if kind is int else "a number"
        raise ValueError(
            f"{name} must be {whole} from {low:,} to {high:,}. Received: {name}={value!r:.80}"
        )


def _value(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return text
