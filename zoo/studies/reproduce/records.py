"""Records of runs: a file of JSON lines for each cell, which only grows, and how several merge.

A record is

    cell, arm, seed, scale     which run it is
    recipe                     what was trained
    start                      {player: sha256 of its starting weights}
    data                       sha256 of the labelled training images and their labels
    steps, seconds             of training; seconds include what was lost to an interruption's epoch
    scores                     {metric: number}
    machine, versions, ended   where, with what and when (UTC)
"""

import fcntl
import json
import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from tfgen import old_names

Record = dict[str, Any]


def read(folder: Path, cell: str) -> list[Record]:
    """The records of a cell: every file `<cell>.jsonl` and `<cell>.<anything>.jsonl` of the folder.

    A last line without its end, left by a crash or a full disk, is passed over.

    Raises:
        ValueError: A whole line is no record of the cell.
    """
    found = []
    for path in sorted([*folder.glob(f"{cell}.jsonl"), *folder.glob(f"{cell}.*.jsonl")]):
        *lines, _ = path.read_text().split("\n")
        for number, line in enumerate(lines, 1):
            try:
                record = old_names.renew(json.loads(line))
                belongs = record["cell"] == cell
            except (json.JSONDecodeError, KeyError, TypeError):
                belongs = False
            if not belongs:
                raise ValueError(
                    f"Every line must be a record of {cell}. Received: line {number} of {path}"
                )
            found.append(record)
    return found


def append(folder: Path, record: Record) -> None:
    """Add a record to its cell's file, on disk when this returns."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{record['cell']}.jsonl"
    with open(path, "a+b") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        _drop_torn_line(file)
        file.write(json.dumps(record).encode() + b"\n")
        file.flush()
        os.fsync(file.fileno())


def _drop_torn_line(file):
    file.seek(0)
    content = file.read()
    whole = content.rfind(b"\n") + 1
    if whole < len(content):
        file.truncate(whole)


def merge(records: Iterable[Record]) -> dict[int, dict[str, Record]]:
    """One record for every arm and seed, the arms of a seed from one machine class and one software.

    Where several machines ran a seed, the one with the most arms counts, of equals the one that ended
    first; of runs repeated on one machine the first.

    Args:
        records: Records of one cell and scale, of any number of machines.

    Returns:
        {seed: {arm: record}}, seeds ascending.

    Raises:
        ValueError: An arm was run with two recipes, or the arms of a seed are no pair: their data or
            the starting weights of a player that they share differ.
    """
    places: dict[int, dict[str, dict[str, Record]]] = {}
    recipes: dict[str, Any] = {}
    for record in sorted(records, key=lambda record: record["ended"]):
        if recipes.setdefault(record["arm"], record["recipe"]) != record["recipe"]:
            raise ValueError(
                "An arm must have one recipe in all records. "
                f"Received: two of {record['arm']} in cell {record['cell']}"
            )
        place = json.dumps([record["machine"], record["versions"]], sort_keys=True)
        arms = places.setdefault(record["seed"], {}).setdefault(place, {})
        arms.setdefault(record["arm"], record)
    chosen = {seed: max(places[seed].values(), key=len) for seed in sorted(places)}
    for arms in chosen.values():
        check_pair(arms.values())
    return chosen


def check_pair(records: Iterable[Record]) -> None:
    """Raise unless records of one seed have the same data and shared players the same start.

    Raises:
        ValueError: They differ.
    """
    first: dict[str, tuple[str, str]] = {}
    for record in records:
        facts = {"data": record["data"], **record["start"]}
        for part, digest in facts.items():
            arm, expected = first.setdefault(part, (record["arm"], digest))
            if digest != expected:
                raise ValueError(
                    "Arms of one seed must learn from the same images and start from the same "
                    f"weights. Received: cell={record['cell']}, seed={record['seed']}, {part} of "
                    f"{record['arm']} differs from that of {arm}"
                )
