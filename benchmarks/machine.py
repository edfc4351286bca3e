"""Machine and software of the measurements."""

import importlib.metadata
from pathlib import Path

from benchmarks.timing import REGIMES, start_workers

INSTRUCTION_SETS = (
    "avx2", "fma", "avx512f", "avx512_vnni", "avx512_bf16", "avx_vnni", "amx_tile", "asimd", "sve"
)  # fmt: skip
PEERS = ("torch", "pythae")


def describe():
    """Return {"processor", "cores", "instruction_sets", "versions", "onednn": {regime: bool}}."""
    seen = {}
    for regime in REGIMES:
        with start_workers(
            {regime: ("benchmarks.contenders.operators:environment", {})}, regime
        ) as w:
            seen[regime] = w[regime].facts
    own = seen["own"]
    return {
        "processor": own["processor"],
        "cores": own["cores"],
        "instruction_sets": instruction_sets(),
        "versions": {**own["versions"], **versions(PEERS)},
        "onednn": {regime: facts["onednn"] for regime, facts in seen.items()},
    }


def instruction_sets():
    """Return those of `INSTRUCTION_SETS` that the processor has; none if Linux does not list them."""
    cpuinfo = Path("/proc/cpuinfo")
    flags = set(cpuinfo.read_text().split()) if cpuinfo.is_file() else set()
    return [name for name in INSTRUCTION_SETS if name in flags]


def versions(packages):
    """Return {package: version} of the installed packages."""
    found = {}
    for package in packages:
        try:
            found[package] = importlib.metadata.version(package)
        except importlib.metadata.PackageNotFoundError:
            continue
    return found
