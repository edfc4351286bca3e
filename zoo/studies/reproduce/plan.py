"""Plan of `tfgen reproduce`: the runs that are not recorded yet."""

import dataclasses
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from zoo.studies.reproduce import records
from zoo.studies.reproduce.cells import SAMPLERS, TABLES, Cell, cells

NOT_RUN = "not run here"


@dataclasses.dataclass(frozen=True)
class Run:
    """Run of one arm with one seed."""

    cell: Cell
    arm: str
    seed: int


def choose_cells(table: str, names: tuple[str, ...], scale: str) -> list[Cell]:
    """Return the cells of a table, or the named ones.

    Raises:
        ValueError: A name is not a cell of the table.
    """
    known = TABLES[table].cells
    for name in names:
        if name not in known:
            raise ValueError(
                f"A cell of {table} must be one of {', '.join(known)}. Received: cell={name!r}"
            )
    found = cells(scale)
    return [found[name] for name in names or known]


def missing(cell: Cell) -> str | None:
    """Return why a cell cannot run: its samples need an evaluator that does not exist; None if it can."""
    from tfgen.evaluation.evaluator import find_evaluator

    if not any(recipe["model"] in SAMPLERS for recipe in cell.arms.values()):
        return None
    try:
        find_evaluator(cell.data)
    except FileNotFoundError:
        return f"{NOT_RUN}: no evaluator of {cell.data}"
    return None


def to_download(found: list[Cell]) -> list[str]:
    """Return the data sets of cells that are not on disk, which their first runs download."""
    import tfgen

    names = dict.fromkeys(cell.data for cell in found)
    return [name for name in names if not tfgen.data.on_disk(name)]


def pending_runs(found: list[Cell], seeds: int | None, scale: str, folder: Path) -> Iterator[Run]:
    """Return runs without a record, seed after seed within a cell, so that pairs run back to back.

    Args:
        found: Cells, in the order of the runs.
        seeds: Number of seeds in place of each cell's own.
        scale: Scale of the cells.
        folder: Folder of all runs and their records.
    """
    for cell in found:
        known = {
            (record["arm"], record["seed"])
            for record in records.read(folder / "records", cell.name)
            if record["scale"] == scale
        }
        for seed in range(cell.seeds if seeds is None else seeds):
            for arm in cell.arms:
                if (arm, seed) not in known:
                    yield Run(cell, arm, seed)


def execute(run: Run, scale: str, folder: Path) -> None:
    """Do one run in its own process.

    Raises:
        RuntimeError: The process failed; its errors are on stderr.
    """
    command = [sys.executable, "-m", __package__, run.cell.name, run.arm, str(run.seed)]
    code = subprocess.run([*command, scale, str(folder)], check=False).returncode
    if code:
        raise RuntimeError(f"A run failed; --resume continues it. Received: {run} ended {code}")
