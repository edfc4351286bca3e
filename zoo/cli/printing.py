"""Output of commands: JSON, tables, metrics with their intervals."""

import json
from collections.abc import Iterable, Sequence
from typing import Any

import click


def print_json(value: Any) -> None:
    click.echo(json.dumps(value, indent=2))


def print_metrics(metrics: dict[str, Any]) -> None:
    rows = [
        (name, *(f"{number[key]:.4f}" for key in ("value", "low", "high")))
        for name, number in metrics.items()
    ]
    print_table(("metric", "value", "low", "high"), rows)


def print_table(header: Sequence[str] | None, rows: Iterable[Sequence[Any]]) -> None:
    from rich.console import Console
    from rich.table import Table

    table = Table(*header or ("", ""), box=None, show_header=header is not None)
    for row in rows:
        table.add_row(*map(str, row))
    Console(soft_wrap=False, markup=False).print(table)


def short(value: Any) -> str:
    """Return a card's value as one line."""
    if isinstance(value, dict):
        return ", ".join(f"{key} {short(part)}" for key, part in value.items())
    if isinstance(value, list):
        return ", ".join(map(str, value))
    return value
