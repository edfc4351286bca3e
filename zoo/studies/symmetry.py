"""`python -m zoo.studies.symmetry`: section 6's symmetry of data and labels, on three generators.

A conditional generator draws an image for a label, p(x|t); distillation draws a label for an image,
q(t|x).  The paper calls the two essentially the same.  Here students f(t|x) learn from pairs (x, t) of
each kind,

    generated:  t uniform, x ~ p_theta(x|t)              ascends E[log f(t|x)]
    distilled:  the same x, t ~ q(t|x) of a teacher      ascends E[sum_t q(t|x) log f(t|x)]

and, for comparison, from real pairs.  All students have the same network, starting weights and number of
steps, and are tested on the real test set, whose labels are used nowhere else.
"""

import json
import time
from pathlib import Path
from typing import Any

import click
import keras
import numpy as np
import tensorflow as tf

import tfgen
import zoo
from tfgen import checks
from tfgen.data.sources import Info
from tfgen.evaluation import metrics
from tfgen.evaluation.evaluator import BATCH, find_evaluator, load_evaluator
from tfgen.markdown import table
from zoo.preset.provenance import in_words, machine
from zoo.recipes.reading import Recipe

PAGES = Path(__file__).resolve().parents[2] / "docs" / "studies"
RUNS = {  # preset: data set, number of generated images, number of epochs on them
    "cgan_digits": ("digits", 5_000, 10),
    "iwcgan_digits": ("digits", 5_000, 10),
    "cgan_mnist": ("mnist", 10_000, 3),
}


def compare(
    model: Any,
    data: str,
    samples: int,
    *,
    epochs: int | None = None,
    evaluator: Any = None,
    seed: int = 0,
) -> dict[str, Any]:
    """Compare test accuracies of students that learned from generated, distilled and real pairs.

    A model without classes is rejected, since it has no p(x|t).

    Args:
        model: Conditional generator of the zoo.
        data: Name of the real data set.
        samples: Number of generated images, equally many per class up to one image.
        epochs: Number of epochs on the generated images; None for that of the teacher's recipe. Students of
            other pairs have as many steps.
        evaluator: Preset folder of the teacher, whose recipe its students follow; None for the data set's
            own, `resnet_<data>`. Its probabilities, at temperature 1, are the targets.
        seed: Seed of the samples, of the choice of real images, and of the starting weights and order of
            all students.

    Returns:
        {metric: {"value", "low", "high"}}, with intervals of level .95 over the test images only:
        `accuracy_real`, from the teacher's own training images, the ceiling; `accuracy_real_as_many`,
        from `samples` of them, if there are more; `accuracy_generated`, the classification accuracy
        score; `accuracy_distilled`; `distilled_gain`, the difference of these two, paired by test image;
        `accuracy_teacher`; `labels_kept`, the share of generated images that the teacher classifies as the
        label they were drawn for.

    Raises:
        FileNotFoundError: There is no such evaluator, or it has no card.
        ValueError: The model is not conditional; model, teacher and data set differ in shape or classes; or
            a number is out of range.

    Source: Hu et al. (2018), section 6; Hinton et al. (2015); Ravuri & Vinyals (2019).
    """
    folder = find_evaluator(data) if evaluator is None else evaluator
    teacher, recipe = load_evaluator(folder), student_recipe(folder, data, epochs)
    geometry = {key: recipe["data"][key] for key in ("size", "channels") if key in recipe["data"]}
    info = tfgen.data.info(data, **geometry)
    _check(model, teacher, info)
    checks.check_integer("samples", samples, 1)

    asked = np.arange(samples, dtype="int32") % info.num_classes
    images = model.sample(samples, seed=seed, labels=asked)
    parts = np.split(images, range(BATCH, samples, BATCH))
    taught = np.concatenate([teacher.observe(part)[1] for part in parts])
    real, labels = tfgen.data.arrays(**recipe["data"])
    one_hot = np.eye(info.num_classes, dtype="float32")
    pairs = {"real": (real, one_hot[labels])}
    if samples < len(real):
        chosen = np.random.default_rng(seed).permutation(len(real))[:samples]
        pairs["real_as_many"] = (real[chosen], one_hot[labels[chosen]])
    pairs |= {"generated": (images, one_hot[asked]), "distilled": (images, taught)}

    pad = recipe["data"].get("pad", False)
    test, truth = tfgen.data.arrays(data, "test", **geometry, pad=pad)
    steps = -(-samples // recipe["training"]["batch_size"])
    right = {}
    for name, (x, targets) in pairs.items():
        student = train_student(recipe, info, x, targets, steps, seed)
        answers = student.predict(test / np.float32(255), batch_size=BATCH, verbose=0)
        right[name] = answers.argmax(axis=-1) == truth
    found: dict[str, Any] = {
        f"accuracy_{name}": _share(answered) for name, answered in right.items()
    }
    found["distilled_gain"] = metrics.mean_interval(
        right["distilled"].astype(float) - right["generated"]
    )
    found["accuracy_teacher"] = teacher.reference.accuracy
    found["labels_kept"] = _share(taught.argmax(axis=-1) == asked)
    return {name: interval._asdict() for name, interval in found.items()}


def train_student(
    recipe: Recipe, info: Info, images: np.ndarray, targets: np.ndarray, steps: int, seed: int
) -> Any:
    """Return a student that ascends the mean over pairs of sum_t q(t|x) log f(t|x).

    Args:
        recipe: Recipe of a residual classifier, see `zoo.recipes`.
        info: `tfgen.data.info` of the data set.
        images: (n, h, w, c), uint8 or float32 in [0, 1].
        targets: (n, num_classes) q(t|x); a known label is a one-hot row.
        steps: Number of steps per epoch, independent of n.
        seed: Seed of the starting weights and of the order.

    Returns:
        keras.Model, images (b, h, w, c) in [0, 1] -> logits (b, num_classes).
    """
    keras.utils.set_random_seed(seed)
    classifier = zoo.build(recipe, info, seed=seed, batches=steps)
    network = classifier.omega
    student = keras.Model(network.input, network.output["logits"])
    student.compile(classifier.optimizer, keras.losses.CategoricalCrossentropy(from_logits=True))
    rows = np.arange(len(images), dtype="int32")
    batches = tfgen.data.batches(images, rows, recipe["training"]["batch_size"], seed)
    student.fit(
        batches.map(lambda x, row: (x, tf.gather(targets, row))).repeat(),
        steps_per_epoch=steps,
        epochs=recipe["training"]["epochs"],
        shuffle=False,  # the order is the data set's own
        verbose=0,
    )
    return student


def student_recipe(folder: str | Path, data: str, epochs: int | None = None) -> Recipe:
    """Return the recipe in the card of a teacher's folder, on `data` and for `epochs` unless None."""
    recipe = zoo.card(folder)["recipe"]
    epochs = recipe["training"]["epochs"] if epochs is None else epochs
    if epochs is None or epochs < 1:
        raise ValueError(f"epochs must be at least 1. Received: epochs={epochs}")
    return {
        **recipe,
        "data": {**recipe["data"], "name": data},
        "training": {**recipe["training"], "epochs": epochs},
    }


def report(
    name: str,
    data: str,
    samples: int,
    *,
    epochs: int | None = None,
    evaluator: Any = None,
    seed: int = 0,
    trusted: bool = False,
) -> dict[str, Any]:
    """Return the result of `compare` on the preset, folder or file `name`, with its settings."""
    model = zoo.load(name, trusted)
    folder = find_evaluator(data) if evaluator is None else Path(evaluator)
    epochs = student_recipe(folder, data, epochs)["training"]["epochs"]
    began = time.perf_counter()
    found = compare(model, data, samples, epochs=epochs, evaluator=folder, seed=seed)
    options = {"data": str(data), "samples": samples, "epochs": epochs, "seed": seed}
    if evaluator is not None:
        options["evaluator"] = str(evaluator)
    words = [f"--{option} {value}" for option, value in options.items()]
    return {
        "model": str(name),
        "command": " ".join(["tfgen symmetry", str(name), *words]),
        **options,
        "evaluator": folder.name,
        "seconds": round(time.perf_counter() - began),
        "machine": machine(),
        "metrics": found,
    }


_PAGE = """\
# Data and labels as a symmetric pair

Section 6 of the paper: a conditional generator makes pairs (image, label) by drawing an image for a
label, distillation by drawing a label for an image. Students with the same network, starting weights and
number of steps learn from pairs of each kind, and from real pairs; all are tested on the real test set.

{table}

```
{commands}
```

* `accuracy_real`: from the images that the teacher learned from, the ceiling; `accuracy_real_as_many`: from
  `samples` of them, if there are more.
* `accuracy_generated`: the generator's images with the labels they were drawn for (the classification
  accuracy score of Ravuri & Vinyals, 2019).
* `accuracy_distilled`: the same images with the teacher's probabilities (Hinton et al., 2015, at
  temperature 1). The teacher, `evaluator`, learned from real labels; `accuracy_teacher` is its accuracy
  on the test set.
* `distilled_gain`: the difference of these two, paired by test image.
* `labels_kept`: the share of the generated images that the teacher classifies as the label they were drawn
  for.

Epochs are of the generated images. Intervals have level .95 over the test images and do not cover other
seeds. Measured on {machines}.
"""


def page(reports: list[dict[str, Any]]) -> str:
    """Return the reports side by side, as a page in Markdown."""
    facts = ("data", "evaluator", "samples", "epochs", "seed", "seconds")
    rows = [(fact, *(report[fact] for report in reports)) for fact in facts]
    fullest_first = sorted(reports, key=lambda report: -len(report["metrics"]))
    for name in dict.fromkeys(name for report in fullest_first for name in report["metrics"]):
        rows.append((f"`{name}`", *(_cell(report["metrics"].get(name)) for report in reports)))
    machines = [in_words(report["machine"]) for report in reports]
    return _PAGE.format(
        table=table(("", *(f"`{report['model']}`" for report in reports)), rows),
        commands="\n".join(report["command"] for report in reports),
        machines="; ".join(dict.fromkeys(machines)),
    )


def _cell(number):
    return "-" if number is None else "{value:.4f} ({low:.4f} to {high:.4f})".format(**number)


def _share(right):
    return metrics.proportion_interval(right.mean(), len(right))


def _check(model, teacher, info):
    if "sample_labels" not in model.endpoints():
        raise ValueError(
            "The generator must draw images of a class, by the endpoint 'sample_labels'. "
            f"Received: {model.name} with {', '.join(model.endpoints())}"
        )
    received = {
        "model": (tuple(model.image_shape), model.num_classes),
        "evaluator": (teacher.image_shape, teacher.num_classes),
        "data": (info.shape, info.num_classes),
    }
    if len(set(received.values())) > 1:
        raise ValueError(
            "Model, evaluator and data set must have the same image shape and number of classes. "
            f"Received: {', '.join(f'{name}={fact}' for name, fact in received.items())}"
        )


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.argument("names", nargs=-1, type=click.Choice(list(RUNS)))
@click.option("--seed", default=0, show_default=True)
def main(names: tuple[str, ...], seed: int) -> None:
    """Train the students of the generators NAMES, by default of all; other generators' reports are kept."""
    path = PAGES / "symmetry.json"
    known = (
        {found["model"]: found for found in json.loads(path.read_text())} if path.is_file() else {}
    )
    for name in names or RUNS:
        data, samples, epochs = RUNS[name]
        known[name] = report(name, data, samples, epochs=epochs, seed=seed)
        click.echo(json.dumps(known[name]), err=True)
        reports = [known[name] for name in RUNS if name in known]
        path.write_text(json.dumps(reports, indent=1) + "\n")
        path.with_suffix(".md").write_text(page(reports))


if __name__ == "__main__":
    main()
