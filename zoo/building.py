"""Rules of a recipe's `build`, read from the signatures of the model that it names."""

import inspect
import numbers
import types
import typing
from collections.abc import Sequence
from typing import Any

BY_ENGINE = ("self", "players", "shape", "num_classes", "seed", "theta", "phi", "eta", "omega")
_NUMBERS: dict[type, type] = {int: numbers.Integral, float: numbers.Real}  # with NumPy's scalars


def check_build(kind: type, build: dict[str, Any]) -> None:
    """Check that `build` has keywords of `build_networks` or of the constructor, of the annotated types.

    Keywords that a member outside the zoo does not state are its own affair: it may pass them on to any
    class, where the zoo's members pass them on to their constructors.

    Args:
        kind: Class of the model.
        build: Section of a recipe.

    Raises:
        ValueError: A key is unknown, or a value has another type.
    """
    known = keywords(kind)
    for key, value in build.items():
        if key not in known:
            if not kind.__module__.startswith("zoo.models."):
                continue
            raise ValueError(
                f"build of {kind.__name__} has the keys {', '.join(sorted(known))}. "
                f"Received: {key}={value!r:.80}"
            )
        if not _is_of(value, known[key]):
            written = known[key].__name__ if isinstance(known[key], type) else str(known[key])
            raise ValueError(f"build.{key} must be {written}. Received: {key}={value!r:.80}")


def keywords(kind: type) -> dict[str, Any]:
    """Return {keyword: annotation} of what a recipe may give to `build_networks` and the constructors."""
    constructors = [vars(base)["__init__"] for base in kind.__mro__ if "__init__" in vars(base)]
    known: dict[str, Any] = {}
    for function in (typing.cast(Any, kind).build_networks, *constructors):
        parameters = inspect.signature(function).parameters.values()
        named = [p for p in parameters if p.kind not in (p.VAR_POSITIONAL, p.VAR_KEYWORD)]
        known = {p.name: p.annotation for p in named if p.name not in BY_ENGINE} | known
        if not any(p.kind is p.VAR_KEYWORD for p in parameters):
            break  # it passes on no keyword
        if function.__module__ == "tfgen.unified":
            break  # what follows is Keras'
    return known


def _is_of(value, annotation):
    """Whether a value is of an annotation; other annotations than plain types are not judged."""
    if isinstance(annotation, types.UnionType):
        return any(_is_of(value, part) for part in annotation.__args__)
    if typing.get_origin(annotation) is Sequence:
        [kind] = typing.get_args(annotation)
        return isinstance(value, (list, tuple)) and all(_is_of(part, kind) for part in value)
    if not isinstance(annotation, type) or annotation is inspect.Parameter.empty:
        return True
    if annotation in _NUMBERS and isinstance(value, bool):  # True is an int
        return False
    return isinstance(value, _NUMBERS.get(annotation, annotation))
