"""Cards of presets: what they must state, checked as they are read."""

from pathlib import Path
from typing import Any

from tfgen import old_names, untrusted

LIMIT = 1 << 20  # bytes; the project's own take 5 kB

_NUMBER = int | float
# Key -> (type, whether a card must state it); a dictionary is the form of an object.
_FORM = {
    "name": (str, True),
    "description": (str, True),
    "model": (str, True),
    "endpoints": ([str], True),
    "recipe": ({"model": (str, True), "data": ({"name": (str, True)}, True)}, True),
    "sha256": ({"model.keras": (str, True)}, True),
    "equation": (str | None, False),
    "image_shape": ([int], False),
    "num_classes": (int | None, False),
    "parameters": ({}, False),
    "commands": (list | None, False),
    "epochs": (int, False),
    "wall_seconds": (_NUMBER, False),
    "machine": (dict | None, False),
    "versions": ({}, False),
    "data": ({}, False),
    "evaluation": ({}, False),
}


def read(folder: Path) -> dict[str, Any]:
    """Read the card of a preset's folder.

    Args:
        folder: of the preset.

    Returns:
        The object in its `card.json`.

    Raises:
        ValueError: the card is not whole, or states something of another type.
        OSError: the card cannot be read.
    """
    path = folder / "card.json"
    card = old_names.renew(untrusted.read_document(path, LIMIT))
    if fault := _fault(card, _FORM):
        raise ValueError(f"A card states what zoo.preset.cards lists. Received: {fault} in {path}")
    for metric, interval in card.get("evaluation", {}).get("metrics", {}).items():
        fields = {key: (_NUMBER, key == "value") for key in ("value", "low", "high")}
        if fault := _fault(interval, fields):
            raise ValueError(
                f"A metric has a value and an interval. Received: {metric[:80]!r}, {fault} in {path}"
            )
    return card


def _fault(value: Any, form: Any) -> str | None:
    """What of a value is not of its form, None if nothing."""
    if isinstance(form, dict):
        if not isinstance(value, dict):
            return repr(value)[:80]
        for key, (inner, needed) in form.items():
            if key not in value and needed:
                return f"no {key!r}"
            if key in value and (fault := _fault(value[key], inner)):
                return f"{key}={fault}" if "=" not in fault and "no " not in fault else fault
        return None
    if isinstance(form, list):
        whole = isinstance(value, list) and not any(_fault(item, form[0]) for item in value)
        return None if whole else repr(value)[:80]
    right = isinstance(value, form) and not isinstance(value, bool)
    return None if right else repr(value)[:80]
