"""Plan of `tfgen reproduce`: the runs that are not recorded yet."""

import dataclasses
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from zoo.studies.reproduce import records
from zoo.studies.reproduce.cells import SAMPLERS, TABLES, Cell, cells


@dataclasses.dataclass(frozen=True)
class Run:
    """Run of one arm with one seed."""

    cell: Cell
    arm: str
    seed: int

    def __str__(self) -> str:
        return f"{self.cell.name}, {self.arm}, seed {self.seed}"


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
    return [found[name] for name in dict.fromkeys(names or known)]


def missing(cell: Cell) -> FileNotFoundError | None:
    """Return why a cell cannot run: its samples need an evaluator that does not exist; None if it can."""
    from tfgen.evaluation.evaluator import find_evaluator

    if any(recipe["model"] in SAMPLERS for recipe in cell.arms.values()):
        try:
            find_evaluator(cell.data)
        except FileNotFoundError as error:
            return error
    return None


def to_download(found: list[Cell]) -> list[str]:
    """Return the data sets of cells that are not on disk, which their first runs download."""
    import tfgen

    names = dict.fromkeys(cell.data for cell in found)
    return [name for name in names if not tfgen.data.on_disk(name)]


def pending_runs(found: list[Cell], seeds: int | None, scale: str, folder: Path) -> Iterator[Run]:
    """Return runs without a record, seed after seed within a cell, so that pairs run back to back.

    A seed is done if one machine class with one set of versions has all its arms.  Otherwise the arms that
    this machine lacks are to run: arms of two machines form no pair.

    Args:
        found: Cells, in the order of the runs.
        seeds: Number of seeds in place of each cell's own.
        scale: Scale of the cells.
        folder: Folder of all runs and their records.

    Raises:
        ValueError: A record has another recipe than its arm.
    """
    from zoo.preset.provenance import machine, versions

    here = records.place(machine(), versions())
    for cell in found:
        read = records.read(folder / "records", cell.name)
        known = [record for record in read if record["scale"] == scale]
        for record in known:
            _check_recipe(record, cell)
        done = records.by_place(known)
        for seed in range(cell.seeds if seeds is None else seeds):
            places = done.get(seed, {})
            if not any(cell.arms.keys() <= arms.keys() for arms in places.values()):
                yield from (
                    Run(cell, arm, seed) for arm in cell.arms if arm not in places.get(here, {})
                )


def _check_recipe(record, cell):
    if record["arm"] in cell.arms and record["recipe"] != cell.arms[record["arm"]]:
        raise ValueError(
            f"Records must have the recipes of their cell. Received: another recipe of {record['arm']}, "
            f"seed {record['seed']}, in the records of {cell.name}"
        )


def execute(run: Run, scale: str, folder: Path) -> bool:
    """Do one run in its own process, which ends with this one; return whether it was recorded."""
    command = [sys.executable, "-m", __package__, run.cell.name, run.arm, str(run.seed)]
    done = subprocess.run([*command, scale, str(folder), str(os.getpid())], check=False)
    return done.returncode == 0
