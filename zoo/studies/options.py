"""`python -m zoo.studies.options`: the gain of each option of CIFAR-10's GANs, at equal time.

IWGAN with a plain DCGAN is trained with one option at a time, with none and with all of them.  Networks are
narrower than those of the presets, so that minutes hold several epochs.  The steps of
each are timed first, on random images; each then has the epochs that fit in the same minutes, so that an
option that makes steps slower has fewer of them.  `--seeds 2 --option none` repeats one with another seed.
"""

import itertools
import json
from pathlib import Path
from typing import Any

import click

import tfgen
from tfgen.markdown import table
from zoo.preset import train as training
from zoo.preset.provenance import in_words, machine
from zoo.preset.run import Run
from zoo.recipes import reading
from zoo.studies.reproduce.timing import step_seconds, steps_of

PAGES = Path(__file__).resolve().parents[2] / "docs" / "studies"
PLAIN = {
    "model": "GAN",
    "description": "Importance-weighted GAN, Eq. 36-43, on CIFAR-10",
    "data": {"name": "cifar10", "flip": "random"},
    "build": {"width": 24, "latent_dim": 128, "average": 0.999, "importance_weighted": True},
    "training": {
        "epochs": 1,
        "batch_size": 64,
        "learning_rate": 2e-4,
        "beta_1": 0.5,
        "decay": None,
    },
}
OPTIONS = {  # title: changes of the recipe
    "spectral normalization of phi": ["build.spectral=true"],
    "residual networks, with it": ["build.residual=true", "build.spectral=true"],
    "theta modulated by z": ["build.modulation=latents"],
    "phi's rate doubled": ['training.rates={"phi": 4e-4}'],
    "linear decay": ["training.decay=linear"],
    "average .9995": ["build.average=0.9995"],
}
ADDITIONS = {  # not in the recipes of CIFAR-10
    "lazy R1, weight .01": ["build.r1=0.01"],
    "augmentation": ['build.augment=["translation", "cutout"]'],
    "labels, by projection": ["build.conditional=true"],
    "labels, in a hidden layer": ["build.conditional=true", "build.projection=false"],
}
NONE, ALL = "none", "the first six"
METRICS = ("inception_score_ratio", "fid", "precision", "recall", "conditional_accuracy")
SAMPLES = 10_000


def arms() -> dict[str, reading.Recipe]:
    """Return {title: recipe}: no option, each alone, and those that CIFAR-10's recipes have."""
    changes = {NONE: [], **OPTIONS, **ADDITIONS, ALL: sum(OPTIONS.values(), [])}
    return {title: reading.apply_changes(PLAIN, some) for title, some in changes.items()}


def epochs_within(seconds: float, recipe: reading.Recipe, step: float) -> int:
    """Return the number of whole epochs, at least 1, of steps of `step` seconds that fit in `seconds`."""
    return max(1, int(seconds / (step * steps_of(recipe))))


def measure(recipe: reading.Recipe, epochs: int, seed: int, out: Path) -> dict[str, Any]:
    """Train for the epochs and return the model's scores; an existing run is resumed or read."""
    model = training.train(recipe, out, epochs=epochs, seed=seed, resume=True, verbose=0)
    scores = tfgen.evaluate(model, recipe["data"]["name"], SAMPLES)
    size = recipe["training"]["batch_size"]
    return {
        "scores": {name: scores[name] for name in METRICS if name in scores},
        "ess": Run(out).history[-1]["ess"] / size,
    }


def page(results: dict[str, Any]) -> str:
    """Return the scores as Markdown, a row per option and seed."""
    missing = {"-": None}
    rows = [
        (title, f"{1000 * arm['step']:.0f}", arm["epochs"], seed, *_numbers(run))
        for title, arm in results["arms"].items()
        for seed, run in (arm["runs"] or missing).items()
    ]
    header = ("option", "ms per step", "epochs", "seed", *METRICS, "ESS/k")
    return (
        "# Options of GANs on CIFAR-10\n\n"
        f"`python -m zoo.studies.options --minutes {results['minutes']:g}`, on "
        f"{in_words(results['machine'])}.\n\n"
        f"IWGAN, a DCGAN of width {PLAIN['build']['width']}, with one option at a time: as many whole\n"
        f"epochs as fit in {results['minutes']:g} minutes of steps timed beforehand. {SAMPLES:,} samples\n"
        "of the moving average, 95 % intervals over samples; they do not cover variation between seeds,\n"
        "which the options with a second seed show.\n"
        "*ESS/k* is the effective sample size of the last epoch's weights, as a share: at 1 IWGAN is\n"
        "GAN. After n steps the average's decay is at most (1 + n)/(10 + n), so that up to 8,990 steps\n"
        "averages of .999 and .9995 are the same.\n\n"
        f"{table(header, rows)}\n"
    )


def _numbers(run):
    if run is None:
        return ("not run here", *["-"] * len(METRICS))
    return (*(_number(run["scores"].get(name)) for name in METRICS), f"{run['ess']:.2f}")


def _number(score):
    return (
        "-" if score is None else f"{score['value']:.3f} ({score['low']:.3f}-{score['high']:.3f})"
    )


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--minutes", default=10.0, show_default=True, type=click.FloatRange(0, min_open=True))
@click.option("--seeds", default=1, show_default=True, type=click.IntRange(1))
@click.option(
    "--option", "chosen", multiple=True, type=click.Choice(list(arms())), help="By default all."
)
@click.option("--runs", type=click.Path(path_type=Path), default="runs/options", show_default=True)
@click.option("--out", type=click.Path(path_type=Path), default=PAGES, show_default=True)
def main(minutes: float, seeds: int, chosen: tuple[str, ...], runs: Path, out: Path) -> None:
    """Time the steps of all arms, then train and score each; what is recorded is not repeated."""
    path, recipes = out / "options.json", arms()
    if path.is_file():
        results = json.loads(path.read_text())
        if results["minutes"] != minutes:
            raise click.UsageError(
                f"{path} is of {results['minutes']:g} minutes. Received: {minutes:g}"
            )
    else:
        results = {"minutes": minutes, "machine": machine(), "arms": {}}
        for title, recipe in recipes.items():
            step = step_seconds(recipe)
            epochs = epochs_within(60 * minutes, recipe, step)
            results["arms"][title] = {"step": step, "epochs": epochs, "runs": {}}
        path.write_text(json.dumps(results, indent=1) + "\n")
    for seed, title in itertools.product(range(seeds), chosen or recipes):
        arm = results["arms"][title]
        if str(seed) not in arm["runs"]:
            name = title.replace(" ", "_").replace("'", "")
            folder = runs / f"{name}-{seed}"
            arm["runs"][str(seed)] = measure(recipes[title], arm["epochs"], seed, folder)
        path.write_text(json.dumps(results, indent=1) + "\n")
        path.with_suffix(".md").write_text(page(results))


if __name__ == "__main__":
    main()
