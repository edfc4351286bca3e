"""Values of a recipe's `build` are held against the signatures of the model that takes them."""

import numpy as np
import pytest

import tfgen
import zoo
from zoo import registry
from zoo.building import check_build
from zoo.preset.train import train
from zoo.recipes import reading
from zoo.studies.reproduce import controls


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ("build.widht=3", "build of GAN has the keys augment, .* width. Received: widht=3"),
        ("build.width=abc", "build.width must be int. Received: width='abc'"),
        ("build.width=true", "build.width must be int. Received: width=True"),
        ("build.spectral=1", "build.spectral must be bool. Received: spectral=1"),
        ("build.average=abc", r"build.average must be float . None. Received: average='abc'"),
        ("build.r1=x", "build.r1 must be float. Received: r1='x'"),  # of a base's constructor
    ],
)
def test_a_value_of_build_that_the_model_does_not_take_is_refused(change, message, tmp_path):
    recipe = reading.apply_changes(zoo.RECIPES["gan_digits"], [change])
    with pytest.raises(ValueError, match=message):
        zoo.build(recipe, tfgen.data.info("digits"))
    with pytest.raises(ValueError, match=message):
        train(recipe, tmp_path / "run")


def test_every_recipe_keeps_the_rules_of_build():
    for recipe in zoo.RECIPES.values():
        check_build(registry.model_class(recipe["model"]), recipe["build"])
    check_build(zoo.GAN, {"average": None, "r1": 1, "width": 2})  # an int is a number, too
    check_build(zoo.GAN, {"average": np.float32(0.5), "width": np.int64(2)})


def test_a_member_outside_the_zoo_may_pass_keywords_on_to_any_class():
    controls.register()
    check_build(registry.model_class("Classifier"), {"width": 2, "classifier_units": 8})


@pytest.mark.parametrize("value", ["5", True, None, [1.0]])
def test_a_weight_that_is_no_number_is_refused_by_the_constructor(value):
    arguments = {"width": 2, "latent_dim": 2, "normalization": None}
    with pytest.raises(TypeError, match="gamma must be a number. Received: gamma="):
        zoo.VAEGAN.build_networks((8, 8, 1), None, gamma=value, **arguments)
