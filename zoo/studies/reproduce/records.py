"""Records of runs: an append-only file of JSON lines per cell, and the merging of several files.

A record is

    cell, arm, seed, scale     identify the run
    recipe                     recipe that was trained
    start                      {player: sha256 of its starting weights}
    data                       sha256 of the labelled training images and their labels
    steps, seconds             of training; seconds include epochs lost to interruptions
    scores                     {metric: number}
    machine, versions, ended   machine, package versions and time (UTC)
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
    """Return the records of a cell in the files `<cell>.jsonl` and `<cell>.<anything>.jsonl` of the folder.

    An incomplete last line, left by a crash or a full disk, is skipped.

    Raises:
        ValueError: A complete line is not a record of the cell.
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
    """Append a record to its cell's file, and flush it to disk."""
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
    """Return one record per arm and seed, with all arms of a seed from one machine and set of versions.

    If several machines ran a seed, the one with the most arms counts, among equals the one that ended
    first; of repeated runs on one machine the first counts.

    Args:
        records: Records of one cell and scale, of any number of machines.

    Returns:
        {seed: {arm: record}}, seeds ascending.

    Raises:
        ValueError: An arm was run with two recipes, or the arms of a seed do not form a pair: their data or
            the starting weights of a shared player differ.
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
    """Check that records of one seed have the same data, and shared players the same starting weights.

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
