"""`python -m zoo.studies.weights`: effective sample size of the paper's weights in training.

The effective sample size of k weights, (sum w)^2 / sum w^2, is k if they are equal and 1 if one has all the
weight.  Constant logits make IWGAN a GAN (ESS/k = 1); a confident discriminator makes AA-VAE a VAE (no
weight on generated images).  Seeds start at 100; no table uses them.
"""

import itertools
import json
import textwrap
from pathlib import Path
from typing import Any

import click
import keras
import numpy as np
import tensorflow as tf

import tfgen
import zoo
from tfgen import layers
from tfgen.drawing import plots
from tfgen.markdown import table
from tfgen.objectives import activation_weights, importance_weights
from zoo.models.variational import Variational
from zoo.preset import train as training
from zoo.preset.provenance import in_words, machine

PAGES = Path(__file__).resolve().parents[2] / "docs" / "studies"
FIRST_SEED = 100
BATCH, BATCHES = 64, 20  # number of weights per step, number of steps averaged
EVERY = 10  # epochs
RUNS = {  # title: (recipe, changes of its `build`)
    "GAN": ("gan_digits", {}),
    "IWGAN": ("iwgan_digits", {}),
    "AA-VAE, T = 1": ("aavae_digits", {"temperature": 1.0}),
    "AA-VAE, T = 5": ("aavae_digits", {"temperature": 5.0}),
    "AA-VAE, T = 1, 1 % of MNIST": ("aavae_mnist_1pct", {"temperature": 1.0}),
    "AA-VAE, T = 5, 1 % of MNIST": ("aavae_mnist_1pct", {"temperature": 5.0}),
}


def effective_share(weights: tf.Tensor) -> tf.Tensor:
    """Return ESS/k = (sum w)^2 / (k sum w^2) of weights (k,): 1 if equal, 1/k if one has all the weight."""
    count = tf.cast(tf.size(weights), weights.dtype)
    return tf.reduce_sum(weights) ** 2 / (count * tf.reduce_sum(weights**2))


def weights_of(model: Any, images: tf.Tensor) -> dict[str, tf.Tensor]:
    """Return the weights of a training step, with the batch's own statistics.

    Returns:
        {"importance": (b,)} of a GAN, weighted or not, or {"real", "generated": (b,)}
        of an adversary-activated VAE.
    """
    with layers.frozen_statistics():
        if not isinstance(model, Variational):
            generated = model.theta(model.prior_like(images), training=True)
            return {"importance": importance_weights(model.logits(generated, training=True))}
        generated = model.generate_like(images, None, training=True)
        return {
            name: activation_weights(model.logits(shown, training=True), model.temperature)
            for name, shown in (("real", images), ("generated", generated))
        }


def measure(model: Any, dataset: tf.data.Dataset) -> dict[str, float]:
    """Return means over `BATCHES` steps: "ess" of generated images' weights, "share" of all weight."""
    found = []
    for images, _ in dataset.unbatch().batch(BATCH, drop_remainder=True).repeat().take(BATCHES):
        weights = weights_of(model, images)
        generated = weights.get("generated", weights.get("importance"))
        whole = tf.reduce_sum([tf.reduce_sum(part) for part in weights.values()])
        found.append((effective_share(generated), tf.reduce_sum(generated) / whole))
    ess, share = np.mean(found, axis=0)
    return {"ess": float(ess), "share": float(share)}


class _Measured(keras.callbacks.Callback):
    """Callback that measures every `EVERY` epochs, on batches in another order than the training's."""

    def __init__(self, dataset: Any):
        super().__init__()
        self._dataset, self.found = dataset, []

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        if (epoch + 1) % EVERY == 0:
            self.found.append({"epoch": epoch + 1, **measure(self.model, self._dataset)})


def run(name: str, changes: dict[str, Any], seed: int, epochs: int | None = None) -> list[dict]:
    """Train a recipe, on all of its images, with a seed; return [{"epoch", "ess", "share"}]."""
    recipe = zoo.RECIPES[name]
    settings = {**recipe["training"], "epochs": epochs or recipe["training"]["epochs"]}
    recipe = {**recipe, "build": {**recipe["build"], **changes}, "training": settings}
    data = {key: value for key, value in recipe["data"].items() if key != "held_out"}
    dataset, other = (
        tfgen.data.load(**data, batch_size=settings["batch_size"], seed=s)
        for s in (seed, ~seed & 0xFFFF)
    )
    model = training.fresh_model(recipe, seed, int(dataset.cardinality()))
    measured = _Measured(other)
    model.fit(dataset, epochs=settings["epochs"], callbacks=[measured], verbose=0)
    return measured.found


def page(results: dict[str, list[dict[str, Any]]]) -> str:
    """Return the first, the middle and the last measurement in Markdown."""
    rows = []
    for title, runs in results.items():
        measured = [run["epochs"] for run in runs]
        for place in (0, len(measured[0]) // 2, len(measured[0]) - 1):
            ess, share = (
                _spread([found[place][key] for found in measured]) for key in ("ess", "share")
            )
            share = share if title.startswith("AA") else "-"
            rows.append((title, measured[0][place]["epoch"], len(runs), ess, share))
    machines = dict.fromkeys(in_words(run["machine"]) for runs in results.values() for run in runs)
    return f"""# Effective sample size of the weights

`python -m zoo.studies.weights`, on {"; ".join(machines)}: on digits, where no
other data are named, seeds from {FIRST_SEED} on, means and deviations over seeds, each number of
{BATCHES} minibatches of {BATCH}. *ESS/k* is the effective sample size of the weights of the generated
images, Eq. 43's softmax of logits or Eq. 17's sigmoid, as a share of their number; at 1 all weights are
equal. For GAN it is that of the weights that IWGAN would have. *On generated* is the share of Eq. 17's
weight that falls on generated images.

{_conclusion(results)}

![Effective sample size over training](weights.png)

{table(("model", "epoch", "seeds", "ESS/k", "on generated"), rows)}
"""


def _conclusion(results):
    """Return what the last measurements say, of the models that were run."""
    last = {
        title: {
            key: f"{np.mean([run['epochs'][-1][key] for run in runs]):.0%}"
            for key in ("ess", "share")
        }
        for title, runs in results.items()
    }
    said = {
        "IWGAN": "At the end the weights of a step of IWGAN are worth {ess} as many images as the equal "
        "ones of GAN; between epochs this number moves by as much again, as the plot shows.",
        "AA-VAE, T = 5": "The weights of AA-VAE at T = 5 are nearly equal (ESS/k {ess}) and put {share} of "
        "the weight on generated images.",
        "AA-VAE, T = 1": "At T = 1 it is {share}, so that it learns from little more than the real ones.",
        "AA-VAE, T = 5, 1 % of MNIST": "On 1 % of MNIST, T = 5 puts {share} on generated images, with "
        "ESS/k {ess}.",
    }
    text = " ".join(said[title].format(**last[title]) for title in said if title in last)
    return textwrap.fill(text, 104)


def draw(results: dict[str, list[dict[str, Any]]], path: Path) -> None:
    """Draw ESS/k of every run over its epochs to a PNG file."""
    figure, [axes] = plots.axes(1, size=(5.0, 3.2))
    for index, (title, runs) in enumerate(results.items()):
        for number, found in enumerate(run["epochs"] for run in runs):
            axes.plot(
                [one["epoch"] for one in found],
                [one["ess"] for one in found],
                color=f"C{index}",
                label=title if not number else None,
            )
    axes.set(xlabel="epoch", ylabel="ESS/k", ylim=(0, 1.05))
    axes.legend(frameon=False, fontsize=7, ncols=2, loc="lower left", bbox_to_anchor=(0, 1))
    plots.save(figure, path)


def _spread(values):
    mean = f"{np.mean(values):.3f}"
    return mean if len(values) == 1 else f"{mean} ± {np.std(values, ddof=1):.3f}"


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--seeds", default=3, show_default=True, type=click.IntRange(1))
def main(seeds: int) -> None:
    """Train every model of the study with each seed that is not recorded, and write its page."""
    path = PAGES / "weights.json"
    results = json.loads(path.read_text()) if path.is_file() else {}
    for number, title in itertools.product(range(seeds), RUNS):
        runs = results.setdefault(title, [])
        if number >= len(runs):
            epochs = run(*RUNS[title], seed=FIRST_SEED + number)
            runs.append({"epochs": epochs, "machine": machine()})
            path.write_text(json.dumps(results, indent=1) + "\n")
            path.with_suffix(".md").write_text(page(results))
            draw(results, path.with_suffix(".png"))


if __name__ == "__main__":
    main()
