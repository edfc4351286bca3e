"""`python -m zoo.studies.temperatures`: choose T of adversary activation on images held out.

Every recipe is trained once for each T of the paper's appendix I.2, with one seed; a run's score is the
highest bound on the tenth of its training images that it does not learn from.  Test images are not read.
"""

import json
from pathlib import Path
from typing import Any

import click

import zoo
from tfgen.markdown import table
from zoo.preset import train as training
from zoo.preset.provenance import in_words, machine
from zoo.preset.run import MONITORED, Run

PAGES = Path(__file__).resolve().parents[2] / "docs" / "studies"
TEMPERATURES = (1.0, 1.5, 3.0, 5.0)
HELD_OUT = 0.1
RECIPES = {  # name: number of epochs without a higher bound after which a run ends
    "aavae_mnist_1pct": 20,
    "aacvae_mnist_1pct": 20,
    "aavae_mnist_10pct": 10,
    "aacvae_mnist_10pct": 10,
}


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.argument("names", nargs=-1, type=click.Choice(list(RECIPES)))
@click.option("--runs", type=click.Path(path_type=Path), default="runs/temperatures")
def main(names: tuple[str, ...], runs: Any) -> None:
    """Train the recipes NAMES, by default all; an existing run is resumed or read."""
    path = PAGES / "temperatures.json"
    results = json.loads(path.read_text()) if path.is_file() else {}
    for name in names or RECIPES:
        for temperature in TEMPERATURES:
            history = run(name, temperature, runs / f"{name}_{temperature:g}")
            best = max(history, key=lambda entry: entry[MONITORED])
            results.setdefault(name, {})[f"{temperature:g}"] = {
                "bound": best[MONITORED],
                "epoch": best["epoch"],
                "epochs": len(history),
                "minutes": sum(entry["seconds"] for entry in history) / 60,
            }
        results.setdefault("machines", {})[name] = machine()
        path.write_text(json.dumps(results, indent=2) + "\n")
        (PAGES / "temperatures.md").write_text(page(results))


def run(name: str, temperature: float, out: Path) -> Any:
    """Return the history of a recipe's run at a temperature."""
    recipe = zoo.RECIPES[name]
    recipe = {
        **recipe,
        "data": {**recipe["data"], "held_out": HELD_OUT},
        "build": {**recipe["build"], "temperature": temperature},
        "training": {**recipe["training"], "patience": RECIPES[name]},
    }
    training.train(recipe, out, resume=True, verbose=0)
    return Run(out).history


def page(results: dict[str, Any]) -> str:
    """Return the results as Markdown."""
    header = ("recipe", *(f"T = {temperature:g}" for temperature in TEMPERATURES), "minutes")
    rows = []
    lines = [
        "# The temperature of adversary activation",
        "",
        "Made by `python -m zoo.studies.temperatures`, from `temperatures.json`. Highest bound, in nats",
        "per image, on the tenth of the training images that is held out; its epoch in brackets. Seed 0.",
        "",
    ]
    for name in RECIPES:
        if name in results:
            runs = [results[name][f"{temperature:g}"] for temperature in TEMPERATURES]
            cells = [f"{run['bound']:.2f} ({run['epoch']})" for run in runs]
            minutes = sum(run["minutes"] for run in runs)
            rows.append((f"`{name}`", *cells, f"{minutes:.1f}"))
    machines = "; ".join(dict.fromkeys(map(in_words, results["machines"].values())))
    return "\n".join([*lines, table(header, rows), "", f"{machines}.", ""])


if __name__ == "__main__":
    main()
