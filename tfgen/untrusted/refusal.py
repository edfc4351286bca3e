"""Errors of files that might do more than hold weights, or that do not hold a model."""

import contextlib
from collections.abc import Iterator
from pathlib import Path


class RefusedError(ValueError):
    """A file breaks a rule that only files of trusted authors may break.

    Args:
        rule: Sentence without its full stop.
        received: Description of what breaks the rule.
    """

    def __init__(self, rule: str, received: str) -> None:
        super().__init__(
            f"{rule}. Received: {received}. If you trust its author: zoo.load(..., trusted=True)"
        )


@contextlib.contextmanager
def rebuilding(path: Path) -> Iterator[None]:
    """Raise every error of Keras, of whatever class, as a ValueError of one line."""
    try:
        yield
    except Exception as error:
        raise ValueError(
            "A model file must be whole, and one that Keras can rebuild. "
            f"Received: {path}, {type(error).__name__}: {' '.join(str(error).split())[:500]}"
        ) from error
