"""Small models for the tests: every recipe on `digits`, with the narrowest networks."""

import keras
import numpy as np

import zoo
from tfgen import data

RECIPES = {
    name: recipe for name, recipe in zoo.RECIPES.items() if recipe["data"]["name"] == "digits"
}


def build(name, seed=0, **arguments):
    """The recipe's model at width 4, compiled; `arguments` override the recipe's."""
    recipe = RECIPES[name]
    recipe = {**recipe, "build": {**recipe["build"], "width": 4, **arguments}}
    keras.utils.set_random_seed(seed)
    return zoo.build(recipe, data.info("digits"), seed=seed)


def digits(count=64):
    """Images float32 in [0, 1] and labels of the first digits."""
    images, labels = data.arrays("digits")
    return images[:count] / np.float32(255), labels[:count]
