"""`python -m zoo.studies.priors`: a learned p(z), and a mixture fitted to the codes, in VAEs of digits.

Eq. 11 takes p(z) as given.  Two VAEs of each seed learn from all training images for a fixed number of
epochs, one with p(z) = N(0, I), one with a learned mixture; the codes of the first are then fitted by a
mixture of as many Gaussians, which leaves its bound as it is.  Seeds start at 100; no table uses them.
"""

import json
import statistics
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click

import tfgen
import zoo
from tfgen.evaluation import paired
from tfgen.markdown import table
from zoo.preset import train as training
from zoo.preset.provenance import in_words, machine
from zoo.recipes import reading

PAGES = Path(__file__).resolve().parents[2] / "docs" / "studies"
DATA = "digits"
COMPONENTS = 20
FIRST_SEED = 100
SAMPLES = 10_000
NORMAL, FITTED, LEARNED = "N(0, I)", "N(0, I), codes fitted afterwards", "learned mixture"
TRAINED = {NORMAL: [], LEARNED: [f"build.mixture_prior={COMPONENTS}"]}
METRICS = ("bound", "inception_score_ratio", "fid", "precision", "recall")


def recipe(prior: str) -> reading.Recipe:
    """Return the recipe of a VAE with a prior, a key of `TRAINED`, that learns from all training images."""
    whole = ["data.held_out=", "training.patience="]
    return reading.apply_changes(zoo.RECIPES["vae_digits"], [*whole, *TRAINED[prior]])


def measure(seed: int, runs: Path) -> dict[str, dict[str, float]]:
    """Return {way to draw codes: {metric: value}} of a seed; an existing run is resumed or read."""
    normal, learned = (
        training.train(recipe(prior), runs / f"{name}-{seed}", seed=seed, resume=True, verbose=0)
        for prior, name in ((NORMAL, "normal"), (LEARNED, "learned"))
    )
    images, _ = tfgen.data.arrays(DATA, "train")
    normal.fit_sampler(images / 255.0, components=COMPONENTS)
    of_normal, of_learned = (tfgen.evaluate(m, DATA, SAMPLES) for m in (normal, learned))
    drawn = {name: of_normal[f"aggregate_{name}"] for name in METRICS[1:]}
    found = {NORMAL: of_normal, FITTED: {**of_normal, **drawn}, LEARNED: of_learned}
    return {way: {name: s[name]["value"] for name in METRICS} for way, s in found.items()}


def page(results: dict[str, Any]) -> str:
    """Return the scores as Markdown: means over seeds, and differences from N(0, I), paired by seed."""
    seeds = list(results["seeds"].values())
    machines = "; ".join(dict.fromkeys(in_words(m) for m in results["machines"].values()))
    scores = {
        way: {name: [seed[way][name] for seed in seeds] for name in METRICS} for way in seeds[0]
    }
    means = [(way, *(_mean(values) for values in found.values())) for way, found in scores.items()]
    base = scores[NORMAL]
    differences = [
        (way, *(_difference(found[name], base[name]) for name in METRICS))
        for way, found in scores.items()
        if way != NORMAL
    ]
    header = ("p(z)", *METRICS)
    numbers = ", ".join(results["seeds"])
    return (
        "# Priors of a VAE\n\n"
        f"`python -m zoo.studies.priors --seeds {len(seeds)}`, on {machines}:\n"
        f"`vae_digits` without images held out, seeds {numbers}, mixtures of\n"
        f"{COMPONENTS} Gaussians, {SAMPLES:,} samples, the test split. Means ± standard deviations.\n\n"
        f"{table(header, means)}\n\n"
        "Differences from N(0, I) of the same seed, with 95 % t intervals; a bound, in nats, that rises\n"
        "and a Frechet distance that falls are better.\n\n"
        f"{table(header, differences)}\n"
    )


def _mean(values: Sequence[float]) -> str:
    spread = f" ± {statistics.stdev(values):.3f}" if len(values) > 1 else ""
    return f"{statistics.mean(values):.3f}{spread}"


def _difference(arm: Sequence[float], base: Sequence[float]) -> str:
    found = paired.compare(arm, base)
    if found.count == 1 or arm == base:
        return f"{found.mean:+.3f}"
    return f"{found.mean:+.3f} ({found.low:+.3f} to {found.high:+.3f})"


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--seeds", default=6, show_default=True, type=click.IntRange(1))
@click.option("--runs", type=click.Path(path_type=Path), default="runs/priors", show_default=True)
def main(seeds: int, runs: Path) -> None:
    """Train and score both VAEs of every seed that is not recorded."""
    path = PAGES / "priors.json"
    results: Any = {"machines": {}, "seeds": {}}
    if path.is_file():
        results = json.loads(path.read_text())
    for seed in range(FIRST_SEED, FIRST_SEED + seeds):
        if str(seed) not in results["seeds"]:
            results["seeds"][str(seed)] = measure(seed, runs)
            results["machines"][str(seed)] = machine()
        path.write_text(json.dumps(results, indent=1) + "\n")
        path.with_suffix(".md").write_text(page(results))


if __name__ == "__main__":
    main()
