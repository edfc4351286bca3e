"""`python -m zoo.studies.validators`: choose epochs and weight of ADA without labels of the target.

Each model from MNIST to MNIST-M is scored after every epoch by the validators of
`tfgen.evaluation.validators`, and by its accuracy on the target's test split, which ranks the validators.
The best validator then chooses epoch and weight between MNIST and USPS, where the accuracy of the chosen
model is reported.

It chooses among runs with images of both domains as they are and shifted by up to two pixels, the
augmentation of French et al. (2018, arXiv 1706.05208) for this pair, with each weight of the adversarial
term and with weight 0, which learns from the source alone.

A run learns from all but `HELD` of the source's training images and from all of the target's, without their
labels.  Validators read those `HELD` images and as many of the target's training images.  Each run is
written to validators.json when it ends; a written run is not repeated.
"""

import itertools
import json
import math
import operator
import statistics
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import click
import keras
import numpy as np
from scipy import stats

import tfgen
import zoo
from tfgen.atomic import replace_file
from tfgen.data.mixed import mixed_batches
from tfgen.evaluation import metrics, validators
from tfgen.markdown import table
from zoo.preset.provenance import in_words, machine, versions
from zoo.studies import adaptation

PAGES = Path(__file__).resolve().parents[2] / "docs" / "studies"
WEIGHTS = (0.1, 0.3, 1.0)  # lambda of the adversarial term
SOURCE_ONLY = 0.0
EVERY_WEIGHT = (SOURCE_ONLY, *WEIGHTS)


class Setting(NamedTuple):
    """A recipe of ADA and what its runs share: the largest shift in pixels, numbers of epochs and seeds."""

    recipe: str
    shift: int
    epochs: int
    seeds: int

    def runs(self, runs: list[dict[str, Any]]) -> list[dict[str, Any]]:
        """Return its runs among the recorded ones."""
        return [r for r in runs if (r["recipe"], r["shift"]) == (self.recipe, self.shift)]


RANKED = Setting("ada_mnist_mnist_m", 0, 8, 2)  # where the target's labels rank the validators
PLAIN = (Setting("ada_mnist_usps", 0, 8, 5), Setting("ada_usps_mnist", 0, 8, 5))
SHIFTED = (Setting("ada_mnist_usps", 2, 6, 5), Setting("ada_usps_mnist", 2, 6, 5))
HELD = 2_000  # number of images of each domain that validators read
VALIDATORS = {
    "importance-weighted accuracy": "Sugiyama et al. (2007)",
    "soft neighborhood density": "Saito et al. (2021)",
    "batch nuclear norm": "Cui et al. (2020)",
    "information maximization": "Krause et al. (2010)",
}


class Domains(NamedTuple):
    """Images uint8 (n, h, w, c) and labels int32 (n,) of the source and the target of a run."""

    source: tuple[np.ndarray, np.ndarray]
    held: tuple[np.ndarray, np.ndarray]  # of the source, for validators
    target: np.ndarray
    test: tuple[np.ndarray, np.ndarray]  # of the target


def domains(data: dict[str, Any], seed: int) -> Domains:
    """Return the images of a recipe's `data`; the seed draws the source's images that are held out."""
    geometry = _geometry(data)
    images, labels = tfgen.data.arrays(data["name"], "train", **geometry)
    order = np.random.default_rng(seed).permutation(len(images))
    held, kept = order[:HELD], np.sort(order[HELD:])
    target, _ = tfgen.data.arrays(data["target"], "train", **geometry)
    test = tfgen.data.arrays(data["target"], "test", **geometry)
    return Domains((images[kept], labels[kept]), (images[held], labels[held]), target, test)


def scores(model: zoo.ADA, given: Domains) -> dict[str, float]:
    """Return the value of each validator, and the model's "accuracy" on the target's test split."""
    (images, labels), target = given.held, given.target[:HELD]
    probabilities = model.predict(_scale(target), verbose=0)
    correct = model.predict(_scale(images), verbose=0).argmax(axis=1) == labels
    features = model.theta.predict(_scale(images), verbose=0)
    source_odds = model.phi.predict(features, verbose=0).astype(np.float64).reshape(-1)
    found = (
        validators.importance_weighted_accuracy(correct, -source_odds),
        validators.soft_neighborhood_density(probabilities),
        validators.batch_nuclear_norm(probabilities),
        validators.information_maximization(probabilities),
    )
    test_images, test_labels = given.test
    accuracy = metrics.accuracy(model.predict(_scale(test_images), verbose=0), test_labels)
    return {**dict(zip(VALIDATORS, found, strict=True)), "accuracy": accuracy}


def run(setting: Setting, weight: float, seed: int) -> dict[str, Any]:
    """Train a recipe with a weight of its adversarial term, and score it after every epoch.

    Args:
        setting: Recipe, shift and number of epochs on the larger domain.
        weight: Final lambda, reached at the end of training.
        seed: Seed of weights, order, shifts and the images held out.
    """
    recipe, epochs = zoo.RECIPES[setting.recipe], setting.epochs
    given = domains(recipe["data"], seed)
    size = recipe["training"]["batch_size"]
    batches = mixed_batches(*given.source, given.target, size, seed, shift=setting.shift)
    steps = len(batches) * epochs
    build = {**recipe["build"], "adversarial_weight": weight, "ramp": steps}
    training = {**recipe["training"], "epochs": epochs}
    recipe = {**recipe, "build": build, "training": training}
    keras.utils.set_random_seed(seed)
    info = tfgen.data.info(recipe["data"]["name"], **_geometry(recipe["data"]))
    model = zoo.build(recipe, info, seed=seed, batches=len(batches))
    began, history = time.perf_counter(), []
    for epoch in range(epochs):
        model.fit(batches, initial_epoch=epoch, epochs=epoch + 1, verbose=0)
        history.append({key: round(v, 6) for key, v in scores(model, given).items()})
    return {
        "recipe": setting.recipe,
        "shift": setting.shift,
        "weight": weight,
        "seed": seed,
        "epochs": history,
        "seconds": round(time.perf_counter() - began, 1),
        "machine": machine(),
    }


def pending(runs: list[dict[str, Any]]) -> Iterator[tuple[Setting, float, int]]:
    """Return the runs that are not recorded; those that rank the validators come first."""
    recorded = {(r["recipe"], r["shift"], r["weight"], r["seed"]) for r in runs}
    for settings, weights in (((RANKED,), WEIGHTS), ((*PLAIN, *SHIFTED), EVERY_WEIGHT)):
        for seed in range(max(setting.seeds for setting in settings)):
            for setting, weight in itertools.product(settings, weights):
                key = setting.recipe, setting.shift, weight, seed
                if seed < setting.seeds and key not in recorded:
                    yield setting, weight, seed


def candidates(
    runs: list[dict[str, Any]], settings: Sequence[Setting], weights: Sequence[float] = WEIGHTS
) -> dict[int, list[dict[str, Any]]]:
    """Return {seed: scores of each model, with "shift", "weight" and "epoch"} of seeds with all runs."""
    wanted = {(setting.shift, weight) for setting, weight in itertools.product(settings, weights)}
    found = {}
    for seed in range(max(setting.seeds for setting in settings)):
        done = [
            r
            for setting in settings
            for r in setting.runs(runs)
            if r["seed"] == seed and r["weight"] in weights
        ]
        if {(r["shift"], r["weight"]) for r in done} == wanted:
            found[seed] = [
                {"shift": r["shift"], "weight": r["weight"], "epoch": number, **entry}
                for r in done
                for number, entry in enumerate(r["epochs"], start=1)
            ]
    return found


def source_only(runs: list[dict[str, Any]], setting: Setting) -> list[float]:
    """Return the accuracies after the last epoch of the runs that learn from the source alone."""
    alone = [r for r in setting.runs(runs) if r["weight"] == SOURCE_ONLY]
    return [r["epochs"][-1]["accuracy"] for r in alone]


def ranking(runs: list[dict[str, Any]]) -> dict[str, tuple[float, float]]:
    """Return {validator: (rank correlation with accuracy, accuracy lost by its choice)}, over seeds."""
    found = candidates(runs, [RANKED]).values()
    if not found:
        return {}
    result = {}
    for validator in VALIDATORS:
        correlations, losses = [], []
        for models in found:
            values = [m[validator] for m in models]
            accuracies = [m["accuracy"] for m in models]
            alike = len(set(values)) == 1
            correlation = math.nan if alike else stats.spearmanr(values, accuracies).statistic
            correlations.append(float(correlation))
            losses.append(max(accuracies) - accuracies[int(np.argmax(values))])
        result[validator] = statistics.mean(correlations), statistics.mean(losses)
    return result


def best_validator(runs: list[dict[str, Any]]) -> str | None:
    """Return the validator with the highest rank correlation with accuracy on `RANKED`.

    None without runs; a validator that is the same for all models has no correlation.
    """
    ranked = ranking(runs)
    known = {name: rank for name, (rank, _) in ranked.items() if not math.isnan(rank)}
    return max(known, key=lambda name: known[name]) if known else None


def choices(found: dict[int, list[dict[str, Any]]], validator: str | None) -> list[dict[str, Any]]:
    """Return the model of each seed with the validator's highest value; no model without a validator."""
    if validator is None:
        return []
    return [max(models, key=operator.itemgetter(validator)) for models in found.values()]


def page(results: dict[str, Any], bounds: dict[str, tuple[float, float]]) -> str:
    """Return validators.md.

    Args:
        results: Contents of validators.json.
        bounds: {recipe: mean accuracy of the floor and of the ceiling} of `zoo.studies.adaptation`.
    """
    runs, facts = results["runs"], results["facts"]
    ranked = ranking(runs)
    rows = [
        (name, source, f"{ranked[name][0]:.3f}", f"{ranked[name][1]:.4f}")
        if ranked
        else (name, source, "not run here", "not run here")
        for name, source in VALIDATORS.items()
    ]
    best = best_validator(runs)
    sections = "\n".join(
        _section(runs, pair, best, bounds.get(pair[0].recipe))
        for pair in zip(PLAIN, SHIFTED, strict=True)
    )
    software, weights = facts["versions"], ", ".join(f"{weight:g}" for weight in WEIGHTS)
    # The first recorded runs have no machine of their own.
    machines = [in_words(r.get("machine", facts["machine"])) for r in runs]
    return f"""# Domain adaptation, chosen without labels of the target

`python -m zoo.studies.validators`, with TensorFlow {software["tensorflow"]} and Keras
{software["keras"]}, on {"; ".join(dict.fromkeys(machines))}. The weight of a run's adversarial term,
{weights}, is reached at its end; each epoch of a run gives one model.
Validators read {HELD:,} source images that are held out and {HELD:,} target images without labels.

## Rank correlation with accuracy

MNIST to MNIST-M, {len(candidates(runs, [RANKED]))} seeds of {len(WEIGHTS) * RANKED.epochs} models.
*Lost* is the accuracy of the best model minus that of the model with the highest value. MNIST-M's test
labels choose the validator here; no label of the target is read for a choice between MNIST and USPS.
The domain classifier of importance-weighted accuracy is ADA's own phi, which theta learns to mislead, and
which has seen the target's images; Sugiyama et al. fit one of its own.

{table(("validator", "source", "rank correlation", "lost"), rows)}

## Chosen models

The floor, which learns from the source alone, and the ceiling, which learns from the target's labels, are
those of [adaptation](adaptation.md). *Source only* is a run with weight 0 of this study, after its last
epoch: the images, shifts and steps of ADA. Shifts are of up to two pixels, of images of both domains, as
French et al. (2018) shift them for this pair; the digits of USPS touch the border, where a shift cuts them
and mirrors their strokes. The shifts were first tried, and their gain seen, on the test split; the choice
among all models was added when the rows on ADA and on shifts alone were known. From MNIST to USPS it is the
shifts that close the gap: an adversary beside them lowers the accuracy. From USPS to MNIST it is ADA.

{sections}"""


def _section(runs, pair, validator, bounds):
    plain, shifted = pair
    data = zoo.RECIPES[plain.recipe]["data"]
    title = f"### {data['name']} to {data['target']}\n\n"
    every = candidates(runs, pair, EVERY_WEIGHT)
    ada = {
        "as they are": candidates(runs, [plain]),
        "shifted": candidates(runs, [shifted]),
    }
    chosen = {
        "chosen among all models": choices(every, validator),
        **{f"chosen among ADA's, images {how}": choices(f, validator) for how, f in ada.items()},
        "best of all by the test labels": choices(every, "accuracy"),
        **{
            f"best of ADA's by the test labels, images {how}": choices(f, "accuracy")
            for how, f in ada.items()
        },
    }
    accuracies = {name: [m["accuracy"] for m in models] for name, models in chosen.items()}
    alone = {"as they are": source_only(runs, plain), "shifted": source_only(runs, shifted)}
    accuracies |= {f"source only, images {how}": found for how, found in alone.items()}
    rows = [
        (*_row(name, found, bounds), _gain(found, alone.get(name.partition("images ")[2])))
        for name, found in accuracies.items()
    ]
    text = f"{plain.epochs} epochs, {shifted.epochs} with shifts."
    if bounds is not None:
        text += " Floor {:.4f}, ceiling {:.4f}.".format(*bounds)
    picked = "; ".join(
        f"shifts of {m['shift']}, weight {m['weight']:g}, epoch {m['epoch']}"
        for m in chosen["chosen among all models"]
    )
    if picked:
        text += f" Chosen among all:\n{picked}."
    header = ("", "accuracy", "seeds", "gap closed", "over source only, same images")
    return f"{title}{text}\n\n{table(header, rows)}\n"


def _row(title, accuracies, bounds):
    if not accuracies:
        return title, "not run here", "", ""
    mean = statistics.mean(accuracies)
    spread = f" ± {statistics.stdev(accuracies):.4f}" if len(accuracies) > 1 else ""
    closed = ""
    if bounds is not None:
        floor, ceiling = bounds
        closed = f"{(mean - floor) / (ceiling - floor):.0%}"
    return title, f"{mean:.4f}{spread}", len(accuracies), closed


def _gain(accuracies, alone):
    """Return the mean gain over the models that learn from the source alone, or "" without them."""
    if not accuracies or not alone or accuracies is alone:
        return ""
    return f"{statistics.mean(accuracies) - statistics.mean(alone):+.4f}"


def _geometry(data):
    return {key: data[key] for key in ("size", "channels") if key in data}


def _scale(images):
    return images.astype(np.float32) / 255


def recorded_bounds() -> dict[str, tuple[float, float]]:
    """Return {recipe: mean accuracy of floor and ceiling} from the records of `zoo.studies.adaptation`."""
    recorded = json.loads((PAGES / "adaptation.json").read_text())["recipes"]
    return {
        name: tuple(
            statistics.mean(r["accuracy"] for r in entry["runs"] if r["method"] == method)
            for method in (adaptation.FLOOR, adaptation.CEILING)
        )
        for name, entry in recorded.items()
    }


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.option(
    "--only-page", is_flag=True, help="Write the page of what is recorded, and run nothing."
)
def main(only_page: bool) -> None:
    """Train and score all runs that are not recorded yet."""
    path = PAGES / "validators.json"
    facts = {"machine": machine(), "versions": versions()}
    results: Any = {"facts": facts, "runs": []}
    if path.is_file():
        results = json.loads(path.read_text())
    for setting, weight, seed in [] if only_page else pending(list(results["runs"])):
        results["runs"].append(run(setting, weight, seed))
        _write(path, results)
        last = results["runs"][-1]["epochs"][-1]
        click.echo(f"{setting.recipe} {weight} {seed} {last}", err=True)
    _write(path, results)


def _write(path, results):
    with replace_file(path) as aside:
        aside.write_text(json.dumps(results, indent=1) + "\n")
    path.with_suffix(".md").write_text(page(results, recorded_bounds()))


if __name__ == "__main__":
    main()
