"""Learning rates by the names that recipes give them."""

import keras
import numpy as np
import pytest

import zoo
from tfgen import data
from tfgen.schedules import learning_rate


@pytest.mark.parametrize(
    ("decay", "rates"),
    [
        ("linear", {0: 0.6, 20: 0.6, 25: 0.3, 30: 0.0, 99: 0.0}),
        ("triangular", {0: 0.0, 3: 0.3, 6: 0.6, 18: 0.3, 30: 0.0, 99: 0.0}),
        ("cosine", {0: 0.6, 15: 0.3, 30: 0.0}),
    ],
)
def test_rates_at_steps(decay, rates):
    schedule = learning_rate(0.6, decay, 30)
    again = keras.saving.deserialize_keras_object(keras.saving.serialize_keras_object(schedule))
    for step, rate in rates.items():
        np.testing.assert_allclose([schedule(step), again(step)], rate, atol=1e-6)


def test_no_decay_needs_no_number_of_steps():
    assert learning_rate(0.6, None, None) == 0.6


def test_an_unknown_decay_is_refused():
    with pytest.raises(ValueError, match="decay must be one of .* Received: decay='steps'"):
        learning_rate(0.6, "steps", 30)


def test_a_recipe_names_its_optimizer():
    training = {"epochs": 3, "batch_size": 64, "learning_rate": 0.3, "decay": "triangular"}
    sgd = {"optimizer": "sgd", "momentum": 0.9, "weight_decay": 5e-3}
    recipe = {**zoo.RECIPES["resnet_digits"], "training": {**training, **sgd}}
    optimizer = zoo.build(recipe, data.info("digits"), batches=10).optimizer
    assert isinstance(optimizer, keras.optimizers.SGD)
    assert optimizer.nesterov
    assert optimizer.get_config().items() >= {"momentum": 0.9, "weight_decay": 5e-3}.items()
    optimizer.iterations.assign(6)
    np.testing.assert_allclose(optimizer.learning_rate, 0.3)
    recipe["training"]["optimizer"] = "rmsprop"
    with pytest.raises(ValueError, match="Received: optimizer='rmsprop'"):
        zoo.build(recipe, data.info("digits"), batches=10)


def test_a_player_may_have_a_rate_of_its_own():
    recipe = zoo.RECIPES["gan_digits"]
    training = {**recipe["training"], "rates": {"phi": 4e-4}, "learning_rate": 2e-4}
    model = zoo.build({**recipe, "training": training}, data.info("digits"))
    for player, rate in {"theta": 2e-4, "phi": 4e-4}.items():
        np.testing.assert_allclose(model.optimizer.players[player].learning_rate, rate)
    training["rates"] = {"eta": 1e-4}
    with pytest.raises(ValueError, match="of the players theta, phi. Received: eta"):
        zoo.build({**recipe, "training": training}, data.info("digits"))
