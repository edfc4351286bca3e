"""Cells of Tables 2 to 4: data sets, arms and settings as plain data, without TensorFlow.

A cell compares arms on one data set over paired seeds: seed s fixes the subset of the images, their
order, the noise and the starting weights of the players that the arms share.  The arms of a cell have
equal steps, a fixed schedule and no early stopping; the weights of the last epoch are scored.

Settings are independent of `zoo.RECIPES`: recipes of presets may change, settings of records may not.
"""

import dataclasses
from typing import Any

SCALES = ("here", "paper")
SAMPLERS = ("GAN", "MinimaxGAN")  # models that are scored on samples, by an evaluator
# Known without the data sets, so that a plan needs no download.
TRAINING_IMAGES = {"digits": 1_437, "mnist": 60_000, "cifar10": 50_000, "svhn_cropped": 73_257}
INFINITE = 1e12  # temperature at which every weight is 1/2, exactly in float32


@dataclasses.dataclass(frozen=True)
class Cell:
    """A comparison in a table.

    Attributes:
        name: Name of the cell, and of the file of its records.
        title: Data set and share, for the table.
        arms: {arm: recipe}, the base model first.
        claim: (arm, base), the paper's claim that `arm` is better than `base`.
        controls: Further pairs (arm, control); each control removes one idea of the transfer.
        seeds: Planned number of seeds, 0 to seeds - 1.
        supplementary: Whether the cell repeats another with settings that the other's labels do not choose.
            Its claim is not among the tests that are corrected together.
    """

    name: str
    title: str
    arms: dict[str, dict[str, Any]]
    claim: tuple[str, str]
    controls: tuple[tuple[str, str], ...]
    seeds: int
    supplementary: bool = False

    @property
    def data(self) -> str:
        """Name of the data set."""
        return next(iter(self.arms.values()))["data"]["name"]


@dataclasses.dataclass(frozen=True)
class Table:
    """A table of the paper: the metric of its claim, and its cells."""

    title: str
    cells: dict[str, str]  # {cell: metric}, in the order of the runs


TABLES = {
    "table2": Table(
        "Table 2: importance weighting of GANs",
        {
            "gan_digits": "inception_score_ratio",
            "cgan_digits": "conditional_accuracy",
            "gan_mnist": "inception_score_ratio",
            "cgan_mnist": "conditional_accuracy",
            "gan_cifar10": "inception_score_ratio",
            "gan_svhn": "inception_score_ratio",
            "cgan_svhn": "conditional_accuracy",
        },
    ),
    "table3": Table(
        "Table 3: adversary activation of VAEs, test bounds",
        {
            "vae_mnist_1pct": "bound",
            "cvae_mnist_1pct": "bound",
            "vae_mnist_10pct": "bound",
            "cvae_mnist_10pct": "bound",
            "vae_mnist": "bound",
            "cvae_mnist": "bound",
            "svae_mnist_1pct": "bound",
            "svae_mnist_10pct": "bound",
            "svae_mnist_1pct_alpha100": "bound",
        },
    ),
    "table4": Table(
        "Table 4: adversary activation of SVAEs, test accuracies",
        {
            "svae_mnist_1pct": "accuracy",
            "svae_mnist_10pct": "accuracy",
            "svae_mnist_1pct_alpha100": "accuracy",
        },
    ),
}

# Table 2.  cell: data set, title, seeds, width, latent_dim, epochs, learning rate, average, labels
_ADVERSARIAL = {
    "gan_digits": ("digits", "digits", 20, 32, 32, 150, 5e-4, 0.99, False),
    "cgan_digits": ("digits", "digits, given labels", 20, 32, 32, 150, 5e-4, 0.99, True),
    "gan_mnist": ("mnist", "MNIST", 12, 16, 64, 14, 2e-4, 0.999, False),
    "cgan_mnist": ("mnist", "MNIST, given labels", 12, 16, 64, 14, 2e-4, 0.999, True),
    "gan_cifar10": ("cifar10", "CIFAR-10", 6, 32, 64, 15, 2e-4, 0.999, False),
    "gan_svhn": ("svhn_cropped", "SVHN", 6, 32, 64, 15, 2e-4, 0.999, False),
    "cgan_svhn": ("svhn_cropped", "SVHN, given labels", 6, 32, 64, 15, 2e-4, 0.999, True),
}
_UNCONTROLLED = ("gan_cifar10",)  # GAN and IWGAN alone: a run takes long
# Table 3.  cell: title, seeds, share of the images, width, epochs, labels
_LIKELIHOOD = {
    "vae_mnist_1pct": ("VAE, 1 %", 10, 0.01, 24, 120, False),
    "cvae_mnist_1pct": ("CVAE, 1 %", 10, 0.01, 24, 120, True),
    "vae_mnist_10pct": ("VAE, 10 %", 6, 0.1, 24, 40, False),
    "cvae_mnist_10pct": ("CVAE, 10 %", 6, 0.1, 24, 40, True),
    "vae_mnist": ("VAE, 100 %", 6, 1.0, 16, 6, False),
    "cvae_mnist": ("CVAE, 100 %", 6, 1.0, 16, 6, True),
}
# Tables 3 and 4.  cell: title, seeds, share of the labels, alpha, supplementary
SEMI_SUPERVISED = {
    "svae_mnist_1pct": ("SVAE, 1 % of labels", 8, 0.01, 1.0, False),
    "svae_mnist_10pct": ("SVAE, 10 % of labels", 8, 0.1, 10.0, False),
    "svae_mnist_1pct_alpha100": (
        "SVAE, 1 % of labels, alpha 100, a supplement",
        6,
        0.01,
        100.0,
        True,
    ),
}
_TEMPERATURE = 5.0  # of the claim, see `zoo.studies.reproduce.notes`
_TEMPERATURES = {0.01: (1.0, 5.0, 10.0, INFINITE)}  # share of the images -> all that are run
_CLASSIFIER_STEPS = 1_600  # about as many as make a classifier of 600 images converge
_PAPER = {"width": 64, "latent_dim": 100}  # DCGAN's; on digits, which the paper has not, ours


def cells(scale: str = "here") -> dict[str, Cell]:
    """Return every cell by its name.

    Args:
        scale: "here" for networks that a processor trains in minutes, or "paper" for the paper's widths
            with all else unchanged.

    Raises:
        ValueError: The scale is unknown.
    """
    if scale not in SCALES:
        raise ValueError(f"scale must be one of {SCALES}. Received: scale={scale!r}")
    sizes = _PAPER if scale == "paper" else {}
    found = [
        *(_adversarial(name, sizes) for name in _ADVERSARIAL),
        *(_likelihood(name, sizes) for name in _LIKELIHOOD),
        *(_semi_supervised(name, sizes) for name in SEMI_SUPERVISED),
    ]
    return {cell.name: cell for cell in found}


def _adversarial(name, sizes):
    data, title, seeds, width, latents, epochs, rate, average, conditional = _ADVERSARIAL[name]
    build = {"width": width, "latent_dim": latents, "average": average}
    build |= {} if data == "digits" else sizes
    build |= {"conditional": True} if conditional else {}
    training = {
        "epochs": epochs,
        "batch_size": 64,
        "learning_rate": rate,
        "beta_1": 0.5,
        "decay": None,
    }
    letter = "C" if conditional else ""
    base, weighted, control = f"{letter}GAN", f"IW{letter}GAN", f"minimax {letter}GAN"
    recipes = {
        base: ("GAN", build),
        weighted: ("GAN", {**build, "importance_weighted": True}),
        control: ("MinimaxGAN", build),
    }
    if name in _UNCONTROLLED:
        del recipes[control]
    arms = {
        arm: {"model": model, "data": {"name": data}, "build": arguments, "training": training}
        for arm, (model, arguments) in recipes.items()
    }
    controls = ((weighted, control),) if control in arms else ()
    return Cell(name, title, arms, (weighted, base), controls, seeds)


def _likelihood(name, sizes):
    title, seeds, share, width, epochs, conditional = _LIKELIHOOD[name]
    build = {"width": width, "latent_dim": 32, "normalization": None, **sizes}
    build |= {"conditional": True} if conditional else {}
    base = "CVAE" if conditional else "VAE"
    temperatures = _TEMPERATURES.get(share, (_TEMPERATURE, INFINITE))
    variants = {base: build} | {
        activated_arm(base, t): {**build, "adversary": True, "temperature": t} for t in temperatures
    }
    arms = {
        arm: {
            "model": "VAE",
            "data": {"name": "mnist", "binarize": True, "fraction": share},
            "build": arguments,
            "training": _training(epochs, 2e-3),
        }
        for arm, arguments in variants.items()
    }
    claimed, unweighted = (activated_arm(base, t) for t in (_TEMPERATURE, INFINITE))
    others = [(arm, base) for arm in arms if arm not in (base, claimed)]
    return Cell(name, title, arms, (claimed, base), ((claimed, unweighted), *others), seeds)


def _semi_supervised(name, sizes):
    title, seeds, share, alpha, supplementary = SEMI_SUPERVISED[name]
    build = {
        "width": 16,
        "latent_dim": 32,
        "normalization": None,
        "decoder_units": 250,
        "classifier_units": 100,
        "alpha": alpha,
        **sizes,
    }
    data = {"name": "mnist", "binarize": True}
    temperatures = {"AA-SVAE": _TEMPERATURE}
    if not supplementary:
        temperatures[activated_arm("SVAE", INFINITE)] = INFINITE
    arms = {
        "SVAE": _svae("SVAE", {**data, "labelled": share}, build),
        **{
            arm: _svae(
                "SVAE",
                {**data, "labelled": share},
                {**build, "adversary": True, "temperature": temperature},
            )
            for arm, temperature in temperatures.items()
        },
        "classifier alone": {
            **_svae("Classifier", {**data, "fraction": share}, build),
            "training": _training(
                round(_CLASSIFIER_STEPS * 64 / (TRAINING_IMAGES["mnist"] * share)), 1e-3
            ),
        },
    }
    controls = (
        *(("AA-SVAE", arm) for arm in temperatures if arm != "AA-SVAE"),
        ("SVAE", "classifier alone"),
        ("AA-SVAE", "classifier alone"),
    )
    return Cell(name, title, arms, ("AA-SVAE", "SVAE"), controls, seeds, supplementary)


def _svae(model, data, build):
    return {"model": model, "data": data, "build": build, "training": _training(6, 1e-3)}


def _training(epochs, rate):
    return {
        "epochs": epochs,
        "batch_size": 64,
        "learning_rate": rate,
        "beta_1": 0.9,
        "decay": "cosine",
    }


def activated_arm(base: str, temperature: float) -> str:
    """Return the name of an adversary-activated arm, "AA-VAE, T = 5"."""
    written = "infinity" if temperature == INFINITE else f"{temperature:g}"
    return f"AA-{base}, T = {written}"
