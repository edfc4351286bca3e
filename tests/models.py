"""Small models for the tests: every recipe on `digits`, with the narrowest networks."""

import contextlib

import keras
import numpy as np
import pytest

import zoo
from tfgen import data

RECIPES = {
    name: recipe for name, recipe in zoo.RECIPES.items() if recipe["data"]["name"] == "digits"
}


def of_each_class(names):
    """Return a recipe of each class, with most of its terms: for what is the class's, not a variant's."""
    return list({RECIPES[name]["model"]: name for name in names}.values())


def large_but(kept, names):
    """Return names as parameters of a test, which is large for those that are not kept."""
    return [name if name in kept else pytest.param(name, marks=pytest.mark.large) for name in names]


OF_EACH_CLASS = of_each_class(RECIPES)

# Class -> the sizes that make its networks small, where it has no `width`.
SMALL = {"Helmholtz": {"units": (6, 4)}}


def build(name, seed=0, **arguments):
    """The recipe's model with small networks, compiled; `arguments` override the recipe's."""
    recipe = RECIPES[name]
    sizes = SMALL.get(recipe["model"], {"width": 4} if "width" in recipe["build"] else {})
    recipe = {**recipe, "build": {**recipe["build"], **sizes, **arguments}}
    keras.utils.set_random_seed(seed)
    return zoo.build(recipe, data.info("digits"), seed=seed)


def compiled(name, optimizer="sgd", **arguments):
    """A small model, one batch per execution, as a user compiles it."""
    model = build(name)
    model.compile(optimizer, **arguments)
    return model


def state(model):
    """Values of all variables of a compiled model and of its optimizer."""
    return [v.numpy() for v in [*model.variables, *model.optimizer.variables]]


def digits(count=64):
    """Images float32 in [0, 1] and labels of the first digits."""
    images, labels = data.arrays("digits")
    return images[:count] / np.float32(255), labels[:count]


def learned_from(name, count):
    """Return data for `fit` of the recipe's model: images and labels of the first digits."""
    images, labels = digits(count)
    if RECIPES[name]["model"] == "ADA":  # every other image is the target domain's
        return images, np.where(np.arange(count) % 2, -1, labels)
    if RECIPES[name]["model"] == "CycleGAN":  # the other domain in another order
        return images, 1 - images[::-1]
    return images, labels


@contextlib.contextmanager
def precision(policy):
    """Build models under a policy, for float64 with `keras.config.set_floatx`, within it."""
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy(policy)
    keras.config.set_floatx("float64" if policy == "float64" else "float32")
    try:
        yield
    finally:
        keras.config.set_dtype_policy(before)
        keras.config.set_floatx("float32")
