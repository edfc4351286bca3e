"""Register of the zoo: classes by name, recipes by name, and fresh models from recipes.

Nothing heavy is imported before a model is built.
"""

import importlib
import importlib.metadata
import os
from typing import TYPE_CHECKING

from tfgen import old_names
from zoo.building import check_build
from zoo.recipes import FILES, reading
from zoo.recipes.reading import Recipe

if TYPE_CHECKING:
    from tfgen.data.sources import Info
    from tfgen.unified import Unified

# Class -> its file.  A new member of the zoo is such a file and a line here; a member outside is added
# by an entry point, by TFGEN_MODELS (see `_outside`) or by `zoo.MODELS["Name"] = "package.module"`.
MODELS = {
    "AAE": "zoo.models.aae",
    "ADA": "zoo.models.ada",
    "CycleGAN": "zoo.models.cyclegan",
    "GAN": "zoo.models.gan",
    "GANVAE": "zoo.models.vaegan",
    "Helmholtz": "zoo.models.helmholtz",
    "InfoGAN": "zoo.models.infogan",
    "PM": "zoo.models.pm",
    "ResNet": "zoo.models.resnet",
    "SVAE": "zoo.models.svae",
    "VAE": "zoo.models.vae",
    "VAEGAN": "zoo.models.vaegan",
}

STEPS_PER_EXECUTION = 16  # between returns to Python: a tenth of the time of the smallest models


def model_class(name: str) -> "type[Unified]":
    """Import and return the class of a name in `MODELS`.

    Raises:
        KeyError: No class has this name.
    """
    return getattr(importlib.import_module(MODELS[name]), name)


def recipes() -> dict[str, Recipe]:
    """Return {name: recipe} of the zoo's files and of every member outside the zoo.

    Raises:
        ValueError: Two recipes have the same name.
    """
    outside = [name for name in MODELS.values() if not name.startswith("zoo.models.")]
    recipes = {}
    for file in (*FILES, *map(importlib.import_module, dict.fromkeys(outside))):
        if shared := sorted(recipes.keys() & file.RECIPES.keys()):
            raise ValueError(
                f"Names of recipes must be unique. Received: {shared} again in {file.__name__}"
            )
        recipes |= file.RECIPES
    return recipes


def build(recipe: Recipe, info: "Info", seed: int = 0, batches: int | None = None) -> "Unified":
    """Return a fresh, compiled model from a recipe.

    Args:
        recipe: An entry of `RECIPES`, or a dictionary like it, see `zoo.recipes`.
        info: `tfgen.data.info` of the data set.
        seed: Seed of the sampling noise; Keras' global seed fixes the starting weights.
        batches: Number of batches per epoch, for a decaying learning rate; by default that of the whole
            split "train".

    Raises:
        ValueError: A key or value of the recipe breaks a rule.

    Examples:
        >>> import tfgen, zoo
        >>> model = zoo.build(zoo.RECIPES["iwgan_digits"], tfgen.data.info("digits"))
        >>> type(model) is zoo.GAN, model.table_row, model.latent_dim
        (True, 'IWGAN', 32)
    """
    recipe = old_names.renew(recipe)
    reading.check(recipe)
    training = recipe["training"]
    steps = None
    if training["decay"] is not None:
        batches = batches or -(-info.splits["train"] // training["batch_size"])
        steps = batches * training["epochs"]
    kind = model_class(recipe["model"])
    check_build(kind, recipe["build"])
    model = kind.build_networks(info.shape, info.num_classes, seed=seed, **recipe["build"])
    optimizer = _optimizer(training, steps, model.players)
    model.compile(optimizer, steps_per_execution=STEPS_PER_EXECUTION)
    return model


def _optimizer(training, steps, players):
    """Return the optimizer that a recipe's `training` names, or {player: optimizer}.

    Raises:
        ValueError: The decay is unknown, or a rate names a player that the model lacks.
    """
    if rates := training.get("rates"):
        if unknown := sorted(rates.keys() - players.keys()):
            raise ValueError(
                f"rates must be of the players {', '.join(players)}. Received: {', '.join(unknown)}"
            )
        single = {key: value for key, value in training.items() if key != "rates"}
        rates = {player: rates.get(player, single["learning_rate"]) for player in players}
        return {
            player: _optimizer({**single, "learning_rate": rate}, steps, players)
            for player, rate in rates.items()
        }
    import keras

    from tfgen.optimizers import Adam
    from tfgen.schedules import learning_rate

    rate = learning_rate(training["learning_rate"], training["decay"], steps)
    if training.get("optimizer", "adam") == "adam":
        return Adam(rate, beta_1=training["beta_1"])
    return keras.optimizers.SGD(
        rate,
        momentum=training["momentum"],
        nesterov=True,
        weight_decay=training["weight_decay"],
    )


def _outside() -> dict[str, str]:
    """Return {class: module} of members outside the zoo, for the installed command.

    An installed package names them by entry points of the group `tfgen.models`, as in
    `Toy = toy_member:Toy`, the environment by TFGEN_MODELS, as in "Toy=toy_member,Other=package.other".

    Raises:
        ValueError: TFGEN_MODELS has another form, or a class has the name of a class of the zoo.
    """
    points = importlib.metadata.entry_points(group="tfgen.models")
    named = [(point.name, point.module) for point in points]
    for pair in filter(None, os.environ.get("TFGEN_MODELS", "").split(",")):
        name, _, module = map(str.strip, pair.partition("="))
        named.append((name, module))
    for name, module in named:
        if not name.isidentifier() or not module or name in MODELS:
            raise ValueError(
                "A model outside the zoo must have a class of a new name and a module, as in "
                f"TFGEN_MODELS='Toy=toy_member'. Received: {name}={module}"
            )
    return dict(named)


MODELS |= _outside()
