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
import math
import operator
import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from tfgen import old_names

Record = dict[str, Any]

_FIELDS: dict[str, type | tuple[type, ...]] = {
    "cell": str,
    "arm": str,
    "seed": int,
    "scale": str,
    "recipe": dict,
    "start": dict,
    "data": str,
    "steps": int,
    "seconds": (int, float),
    "scores": dict,
    "machine": dict,
    "versions": dict,
    "ended": str,
}


def read(folder: Path, cell: str) -> list[Record]:
    """Return the records of a cell in the files `<cell>.jsonl` and `<cell>.<anything>.jsonl` of the folder.

    An incomplete last line, left by a crash or a full disk, is skipped.

    Raises:
        ValueError: A complete line is not a record of the cell.
    """
    found = []
    for path in sorted([*folder.glob(f"{cell}.jsonl"), *folder.glob(f"{cell}.*.jsonl")]):
        *lines, last = path.read_bytes().split(b"\n")
        if _parse(last) is not None:
            lines.append(last)
        for number, line in enumerate(lines, 1):
            record = _parse(line)
            if record is None or record["cell"] != cell:
                raise ValueError(
                    f"Every line must be a record of {cell}. Received: line {number} of {path}"
                )
            found.append(record)
    return found


def _parse(line: bytes) -> Record | None:
    """Return the record of a line, or None if it has none."""
    try:
        record = json.loads(line)
    except ValueError:  # no JSON, or no text
        return None
    if not isinstance(record, dict):
        return None
    whole = all(isinstance(record.get(name), kind) for name, kind in _FIELDS.items())
    return old_names.renew(record) if whole else None


def append(folder: Path, record: Record) -> None:
    """Append a record to its cell's file, and flush it to disk.

    Raises:
        ValueError: A score is not finite.
    """
    for name, score in record["scores"].items():
        if not math.isfinite(score):
            raise ValueError(f"Scores must be finite. Received: {name}={score}")
    line = json.dumps(record).encode() + b"\n"
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{record['cell']}.jsonl"
    with open(path, "a+b") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        _end_last_line(file)
        file.write(line)
        file.flush()
        os.fsync(file.fileno())


def _end_last_line(file):
    """End a whole last line without its newline; drop one that was torn."""
    file.seek(0)
    content = file.read()
    whole = content.rfind(b"\n") + 1
    if _parse(content[whole:]) is not None:
        file.write(b"\n")
    elif whole < len(content):
        file.truncate(whole)


def place(machine: dict[str, Any], versions: dict[str, str]) -> str:
    """Return what all arms of a seed have in common: a machine class and a set of versions."""
    return json.dumps([machine, versions], sort_keys=True)


def merge(records: Iterable[Record], claim: Iterable[str] = ()) -> dict[int, dict[str, Record]]:
    """Return one record per arm and seed, with all arms of a seed from one machine and set of versions.

    If several machines ran a seed, one that has both arms of the claim counts, then the one with the most
    arms, among equals the one that ended first; of repeated runs on one machine the first counts.

    Args:
        records: Records of one cell and scale, of any number of machines.
        claim: The arms that the cell's claim compares.

    Returns:
        {seed: {arm: record}}, seeds ascending.

    Raises:
        ValueError: An arm was run with two recipes, or the arms of a seed do not form a pair: their data or
            the starting weights of a shared player differ.
    """
    recipes: dict[str, Any] = {}
    records = sorted(records, key=operator.itemgetter("ended"))
    for record in records:
        if recipes.setdefault(record["arm"], record["recipe"]) != record["recipe"]:
            raise ValueError(
                "An arm must have one recipe in all records. "
                f"Received: two of {record['arm']} in cell {record['cell']}"
            )

    def rank(arms):
        return set(claim) <= arms.keys(), len(arms)

    found = by_place(records)
    chosen = {seed: max(found[seed].values(), key=rank) for seed in sorted(found)}
    for arms in chosen.values():
        check_pair(arms.values())
    return chosen


def by_place(records: Iterable[Record]) -> dict[int, dict[str, dict[str, Record]]]:
    """Return {seed: {place: {arm: its first record there}}}."""
    found: dict[int, dict[str, dict[str, Record]]] = {}
    for record in records:
        where = place(record["machine"], record["versions"])
        arms = found.setdefault(record["seed"], {}).setdefault(where, {})
        arms.setdefault(record["arm"], record)
    return found


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
