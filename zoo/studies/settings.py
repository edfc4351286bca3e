"""`python -m zoo.studies.settings`: choose T and alpha on the images and labels that a setting allows.

Each value is trained on nine tenths of the allowed images, on a fixed schedule, with seeds from 100 on,
which no table uses; its score is the bound or the accuracy, after the last epoch, on the tenth that is
held out.  Neither test images nor labels that the setting hides are read.
"""

import itertools
import json
import statistics
from pathlib import Path
from typing import Any

import click

from tfgen.markdown import table
from zoo.preset import train as training
from zoo.preset.provenance import in_words
from zoo.preset.run import Run
from zoo.studies.reproduce.cells import INFINITE, TRAINING_IMAGES, activated_arm, cells

PAGES = Path(__file__).resolve().parents[2] / "docs" / "studies"
FIRST_SEED = 100
HELD_OUT = 0.1
STUDIES = {  # cell: (arm, argument, values, metric on the images held out)
    "vae_mnist_1pct": (
        "AA-VAE, T = 5",
        "temperature",
        (1.0, 1.5, 3.0, 5.0, 10.0, INFINITE),
        "val_bound",
    ),
    "cvae_mnist_1pct": ("AA-CVAE, T = 5", "temperature", (1.0, 5.0, 10.0, INFINITE), "val_bound"),
    "svae_mnist_1pct": ("SVAE", "alpha", (1.0, 10.0, 100.0), "val_accuracy"),
    "svae_mnist_10pct": ("SVAE", "alpha", (1.0, 10.0, 100.0), "val_accuracy"),
}


def recipe_of(cell: str, value: float) -> dict[str, Any]:
    """Return the recipe of a study's arm with one value of its argument, and a tenth of images held out."""
    arm, argument, _, _ = STUDIES[cell]
    recipe = cells()[cell].arms[arm]
    return {
        **recipe,
        "data": {**recipe["data"], "held_out": HELD_OUT},
        "build": {**recipe["build"], argument: value},
    }


def held_out(cell: str) -> int:
    """Return the number of images, all with a label if labels are few, that score a value per seed."""
    data = recipe_of(cell, STUDIES[cell][2][0])["data"]
    share = data.get("labelled", data.get("fraction"))
    return round(TRAINING_IMAGES[data["name"]] * share * HELD_OUT)


def measure(cell: str, value: float, seed: int, out: Path) -> dict[str, Any]:
    """Return {"score": metric after the last epoch, "machine"}; an existing run is resumed or read."""
    training.train(recipe_of(cell, value), out, seed=seed, resume=True, every=20, verbose=0)
    run = Run(out)
    return {"score": run.history[-1][STUDIES[cell][-1]], "machine": run.record.machine}


def page(results: dict[str, dict[str, list[dict[str, Any]]]]) -> str:
    """Return the scores as Markdown, with the best value of each study in bold."""
    sections = []
    for cell, (arm, *_) in STUDIES.items():
        numbers = _numbers(cell, results[cell]) if cell in results else "Not run here."
        sections.append(f"## {cell}, {arm.split(',')[0]}\n\n{numbers}\n")
    return (
        "# Settings of the tables\n\n"
        "`python -m zoo.studies.settings`: each value learns from nine tenths of the images, or labels,\n"
        "that the setting allows, with seeds from 100 on; means over seeds on the tenth that is held out,\n"
        "after the last epoch of a fixed schedule. The tables' claims have T = 5 and the best alpha.\n\n"
        + "\n".join(sections)
    )


def _numbers(cell, found):
    """Return the means of a study, over the seeds that all of its recorded values have."""
    _, argument, values, metric = STUDIES[cell]
    recorded = {value: found[str(value)] for value in values if found.get(str(value))}
    seeds = min(map(len, recorded.values()))
    machines = dict.fromkeys(
        in_words(run["machine"]) for runs in recorded.values() for run in runs[:seeds]
    )
    means = {
        value: statistics.mean(run["score"] for run in runs[:seeds])
        for value, runs in recorded.items()
    }
    rows = [(_value(argument, value), seeds, _cell(mean, means)) for value, mean in means.items()]
    return (
        f"{held_out(cell)} images held out per seed; {'; '.join(machines)}.\n\n"
        f"{table((argument, 'seeds', metric), rows)}"
    )


def _value(argument, value):
    return (
        activated_arm("", value).rpartition(" ")[2] if argument == "temperature" else f"{value:g}"
    )


def _cell(mean, means):
    return f"**{mean:.4f}**" if mean == max(means.values()) else f"{mean:.4f}"


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.argument("names", nargs=-1, type=click.Choice(list(STUDIES)))
@click.option("--seeds", default=3, show_default=True, type=click.IntRange(1))
@click.option("--runs", type=click.Path(path_type=Path), default="runs/settings", show_default=True)
def main(names: tuple[str, ...], seeds: int, runs: Path) -> None:
    """Train the studies NAMES, by default all, with every value and seed that is not recorded."""
    path = PAGES / "settings.json"
    results = json.loads(path.read_text()) if path.is_file() else {}
    for cell in names or STUDIES:
        for number, value in itertools.product(range(seeds), STUDIES[cell][2]):
            scores = results.setdefault(cell, {}).setdefault(str(value), [])
            if number >= len(scores):
                seed = FIRST_SEED + number
                scores.append(measure(cell, value, seed, runs / f"{cell}-{value:g}-{seed}"))
            path.write_text(json.dumps(results, indent=1) + "\n")
            (PAGES / "settings.md").write_text(page(results))


if __name__ == "__main__":
    main()
