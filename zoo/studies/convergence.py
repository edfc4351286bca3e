"""`python -m zoo.studies.convergence [NAME ...]`: scores over training, of models kept every few epochs.

Distances that still fall at the end say that a longer run would be better, and distances that rise that the
run should have ended before.  A run that exists is resumed or read.
"""

import json
from pathlib import Path
from typing import Any

import click

import tfgen
import zoo
from tfgen.drawing import plots
from tfgen.markdown import table
from zoo.preset import train as training
from zoo.preset.load import load
from zoo.preset.provenance import in_words, machine
from zoo.preset.run import EPOCHS

PAGES = Path(__file__).resolve().parents[2] / "docs" / "studies"
RECIPES = ("gan_cifar10", "iwgan_cifar10")
KEEP = 4  # epochs per model that is scored; the last one is, too
SAMPLES = 10_000
METRICS = {
    "share of real": "inception_score_ratio",
    "FID": "fid",
    "precision": "precision",
    "recall": "recall",
}


def scores(folder: Path, data: str) -> dict[str, dict[str, float]]:
    """Return {epoch: {metric: value}} of the models that are kept in a run's folder."""
    found = {}
    for path in sorted((folder / EPOCHS).glob("*.keras")):
        measured = tfgen.evaluate(load(path), data, SAMPLES)
        found[str(int(path.stem))] = {name: measured[name]["value"] for name in METRICS.values()}
    return found


def page(results: dict[str, Any]) -> str:
    """Return the scores as Markdown, a section per recipe."""
    sections = "\n".join(_section(name, results[name]) for name in RECIPES if name in results)
    machines = dict.fromkeys(map(in_words, results["machines"].values()))
    return f"""# Scores over training

`python -m zoo.studies.convergence`, on {"; ".join(machines)}. {SAMPLES:,} samples
of seed 0 from theta's moving average, scored by `resnet_cifar10`; the runs are those of the presets, of
seed 0. Of `cgan_cifar10` and `iwcgan_cifar10` no earlier models were kept: not run here.

![FID over epochs](convergence.png)

{sections}"""


def _section(name, found):
    rows = [
        (epoch, *(f"{one[metric]:.3f}" for metric in METRICS.values()))
        for epoch, one in found.items()
    ]
    return f"## {name}\n\n{table(('epoch', *METRICS), rows)}\n"


def draw(results: dict[str, Any], path: Path) -> None:
    """Draw FID over epochs to a PNG file."""
    figure, [axes] = plots.axes(1, size=(5.0, 3.2))
    for name in RECIPES:
        if name in results:
            epochs = [int(epoch) for epoch in results[name]]
            axes.plot(epochs, [one["fid"] for one in results[name].values()], "o-", label=name)
    axes.set(xlabel="epoch", ylabel="FID", ylim=(0, None))
    axes.legend(frameon=False)
    plots.save(figure, path)


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.argument("names", nargs=-1, type=click.Choice(RECIPES))
@click.option(
    "--runs", type=click.Path(path_type=Path), default="runs/convergence", show_default=True
)
def main(names: tuple[str, ...], runs: Path) -> None:
    """Train the recipes NAMES, by default all, in folders RUNS/NAME, and score the models that are kept."""
    path = PAGES / "convergence.json"
    results = json.loads(path.read_text()) if path.is_file() else {}
    for name in names or RECIPES:
        recipe = zoo.RECIPES[name]
        training.train(name, runs / name, seed=0, resume=True, keep=KEEP)
        results[name] = scores(runs / name, recipe["data"]["name"])
        results.setdefault("machines", {})[name] = machine()
        path.write_text(json.dumps(results, indent=1) + "\n")
        path.with_suffix(".md").write_text(page(results))
        draw(results, path.with_suffix(".png"))


if __name__ == "__main__":
    main()
