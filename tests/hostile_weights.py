"""Malicious changes of a file of weights; see `hostile_files`."""

from collections.abc import Callable
from pathlib import Path

import h5py
import numpy as np


def _changed(change: Callable[[h5py.File], None]) -> Callable[[Path], None]:
    def apply(path: Path) -> None:
        with h5py.File(path, "a") as file:
            change(file)

    return apply


def _kernel(file: h5py.File) -> tuple[h5py.Group, str]:
    """The place of the largest array."""
    found: list[str] = []
    file.visititems(lambda path, item: found.append(path) if hasattr(item, "shape") else None)
    path = max(found, key=lambda path: file[path].size)
    return file[path].parent, path.rsplit("/", 1)[-1]


def _replaced(make: Callable[[h5py.Group, str], object]) -> Callable[[Path], None]:
    def change(file: h5py.File) -> None:
        group, name = _kernel(file)
        del group[name]
        make(group, name)

    return _changed(change)


def _virtual(group: h5py.Group, name: str) -> None:
    layout = h5py.VirtualLayout((3, 16), "f4")
    layout[:] = h5py.VirtualSource("other.h5", "x", (3, 16))
    group.create_virtual_dataset(name, layout)


WEIGHTS: dict[str, Callable[[Path], None]] = {
    "weights_soft": _replaced(lambda group, name: group.__setitem__(name, h5py.SoftLink("/vars"))),
    "weights_external": _replaced(
        lambda group, name: group.__setitem__(name, h5py.ExternalLink("/etc/passwd", "/"))
    ),
    "weights_virtual": _replaced(_virtual),
    "weights_external_storage": _replaced(
        lambda group, name: group.create_dataset(
            name, (3, 16), "f4", external=[("/etc/passwd", 0, 192)]
        )
    ),
    "weights_sparse": _replaced(
        lambda group, name: group.create_dataset(name, (1 << 20, 1 << 14), "f4", chunks=(16, 16))
    ),
    "weights_unwritten": _replaced(
        lambda group, name: group.create_dataset(name, (1 << 34,), "f4")
    ),
    "weights_compressed": _replaced(
        lambda group, name: group.create_dataset(
            name, data=np.zeros((3, 16), "f4"), compression="gzip"
        )
    ),
    "weights_strings": _replaced(
        lambda group, name: group.create_dataset(name, data=["a"] * 3, dtype=h5py.string_dtype())
    ),
    "weights_compound": _replaced(
        lambda group, name: group.create_dataset(name, (3,), [("a", "f4"), ("b", "f4")])
    ),
    "weights_null": _replaced(
        lambda group, name: group.create_dataset(name, data=h5py.Empty("f4"))
    ),
    "weights_type": _replaced(lambda group, name: group.__setitem__(name, np.dtype("f4"))),
    "weights_missing": _replaced(lambda group, name: None),
    "weights_shape": _replaced(
        lambda group, name: group.create_dataset(name, data=np.zeros((4, 16), "f4"))
    ),
    "weights_loop": _changed(lambda file: file.__setitem__("loop", file["/"])),
    "weights_empty": lambda path: path.write_bytes(b""),
    "weights_text": lambda path: path.write_bytes(b"weights" * 1000),
    "weights_cut": lambda path: path.write_bytes(path.read_bytes()[:2000]),
}
