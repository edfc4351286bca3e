"""`python -m benchmarks.bfloat16`: training steps of recipes with products in bfloat16 and in float32.

The gain of `tfgen train --bfloat16` depends only on the processor; losses are not compared here.
"""

import json
from pathlib import Path

import click

from benchmarks.machine import describe
from benchmarks.timing import FULL, alternate, ratio, spread, start_workers
from tfgen.markdown import table

HERE = Path(__file__).parent
RECIPES = ("gan_mnist", "vae_mnist", "aavae_mnist", "svae_mnist_1pct", "vaegan_mnist")
TASK = "benchmarks.contenders.ours:recipe_steps"


def measure(effort):
    """Return {recipe: {"float32": [seconds per step, one per round], "bfloat16": [...]}}."""
    results = {}
    for name in RECIPES:
        tasks = {
            products: (TASK, {"name": name, "bfloat16": products == "bfloat16"})
            for products in ("float32", "bfloat16")
        }
        with start_workers(tasks) as workers:
            runs = {products: (worker, name) for products, worker in workers.items()}
            results[name] = alternate(runs, effort)
    return results


def page(results):
    """Return BFLOAT16.md."""
    machine = results["machine"]
    sets = ", ".join(machine["instruction_sets"])
    rows = [_row(name, seconds) for name, seconds in results["recipes"].items()]
    return f"""# Products in bfloat16

`python -m benchmarks.bfloat16`, in alternating blocks. Milliseconds per training step on random images;
medians, with quartiles in brackets. {machine["processor"]}, cores: {machine["cores"]}; {sets}.

{table(("recipe", "float32", "bfloat16", "ratio"), rows)}
"""


def _row(name, seconds):
    times = [f"{1e3 * spread(seconds[products]).median:.1f}" for products in seconds]
    gain = ratio(seconds["float32"], seconds["bfloat16"])
    return (f"`{name}`", *times, f"{gain.median:.2f} ({gain.low:.2f}-{gain.high:.2f})")


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
def main():
    """Measure, and write bfloat16.json and BFLOAT16.md."""
    results = {"machine": describe(), "recipes": measure(FULL)}
    (HERE / "bfloat16.json").write_text(json.dumps(results, indent=2) + "\n")
    (HERE / "BFLOAT16.md").write_text(page(results))


if __name__ == "__main__":
    main()
