"""Every recipe is plain data with the documented keys, named by the rule, and fits its class."""

import inspect
import json
import re

import pytest

import tfgen
import zoo
from tfgen.schedules import DECAYS
from tfgen.unified import PLAYERS, Unified

KEYS = {"model", "description", "data", "build", "training"}
OPTIONAL = {"flagship"}
TRAINING = {"epochs", "batch_size", "learning_rate", "decay"}
OPTIMIZERS = {"adam": {"beta_1"}, "sgd": {"optimizer", "momentum", "weight_decay"}}
EARLY_STOPPING = {"patience"}
RATES = {"rates"}
GIVEN = {"shape", "num_classes", "seed", *PLAYERS}  # not a recipe's to say

every_recipe = pytest.mark.parametrize(("name", "recipe"), zoo.RECIPES.items(), ids=zoo.RECIPES)


def named(function):
    """Names of a function's parameters, those gathered by ** left out."""
    parameters = inspect.signature(function).parameters.values()
    return {p.name for p in parameters if p.kind is not p.VAR_KEYWORD}


@every_recipe
def test_keys_are_the_documented_ones(name, recipe):
    assert KEYS <= set(recipe) <= KEYS | OPTIONAL
    stops_early = EARLY_STOPPING if "held_out" in recipe["data"] else set()
    optimizer = OPTIMIZERS[recipe["training"].get("optimizer", "adam")]
    assert set(recipe["training"]) - RATES == TRAINING | optimizer | stops_early
    assert "name" in recipe["data"]
    for key in KEYS | OPTIONAL | TRAINING | RATES | EARLY_STOPPING.union(*OPTIMIZERS.values()):
        assert re.search(rf"\b{key}\b", zoo.recipes.__doc__), key


def rates(training):
    return training.get("rates", {})


@every_recipe
def test_it_is_plain_data_in_range(name, recipe):
    json.dumps(recipe)
    training = recipe["training"]
    for key in ("epochs", "batch_size"):
        assert isinstance(training[key], int)
        assert training[key] >= 1
    assert all(0 < rate < 1 for rate in (training["learning_rate"], *rates(training).values()))
    for key in ("beta_1", "momentum", "weight_decay"):
        assert 0 <= training.get(key, 0.0) < 1
    assert training["decay"] in DECAYS
    assert recipe["description"] == " ".join(recipe["description"].split())
    assert not recipe["description"].endswith(".")


@every_recipe
def test_its_name_is_model_data_variant(name, recipe):
    data = re.escape(recipe["data"]["name"])
    assert re.fullmatch(rf"[a-z]+_{data}(_[a-z0-9]+)*", name)


@every_recipe
def test_its_class_takes_its_arguments(name, recipe):
    assert recipe["model"] in zoo.MODELS
    kind, build, data = getattr(zoo, recipe["model"]), recipe["build"], recipe["data"]
    assert issubclass(kind, Unified)
    inspect.signature(kind.build_networks).bind((8, 8, 1), 10, seed=0, **build)
    classes = kind.__mro__[: kind.__mro__.index(Unified) + 1]
    taken = named(kind.build_networks).union(*(named(c.__init__) for c in classes))
    assert set(build) <= taken - GIVEN
    inspect.signature(kind.load_data).bind(batch_size=64, seed=0, **data)
    if kind.load_data.__func__ is Unified.load_data.__func__:
        taken = named(tfgen.data.load) | named(tfgen.data.load_with_validation)
        assert set(data) <= taken - {"batch_size", "seed"}


def test_two_recipes_do_not_run_the_same():
    texts = [json.dumps({**r, "description": ""}, sort_keys=True) for r in zoo.RECIPES.values()]
    assert len(set(texts)) == len(texts)
