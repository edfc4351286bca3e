"""Recipes small enough to train in a second, and presets made from them."""

import zoo
from zoo.preset import publish as publishing
from zoo.preset import train as training

_DATA = {"name": "digits", "split": "train[:150]"}  # 3 batches of 64, the last one odd
_TRAINING = {"epochs": 2, "batch_size": 64, "learning_rate": 1e-3, "beta_1": 0.5, "decay": None}

GAN = {
    "model": "GAN",
    "description": "A small conditional GAN",
    "data": _DATA,
    "build": {"width": 4, "latent_dim": 8, "average": 0.9, "conditional": True},
    "training": _TRAINING,
}
RESNET = {
    "model": "ResNet",
    "description": "A small classifier",
    "data": _DATA,
    "build": {"width": 4, "blocks": 1},
    "training": {**_TRAINING, "decay": "cosine"},
}
VAE = {  # its rate so high that the bound soon falls again
    "model": "VAE",
    "description": "A small VAE",
    "data": {**_DATA, "binarize": True, "held_out": 0.2},
    "build": {"width": 4, "latent_dim": 4, "normalization": None},
    "training": {**_TRAINING, "epochs": 30, "learning_rate": 0.05, "patience": 2},
}

# Changes of a recipe's training that do not amplify rounding, as Adam's first steps do.
DESCENT = tuple(
    f"training.{key}={value}"
    for key, value in (
        ("optimizer", "sgd"), ("learning_rate", 0.05), ("momentum", 0.0), ("weight_decay", 0.0)
    )
)  # fmt: skip


def train(recipe, out, **arguments):
    """`zoo.preset.train.train` without a progress bar."""
    return training.train(recipe, out, verbose=0, **arguments)


def publish(folder):
    """Trains and publishes `cgan_small` and `resnet_small`; returns the folder of the presets."""
    root = folder / "saved_models"
    train(RESNET, folder / "resnet")
    evaluator = publishing.publish(folder / "resnet", "resnet_small", root)
    train(GAN, folder / "gan")
    publishing.publish(folder / "gan", "cgan_small", root, samples=40, evaluator=evaluator)
    return root


def flat(model):
    """All state of a model as a list of arrays: weights, counters and the optimizer's slots."""
    variables = [*model.weights, *model.optimizer.variables]
    return [variable.numpy() for variable in variables]


def load_checkpoint(run):
    """The model of a run's folder."""
    return zoo.load(run / "checkpoint.keras")
