"""Machine and software of a run."""

import importlib.metadata
import os
import platform
from pathlib import Path
from typing import Any

import tfgen

_PACKAGES = ("tensorflow", "keras", "numpy", "tensorflow-datasets", "scikit-learn")


def machine() -> dict[str, Any]:
    """Return {"processor", "cores"}, with the number of cores that this process may use."""
    usable = getattr(os, "sched_getaffinity", None)  # not on macOS and Windows
    return {"processor": _processor(), "cores": len(usable(0)) if usable else os.cpu_count()}


def versions() -> dict[str, str]:
    """Return {package: version} of the packages that a run's numbers depend on."""
    packages = {name: importlib.metadata.version(name) for name in _PACKAGES}
    return {"python": platform.python_version(), "tfgen": tfgen.__version__, **packages}


def in_words(machine: dict[str, Any]) -> str:
    """Return a machine as text: "Intel Xeon, 2 cores"."""
    cores = machine["cores"]
    return f"{machine['processor']}, {cores} core{'s' * (cores > 1)}"


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        lines = []
    models = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(models, platform.processor() or platform.machine())
