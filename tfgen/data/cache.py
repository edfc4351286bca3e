"""Decoded folders of pictures on disk, so that the next command does not decode them again.

An entry is an array under a key of everything that it was made from. It is written aside and moved
into place, so that it is whole or absent; one that is broken is made anew. Together they take at most
`MOST_BYTES`, those last used longest ago going first. The folder is, in this order, what
TFGEN_CACHE names ("off" keeps nothing), `cache` in TFGEN_HOME, or the user's cache folder.
"""

import contextlib
import dataclasses
import hashlib
import json
import os
import pathlib
import tempfile
import time
import zlib
from collections.abc import Callable, Sequence

import numpy as np

from tfgen.data.pictures import Geometry

MOST_BYTES = 10 * 2**30
_VERSION = 1  # of what decoding does with a picture
_ABANDONED = 86_400  # seconds after which an unfinished file belongs to no living process
_CHECKSUM = 4  # bytes behind an array


def key(root: pathlib.Path, paths: Sequence[pathlib.Path], geometry: Geometry) -> str:
    """The key of pictures in this order at this geometry.

    It changes with a picture's name, size, or time of change. That of the inode is among them, which
    no program can set back.
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
    """The array uint8 under this key, made if there is none; what cannot be written is not kept."""
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


def folder() -> pathlib.Path | None:
    """Where entries are kept; None if they are not."""
    chosen = os.environ.get("TFGEN_CACHE")
    if chosen == "off":
        return None
    if chosen:
        return pathlib.Path(chosen).expanduser()
    if home := os.environ.get("TFGEN_HOME"):
        return pathlib.Path(home).expanduser() / "cache"
    import platformdirs

    return pathlib.Path(platformdirs.user_cache_dir("tfgen", appauthor=False))


def _read(path) -> np.ndarray | None:
    """The array of an entry, or None if there is none or it is broken."""
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
    return zlib.crc32(np.ascontiguousarray(images)).to_bytes(_CHECKSUM, "little")


def _make_room(root, needed) -> None:
    """Remove entries until `needed` bytes more are within the bound, and what was left unfinished."""
    for path in root.glob("*.partial"):
        if time.time() - path.stat().st_mtime > _ABANDONED:
            path.unlink(missing_ok=True)
    entries = sorted(root.glob("*.npy"), key=lambda path: path.stat().st_mtime, reverse=True)
    total = needed
    for path in entries:
        total += path.stat().st_size
        if total > MOST_BYTES:
            path.unlink(missing_ok=True)
