"""Values of a recipe's `build` are held against the signatures of the model that takes them."""

import copy

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
        ("build.augment=flip", r"build.augment must be .*Sequence.str.. Received: augment='flip'"),
        ("build.augment=3", "Received: augment=3"),
        ("build.projection=false", "projection=False needs labels. Received: .*num_classes=None"),
        ("build.residual=true", "'spectral' .in recipes spectral=True. or None. Received: normal"),
        ("training.beta_1=", "the optimizer 'adam' must have beta_1. Received: epochs, batch_size"),
        ("training.optimizer=sgd", "the optimizer 'sgd' must have momentum"),
        ("build.r1=x", "build.r1 must be float. Received: r1='x'"),  # of a base's constructor
    ],
)
def test_a_value_of_build_that_the_model_does_not_take_is_refused(change, message, tmp_path):
    recipe = zoo.RECIPES["gan_digits"]
    with pytest.raises(ValueError, match=message):
        zoo.build(reading.apply_changes(recipe, [change]), tfgen.data.info("digits"))
    with pytest.raises(ValueError, match=message):
        train(reading.apply_changes(recipe, [change]), tmp_path / "run")
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize(
    ("name", "argument", "value"),
    [
        ("vae_digits", "spectral", True),
        ("vae_digits", "augment", ["flip"]),
        ("vae_digits", "residual", True),
        ("cvae_digits", "projection", False),
        ("vae_digits", "temperature", 5.0),
        ("svae_digits_10pct", "spectral", True),
        ("svae_digits_10pct", "adversary_width", 8),
        ("svae_digits_10pct", "temperature", 5.0),
    ],
)
def test_an_argument_of_a_discriminator_that_is_not_there_is_refused(name, argument, value):
    recipe = copy.deepcopy(zoo.RECIPES[name])
    recipe["build"][argument] = value
    with pytest.raises(ValueError, match=f"{argument}|temperature"):
        zoo.build(recipe, tfgen.data.info("digits"))


def test_a_recipe_of_python_keeps_the_rules_of_one_of_a_file():
    recipe = copy.deepcopy(zoo.RECIPES["gan_digits"])
    del recipe["training"]["beta_1"]
    with pytest.raises(ValueError, match="must have beta_1"):
        zoo.build(recipe, tfgen.data.info("digits"))


def test_modulation_needs_maps():
    recipe = copy.deepcopy(zoo.RECIPES["svae_mnist_1pct"])
    recipe["build"]["modulation"] = "latents"
    with pytest.raises(ValueError, match="no maps to modulate. Received: modulation='latents'"):
        zoo.build(recipe, tfgen.data.info("digits"))


def test_every_recipe_keeps_the_rules_of_build():
    for recipe in zoo.RECIPES.values():
        check_build(registry.model_class(recipe["model"]), recipe["build"])
    check_build(zoo.GAN, {"average": None, "r1": 1, "width": 2})  # an int is a number, too
    check_build(zoo.GAN, {"average": np.float32(0.5), "width": np.int64(2)})


def test_a_member_outside_the_zoo_may_pass_keywords_on_to_any_class(monkeypatch):
    monkeypatch.setattr(registry, "MODELS", dict(registry.MODELS))
    controls.register()
    check_build(registry.model_class("Classifier"), {"width": 2, "classifier_units": 8})


@pytest.mark.parametrize("value", ["5", True, None, [1.0]])
def test_a_weight_that_is_no_number_is_refused_by_the_constructor(value):
    arguments = {"width": 2, "latent_dim": 2, "normalization": None}
    with pytest.raises(TypeError, match="gamma must be a number. Received: gamma="):
        zoo.VAEGAN.build_networks((8, 8, 1), None, gamma=value, **arguments)
