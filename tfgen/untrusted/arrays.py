"""NumPy archives within limits: declared sizes are checked before memory is allocated."""

import math
import zipfile
from collections.abc import Iterable
from pathlib import Path

import numpy as np

from tfgen.untrusted.refusal import RefusedError

MAX_BYTES = 256 << 20  # of all arrays; the project's references take 2 MB


def read_arrays(path: Path, names: Iterable[str]) -> dict[str, np.ndarray]:
    """Read an `.npz` file of numbers.

    Args:
        path: File to read.
        names: Names of the arrays that it must hold, and no others.

    Returns:
        {name: array}.

    Raises:
        ValueError: The file is damaged, or holds other arrays, objects or more than MAX_BYTES.
        OSError: The file cannot be read.
    """
    expected = sorted(f"{name}.npy" for name in names)
    try:
        with open(path, "rb") as file, zipfile.ZipFile(file) as archive:
            members = archive.infolist()
            if sorted(member.filename for member in members) != expected:
                raise ValueError(f"arrays other than {', '.join(expected)}")
            if sum(_declared_size(archive, member) for member in members) > MAX_BYTES:
                raise RefusedError(f"Arrays have at most {MAX_BYTES} bytes", str(path))
        with open(path, "rb") as file, np.load(file, allow_pickle=False) as arrays:
            return {name: arrays[name] for name in arrays.files}
    except RefusedError:
        raise
    except (ValueError, KeyError, EOFError, RuntimeError, zipfile.BadZipFile) as error:
        raise ValueError(
            f"A file of arrays must be a whole archive. Received: {path}, {error}"
        ) from error


def _declared_size(archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> int:
    """Return the number of bytes of an array according to its header."""
    with archive.open(member) as content:
        version = np.lib.format.read_magic(content)
        if version != (1, 0):
            raise ValueError(f"{member.filename} in version {version} of the format")
        shape, _, dtype = np.lib.format.read_array_header_1_0(content)
    if dtype.kind not in "biuf":
        raise ValueError(f"{member.filename} of {dtype}")
    return math.prod(shape) * dtype.itemsize
