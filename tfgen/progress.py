"""Progress of long work, shown on the stderr of a terminal and in a notebook, and nowhere else."""

import contextlib
from collections.abc import Callable, Iterable, Iterator, Sequence
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
    if len(parts) < LEAST or not _is_seen(console):
        return parts
    return progress.track(parts, what, console=console, transient=True)


@contextlib.contextmanager
def transferred(
    what: str, total: int | None, done: int = 0, console: Console | None = None
) -> Iterator[Callable[[int], None]]:
    """Show a bar of bytes while a file is transferred.

    Args:
        what: Words beside the bar.
        total: Number of bytes in all, None where it is unknown.
        done: Number of bytes that are there already.
        console: Where to show it; by default stderr.

    Yields:
        A function that takes the number of bytes that have come.
    """
    console = console or Console(stderr=True)
    columns = (*progress.Progress.get_default_columns(), progress.DownloadColumn())
    with progress.Progress(
        *columns, console=console, transient=True, disable=not _is_seen(console)
    ) as bar:
        task = bar.add_task(what, total=total, completed=done)
        yield lambda count: bar.advance(task, count)


def _is_seen(console: Console) -> bool:
    return console.is_terminal or console.is_jupyter
