"""Tables in Markdown, as all pages with numbers have them."""

from collections.abc import Iterable
from typing import Any


def table(header: Iterable[Any], rows: Iterable[Iterable[Any]]) -> str:
    r"""Return a table in Markdown, without a final line break; `|` within a cell becomes `\|`.

    Args:
        header: Cell of each column.
        rows: Rows of as many cells, of any type; each is written as `str(cell)`.
    """
    header = list(header)
    return "\n".join([_line(header), "|---" * len(header) + "|", *map(_line, rows)])


def _line(cells: Iterable[Any]) -> str:
    return "| " + " | ".join(str(cell).replace("|", r"\|") for cell in cells) + " |"
