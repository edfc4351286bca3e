"""JSON within limits of bytes, depth and values, without the forms that readers disagree on."""

import json
import math
import re
from pathlib import Path
from typing import Any, NoReturn

MAX_BYTES = 4 << 20  # a classifier of 200 layers takes 1 MB
MAX_DEPTH = 64  # networks within networks: each takes 6
MAX_VALUES = 200_000
MAX_DIGITS = 20
MAX_STRING = 4_000

_STRING = re.compile(rb'"(?:[^"\\]|\\.)*"', re.DOTALL)
_BRACKETS = re.compile(rb"[\[\]{}]")


def read_document(path: Path, limit: int = MAX_BYTES) -> dict[str, Any]:
    """Read a JSON object from a file.

    Args:
        path: File to read.
        limit: Largest number of bytes.

    Returns:
        The object.

    Raises:
        ValueError: The file breaks a rule of `parse`.
        OSError: The file cannot be read.
    """
    with open(path, "rb") as file:
        return parse(file.read(limit + 1), str(path), limit)


def parse(text: bytes, source: str, limit: int = MAX_BYTES) -> dict[str, Any]:
    """Parse a JSON object.

    Args:
        text: UTF-8, at most `limit` bytes.
        source: Name of the document in errors.
        limit: Largest number of bytes.

    Returns:
        The object: finite numbers, printable strings, no name twice.

    Raises:
        ValueError: The text is not such an object, or is too large, too deep or has too many values.
    """
    if len(text) > limit:
        raise ValueError(f"A document has at most {limit} bytes. Received: more in {source}")
    _check_extent(text, source)
    try:
        document = json.loads(
            text.decode(),
            object_pairs_hook=_unique,
            parse_int=_integer,
            parse_float=_finite,
            parse_constant=_no_constant,
        )
        _check_strings(document)
    except UnicodeDecodeError as error:
        raise ValueError(f"A document must be UTF-8. Received: {source}") from error
    except (ValueError, RecursionError) as error:
        raise ValueError(f"A document must be plain JSON. Received: {source}, {error}") from error
    if not isinstance(document, dict):
        raise ValueError(
            f"A document must be a JSON object. Received: {source} with {type(document).__name__}"
        )
    return document


def _check_extent(text: bytes, source: str) -> None:
    """Check depth and number of values on the text, since parsing takes memory for each value."""
    bare = _STRING.sub(b"", text)
    depth = deepest = 0
    for bracket in _BRACKETS.finditer(bare):
        depth += 1 if bracket[0] in b"[{" else -1
        deepest = max(deepest, depth)
    values = bare.count(b",") + bare.count(b"[") + bare.count(b"{")
    if deepest > MAX_DEPTH or values > MAX_VALUES:
        raise ValueError(
            f"A document is at most {MAX_DEPTH} deep and has {MAX_VALUES} values. "
            f"Received: depth {deepest} and {values} values in {source}"
        )


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        names = [name for name, _ in pairs]
        raise ValueError(f"{max(names, key=names.count)[:80]!r} stands twice in one object")
    return found


def _integer(digits: str) -> int:
    if len(digits) > MAX_DIGITS:
        raise ValueError(f"an integer of {len(digits)} digits")
    return int(digits)


def _finite(digits: str) -> float:
    if not math.isfinite(value := float(digits)):
        raise ValueError(f"the number {digits[:80]} is not finite")
    return value


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"the number {name} is not JSON")


def _check_strings(document: Any) -> None:
    waiting = [document]
    while waiting:
        value = waiting.pop()
        if isinstance(value, dict):
            waiting += [*value, *value.values()]
        elif isinstance(value, list):
            waiting += value
        elif isinstance(value, str):
            if len(value) > MAX_STRING:
                raise ValueError(f"a string of {len(value)} characters")
            if not value.replace("\n", "").replace("\t", "").isprintable():
                raise ValueError(f"the unprintable string {ascii(value)[:80]}")
