"""Files and folders that appear whole or not at all: written aside, then moved in."""

import contextlib
import json
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any


@contextlib.contextmanager
def replace_folder(path: str | Path) -> Iterator[Path]:
    """Give a folder to fill beside `path`; it replaces `path` at the end, unless an error is raised.

    Raises:
        OSError: The parent cannot be written.
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    aside = Path(tempfile.mkdtemp(prefix=f".{path.name}.", dir=path.parent))
    try:
        yield aside
        aside.chmod(0o755)  # mkdtemp's folders are private
        if path.exists():
            old = Path(tempfile.mkdtemp(prefix=f".{path.name}.", dir=path.parent)) / path.name
            os.replace(path, old)
            try:
                os.replace(aside, path)
            except OSError:
                os.replace(old, path)
                raise
            finally:
                shutil.rmtree(old.parent)
        else:
            os.replace(aside, path)
    finally:
        shutil.rmtree(aside, ignore_errors=True)


@contextlib.contextmanager
def replace_file(path: str | Path) -> Iterator[Path]:
    """Give a file to write beside `path`, of the same suffix; it replaces `path` at the end.

    The file is flushed to disk before it replaces `path`: a power failure leaves the old or the new one.

    Raises:
        OSError: The parent cannot be written.
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(prefix=".", suffix=path.suffix, dir=path.parent)
    os.close(handle)
    aside = Path(name)
    try:
        yield aside
        aside.chmod(0o644)  # mkstemp's files are private
        with open(aside, "rb") as written:
            os.fsync(written.fileno())
        os.replace(aside, path)
    finally:
        aside.unlink(missing_ok=True)


def write_json(path: Path, value: Any) -> None:
    """Write indented JSON atomically."""
    with replace_file(path) as aside:
        aside.write_text(json.dumps(value, indent=2) + "\n")
