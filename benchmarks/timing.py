"""Alternating measurement: A B A B ... in small blocks, each in its own process, one at a time."""

import contextlib
import dataclasses
import json
import os
import statistics
import subprocess
import sys
from pathlib import Path

REGIMES = {
    "own": {},
    "avx2": {  # TensorFlow's default with AVX2 and without VNNI; the last two variables are PyTorch's
        "TF_ENABLE_ONEDNN_OPTS": "0",
        "ONEDNN_MAX_CPU_ISA": "AVX2",
        "ATEN_CPU_CAPABILITY": "avx2",
        "MKL_ENABLE_INSTRUCTIONS": "AVX2",
    },
}
ON_GPU = {"CUDA_VISIBLE_DEVICES": "0", "TF_FORCE_GPU_ALLOW_GROWTH": "true"}
ON_CPU = {"TF_CPP_MIN_LOG_LEVEL": "3", "CUDA_VISIBLE_DEVICES": ""}
WARM_UP = 2  # units
ROOT = Path(__file__).resolve().parents[1]


@dataclasses.dataclass(frozen=True)
class Effort:
    """Length of a measurement: rounds of blocks, each of at least one unit and about `block` seconds."""

    rounds: int
    block: float


FULL = Effort(rounds=7, block=0.25)
QUICK = Effort(rounds=3, block=0.05)


class Worker:
    """A contender in its own process, see `benchmarks.worker`.

    Args:
        target: "module:function" that returns the `Contender`.
        arguments: Arguments of the function, JSON values.
        regime: A name in `REGIMES`, the environment of the process, or "gpu".

    Attributes:
        units: Names of its units of work, once `wait` has returned.
        facts: Facts that the contender reports, once `wait` has returned.
        peak_bytes: Largest resident size up to the last run.
    """

    def __init__(self, target, arguments, regime="own"):
        self._target = target
        self._process = subprocess.Popen(
            [sys.executable, "-m", "benchmarks.worker", target, json.dumps(arguments)],
            cwd=ROOT,
            env={**os.environ, **ON_CPU, **{**REGIMES, "gpu": ON_GPU}[regime]},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def wait(self):
        """Wait until the contender is built; call it once, before the first run."""
        built = self._receive()
        self.units, self.facts = built["units"], built["facts"]

    def run(self, unit, repeats):
        """Run the unit `repeats` times; return the seconds that this took."""
        request = json.dumps({"unit": unit, "repeats": repeats})
        print(request, file=self._process.stdin, flush=True)
        reply = self._receive()
        self.peak_bytes = reply["peak_bytes"]
        return reply["seconds"]

    def close(self):
        self._process.stdin.close()
        self._process.stdout.close()
        self._process.wait()

    def _receive(self):
        line = self._process.stdout.readline()
        if not line:
            raise RuntimeError(
                "A worker must answer. "
                f"Received: status {self._process.wait()} of the worker for {self._target}"
            )
        return json.loads(line)


@contextlib.contextmanager
def start_workers(tasks, regime="own"):
    """Yield {name: Worker} for tasks {name: (target, arguments)}; workers are built concurrently."""
    with contextlib.ExitStack() as stack:
        workers = {}
        for name, (target, arguments) in tasks.items():
            workers[name] = Worker(target, arguments, regime)
            stack.callback(workers[name].close)
        for worker in workers.values():
            worker.wait()
        yield workers


def alternate(runs, effort):
    """Measure the seconds per unit of work, block by block.

    Args:
        runs: {name: (worker, unit)}.
        effort: Every round does one block of each run, in turn.

    Returns:
        {name: [seconds of one unit, one per round]}, to five digits.
    """
    repeats = {}
    for name, (worker, unit) in runs.items():
        worker.run(unit, WARM_UP)
        repeats[name] = max(1, round(effort.block / worker.run(unit, 1)))
    seconds = {name: [] for name in runs}
    for _ in range(effort.rounds):
        for name, (worker, unit) in runs.items():
            block = worker.run(unit, repeats[name])
            seconds[name].append(float(f"{block / repeats[name]:.5g}"))
    return seconds


@dataclasses.dataclass(frozen=True)
class Spread:
    """Median and quartiles over the rounds."""

    median: float
    low: float
    high: float


def spread(values):
    """Return median and quartiles; with fewer than three values, the extremes replace the quartiles."""
    if len(values) < 3:
        return Spread(statistics.median(values), min(values), max(values))
    low, median, high = statistics.quantiles(values, method="inclusive")
    return Spread(median, low, high)


def ratio(slow, fast):
    """Return the spread of the ratio slow / fast, computed per round."""
    return spread([a / b for a, b in zip(slow, fast, strict=True)])
