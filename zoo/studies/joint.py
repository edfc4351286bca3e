"""`python -m zoo.studies.joint`: VAE and GAN beside the two models that join them (appendix F).

VAE/GAN should draw sharper images than VAE, and GAN/VAE miss fewer modes than GAN: the study measures
sharpness and recall of the published presets on equally many samples.  Precision and recall are of the
whole test set.
"""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click
import numpy as np

import tfgen
import zoo
from tfgen.evaluation import metrics
from tfgen.evaluation.evaluator import BATCH, find_evaluator, load_evaluator
from tfgen.evaluation.samples import NEIGHBORS
from tfgen.markdown import table

PAGES = Path(__file__).resolve().parents[2] / "docs" / "studies"
MODELS = ("vae", "gan", "vaegan", "ganvae")
COVERAGE = ("precision", "recall")
SCORES = ("fid", "inception_score_ratio")
EXTREME = 0.05  # distance from 0 or 1
SEED = 0
DRAWS = 5  # for the intervals of precision and recall


def sharpness(images: np.ndarray) -> float:
    """Return the mean squared Laplacian, (n, h, w, c) -> float; it is lower if edges are blurred.

    The Laplacian is the sum of a pixel's four neighbors minus four times the pixel, for inner pixels.
    """
    neighbors = (
        images[:, :-2, 1:-1] + images[:, 2:, 1:-1] + images[:, 1:-1, :-2] + images[:, 1:-1, 2:]
    )
    return float(np.mean((neighbors - 4 * images[:, 1:-1, 1:-1]) ** 2))


def extreme(images: np.ndarray) -> float:
    """Return the share of pixels within EXTREME of 0 or 1, which noise lowers and edges do not."""
    return float(np.mean((images < EXTREME) | (images > 1 - EXTREME)))


def features(evaluator: Any, images: np.ndarray) -> np.ndarray:
    """Return features (n, d) of images (n, h, w, c)."""
    batches = range(0, len(images), BATCH)
    return np.concatenate([evaluator.observe(images[i : i + BATCH])[0] for i in batches])


def coverage(
    evaluator: Any, real: np.ndarray, draws: Sequence[np.ndarray]
) -> dict[str, list[float]]:
    """Return {"precision", "recall": (value, low, high)} of as many generated images as real ones.

    The value is of the first draw of generated images; the interval is over all draws, which alone show
    how recall varies.
    """
    count = min(len(real), len(draws[0]))
    reference = features(evaluator, real[:count])
    shares = [
        metrics.precision_recall(
            reference, features(evaluator, images[:count]), NEIGHBORS
        )._asdict()
        for images in draws
    ]
    return {
        key: [*metrics.redrawn_interval([drawn[key] for drawn in shares], count)]
        for key in COVERAGE
    }


def scores(name: str, data: str, samples: int) -> dict[str, Any]:
    """Return {"model", "epochs", metric: value or (value, low, high)} of a preset."""
    model = zoo.load(name)
    real = tfgen.data.arrays(data, "test")[0] / np.float32(255)
    draws = [model.sample(samples, seed=SEED + number) for number in range(DRAWS)]
    images = draws[0]
    measured = tfgen.evaluate(model, data, samples=samples, seed=SEED)
    return {
        "model": name,
        "epochs": zoo.card(name)["epochs"],
        "sharpness": sharpness(images) / sharpness(real),
        "extreme": extreme(images),
        "extreme_real": extreme(real),
        **coverage(load_evaluator(find_evaluator(data)), real, draws),
        **{key: [measured[key][end] for end in ("value", "low", "high")] for key in SCORES},
    }


_HEADER = (
    "preset", "epochs", "sharpness", "extreme", "precision", "recall", "FID", "inception score"
)  # fmt: skip


def page(results: dict[str, Any]) -> str:
    """Return joint.md."""
    return "# VAE, GAN, and the models that join them\n" + "".join(
        f"""
## {data}

`python -m zoo.studies.joint {data} --samples {found["samples"]}`. Sharpness is the mean squared
Laplacian as a share of the real test set's; extreme is the share of pixels within {EXTREME} of 0 or 1,
which is {found["entries"][0]["extreme_real"]:.3f} in the test set. Precision, recall and FID are by
`resnet_{data}`, and so is the inception score, a share of the test set's; precision and recall are of the
whole test set and as many samples, while cards have at most 2,000 of each. Intervals have level .95, those
of precision and recall over {DRAWS} draws of the samples.

{table(_HEADER, map(_row, found["entries"]))}
"""
        for data, found in results.items()
    )


def _row(entry):
    cells = ["{:.3f} ({:.3f}-{:.3f})".format(*entry[key]) for key in COVERAGE + SCORES]
    numbers = [f"{entry[key]:.3f}" for key in ("sharpness", "extreme")]
    return (entry["model"], entry["epochs"], *numbers, *cells)


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.argument("data", type=click.Choice(["digits", "mnist"]))
@click.option("--samples", default=10_000, show_default=True)
def main(data: str, samples: int) -> None:
    """Score the four presets of DATA, and write joint.md; the other data set's results are kept."""
    path = PAGES / "joint.json"
    results = json.loads(path.read_text()) if path.is_file() else {}
    entries = [scores(f"{model}_{data}", data, samples) for model in MODELS]
    results = dict(sorted({**results, data: {"samples": samples, "entries": entries}}.items()))
    path.write_text(json.dumps(results, indent=2) + "\n")
    (PAGES / "joint.md").write_text(page(results))


if __name__ == "__main__":
    main()
