"""`python -m zoo.studies.few_pictures`: fine-tune a conditional GAN on few pictures, in four ways.

A model trained on CIFAR-10 is fine-tuned on 100, 500 and 2,000 pictures of another data set with as many
classes, by default MNIST-M, as it was trained, with augmentation of all images that phi reads, with phi's
lower layers frozen (Mo et al. 2020), and with both.  Fresh weights, with augmentation and as many steps,
tell what the trained ones give.  Each model is scored on the test split by the evaluator of the new data
set.
"""

import json
import time
from pathlib import Path
from typing import Any, NamedTuple

import click
import keras
import numpy as np

import tfgen
import zoo
from tfgen.evaluation.evaluator import find_evaluator
from tfgen.layers import Augmentation
from tfgen.markdown import table
from tfgen.optimizers import Adam
from zoo.preset.provenance import in_words, machine
from zoo.preset.train import products_in_bfloat16

PAGES = Path(__file__).resolve().parents[2] / "docs" / "studies"
COUNTS = (100, 500, 2_000)
AUGMENTATIONS = ("translation", "cutout")  # digits are not flipped


class Way(NamedTuple):
    """Whether images are augmented, the number of frozen convolutions of phi, whether weights are fresh."""

    augmented: bool
    frozen: int
    fresh: bool = False


WAYS = {
    "as it was": Way(False, 0),
    "augmented": Way(True, 0),
    "lower layers frozen": Way(False, 2),
    "both": Way(True, 2),
    "fresh weights, augmented": Way(True, 0, fresh=True),
}
METRICS = ("fid", "conditional_accuracy")
SAMPLES = 10_000
RATES = {"theta": 4e-4, "phi": 8e-4}  # those of cgan_cifar10


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.argument("model", default="cgan_cifar10")
@click.option("--data", default="mnist_m", help="A data set of as many classes, or a folder.")
@click.option(
    "--evaluator", help="Preset or folder of the classifier that scores; by default the data set's."
)
@click.option("--steps", type=int, default=2_000)
@click.option("--seed", type=int, default=0)
@click.option(
    "--pictures",
    type=click.IntRange(min=1),
    multiple=True,
    default=COUNTS,
    help="How many; may be repeated.",
)
def main(
    model: Any, data: str, evaluator: str | None, steps: int, seed: int, pictures: tuple[int, ...]
) -> None:
    """Fine-tune MODEL, a preset, folder or .keras file, in every way; existing results are kept."""
    judge = (
        zoo.locate(evaluator) if evaluator else find_evaluator(data)
    )  # before anything is trained
    setting = {"model": model, "data": data, "steps": steps, "seed": seed}
    recorded(setting)  # refuses results of another setting before anything is trained
    height, _, channels = zoo.load(model).image_shape
    geometry = {"size": height, "channels": channels}
    total = tfgen.data.info(data, **geometry).splits["train"]
    for count in pictures:
        if count > total:
            click.echo(
                f"{data} has {total:,} pictures to learn from, fewer than {count:,}", err=True
            )
            continue
        images, labels = tfgen.data.arrays(data, "train", count / total, seed=seed, **geometry)
        for title, way in WAYS.items():
            if title in recorded(setting)["scores"].get(str(count), {}):
                continue
            began = time.perf_counter()
            tuned = fine_tune(zoo.load(model), images, labels, steps, way, seed)
            seconds = round(time.perf_counter() - began, 1)
            measured = tfgen.evaluate(tuned, data, SAMPLES, judge)
            score = {
                **{name: measured[name]["value"] for name in METRICS},
                "seconds": seconds,
                "machine": machine(),
            }
            record(setting, count, title, score)


def recorded(setting: dict[str, Any]) -> dict[str, Any]:
    """Return what was measured so far, also by other processes; raises UsageError for another setting."""
    path = PAGES / "few_pictures.json"
    if not path.is_file():
        return {"setting": setting, "scores": {}}
    results = json.loads(path.read_text())
    if results["setting"] != setting:
        raise click.UsageError(f"{path} is of {results['setting']}. Received: {setting}")
    return results


def record(setting: dict[str, Any], count: int, title: str, score: dict[str, Any]) -> None:
    """Add one way's score to the results and write the page."""
    results = recorded(setting)
    results["scores"].setdefault(str(count), {})[title] = score
    (PAGES / "few_pictures.json").write_text(json.dumps(results, indent=2) + "\n")
    (PAGES / "few_pictures.md").write_text(page(results))


def fine_tune(
    model: Any,
    pictures: np.ndarray,
    labels: np.ndarray,
    steps: int,
    way: Way,
    seed: int = 0,
) -> Any:
    """Return the model after a number of steps on the pictures.

    Args:
        model: `zoo.GAN` with classes.
        pictures: uint8 (n, h, w, c).
        labels: int32 (n,), among the model's classes.
        steps: Number of steps, each on 64 pictures or, if there are fewer, on all of them.
        way: Whether phi reads T(x) of all images, how many of its lowest convolutions are not trained, and
            whether all weights are drawn anew.
        seed: Seed of fresh weights, of the order and of the noise.

    Returns:
        Fine-tuned model with the average of theta.
    """
    if way.fresh:
        keras.utils.set_random_seed(seed)
        model = type(model).from_config(model.get_config())
    phi = with_augmentation(model.phi) if way.augmented else model.phi
    for layer in convolutions(phi)[: way.frozen]:
        layer.trainable = False
    tuned = zoo.GAN(model.theta, phi, num_classes=model.num_classes, average=0.99, seed=seed)
    tuned.compile({player: Adam(rate, beta_1=0.0) for player, rate in RATES.items()})
    dataset = tfgen.data.batches(pictures, labels, min(64, len(pictures)), seed)
    with products_in_bfloat16(True):
        tuned.fit(dataset, epochs=-(-steps // int(dataset.cardinality())), verbose=0)
    return tuned.release()


def with_augmentation(phi: keras.Model) -> keras.Model:
    """Return a discriminator of augmented images that shares the layers of phi."""
    images, *labels = [keras.Input(x.shape[1:], dtype=x.dtype, name=x.name) for x in phi.inputs]
    return keras.Model([images, *labels], phi([Augmentation(AUGMENTATIONS)(images), *labels]))


def convolutions(phi: keras.Model) -> list[keras.layers.Layer]:
    """Return the convolutions of a discriminator, lowest first, also from nested networks and wrappers."""
    found = []
    for layer in phi.layers:
        inner = getattr(layer, "layer", layer)
        if isinstance(inner, keras.Model):
            found += convolutions(inner)
        elif isinstance(inner, keras.layers.Conv2D):
            found.append(inner)
    return found


def page(results: dict[str, Any]) -> str:
    """Return the results as Markdown."""
    setting = results["setting"]
    lines = [
        "# Few pictures",
        "",
        "Made by `python -m zoo.studies.few_pictures`, from `few_pictures.json`. Frechet distance, and in",
        f"brackets the share of labels kept, of {SAMPLES:,} samples after {setting['steps']:,} steps of",
        f"`{setting['model']}` on pictures of {setting['data']}: with its weights as they were, with",
        f"augmentation ({' and '.join(AUGMENTATIONS)}) of all images that phi reads, with phi's two lowest",
        "convolutions frozen, with both, and with fresh weights.  The test split is that of the pictures'",
        f"data set.  Products are in bfloat16.  Seed {setting['seed']}; differences between seeds are not",
        "measured.",
        "",
    ]
    rows = [
        (f"{int(count):,}", *(_cell(scores.get(way)) for way in WAYS))
        for count, scores in sorted(results["scores"].items(), key=lambda row: int(row[0]))
    ]
    done = [score for scores in results["scores"].values() for score in scores.values()]
    minutes = sum(score["seconds"] for score in done) / 60
    machines = "; ".join(dict.fromkeys(in_words(score["machine"]) for score in done))
    numbers = table(("pictures", *WAYS), rows)
    return "\n".join(
        [*lines, numbers, "", f"{minutes:.0f} minutes of training, on {machines}.", ""]
    )


def _cell(score):
    if score is None:
        return "not run here"
    return f"{score['fid']:.2f} ({score['conditional_accuracy']:.3f})"


if __name__ == "__main__":
    main()
