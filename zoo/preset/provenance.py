"""Machine and software of a run."""

import importlib.metadata
import os
import platform
from pathlib import Path
from typing import Any

import tensorflow as tf

import tfgen

# Flag of /proc/cpuinfo: name, widest vectors first.  A processor with AVX-512 can be several times as fast
# as one of the same name without, and TensorFlow's kernels round differently.
_INSTRUCTIONS = {"amx_tile": "AMX", "avx512f": "AVX-512", "avx2": "AVX2", "asimd": "NEON"}
_PACKAGES = ("tensorflow", "keras", "numpy", "tensorflow-datasets", "scikit-learn")


def machine() -> dict[str, Any]:
    """Return {"processor", "instructions", "cores", "accelerators"} of this process.

    "instructions" is its widest vector extension, absent if Linux names none of the known ones; "cores" is
    the number of cores that the process may use; "accelerators" lists the names of TensorFlow's GPUs, and
    is absent where it sees none.
    """
    lines = _cpuinfo()
    models = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    found: dict[str, Any] = {"processor": next(models, platform.processor() or platform.machine())}
    flags = {
        flag for line in lines if line.startswith(("flags", "Features")) for flag in line.split()
    }
    if widest := next((name for flag, name in _INSTRUCTIONS.items() if flag in flags), None):
        found["instructions"] = widest
    usable = getattr(os, "sched_getaffinity", None)  # not on macOS and Windows
    found["cores"] = len(usable(0)) if usable else os.cpu_count()
    if cards := tf.config.list_physical_devices("GPU"):
        details = [tf.config.experimental.get_device_details(card) for card in cards]
        found["accelerators"] = [one.get("device_name", "GPU") for one in details]
    return found


def versions() -> dict[str, str]:
    """Return {package: version} of the packages that a run's numbers depend on."""
    packages = {name: importlib.metadata.version(name) for name in _PACKAGES}
    return {"python": platform.python_version(), "tfgen": tfgen.__version__, **packages}


def in_words(machine: dict[str, Any]) -> str:
    """Return a machine as text: "Intel Xeon with AMX, 2 cores, NVIDIA H200"; older records have less."""
    cores, instructions = machine["cores"], machine.get("instructions")
    processor = machine["processor"] + (f" with {instructions}" if instructions else "")
    return ", ".join(
        [processor, f"{cores} core{'s' * (cores > 1)}", *machine.get("accelerators", [])]
    )


def _cpuinfo() -> list[str]:
    """Return the lines of /proc/cpuinfo, none where the system has no such file."""
    try:
        return Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return []
