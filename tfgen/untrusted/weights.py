"""Check of the weights that a configuration declares against those in its file."""

import math
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import h5py
import keras
import tensorflow as tf

from tfgen.untrusted.archive import WEIGHTS, open_archive
from tfgen.untrusted.refusal import RefusedError, rebuilding

MAX_ITEMS = 100_000  # groups and arrays of a file
SLACK = 1 << 20  # bytes: states that no file keeps, as of random layers

_NUMBERS = "biufV"  # kinds of arrays; V is how HDF5 keeps bfloat16


def check_weights(path: Path, config: dict[str, Any]) -> None:
    """Raise unless a `.keras` file holds the weights that its networks declare.

    The networks are built without memory for their variables, to read the variables' shapes.

    Args:
        path: File that `read_archive` has read.
        config: Its configuration, which `check_configuration` has accepted.

    Raises:
        ValueError: The weights are not plain arrays within the file, or fewer than the networks declare.
    """
    with open_archive(path) as archive:
        stored = _stored_size(archive, path)
    with rebuilding(path):
        declared = sum(_declared_size(network) for network in _networks(config["config"]))
    if declared > stored + SLACK:
        raise RefusedError(
            "The networks of a file declare no more weights than it holds",
            f"{declared} bytes declared, {stored} held in {path}",
        )


def _stored_size(archive: zipfile.ZipFile, path: Path) -> int:
    """Return the number of bytes of the arrays in the file of weights."""
    size = archive.getinfo(WEIGHTS).file_size
    with archive.open(WEIGHTS) as member:
        try:
            with h5py.File(member, "r") as file:
                stored = sum(_arrays(file, path))
        except (OSError, KeyError, RuntimeError, TypeError, OverflowError) as error:
            raise ValueError(
                f"The weights of a model file must be whole. Received: {path}, {error}"
            ) from error
    if stored > size:
        raise RefusedError(
            "Arrays must lie within their file", f"{stored} bytes of {size} in {path}"
        )
    return stored


def _arrays(file: h5py.File, path: Path) -> Iterator[int]:
    """Yield the sizes in bytes of a file's arrays; each group is visited once."""
    waiting, entered, items = [file], set(), 0
    while waiting:
        group = waiting.pop()
        address = h5py.h5o.get_info(group.id).addr
        if address in entered:
            raise RefusedError("A group of weights must be in one place only", str(path))
        entered.add(address)
        items += len(group)
        if items > MAX_ITEMS:
            raise RefusedError(
                f"A file of weights has at most {MAX_ITEMS} groups and arrays", f"more in {path}"
            )
        for name in group:
            if not isinstance(group.get(name, getlink=True), h5py.HardLink):
                raise RefusedError("Weights hold no links", f"{name[:80]!r} in {path}")
            item = group[name]
            if isinstance(item, h5py.Group):
                waiting.append(item)
            else:
                yield _size(item, name, path)


def _size(item: Any, name: str, path: Path) -> int:
    if (
        not isinstance(item, h5py.Dataset)
        or item.is_virtual
        or item.external
        or item.chunks is not None
        or item.dtype.kind not in _NUMBERS
        or item.dtype.fields is not None
        or item.shape is None
    ):
        raise RefusedError("Weights are plain arrays", f"{name[:80]!r} in {path}")
    size = math.prod(item.shape) * item.dtype.itemsize
    if item.id.get_storage_size() != size:
        raise RefusedError(
            "Arrays must lie within their file", f"{name[:80]!r} of {size} bytes in {path}"
        )
    return size


def _networks(config: dict[str, Any]) -> list[dict[str, Any]]:
    return [value for value in config.values() if _is_network(value)]


def _is_network(value: Any) -> bool:
    return isinstance(value, dict) and "layers" in (value.get("config") or {})


def _declared_size(network: dict[str, Any]) -> int:
    """Return the number of bytes of a network's variables."""
    with keras.StatelessScope(initialize_variables=False):
        built = keras.saving.deserialize_keras_object(_without_compilation(network))
    return sum(
        math.prod(variable.shape) * tf.as_dtype(variable.dtype).size for variable in built.variables
    )


def _without_compilation(value: Any) -> Any:
    """Return a copy without optimizers, whose variables Keras makes at once."""
    if isinstance(value, dict):
        return {key: _without_compilation(v) for key, v in value.items() if key != "compile_config"}
    return [_without_compilation(v) for v in value] if isinstance(value, list) else value
