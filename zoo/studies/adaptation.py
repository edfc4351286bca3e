"""`python -m zoo.studies.adaptation`: share of the gap between two classifiers that ADA and IW-ADA close.

The floor learns from the labelled source only, the ceiling from the labelled target; ADA has the source's
labels and the target's images; no image is shifted.  All four have the recipe's networks, trained for
equally many steps with equally many labelled images per step, and are tested after the last step on the
target's test split.  The target's labels are used only by the ceiling, and for no choice.

Every run is written to adaptation.json when it ends; a written run is not repeated.
"""

import itertools
import json
import statistics
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click
import keras

import tfgen
import zoo
from tfgen.atomic import replace_file
from tfgen.markdown import table
from zoo.preset.provenance import in_words, machine, versions
from zoo.recipes.reading import Recipe

PAGES = Path(__file__).resolve().parents[2] / "docs" / "studies"
EPOCHS = {"ada_mnist_mnist_m": 6, "ada_mnist_usps": 3, "ada_usps_mnist": 3}
WEIGHT, STEPS = 0.1, 938  # of the adversarial term, reached at the end; of an epoch
METHODS = {  # changes of a recipe's `build`
    "source only": {"adversarial_weight": 0.0},
    "ADA": {},
    "trained on target": {"adversarial_weight": 0.0},
    "IW-ADA": {"importance_weighted": True},
}
FLOOR, CEILING = "source only", "trained on target"
LAST = "IW-ADA"
GANIN = {  # et al. (2016), table 2, on the whole of MNIST-M
    "ada_mnist_mnist_m": {"source only": 0.5225, "ADA": 0.7666, "trained on target": 0.9596}
}


def recipe_of(name: str) -> Recipe:
    """Return a recipe with this study's settings, fixed before validators chose those of `zoo.RECIPES`."""
    recipe, epochs = zoo.RECIPES[name], EPOCHS[name]
    build = {**recipe["build"], "adversarial_weight": WEIGHT, "ramp": STEPS * epochs}
    data = {key: value for key, value in recipe["data"].items() if key != "shift"}
    training = {**recipe["training"], "epochs": epochs}
    return {**recipe, "data": data, "build": build, "training": training}


def accuracy(recipe: Recipe, method: str, seed: int) -> Any:
    """Train a model by a method; return its accuracy on the target's test split.

    Args:
        recipe: Recipe of an ADA.
        method: Key of METHODS.
        seed: Seed of weights and order.
    """
    data, settings = recipe["data"], recipe["training"]
    geometry = {key: value for key, value in data.items() if key not in ("name", "target")}
    recipe = {**recipe, "build": {**recipe["build"], **METHODS[method]}}
    batches = zoo.ADA.load_data(**data, batch_size=settings["batch_size"], seed=seed)
    count = len(batches)
    if method in (FLOOR, CEILING):
        name = data["name"] if method == FLOOR else data["target"]
        half = settings["batch_size"] // 2
        batches = tfgen.data.load(name, batch_size=half, seed=seed, **geometry)
    keras.utils.set_random_seed(seed)
    model = zoo.build(recipe, tfgen.data.info(data["name"], **geometry), seed=seed, batches=count)
    model.fit(batches.repeat(), steps_per_epoch=count, epochs=settings["epochs"], verbose=0)
    return tfgen.evaluate(model, data["target"])["accuracy"]["value"]


def pending(results: dict[str, Any], recipes: Sequence[str], seeds: int) -> Any:
    """Return [(name of the recipe, seed, method)] of runs not yet recorded, seed after seed, LAST last."""
    recorded = {
        (name, run["seed"], run["method"])
        for name in recipes
        for run in results["recipes"][name]["runs"]
    }
    runs = [(n, s, m) for s, n, m in itertools.product(range(seeds), recipes, METHODS)]
    left = [run for run in runs if run not in recorded]
    return sorted(left, key=lambda run: run[-1] == LAST)


def read(recipes: Sequence[str]) -> dict[str, Any]:
    """Return the results so far, with an entry for every recipe.

    Raises:
        ValueError: Recorded runs are of another recipe, machine or versions.
    """
    path = PAGES / "adaptation.json"
    results = json.loads(path.read_text()) if path.is_file() else {"recipes": {}}
    facts = {"machine": machine(), "versions": versions()}
    if results.setdefault("facts", facts) != facts:
        raise ValueError(
            f"Runs must be of one machine; remove {path} to start again. Received: {facts}"
        )
    for name in recipes:
        recipe = json.loads(json.dumps(recipe_of(name)))
        recorded = results["recipes"].setdefault(name, {"recipe": recipe, "runs": []})
        if recorded["recipe"] != recipe:
            raise ValueError(
                f"Runs must be of one recipe; remove {path} to start again. Received: {recipe}"
            )
    return results


def write(results: dict[str, Any]) -> None:
    """Write adaptation.json and the page made from it, adaptation.md."""
    with replace_file(PAGES / "adaptation.json") as aside:
        aside.write_text(json.dumps(results, indent=2) + "\n")
    (PAGES / "adaptation.md").write_text(page(results))


def page(results: dict[str, Any]) -> str:
    """Return adaptation.md."""
    facts = results["facts"]
    software = facts["versions"]
    sections = "\n".join(
        _section(name, **entry) for name, entry in results["recipes"].items() if entry["runs"]
    )
    return f"""# Adversarial domain adaptation between its floor and its ceiling

`python -m zoo.studies.adaptation`, on {in_words(facts["machine"])}, with TensorFlow
{software["tensorflow"]} and Keras {software["keras"]}.

Accuracy on the target's test split after the last step: mean and standard deviation over seeds. The
floor learns from the labelled source only, the ceiling from the labelled target; ADA has the source's
labels and the target's images. Networks, steps, optimizer and labelled images per step are the same.
The target's labels train the ceiling and score this test. The normalization, the weight of the adversarial
term and phi's depth were chosen between MNIST and MNIST's digits blended with colored noise; one earlier
model had been tested on MNIST-M, see its section.
*Gap closed* is the gain over the floor's mean as a share of the ceiling's. Between MNIST and USPS,
[validators](validators.md) choose epochs, weight and shifts without labels of the target. From USPS to
MNIST, ADA then closes more; from MNIST to USPS, shifted images do, without an adversary more than with it.
{sections}"""


def _section(name, recipe, runs):
    data = recipe["data"]
    found = {method: [r for r in runs if r["method"] == method] for method in METHODS}
    means = {
        method: statistics.mean(run["accuracy"] for run in done)
        for method, done in found.items()
        if done
    }
    published = GANIN.get(name, {})
    rows = [_row(method, found[method], _closed_gap(means, method), published) for method in means]
    header = (
        "",
        "accuracy",
        "seeds",
        "gap closed",
        "Ganin et al. (2016)",
        "gap closed",
        "seconds per run",
    )
    geometry = " ".join(f"{key} {value}" for key, value in data.items())
    return f"""
## {data["name"]} to {data["target"]}

Recipe of these runs: {geometry}; {_join(recipe["build"])}; {_join(recipe["training"])}.
The preset `{name}` may have another, see its page.{_note(name)}

{table(header, rows)}
{_same_seeds(found)}"""


def _same_seeds(found):
    """Tell ADA's accuracy on the seeds of IW-ADA, if those are fewer."""
    seeds = sorted({run["seed"] for run in found[LAST]})
    same = [run["accuracy"] for run in found["ADA"] if run["seed"] in seeds]
    if not same or len(same) == len(found["ADA"]):
        return ""
    numbers = ", ".join(map(str, seeds))
    return (
        f"\n{LAST} was run with no other seed than {numbers}, with which ADA reaches "
        f"{statistics.mean(same):.4f}.\n"
    )


def _row(method, runs, closed, published):
    values = [run["accuracy"] for run in runs]
    spread = f" ± {statistics.stdev(values):.4f}" if len(values) > 1 else ""
    return (
        method,
        f"{statistics.mean(values):.4f}{spread}",
        len(values),
        closed,
        f"{published[method]:.4f}" if method in published else "",
        _closed_gap(published, method) if method in published else "",
        round(statistics.mean(run["seconds"] for run in runs)),
    )


def _closed_gap(means, method):
    """Return the share of the gap that a method closes, in percent."""
    if method in (FLOOR, CEILING) or not {FLOOR, CEILING} <= means.keys():
        return ""
    return f"{(means[method] - means[FLOOR]) / (means[CEILING] - means[FLOOR]):.0%}"


def _note(name):
    if name not in GANIN:
        return ""
    return """
MNIST-M is a subset here: 12,000 of 59,001 training images and 4,000 of 9,001 test images. Ganin et al.
had all images, other networks, and reversed phi's gradient. One run of seed 0, with three epochs and one
hidden layer in phi, had been tested before this recipe was fixed."""


def _join(values):
    return ", ".join(f"{key} {value}" for key, value in values.items())


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.argument("recipes", nargs=-1, type=click.Choice(list(EPOCHS)))
@click.option("--seeds", default=5, show_default=True, type=click.IntRange(1))
def main(recipes: Sequence[str], seeds: int) -> None:
    """Train and test the RECIPES, by default all, by every method and seed not recorded yet."""
    recipes = recipes or list(EPOCHS)
    results = read(recipes)
    for name, seed, method in pending(results, recipes, seeds):
        started = time.perf_counter()
        share = accuracy(recipe_of(name), method, seed)
        seconds = round(time.perf_counter() - started, 1)
        run = {"method": method, "seed": seed, "accuracy": round(share, 4), "seconds": seconds}
        results["recipes"][name]["runs"].append(run)
        write(results)
        click.echo(json.dumps({"recipe": name, **run}), err=True)
    write(results)


if __name__ == "__main__":
    main()
