"""Tables in Markdown, of which all pages with numbers are made."""

from collections.abc import Iterable
from typing import Any


def table(header: Iterable[Any], rows: Iterable[Iterable[Any]]) -> str:
    r"""Return a table in Markdown, without a line break at its end; `|` within a cell becomes `\|`.

    Args:
        header: Cell of each column.
        rows: As many cells each, of any type, written as `str` writes them.
    """
    header = list(header)
    return "\n".join([_line(header), "|---" * len(header) + "|", *map(_line, rows)])


def _line(cells: Iterable[Any]) -> str:
    return "| " + " | ".join(str(cell).replace("|", r"\|") for cell in cells) + " |"
