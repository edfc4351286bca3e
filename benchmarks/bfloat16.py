"""`python -m benchmarks.bfloat16`: the training steps of recipes, with products in bfloat16 or without.

What `tfgen train --bfloat16` gains depends on the processor alone; losses are the runs' to show.
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
    """{recipe: {"float32": [seconds a step, one a round], "bfloat16": [...]}}."""
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
    """BFLOAT16.md of what `main` measured."""
    machine = results["machine"]
    sets = ", ".join(machine["instruction_sets"])
    rows = [_row(name, seconds) for name, seconds in results["recipes"].items()]
    return f"""# Products in bfloat16

`python -m benchmarks.bfloat16`, in alternating blocks. Milliseconds a training step on random images;
medians, in brackets the quartiles. {machine["processor"]}, cores: {machine["cores"]}; {sets}.

{table(("recipe", "float32", "bfloat16", "ratio"), rows)}
"""


def _row(name, seconds):
    times = [f"{1e3 * spread(seconds[products]).median:.1f}" for products in seconds]
    gain = ratio(seconds["float32"], seconds["bfloat16"])
    return (f"`{name}`", *times, f"{gain.median:.2f} ({gain.low:.2f}-{gain.high:.2f})")


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
def main():
    """Measure, and write bfloat16.json and the BFLOAT16.md that is made of it."""
    results = {"machine": describe(), "recipes": measure(FULL)}
    (HERE / "bfloat16.json").write_text(json.dumps(results, indent=2) + "\n")
    (HERE / "BFLOAT16.md").write_text(page(results))


if __name__ == "__main__":
    main()
