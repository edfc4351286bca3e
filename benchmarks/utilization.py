"""Operations per second of the training step relative to a matrix product; its growth and its memory."""

from benchmarks import comparison
from benchmarks.timing import alternate, start_workers

STEPS = "benchmarks.contenders.ours:gan_steps"
PIPELINES = "benchmarks.contenders.ours:pipelines"
BASE = {"width": 64, "size": 28, "batch": 64}
CASES = {"width 32": {**BASE, "width": 32}, "width 64": BASE}
GROWTH = {
    "batch": (16, 32, 64, 128, 256),
    "width": (16, 32, 64, 128),
    "size": (16, 28, 32, 64),
}


def measure(effort):
    """Return records, see `benchmarks.comparison.compare`, and those of `growth` under "growth"."""
    tasks = {"tfgen": (STEPS, {"cases": CASES}), "pipeline": (PIPELINES, {"cases": CASES})}
    return {"records": comparison.compare(tasks, CASES, effort), "growth": growth(effort)}


def growth(effort):
    """Measure seconds, operations and peak memory of a step as one size grows and the others are fixed.

    Each case is trained in its own process, for its own peak of memory.

    Returns:
        [{"grown", "value", "seconds": [...], "operations", "peak_bytes"}]
    """
    records = []
    for grown, values in GROWTH.items():
        tasks = {value: (STEPS, {"cases": {grown: {**BASE, grown: value}}}) for value in values}
        with start_workers(tasks) as workers:
            seconds = alternate({value: (workers[value], grown) for value in values}, effort)
            records += [
                {
                    "grown": grown,
                    "value": value,
                    "seconds": seconds[value],
                    "operations": workers[value].facts[grown]["operations"],
                    "peak_bytes": workers[value].peak_bytes,
                }
                for value in values
            ]
    return records
