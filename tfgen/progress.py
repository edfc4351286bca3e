"""Progress bars of long work, shown only on the stderr of a terminal and in a notebook."""

import contextlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TypeVar

from rich import progress
from rich.console import Console

T = TypeVar("T")
LEAST = 8  # parts; shorter work has no bar


def track(parts: Sequence[T], what: str, console: Console | None = None) -> Iterable[T]:
    """Return an iterator over the parts of a piece of work that shows a progress bar.

    Args:
        parts: Parts that take about equally long.
        what: Text beside the bar.
        console: Console of the bar; by default stderr.
    """
    console = console or Console(stderr=True)
    if len(parts) < LEAST or not _is_seen(console):
        return parts
    return progress.track(parts, what, console=console, transient=True)


@contextlib.contextmanager
def transfer_bar(
    what: str, total: int | None, done: int = 0, console: Console | None = None
) -> Iterator[Callable[[int], None]]:
    """Show a bar of bytes while a file is transferred.

    Args:
        what: Text beside the bar.
        total: Total number of bytes, or None if it is unknown.
        done: Number of bytes that are on disk already.
        console: Console of the bar; by default stderr.

    Yields:
        A function that takes the number of bytes received.
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
