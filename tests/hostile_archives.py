"""Malicious zips around a valid model's members; see `hostile_files`."""

import io
import stat
import struct
import zipfile
from collections.abc import Callable

Members = dict[str, bytes]
CONFIG, WEIGHTS = "config.json", "model.weights.h5"


def packed(members: Members, compression: int = zipfile.ZIP_STORED) -> bytes:
    """A zip of the members, in their order."""
    return listed(members.items(), compression)


def listed(members, compression: int = zipfile.ZIP_STORED) -> bytes:
    """A zip of (name or ZipInfo, content) pairs."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", compression) as archive:
        for name, content in members:
            archive.writestr(name, content)
    return buffer.getvalue()


def renamed(old: str, new: str) -> Callable[[Members], bytes]:
    return lambda members: packed(
        {new if name == old else name: content for name, content in members.items()}
    )


def without(dropped: str) -> Callable[[Members], bytes]:
    return lambda members: packed({n: c for n, c in members.items() if n != dropped})


def added(name: str, content: bytes = b"") -> Callable[[Members], bytes]:
    return lambda members: packed({**members, name: content})


def special(kind: int, content: bytes | None = None) -> Callable[[Members], bytes]:
    """The weights as a file of this kind: a link, a folder, a device."""

    def change(members: Members) -> bytes:
        info = zipfile.ZipInfo(WEIGHTS)
        info.external_attr = (kind | 0o777) << 16
        rest = [(name, text) for name, text in members.items() if name != WEIGHTS]
        return listed([*rest, (info, content or members[WEIGHTS])])

    return change


def twice(members: Members) -> bytes:
    """Two configurations of one name."""
    whole = packed({**members, "config.jsoN": members[CONFIG]})
    return whole.replace(b"config.jsoN", CONFIG.encode())


def bomb(members: Members) -> bytes:
    """Weights of 64 MB that take 64 kB."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            if name != WEIGHTS:
                archive.writestr(name, content)
        with archive.open(WEIGHTS, "w") as member:
            for _ in range(64):
                member.write(bytes(1 << 20))
    return buffer.getvalue()


def declared(members: Members) -> bytes:
    """Weights that the directory says to be of 4 GB, in a file of a few kB."""
    return _patched(packed(members), struct.pack("<I", 0xFFFFFFF0), central=20, length=8)


def overlapping(members: Members) -> bytes:
    """Weights that begin where the member before them begins."""
    whole = packed(members)
    return _patched(whole, struct.pack("<I", whole.index(b"PK\3\4", 1)), central=42)


def encrypted(members: Members) -> bytes:
    return _patched(packed(members), struct.pack("<H", 1), central=8)


def _patched(whole: bytes, field: bytes, central: int, length: int | None = None) -> bytes:
    """Writes a field into the last record of the directory, repeated up to `length` bytes."""
    start = whole.rindex(b"PK\1\2") + central
    field = field * ((length or len(field)) // len(field))
    return whole[:start] + field + whole[start + len(field) :]


def other_local_name(members: Members) -> bytes:
    return packed(members).replace(CONFIG.encode(), b"konfig.json", 1)


def flipped(members: Members) -> bytes:
    """One byte of the configuration changed, its checksum not."""
    return packed(members).replace(b'"Reshape"', b'"reshape"', 1)


def zip64(members: Members) -> bytes:
    """A locator of another directory before the end."""
    whole = packed(members)
    return whole[:-22] + b"PK\x06\x07" + bytes(16) + whole[-22:]


def many(members: Members) -> bytes:
    return packed({**members, **{f"assets/{i}": b"" for i in range(20_000)}})


ARCHIVES: dict[str, Callable[[Members], bytes]] = {
    "zip_empty": lambda members: b"",
    "zip_text": lambda members: b"model" * 1000,
    "zip_without_members": lambda members: packed({}),
    "zip_cut": lambda members: packed(members)[:-1000],
    "zip_cut_before": lambda members: packed(members)[100:],
    "zip_prefix": lambda members: b"#!/bin/sh\n" + packed(members),
    "zip_suffix": lambda members: packed(members) + b"more",
    "zip_asset": added("assets/vocabulary.txt", b"a"),
    "zip_above": added("../above.txt", b"a"),
    "zip_absolute": added("/tmp/absolute.txt", b"a"),
    "zip_backslash": added("..\\above.txt", b"a"),
    "zip_arrays": renamed(WEIGHTS, "model.weights.npz"),
    "zip_case": renamed(CONFIG, "Config.json"),
    "zip_in_a_folder": renamed(CONFIG, "model/config.json"),
    "zip_many": many,
    "zip_twice": twice,
    "zip_without_config": without(CONFIG),
    "zip_without_weights": without(WEIGHTS),
    "zip_without_metadata": without("metadata.json"),
    "zip_link": special(stat.S_IFLNK, b"/etc/passwd"),
    "zip_folder": special(stat.S_IFDIR),
    "zip_device": special(stat.S_IFCHR),
    "zip_deflated": lambda members: packed(members, zipfile.ZIP_DEFLATED),
    "zip_bzip2": lambda members: packed(members, zipfile.ZIP_BZIP2),
    "zip_lzma": lambda members: packed(members, zipfile.ZIP_LZMA),
    "zip_bomb": bomb,
    "zip_declared": declared,
    "zip_overlapping": overlapping,
    "zip_encrypted": encrypted,
    "zip_other_local_name": other_local_name,
    "zip_flipped": flipped,
    "zip_zip64": zip64,
}
