"""Checks of `.keras` archives: a zip of three members, stored one after the other as Keras writes them."""

import contextlib
import stat
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO

from tfgen.untrusted import documents
from tfgen.untrusted.refusal import RefusedError

# Member -> the number of bytes it may have.
LIMITS = {
    "metadata.json": 1 << 16,
    "config.json": documents.MAX_BYTES,
    "model.weights.h5": 2 << 30,
}
WEIGHTS = "model.weights.h5"

_END, _END_SIZE = b"PK\x05\x06", 22  # of the central directory, without a comment
_LOCATOR, _LOCATOR_SIZE = b"PK\x06\x07", 20  # of a zip64 directory
_HEADER, _HEADER_SIZE = b"PK\x03\x04", 30  # of a member
_DIRECTORY_LIMIT = 4096  # bytes: three members take 300


def read_archive(path: Path) -> dict[str, Any]:
    """Read the configuration of a `.keras` file.

    Args:
        path: File to read.

    Returns:
        The object in `config.json`, parsed by `documents.parse`.

    Raises:
        ValueError: The file is not a whole archive of the three members, or breaks a limit.
        OSError: The file cannot be read.
    """
    with open_archive(path) as archive:
        metadata = documents.parse(archive.read("metadata.json"), f"metadata.json in {path}")
        if not isinstance(metadata.get("keras_version"), str):
            raise ValueError(
                "metadata.json must state the version of Keras. "
                f"Received: {str(metadata)[:200]} in {path}"
            )
        return documents.parse(archive.read("config.json"), f"config.json in {path}")


@contextlib.contextmanager
def open_archive(path: Path) -> Iterator[zipfile.ZipFile]:
    """Open the archive after a check of its directory."""
    try:
        with open(path, "rb") as file:
            _check_end(file, path)
            with zipfile.ZipFile(file) as archive:
                _check_members(archive, path)
                _check_places(file, archive, path)
                yield archive
    except (zipfile.BadZipFile, EOFError, NotImplementedError, RuntimeError) as error:
        raise ValueError(
            f"A model file must be a whole .keras archive. Received: {path}, {error}"
        ) from error


def _check_end(file: BinaryIO, path: Path) -> None:
    """Check the size of the directory, which `zipfile` would read at once whatever its size."""
    size = file.seek(0, 2)
    file.seek(max(0, size - _END_SIZE - _LOCATOR_SIZE))
    tail = file.read()
    end, before = tail[-_END_SIZE:], tail[:-_END_SIZE]
    if not end.startswith(_END) or before.startswith(_LOCATOR):
        raise ValueError(f"A model file must be a whole .keras archive. Received: {path}")
    directory = int.from_bytes(end[12:16], "little")
    if directory > _DIRECTORY_LIMIT:
        raise RefusedError(
            f"A model file holds {', '.join(LIMITS)} and nothing else",
            f"a directory of {directory} bytes in {path}",
        )


def _check_members(archive: zipfile.ZipFile, path: Path) -> None:
    members = archive.infolist()
    names = [member.filename for member in members]
    if sorted(names) != sorted(LIMITS):
        raise RefusedError(
            f"A model file holds {', '.join(LIMITS)} and nothing else",
            f"{ascii(names)[:200]} in {path}",
        )
    for member in members:
        kind = stat.S_IFMT(member.external_attr >> 16)
        stored = member.compress_type == zipfile.ZIP_STORED
        if kind not in (0, stat.S_IFREG) or not stored or member.flag_bits & 1:
            raise RefusedError(
                "A member of a model file is a plain file, stored without compression",
                f"{member.filename} in {path}",
            )
        if member.file_size > LIMITS[member.filename]:
            raise RefusedError(
                f"{member.filename} has at most {LIMITS[member.filename]} bytes",
                f"{member.file_size} in {path}",
            )


def _check_places(file: BinaryIO, archive: zipfile.ZipFile, path: Path) -> None:
    """Check that members follow each other from the first byte to the directory, without overlap."""
    place = 0
    for member in sorted(archive.infolist(), key=lambda member: member.header_offset):
        file.seek(place)
        header = file.read(_HEADER_SIZE)
        whole = member.header_offset == place and header.startswith(_HEADER)
        if not whole or member.file_size != member.compress_size:
            raise RefusedError(
                "The members of a model file follow each other",
                f"{member.filename} at byte {member.header_offset} in {path}",
            )
        sizes = (int.from_bytes(header[start : start + 2], "little") for start in (26, 28))
        place += _HEADER_SIZE + sum(sizes) + member.compress_size
    if place > archive.start_dir:
        raise RefusedError("The members of a model file stand before its directory", str(path))
