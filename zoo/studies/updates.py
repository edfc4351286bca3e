"""`python -m zoo.studies.updates`: simultaneous against alternating updates, and the average of theta.

Two IWGANs of the same networks, data, optimizer and seed train by turns, fifty steps each: at each mark
both have trained for the same number of seconds.  They are scored on images of the same 5,000 latent codes,
by theta and by its average.
"""

import json
import time
from pathlib import Path
from typing import Any, NamedTuple

import click
import keras
import numpy as np
import tensorflow as tf

import tfgen
import zoo
from tfgen import ascent
from tfgen.evaluation.evaluator import Evaluator, find_evaluator, load_evaluator
from tfgen.gate import unpack
from tfgen.markdown import table
from zoo.models.gan import GAN
from zoo.preset.provenance import in_words, machine

PAGES = Path(__file__).resolve().parents[2] / "docs" / "studies"
RECIPE = "iwgan_mnist"
SAMPLES = 5_000
BLOCK = 50  # steps
MARKS = 4


class Alternating(GAN):
    """Eq. 3-5 in turn: phi first, then theta against the new phi, with a second forward pass."""

    def train_step(self, data: str) -> dict[str, tf.Tensor]:
        for player in ("phi", "theta"):
            with tf.GradientTape() as tape:
                loss = -self.objectives(*unpack(data))[player]
            variables = self.players[player].trainable_variables
            found = tape.gradient(loss, variables)
            self.optimizers[player].apply(found, variables)
            self.steps.assign_add(1)
        ascent.update_average(self.theta_average, self.theta, self.average, self.steps)
        return {}


KINDS = {"simultaneous": GAN, "alternating": Alternating}


class Rival(NamedTuple):
    """A model in the race: its compiled step, its batches and its training time."""

    model: GAN
    step: Any
    batches: Any
    seconds: float = 0.0
    steps: int = 0

    def work(self, steps: int) -> "Rival":
        """The rival after as many further steps."""
        began = time.perf_counter()
        for _ in range(steps):
            self.step(next(self.batches)[0])
        seconds = self.seconds + time.perf_counter() - began
        return self._replace(seconds=seconds, steps=self.steps + steps)


def rival(kind: type[GAN], recipe: dict[str, Any], seed: int) -> Rival:
    """Return a fresh model of a recipe with the training step of `kind`, already traced.

    Args:
        kind: GAN or Alternating.
        recipe: Recipe of a GAN with an average of theta.
        seed: Seed of weights, order and noise.
    """
    name = recipe["data"]["name"]
    info = tfgen.data.info(name)
    keras.utils.set_random_seed(seed)
    model = kind.build_networks(info.shape, info.num_classes, seed=seed, **recipe["build"])
    optimizer = zoo.build(recipe, info).optimizer
    model.compile(optimizer)
    if kind is Alternating:
        model.optimizers = {
            player: type(optimizer).from_config(optimizer.get_config()) for player in model.players
        }
        for player, network in model.players.items():
            model.optimizers[player].build(network.trainable_variables)
    else:
        optimizer.build(model.trainable_variables)
    step = tf.function(lambda images: model.train_step(images))
    batches = iter(tfgen.data.load(name, seed=seed).repeat())
    step(next(batches)[0])
    return Rival(model, step, batches)


def race(name: str, seconds: float, seed: int) -> list[dict[str, Any]]:
    """Return scores of both kinds of updates at MARKS equal wall times.

    Args:
        name: Name of a recipe of an IWGAN.
        seconds: Seconds of training for each.
        seed: Seed of weights, order and noise.

    Returns:
        [{"updates", "seconds", "steps", "theta", "average"}], the last two as shares of the real
        test set's inception score.
    """
    recipe = zoo.RECIPES[name]
    evaluator = load_evaluator(find_evaluator(recipe["data"]["name"]))
    rivals = {updates: rival(kind, recipe, seed) for updates, kind in KINDS.items()}
    entries = []
    for mark in range(1, MARKS + 1):
        while min(one.seconds for one in rivals.values()) < seconds * mark / MARKS:
            slower = min(rivals, key=lambda updates: rivals[updates].seconds)
            rivals[slower] = rivals[slower].work(BLOCK)
        for updates, one in rivals.items():
            entries.append(
                {
                    "updates": updates,
                    "seconds": round(one.seconds),
                    "steps": one.steps,
                    "theta": score(one.model, one.model.theta, evaluator),
                    "average": score(one.model, one.model.theta_average, evaluator),
                }
            )
            click.echo(json.dumps(entries[-1]), err=True)
    return entries


def score(model: GAN, network: keras.Model, evaluator: Evaluator) -> float:
    """Return the inception score of a generator's samples as a share of the real test set's."""
    latents = model.prior(SAMPLES, 0).numpy()
    images = network.predict(latents, batch_size=250, verbose=0)
    chunks = np.split(images, range(500, SAMPLES, 500))
    probabilities = np.concatenate([evaluator.observe(chunk)[1] for chunk in chunks])
    value = tfgen.metrics.inception_score(probabilities)
    return round(value / evaluator.reference.inception_score.value, 3)


def page(results: dict[str, Any]) -> str:
    """Return updates.md."""
    header = ("updates", "seconds", "steps", "share, theta", "share, its average")
    rows = [
        (e["updates"], e["seconds"], f"{e['steps']:,}", f"{e['theta']:.3f}", f"{e['average']:.3f}")
        for e in results["entries"]
    ]
    return f"""# Simultaneous or alternating updates, with or without the average of theta

`python -m zoo.studies.updates --seconds {results["budget"]} --seed {results["seed"]}`, on
{in_words(results["machine"])}. IWGAN on MNIST, recipe
`{RECIPE}`; inception score of {SAMPLES:,} samples as a share of the real test set's, by `resnet_mnist`.
A step of simultaneous updates moves both players at once, a step of alternating ones phi and then theta.

{table(header, rows)}
"""


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--seconds", default=240, show_default=True, help="Seconds of training for each.")
@click.option("--seed", default=0, show_default=True)
def main(seconds: int, seed: int) -> None:
    """Compare the two kinds of updates, and write updates.md."""
    results = {
        "budget": seconds,
        "seed": seed,
        "machine": machine(),
        "entries": race(RECIPE, seconds, seed),
    }
    (PAGES / "updates.json").write_text(json.dumps(results, indent=2) + "\n")
    (PAGES / "updates.md").write_text(page(results))


if __name__ == "__main__":
    main()
