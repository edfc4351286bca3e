"""Machine and software of a run."""

import importlib.metadata
import os
import platform
from pathlib import Path
from typing import Any

import tfgen

# Flag of /proc/cpuinfo: name, widest vectors first.  A processor with AVX-512 can be several times as fast
# as one of the same name without, and TensorFlow's kernels round differently.
_INSTRUCTIONS = {"amx_tile": "AMX", "avx512f": "AVX-512", "avx2": "AVX2", "asimd": "NEON"}
_PACKAGES = ("tensorflow", "keras", "numpy", "tensorflow-datasets", "scikit-learn")


def machine() -> dict[str, Any]:
    """Return {"processor", "instructions", "cores"} of this process.

    "instructions" is its widest vector extension, absent if Linux names none of the known ones; "cores" is
    the number of cores that the process may use.
    """
    lines = _cpuinfo()
    models = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    found = {"processor": next(models, platform.processor() or platform.machine())}
    flags = {
        flag for line in lines if line.startswith(("flags", "Features")) for flag in line.split()
    }
    if widest := next((name for flag, name in _INSTRUCTIONS.items() if flag in flags), None):
        found["instructions"] = widest
    usable = getattr(os, "sched_getaffinity", None)  # not on macOS and Windows
    return {**found, "cores": len(usable(0)) if usable else os.cpu_count()}


def versions() -> dict[str, str]:
    """Return {package: version} of the packages that a run's numbers depend on."""
    packages = {name: importlib.metadata.version(name) for name in _PACKAGES}
    return {"python": platform.python_version(), "tfgen": tfgen.__version__, **packages}


def in_words(machine: dict[str, Any]) -> str:
    """Return a machine as text: "Intel Xeon with AMX, 2 cores"; older records lack the instructions."""
    cores, instructions = machine["cores"], machine.get("instructions")
    processor = machine["processor"] + (f" with {instructions}" if instructions else "")
    return f"{processor}, {cores} core{'s' * (cores > 1)}"


def _cpuinfo() -> list[str]:
    """Return the lines of /proc/cpuinfo, none where the system has no such file."""
    try:
        return Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return []
