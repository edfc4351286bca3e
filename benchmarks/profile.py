"""Time of both loops' training steps by type of operator."""

from benchmarks.timing import REGIMES, start_workers

CASES = {f"width {width}": {"width": width, "size": 28, "batch": 64} for width in (32, 64)}


def measure(effort):
    """Return "records": [{"regime", "case", "loop", "seconds": {operator type: seconds per step}}]."""
    records = []
    for regime in REGIMES:
        for loop in ("tfgen", "keras"):
            arguments = {"loop": loop, "cases": CASES, "steps": effort.rounds}
            task = ("benchmarks.contenders.profile:training_steps", arguments)
            with start_workers(
                {loop: task}, regime
            ) as workers:  # one at a time: building is profiling
                records += [
                    {"regime": regime, "case": case, "loop": loop, "seconds": seconds}
                    for case, seconds in workers[loop].facts.items()
                ]
    return {"records": records}
