"""`python -m zoo.studies.truncation [NAME ...]`: precision and recall of truncated samples G_theta(c z).

Samples of GANs in color are scored for several factors c.  A recipe's `truncation` is the factor whose
samples, of another seed than those that are scored, have the lowest FID to training images, which sees a
lack of variety as the Inception Score does not.  What is recorded is not measured again.
"""

import functools
import json
import operator
from pathlib import Path
from typing import Any

import click
import numpy as np

import tfgen
import zoo
from tfgen.drawing import pictures
from tfgen.evaluation.evaluator import find_evaluator, load_evaluator
from tfgen.evaluation.metrics import Moments, frechet_distance
from tfgen.markdown import table
from zoo.preset.provenance import in_words, machine

PAGES = Path(__file__).resolve().parents[2] / "docs" / "studies"
PRESETS = (
    "iwcgan_cifar10",
    "cgan_cifar10",
    "iwgan_cifar10",
    "gan_cifar10",
    "iwcgan_mnist_m",
    "cgan_mnist_m",
)
FACTORS = (1.0, 0.9, 0.8, 0.7, 0.6, 0.5)
SAMPLES = 10_000
CHOOSING_SEED, SCORING_SEED = 1, 0
BATCH = 500
CHOICE = "training_fid"  # beside the scores on the test set
TILES = 70
METRICS = {  # header: metric
    "FID to training images": CHOICE,
    "share of real": "inception_score_ratio",
    "label kept": "conditional_accuracy",
    "FID": "fid",
    "precision": "precision",
    "recall": "recall",
}


class Truncated:
    """Generator G_theta(c z [, t]), for `tfgen.evaluate`."""

    def __init__(self, model: zoo.GAN, factor: float):
        self._model, self._factor = model, factor
        self.conditional, self.num_classes = model.conditional, model.num_classes

    def sample(self, n: int, seed: int = 0, labels: Any = None) -> np.ndarray:
        latents = self._factor * self._model.prior(n, seed)
        parts = (slice(start, start + BATCH) for start in range(0, n, BATCH))
        return np.concatenate(
            [
                self._model.decode(latents[part], None if labels is None else labels[part])
                for part in parts
            ]
        )


def distances(model: zoo.GAN, data: str, seed: int = CHOOSING_SEED) -> dict[str, float]:
    """Return {factor: FID of truncated samples to as many training images}, by the data's evaluator."""
    evaluator = load_evaluator(find_evaluator(data))
    images, _ = tfgen.data.arrays(data, "train")
    chosen = np.random.default_rng(seed).choice(len(images), SAMPLES, replace=False)
    real = _moments(evaluator, images[chosen] / np.float32(255))
    labels = np.arange(SAMPLES) % model.num_classes if model.conditional else None
    found = {}
    for factor in FACTORS:
        drawn = _moments(evaluator, Truncated(model, factor).sample(SAMPLES, seed, labels))
        found[f"{factor:g}"] = frechet_distance(
            drawn.mean, drawn.covariance, real.mean, real.covariance
        )
    return found


def _moments(evaluator, images):
    """Return the moments of the features of images, in batches."""
    parts = (images[start : start + BATCH] for start in range(0, len(images), BATCH))
    return functools.reduce(operator.add, (Moments.of(evaluator.observe(p)[0]) for p in parts))


def page(results: dict[str, Any]) -> str:
    """Return the scores as Markdown, a section per preset."""
    parts = []
    for name in PRESETS:
        scores = results.get(name, {})
        if scores and all(CHOICE in found for found in scores.values()):
            best = min(scores, key=lambda factor: scores[factor][CHOICE])
            kept = {header: key for header, key in METRICS.items() if key in scores[best]}
            rows = [
                (
                    f"**{factor}**" if factor == best else factor,
                    *(f"{found[key]:.3f}" for key in kept.values()),
                )
                for factor, found in scores.items()
            ]
            parts.append(f"## {name}\n\n{table(('c', *kept), rows)}\n")
    machines = dict.fromkeys(map(in_words, results["machines"].values()))
    return _PAGE.format(machines="; ".join(machines), sections="\n".join(parts))


_PAGE = f"""\
# Truncated samples

`python -m zoo.studies.truncation`, on {{machines}}.

{SAMPLES:,} images G(c z) of the generator G, z ~ N(0, I) shortened by a factor c. Below c = 1 precision is
higher and recall lower. Training does not read c. The factor with the lowest FID to {SAMPLES:,} training
images, in bold, is the recipe's `truncation`, for `model.sample(n, prior="truncated")`; where it is 1, the
recipe has none. Samples of that choice have another seed than those of the other numbers, which are on the
test set. For MNIST-M it is the smallest factor tried. The Inception Score does not see a lack of variety
within a class: the share of conditional models rises as c falls, of {PRESETS[0]} above 1, the share of
the real images; of models without labels it falls. Brock et al. (2019) redraw large z instead.

![Seventy truncated samples of {PRESETS[0]}, a column per class](truncation.png)

{{sections}}"""


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.argument("names", nargs=-1, type=click.Choice(PRESETS))
def main(names: tuple[str, ...]) -> None:
    """Score the presets NAMES, by default all that there are."""
    path = PAGES / "truncation.json"
    results = json.loads(path.read_text()) if path.is_file() else {}
    machines = results.setdefault("machines", {})
    for name in names or [name for name in PRESETS if name in zoo.presets()]:
        model: Any = zoo.load(name)
        data = zoo.card(name)["recipe"]["data"]["name"]
        scores = results.setdefault(name, {})
        for factor in FACTORS:
            if f"{factor:g}" not in scores:
                found = tfgen.evaluate(Truncated(model, factor), data, SAMPLES, seed=SCORING_SEED)
                scores[f"{factor:g}"] = {
                    key: found[key]["value"] for key in METRICS.values() if key in found
                }
                machines[name] = machine()
        if any(CHOICE not in found for found in scores.values()):
            for factor, distance in distances(model, data).items():
                scores[factor][CHOICE] = distance
        path.write_text(json.dumps(results, indent=2) + "\n")
        (PAGES / "truncation.md").write_text(page(results))
        if name == PRESETS[0] and model.truncation:
            classes = zoo.card(name)["data"]["class_names"]
            grid = pictures.samples(model, TILES, class_names=classes, prior="truncated")
            pictures.save(grid, PAGES / "truncation.png")


if __name__ == "__main__":
    main()
