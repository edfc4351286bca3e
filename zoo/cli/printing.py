"""Output of commands: JSON, tables, metrics with their intervals."""

import json
from collections.abc import Iterable, Sequence
from typing import Any

import click

_UNLIMITED = 10_000  # characters of a line


def print_json(value: Any) -> None:
    click.echo(json.dumps(value, indent=2))


def print_metrics(metrics: dict[str, Any]) -> None:
    rows = [
        (name, *(f"{number[key]:.4f}" for key in ("value", "low", "high")))
        for name, number in metrics.items()
    ]
    print_table(("metric", "value", "low", "high"), rows)


def print_table(header: Sequence[str] | None, rows: Iterable[Sequence[Any]]) -> None:
    """Print a table whose cells are whole: folded in a terminal, a line per row elsewhere."""
    from rich.console import Console
    from rich.table import Column, Table

    columns = [Column(title, overflow="fold") for title in header or ("", "")]
    table = Table(*columns, box=None, show_header=header is not None)
    for row in rows:
        table.add_row(*map(str, row))
    width = None if Console().is_terminal else _UNLIMITED
    console = Console(width=width, markup=False)
    with console.capture() as printed:
        console.print(table)
    click.echo("\n".join(map(str.rstrip, printed.get().splitlines())))


def short(value: Any) -> str:
    """Return a card's value as one line."""
    if isinstance(value, dict):
        return ", ".join(f"{key} {short(part)}" for key, part in value.items())
    if isinstance(value, list):
        return ", ".join(map(str, value))
    return value
