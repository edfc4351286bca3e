"""`python -m benchmarks.updates`: simultaneous against alternating updates, and the average of theta.

Two IWGANs of the same networks, data, optimiser and seed train on MNIST in turn, fifty steps each, on
the same clock: at each mark both have worked the same number of seconds.  They are scored by
`resnet_mnist` on the same 5,000 latent codes, drawn from theta and from its average.
"""

import json
import time
from pathlib import Path

import click
import keras
import numpy as np
import tensorflow as tf

import tfgen
import zoo
from benchmarks import machine
from tfgen.evaluation.evaluator import find_evaluator, load_evaluator
from tfgen.gate import unpack
from zoo.models.gan import GAN

HERE = Path(__file__).parent
SAMPLES = 5_000
BLOCK = 50  # steps
MARKS = 4


class Alternating(GAN):
    """phi first, then theta against the new phi, with a second forward pass and fresh noise."""

    def train_step(self, data):
        for player in ("phi", "theta"):
            with tf.GradientTape() as tape:
                loss = -self.objectives(*unpack(data))[player]
            variables = self.players[player].trainable_variables
            found = tape.gradient(loss, variables)
            self.optimizers[player].apply(found, variables)
            self.steps.assign_add(1)
        self._update_average()
        return {}


def contender(kind, seed):
    """A compiled IWGAN of the recipe, and a function that trains it on one batch."""
    recipe = zoo.RECIPES["iwgan_mnist"]
    keras.utils.set_random_seed(seed)
    info = tfgen.data.info("mnist")
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
    return model, tf.function(lambda images: model.train_step(images))


def race(seconds, seed):
    """Scores of both at MARKS equal wall times.

    Args:
        seconds: of work for each.
        seed: of weights, order and noise.

    Returns:
        [{"updates", "seconds", "steps", "theta", "average"}], the last two as shares of the real
        test set's inception score.
    """
    evaluator = load_evaluator(find_evaluator("mnist"))
    rivals = {"simultaneous": contender(GAN, seed), "alternating": contender(Alternating, seed)}
    batches = {name: iter(tfgen.data.load("mnist", seed=seed).repeat()) for name in rivals}
    worked, steps = dict.fromkeys(rivals, 0.0), dict.fromkeys(rivals, 0)
    for name, (_, step) in rivals.items():
        step(next(batches[name])[0])  # traces
    entries = []
    for mark in range(1, MARKS + 1):
        while min(worked.values()) < seconds * mark / MARKS:
            name = min(worked, key=worked.get)
            start = time.perf_counter()
            for _ in range(BLOCK):
                rivals[name][1](next(batches[name])[0])
            worked[name] += time.perf_counter() - start
            steps[name] += BLOCK
        for name, (model, _) in rivals.items():
            entries.append(
                {
                    "updates": name,
                    "seconds": round(worked[name]),
                    "steps": steps[name],
                    "theta": score(model.theta, model.latent_dim, evaluator),
                    "average": score(model.theta_average, model.latent_dim, evaluator),
                }
            )
            click.echo(json.dumps(entries[-1]), err=True)
    return entries


def score(network, latent_dim, evaluator):
    """The inception score of a generator as a share of the real test set's."""
    latents = tfgen.unified.prior(SAMPLES, latent_dim, 0).numpy()
    images = network.predict(latents, batch_size=250, verbose=0)
    observed = [evaluator.observe(part)[1] for part in np.split(images, SAMPLES // 500)]
    value = tfgen.evaluation.metrics.inception_score(np.concatenate(observed))
    return round(value / evaluator.reference.inception_score.value, 3)


def page(results):
    """UPDATES.md of what `main` measured."""
    rows = "\n".join(
        "| {updates} | {seconds} | {steps:,} | {theta:.3f} | {average:.3f} |".format(**entry)
        for entry in results["entries"]
    )
    return f"""# Simultaneous or alternating updates, with or without the average of theta

`python -m benchmarks.updates --seconds {results["budget"]} --seed {results["seed"]}`, on
{results["machine"]["processor"]}, {results["machine"]["cores"]} cores. IWGAN on MNIST, recipe
`iwgan_mnist`; inception score of {SAMPLES:,} samples as a share of the real test set's, by `resnet_mnist`.
One step of simultaneous updates moves both players; of alternating ones, phi and then theta.

| updates | seconds | steps | share, theta | share, its average |
|---|---|---|---|---|
{rows}
"""


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--seconds", default=240, show_default=True, help="Of work for each.")
@click.option("--seed", default=0, show_default=True)
def main(seconds, seed):
    """Race the two ways of updating, and write UPDATES.md."""
    results = {
        "budget": seconds,
        "seed": seed,
        "machine": machine.describe(),
        "entries": race(seconds, seed),
    }
    (HERE / "updates.json").write_text(json.dumps(results, indent=2) + "\n")
    (HERE / "UPDATES.md").write_text(page(results))


if __name__ == "__main__":
    main()
