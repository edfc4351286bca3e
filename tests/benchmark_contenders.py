"""Contenders that finish at once, for tests of the measurement."""

from pathlib import Path

from benchmarks.worker import Contender


def notes(word, path):
    """Its unit "write" appends the word to a file."""

    def write():
        with Path(path).open("a") as file:
            file.write(word)

    return Contender({"write": write, word: write}, {word: 1})


def variants(case):
    """Two variants of a case, and another case whose name begins alike."""
    units = {case: int, f"{case}, wide": int, f"{case}2": int}
    return Contender(units, {case: {"operations": 5}})
