"""Missed and covered modes: models of the zoo on mixtures of Gaussians in the plane.

Points are images of shape (1, 2, 1) in [0, 1], so that the zoo's classes apply unchanged.  Every network
has hidden layers of `HIDDEN` units: two in theta and eta, and in phi the number in `MODELS`.
"""

import concurrent.futures
import itertools
import multiprocessing
import os
import time
from pathlib import Path
from typing import Any, NamedTuple

import keras
import numpy as np
import tensorflow as tf

import zoo
from tfgen import networks
from tfgen.drawing import plots
from tfgen.markdown import table
from tfgen.optimizers import Adam
from zoo.preset.provenance import in_words, machine
from zoo.studies.reproduce import controls

SHAPE = (1, 2, 1)
DEVIATION = 0.02  # of every mode
RING = 0.5 + 0.4 * np.stack([f(2 * np.pi * np.arange(8) / 8) for f in (np.cos, np.sin)], axis=1)
GRID = np.stack(np.meshgrid(*[np.linspace(0.1, 0.9, 5)] * 2), axis=-1).reshape(-1, 2)
MIXTURES = {"ring": RING, "grid": GRID}

LATENTS, HIDDEN = 2, 128
BATCH, STEPS_OF_AN_EPOCH, EPOCHS = 256, 100, 30
POINTS = 2000  # drawn from a trained model
GOOD = 3.0  # deviations from the nearest mode
COVERED = 0.1  # share of its own points of p_data that a covered mode has at least

OPTIMIZERS = {
    "VAE": {"learning_rate": 3e-3, "beta_1": 0.9},
    "others": {"learning_rate": 1e-3, "beta_1": 0.5},
}

MODELS = {  # name: (class, hidden layers of phi, arguments)
    "GAN": ("GAN", 1, {}),
    "GAN, deeper phi": ("GAN", 2, {}),
    "IWGAN": ("GAN", 1, {"importance_weighted": True}),
    "minimax GAN": ("MinimaxGAN", 1, {}),  # IWGAN's direction at the GAN's size
    "VAE": ("VAE", 0, {"likelihood": "gaussian"}),
    "AA-VAE": ("VAE", 1, {"likelihood": "gaussian"}),
    "VAE/GAN": ("VAEGAN", 1, {}),
    "GAN/VAE": ("GANVAE", 1, {}),
}

_SECTION = """\
Lemma 1 lets a GAN miss modes, and Lemma 2 makes a VAE cover every mode and the space between. How much
depends on training. Here models of the zoo learn mixtures of Gaussians in the unit square, with equal
weights and standard deviation {deviation}.

| | |
|---|---|
| training | {steps:,} simultaneous steps of {batch} points, too few to converge; seeds 0 to {last} |
| networks | hidden layers of {hidden} units: two in theta and eta, one in phi, two in a *deeper phi* |
| z | {latents} dimensions |
| Adam | {rates} |
| all else | the classes' defaults |
| sample | {points:,} points x ~ p_theta(x\\|z), with the Gaussian likelihood's noise if it has one |
| good point | within {good:g} deviations of a mode, the circles drawn |
| covered mode | has at least {covered:.0%} of the points that p_data gives it |
| seconds | of a processor, for one training |
| wall time | {minutes:.1f} min in all, on {machine} |

Numbers are means ± standard deviations over seeds; figures show seed 0. Read modes covered and good points
together: the last two rows, p_data itself and uniformly spread points, show why.

{parts}

Compare GAN with VAE for missed against covered modes; GAN with itself under a deeper phi, since Lemma 1
holds for any D but the modes missed depend on D; and GAN with GAN/VAE (Che et al. 2017a), whose theta must
reconstruct every real point from the code that eta infers.

A step of IWGAN has the direction of minimax GAN's and another size, divided by the minibatch's mean odds
([Where the paper fails](#where-the-paper-fails), Eq. 43). Adam and phi see the sizes, so that the two miss
different modes."""


class Score(NamedTuple):
    """Score of points: modes covered, and good points."""

    covered: int  # modes
    good: float  # share of points within `GOOD` deviations of a mode


class Run(NamedTuple):
    """A model after training."""

    mixture: str
    model: str
    seed: int
    points: np.ndarray  # (n, 2)
    score: Score
    seconds: float  # of a processor, for training


def draw(mixture: str, n: int, seed: int) -> np.ndarray:
    """Draw n points of a mixture with equal weights, float32 (n, 1, 2, 1) in [0, 1]."""
    rng = np.random.default_rng(seed)
    centers = MIXTURES[mixture][rng.integers(len(MIXTURES[mixture]), size=n)]
    points = centers + DEVIATION * rng.normal(size=(n, 2))
    return points.clip(0, 1).astype("float32").reshape(n, *SHAPE)


def score(mixture: str, points: np.ndarray) -> Score:
    """Return modes covered and share of good points; arguments as in `Run`."""
    centers = MIXTURES[mixture]
    distances = np.linalg.norm(points[:, None] - centers, axis=-1)
    good = distances.min(axis=1) <= GOOD * DEVIATION
    counts = np.bincount(distances.argmin(axis=1)[good], minlength=len(centers))
    return Score(int((counts >= COVERED * len(points) / len(centers)).sum()), float(good.mean()))


def build(name: str, seed: int) -> Any:
    """Return a fresh, compiled model of `MODELS`."""
    kind, depth, arguments = MODELS[name]
    sizes = {"latent_dim": LATENTS, "hidden": HIDDEN, "activation": "relu"}
    players = {"theta": networks.mlp_generator(SHAPE, **sizes, scaled=kind == "VAE")}
    if kind not in ("GAN", "MinimaxGAN"):
        players["eta"] = networks.mlp_encoder(SHAPE, **sizes, layers=2)
    if depth:
        players["phi"] = networks.mlp_discriminator(SHAPE, HIDDEN, depth)
    home = controls if kind == "MinimaxGAN" else zoo
    model = getattr(home, kind)(**players, **arguments, seed=seed)
    optimizer = OPTIMIZERS.get(kind, OPTIMIZERS["others"])
    model.compile(Adam(**optimizer), steps_per_execution=STEPS_OF_AN_EPOCH)
    return model


def train(mixture: str, name: str, seed: int, epochs: int = EPOCHS) -> Any:
    """Train a model of `MODELS` on a mixture from scratch and draw `POINTS` points from it.

    Returns:
        A `Run`.
    """
    keras.utils.set_random_seed(seed)
    model = build(name, seed)
    images = draw(mixture, BATCH * STEPS_OF_AN_EPOCH, seed)
    began = time.process_time()
    model.fit(images, batch_size=BATCH, epochs=epochs, verbose=0)
    seconds = time.process_time() - began
    points = sample(model, POINTS, seed)
    return Run(mixture, name, seed, points, score(mixture, points), seconds)


def sample(model: Any, n: int, seed: int) -> np.ndarray:
    """Draw points x ~ p_theta(x), (n, 2), with the noise of the likelihood if there is one."""
    images, *scale = keras.tree.flatten(model.theta(model.prior(n, seed)))
    points = images.numpy().reshape(n, 2)
    for noise in scale:
        points += noise.numpy().reshape(n, 1) * np.random.default_rng(seed).normal(size=(n, 2))
    return points


def experiment(seeds: int, epochs: int = EPOCHS) -> Any:
    """Train every model on every mixture, seeds 0 to seeds - 1, on all cores.

    Returns:
        [Run], by mixture, model and seed.
    """
    runs = [(mixture, name, s) for mixture in MIXTURES for name in MODELS for s in range(seeds)]
    workers = min(os.cpu_count() or 1, len(runs))
    with concurrent.futures.ProcessPoolExecutor(
        workers, multiprocessing.get_context("spawn"), _one_thread
    ) as pool:
        return list(pool.map(train, *zip(*runs, strict=True), itertools.repeat(epochs)))


def write(folder: Path, seeds: int) -> str:
    """Run the experiment and draw the first seed's points, `ring.png` and `grid.png`.

    Args:
        folder: Folder of the figures.
        seeds: Number of trainings of each model on each mixture, at least 1.

    Returns:
        Section of the page on the theory, in Markdown.
    """
    began = time.perf_counter()
    runs = experiment(seeds)
    seconds = time.perf_counter() - began
    for mixture in MIXTURES:
        picture(mixture, runs, folder / f"{mixture}.png")
    parts = [
        f"### {len(centers)} modes on a {mixture}\n\n"
        f"![Points of each model on the {mixture}]({mixture}.png)\n\n{scores(mixture, runs)}"
        for mixture, centers in MIXTURES.items()
    ]
    return _SECTION.format(
        deviation=DEVIATION,
        steps=STEPS_OF_AN_EPOCH * EPOCHS,
        batch=BATCH,
        last=seeds - 1,
        hidden=HIDDEN,
        latents=LATENTS,
        rates="; ".join(_rates(kind, settings) for kind, settings in OPTIMIZERS.items()),
        points=POINTS,
        good=GOOD,
        covered=COVERED,
        minutes=seconds / 60,
        machine=in_words(machine()),
        parts="\n\n".join(parts),
    )


def scores(mixture: str, runs: Any) -> str:
    """Return the table of a mixture in Markdown: means and standard deviations over the seeds."""
    centers, rows = MIXTURES[mixture], []
    for name in MODELS:
        chosen = [run for run in runs if (run.mixture, run.model) == (mixture, name)]
        covered, good = zip(*(run.score for run in chosen), strict=True)
        seconds = np.mean([run.seconds for run in chosen])
        rows.append((name, _spread(covered, 1), _spread(good, 3), f"{seconds:.1f}"))
    uniform = np.random.default_rng(0).uniform(size=(POINTS, 2))
    references = {"p_data": draw(mixture, POINTS, 0).reshape(-1, 2), "uniform": uniform}
    for name, points in references.items():
        found = score(mixture, points)
        rows.append((name, f"{found.covered}", f"{found.good:.3f}", "-"))
    header = ("model", f"modes covered, of {len(centers)}", "share of good points", "seconds")
    return table(header, rows)


def picture(mixture: str, runs: Any, path: Path) -> str | Path:
    """Draw points of the first seed of each model among the modes to a PNG file."""
    first = [run for run in runs if run.mixture == mixture and run.seed == 0]
    figure, panels = plots.axes(len(first), size=(1.8, 2.0))
    for axes, run in zip(panels, first, strict=True):
        _circles(axes, MIXTURES[mixture])
        axes.plot(*run.points.T, ",", color="tab:blue")
        axes.set(title=run.model, xlim=(0, 1), ylim=(0, 1), aspect="equal", xticks=[], yticks=[])
    return plots.save(figure, path)


def _circles(axes, centers):
    from matplotlib.patches import Circle

    for center in centers:
        axes.add_patch(Circle(center, GOOD * DEVIATION, fill=False, edgecolor="0.6", linewidth=0.6))


def _rates(kind, settings):
    return f"{kind}: rate {settings['learning_rate']:g}, beta_1 {settings['beta_1']:g}"


def _spread(values, digits):
    mean = f"{np.mean(values):.{digits}f}"
    return mean if len(values) == 1 else f"{mean} ± {np.std(values, ddof=1):.{digits}f}"


def _one_thread():
    """Use one core per process: small products gain nothing from more."""
    tf.config.threading.set_intra_op_parallelism_threads(1)
    tf.config.threading.set_inter_op_parallelism_threads(1)
