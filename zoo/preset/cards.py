"""Cards of presets, checked when they are read."""

import dataclasses
import types
import typing
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Self

from tfgen import old_names, untrusted
from zoo.recipes.reading import Recipe

LIMIT = 1 << 20  # bytes; the project's own take 5 kB

# Required keys of a card's objects, beyond the types of `Card`.
_NEEDED = {"recipe": {"model": str, "data": {"name": str}}, "sha256": {"model.keras": str}}
_METRIC = {"value": float, "low": float, "high": float}
_ARM = {
    "table": str,
    "cell": str,
    "arm": str,
    "seeds": int,
    "metric": str,
    "rank": int,
    "means": dict[str, float],
    "deviations": dict[str, float],
}


@dataclasses.dataclass(frozen=True, kw_only=True)
class Card:
    """Contents of a preset's `card.json`, with its keys in its order.

    Args:
        name: Name of the preset.
        description: One line.
        model: Class, a name in `zoo.MODELS`.
        equation: Rows of Table 1 with the paper's equations, or else the first line of the class.
        table_row: Key of `tfgen.paper.table.ROWS`, or keys.
        image_shape: (height, width, channels).
        num_classes: Number of classes whose labels the model reads.
        parameters: {player: number}.
        endpoints: Endpoints of the SavedModel, the default first.
        min_runtime: First release of TensorFlow that has all of its operations.
        recipe: Recipe that was trained.
        seed: Seed of the starting weights, the order of the data and the noise.
        init: Model whose weights were the starting weights.
        bfloat16: Whether products were computed in bfloat16.
        commands: Commands that train and publish it again.
        epochs: Number of epochs trained.
        best_epoch: Epoch of the weights, if images were held out to choose it.
        wall_seconds: Wall time in seconds of all epochs.
        machine: {"processor", "instructions", "cores", ..}, see `zoo.preset.provenance.machine`.
        versions: {package: version}.
        data: Name, target, number of images in each split and names of the classes.
        evaluation: {"metrics": {metric: {"value", "low", "high"}}, "seed", "evaluator", "samples"}.
        paper: {metric: number in the paper}.
        sha256: {file: checksum} of all files except the card and the page.
        bytes: Size of these files.
        discriminator: Shares of test images called real, and of samples called generated.
        arm: Arm of Tables 2 to 4 that has the recipe, with its scores over seeds and this seed's rank, see
            `zoo.studies.reproduce.arms`.
    """

    name: str
    description: str
    model: str
    equation: str | None = None
    table_row: str | list[str] | None = None
    image_shape: list[int] = dataclasses.field(default_factory=list)
    num_classes: int | None = None
    parameters: dict[str, int] = dataclasses.field(default_factory=dict)
    endpoints: list[str]
    min_runtime: str | None = None
    recipe: Recipe
    seed: int = 0
    init: str | None = None
    bfloat16: bool = False
    commands: list[str] | None = None
    epochs: int = 0
    best_epoch: int | None = None
    wall_seconds: float = 0.0
    machine: dict[str, Any] | None = None
    versions: dict[str, str] = dataclasses.field(default_factory=dict)
    data: dict[str, Any] = dataclasses.field(default_factory=dict)
    evaluation: dict[str, Any] = dataclasses.field(default_factory=dict)
    paper: dict[str, float] = dataclasses.field(default_factory=dict)
    sha256: dict[str, str]
    bytes: int = 0
    discriminator: dict[str, float] | None = None
    arm: dict[str, Any] | None = None

    @property
    def metrics(self) -> dict[str, dict[str, float]]:
        """Metrics, {metric: {"value", "low", "high"}}."""
        return self.evaluation.get("metrics", {})

    @classmethod
    def of(cls, document: Mapping[str, Any]) -> Self:
        """Return the card of a checked document; unknown keys are ignored."""
        known = {field.name for field in dataclasses.fields(cls)}
        return cls(**{key: value for key, value in document.items() if key in known})

    def to_dict(self) -> dict[str, Any]:
        """Return the object that `card.json` holds."""
        return dataclasses.asdict(self)


def read(folder: Path) -> Card:
    """Read the card of a preset's folder; raises as `document`."""
    return Card.of(document(folder))


def document(folder: Path) -> dict[str, Any]:
    """Return the object in a preset's `card.json`, after a check against `Card`.

    Args:
        folder: Folder of the preset.

    Raises:
        ValueError: The card is incomplete, or a value has another type.
        OSError: The card cannot be read.
    """
    path = folder / "card.json"
    found = old_names.renew(untrusted.read_document(path, LIMIT))
    hints = typing.get_type_hints(Card)
    missing = {field.name for field in dataclasses.fields(Card) if _is_needed(field)}
    fault = _fault(found, hints, missing)
    for key, form in _NEEDED.items():
        fault = fault or _fault(found[key], form, set(form))
    if not fault and found.get("arm") is not None:
        fault = _fault(found["arm"], _ARM, set(_ARM))
    if fault:
        raise ValueError(f"A card states what zoo.preset.cards lists. Received: {fault} in {path}")
    for metric, interval in found.get("evaluation", {}).get("metrics", {}).items():
        if fault := _fault(interval, _METRIC, {"value"}):
            raise ValueError(
                f"A metric has a value and an interval. Received: {metric[:80]!r}, {fault} in {path}"
            )
    return found


def _is_needed(field: dataclasses.Field) -> bool:
    return field.default is field.default_factory is dataclasses.MISSING


def _fault(value: Any, form: Mapping[str, Any], needed: set[str]) -> str | None:
    """Return the first key of an object that is missing or has another type than in its form, or None."""
    if not isinstance(value, dict):
        return repr(value)[:80]
    for key, hint in form.items():
        if key not in value:
            if key in needed:
                return f"no {key!r}"
        elif isinstance(hint, dict):
            if fault := _fault(value[key], hint, set(hint)):
                return fault
        elif not _is_of(value[key], hint):
            return f"{key}={value[key]!r:.80}"
    return None


def _is_of(value: Any, hint: Any) -> bool:
    """Whether a JSON value has a type of `Card`; True and False are not numbers."""
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if hint is Any:
        return True
    if origin in (types.UnionType, typing.Union):
        return any(_is_of(value, argument) for argument in arguments)
    if origin is list:
        return isinstance(value, list) and all(_is_of(item, arguments[0]) for item in value)
    if origin is dict:
        return isinstance(value, dict) and all(_is_of(v, arguments[1]) for v in value.values())
    if hint is float:
        return type(value) in (int, float)
    return type(value) is hint
