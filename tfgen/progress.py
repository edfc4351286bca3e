"""Progress of long work, shown on the stderr of a terminal and in a notebook, and nowhere else."""

from collections.abc import Iterable, Sequence
from typing import TypeVar

from rich import progress
from rich.console import Console

T = TypeVar("T")
LEAST = 8  # parts; shorter work has no bar


def track(parts: Sequence[T], what: str, console: Console | None = None) -> Iterable[T]:
    """Return the parts of a piece of work, under a bar while they are gone through.

    Args:
        parts: Parts of about equal length.
        what: Words beside the bar.
        console: Where to show it; by default stderr.
    """
    console = console or Console(stderr=True)
    if len(parts) < LEAST or not (console.is_terminal or console.is_jupyter):
        return parts
    return progress.track(parts, what, console=console, transient=True)
