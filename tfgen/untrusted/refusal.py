"""Errors of files that might do more than hold weights, or that hold no model."""

import contextlib
from collections.abc import Iterator
from pathlib import Path


class RefusedError(ValueError):
    """A file breaks a rule that only a file of a trusted author may break.

    Args:
        rule: Sentence without its full stop.
        received: What breaks it.
    """

    def __init__(self, rule: str, received: str) -> None:
        super().__init__(
            f"{rule}. Received: {received}. If you trust its author: zoo.load(..., trusted=True)"
        )


@contextlib.contextmanager
def rebuilding(path: Path) -> Iterator[None]:
    """Within it whatever Keras raises, which may be anything, is a ValueError in one sentence."""
    try:
        yield
    except Exception as error:
        raise ValueError(
            "A model file must be whole, and one that Keras can rebuild. "
            f"Received: {path}, {type(error).__name__}: {str(error)[:500]}"
        ) from error
