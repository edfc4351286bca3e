"""Decoded folders of pictures on disk, so that the next command does not decode them again.

An entry is an array; its key is a hash of everything that it was made from. It is written aside and moved
into place, so that it is whole or absent; a broken entry is made again. Together entries take at most
`MOST_BYTES`; the least recently used are removed first. TFGEN_CACHE names the folder ("off" keeps
nothing); by default it is `cache` in `tfgen.home`.
"""

import contextlib
import dataclasses
import hashlib
import json
import math
import os
import pathlib
import tempfile
import threading
import time
import weakref
import zlib
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from tfgen import home
from tfgen.data.pictures import Geometry

MOST_BYTES = 10 * 2**30
_VERSION = 1  # of what decoding does with a picture
_ABANDONED = 86_400  # seconds after which an unfinished file belongs to no living process
_CHECKSUM = 4  # bytes behind an array


def key(root: pathlib.Path, paths: Sequence[pathlib.Path], geometry: Geometry) -> str:
    """Return the key of pictures in this order, brought to this geometry.

    It changes with a picture's name, size or times of change, among them that of the inode, which no
    program can set back.
    """
    import PIL

    made_of = {
        "version": [_VERSION, PIL.__version__],
        "root": str(root.resolve()),
        "geometry": dataclasses.asdict(geometry),
    }
    digest = hashlib.sha256(json.dumps(made_of).encode())
    for path in paths:
        try:
            status = path.stat()
        except OSError as error:
            raise ValueError(
                f"A picture must be readable. Received: {str(path)!r}, {error.strerror}"
            ) from error
        state = status.st_size, status.st_mtime_ns, status.st_ctime_ns
        digest.update(os.fsencode(path.relative_to(root)) + repr(state).encode())
    return digest.hexdigest()[:32]


def array(key: str, make: Callable[[], np.ndarray]) -> np.ndarray:
    """Return the array uint8 of this key; make it if there is none, and keep it if it can be written."""
    root = folder()
    if root is None:
        return make()
    path = root / f"{key}.npy"
    found = _read(path)
    if found is None:
        found = make()
        with contextlib.suppress(OSError):
            _write(path, found)
    return found


class Rows:
    """Entry that is made row by row as rows are read, and moved into place once all are made.

    Until then rows are in an unfinished file, which is removed with this object. Rows of an entry larger
    than `MOST_BYTES`, or that cannot be written, are made each time.

    Args:
        key: Key of the whole array.
        shape: Shape of the whole array, uint8 (n, ...).
        make: Function of positions (b,) that returns rows (b, ...).
    """

    def __init__(
        self,
        key: str,
        shape: tuple[int, ...],
        make: Callable[[np.ndarray], np.ndarray],
    ):
        self._shape, self._make, self._lock = shape, make, threading.Lock()
        self._bytes = math.prod(shape[1:])
        self._file: Any = None  # opened when it is first read from
        root = folder()
        if root is None or len(self) * self._bytes > MOST_BYTES:
            return
        self._path = root / f"{key}.npy"
        with contextlib.suppress(OSError):
            self._file = self._existing() or self._unfinished()

    def __len__(self):
        return self._shape[0]

    def __call__(self, positions: np.ndarray) -> np.ndarray:
        """Return the rows at positions (b,)."""
        with self._lock:
            if self._file is not None:
                try:
                    self._keep(np.unique(positions[~self._made[positions]]))
                    return self._rows_kept(positions)
                except OSError:  # the disk is full, or gone
                    self._file = None
        return self._make(positions)

    def _existing(self):
        """Open the file of an entry that is in place, or return None; its checksum is not verified."""
        if not self._path.is_file():
            return None
        file = open(self._path, "rb")  # noqa: SIM115  closed with this object
        try:
            np.lib.format.read_magic(file)
            shape, _, _ = np.lib.format.read_array_header_1_0(file)
        except ValueError:
            shape = None
        self._start = file.tell()
        expected = self._start + len(self) * self._bytes + _CHECKSUM
        if shape != self._shape or os.path.getsize(self._path) != expected:
            file.close()
            return None
        os.utime(self._path)  # used now
        self._made = np.ones(len(self), bool)
        weakref.finalize(self, file.close)
        return file

    def _unfinished(self):
        """Create a file with room for all rows."""
        self._path.parent.mkdir(parents=True, exist_ok=True)
        _make_room(self._path.parent, len(self) * self._bytes)
        file = tempfile.NamedTemporaryFile(  # noqa: SIM115  closed with this object
            "w+b", dir=self._path.parent, suffix=".partial", delete=False
        )
        weakref.finalize(self, _discard, file)
        header = np.lib.format.header_data_from_array_1_0(np.empty(0, np.uint8))
        np.lib.format.write_array_header_1_0(file, header | {"shape": self._shape})
        self._start = file.tell()
        self._made = np.zeros(len(self), bool)
        return file

    def _keep(self, missing):
        if not len(missing):
            return
        for position, row in zip(missing, self._make(missing), strict=True):
            self._file.seek(self._start + position * self._bytes)
            self._file.write(row.tobytes())
        self._made[missing] = True
        if self._made.all():
            self._finish()

    def _finish(self):
        self._file.seek(self._start)
        checksum = 0
        while chunk := self._file.read(2**20):
            checksum = zlib.crc32(chunk, checksum)
        self._file.write(checksum.to_bytes(_CHECKSUM, "little"))
        self._file.flush()
        os.fsync(self._file.fileno())
        os.replace(self._file.name, self._path)

    def _rows_kept(self, positions):
        rows = np.empty((len(positions), *self._shape[1:]), np.uint8)
        for row, position in zip(rows, positions, strict=True):
            self._file.seek(self._start + position * self._bytes)
            row[...] = np.frombuffer(self._file.read(self._bytes), np.uint8).reshape(row.shape)
        return rows


def _discard(file) -> None:
    file.close()
    pathlib.Path(file.name).unlink(missing_ok=True)  # unless it has moved into place


def folder() -> pathlib.Path | None:
    """Return the folder of entries, or None if none are kept."""
    chosen = os.environ.get("TFGEN_CACHE")
    if chosen == "off":
        return None
    if chosen:
        return pathlib.Path(chosen).expanduser()
    return home.folder() / "cache"


def _read(path) -> np.ndarray | None:
    """Return the array of an entry, or None if there is none or it is broken."""
    try:
        with open(path, "rb") as file:
            found = np.lib.format.read_array(file, allow_pickle=False)
            checksum = file.read()
        os.utime(path)  # used now
    except Exception:  # whatever a broken file raises
        return None
    return found if checksum == _checksum(found) else None


def _write(path, images) -> None:
    if images.nbytes > MOST_BYTES:
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    _make_room(path.parent, images.nbytes)
    with tempfile.NamedTemporaryFile(dir=path.parent, suffix=".partial", delete=False) as file:
        try:
            np.lib.format.write_array(file, images, allow_pickle=False)
            file.write(_checksum(images))
            file.flush()
            os.fsync(file.fileno())
            os.replace(file.name, path)
        except BaseException:
            os.unlink(file.name)
            raise


def _checksum(images) -> bytes:
    return zlib.crc32(np.ascontiguousarray(images).data).to_bytes(_CHECKSUM, "little")


def _make_room(root, needed) -> None:
    """Remove unfinished files, and entries until `needed` more bytes are within the bound."""
    for path in root.glob("*.partial"):
        if time.time() - path.stat().st_mtime > _ABANDONED:
            path.unlink(missing_ok=True)
    entries = sorted(root.glob("*.npy"), key=lambda path: path.stat().st_mtime, reverse=True)
    total = needed
    for path in entries:
        total += path.stat().st_size
        if total > MOST_BYTES:
            path.unlink(missing_ok=True)
