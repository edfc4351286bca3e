"""`python -m benchmarks.replicas`: compare a step on several replicas with one, at one global batch.

Logical devices share the processor, so the extra time of several is that for dividing the batch and
exchanging gradients, sizes and metrics.
"""

import json
import os
from pathlib import Path
from typing import Any

import click

from benchmarks import machine
from benchmarks.timing import FULL, QUICK, Effort, alternate, ratio, spread, start_workers
from tfgen.markdown import table

HERE = Path(__file__).parent
REPLICAS = (1, 2, 4)
WORK = {"batch": 128, "width": 32}


def measure(effort: Effort) -> dict[str, list[float]]:
    """Return {number of replicas: seconds per step of each round}."""
    target = "benchmarks.contenders.replicated:steps"
    tasks = {str(count): (target, {"replicas": count, **WORK}) for count in REPLICAS}
    with start_workers(tasks) as workers:
        return alternate({name: (worker, "step") for name, worker in workers.items()}, effort)


def page(results: dict[str, Any]) -> str:
    """Return the text of REPLICAS.md."""
    seconds = results["seconds"]
    rows = []
    for count in REPLICAS:
        found, over = spread(seconds[str(count)]), ratio(seconds[str(count)], seconds["1"])
        milliseconds = (1000 * value for value in (found.median, found.low, found.high))
        rows.append(
            (
                count,
                "{:.1f} ({:.1f}-{:.1f})".format(*milliseconds),
                f"{over.median:.2f} ({over.low:.2f}-{over.high:.2f})",
            )
        )
    use = "shared with other work" if results["shared"] else "otherwise idle"
    return f"""# A step on several replicas

`python -m benchmarks.replicas`, on {results["processor"]}, {results["cores"]} cores, a machine
{use}. IWGAN on digits, width {WORK["width"]}, global batches of {WORK["batch"]} images, logical CPUs of
one process, which share the cores, so a ratio above 1 is the cost of dividing the batch and exchanging
sizes, gradients and metrics. Blocks of steps alternate; medians, with quartiles in brackets. Several GPUs
were not run here.

{table(("replicas", "milliseconds per step", "against one"), rows)}
"""


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--quick", is_flag=True, help="Run few short rounds and only print them, as a check.")
def main(quick: bool) -> None:
    """Measure steps on 1, 2 and 4 replicas, and write REPLICAS.md."""
    here, shared = machine.describe(), os.getloadavg()[0] > 1
    results = {"processor": here["processor"], "cores": here["cores"], "shared": shared}
    results["seconds"] = measure(QUICK if quick else FULL)
    text = page(results)
    click.echo(text)
    if not quick:
        (HERE / "replicas.json").write_text(json.dumps(results, indent=2) + "\n")
        (HERE / "REPLICAS.md").write_text(text)


if __name__ == "__main__":
    main()
