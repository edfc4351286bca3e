"""The fused Adam against Keras' own: weights, slots, schedules, replicas, fall-backs."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from tfgen.optimizers import Adam


def trained(optimizer, strategy=None, steps=12):
    """A small regression after some steps: its weights and the optimizer's slots."""
    with (strategy or tf.distribute.get_strategy()).scope():
        keras.utils.set_random_seed(1)
        layers = [keras.Input((4,)), keras.layers.Dense(8, "tanh"), keras.layers.Dense(1)]
        model = keras.Sequential(layers)
        model.compile(optimizer(), "mse")
    inputs = np.random.default_rng(0).normal(size=(16, 4)).astype("float32")
    targets = inputs[:, :1] ** 2
    model.fit(inputs, targets, batch_size=16, epochs=steps, verbose=0, shuffle=False)
    return model.get_weights(), [variable.numpy() for variable in model.optimizer.variables]


def assert_close(found, expected):
    for value, reference in zip(found, expected, strict=True):
        np.testing.assert_allclose(value, reference, rtol=2e-5, atol=1e-7)


@pytest.mark.parametrize(
    "arguments",
    [
        {"learning_rate": 1e-2},
        {"learning_rate": 1e-2, "beta_1": 0.5, "beta_2": 0.9, "epsilon": 1e-3},
        {"learning_rate": 1e-2, "amsgrad": True},
        {"learning_rate": 1e-2, "weight_decay": 0.1},
        {"learning_rate": 1e-2, "clipnorm": 0.1},
        {"learning_rate": 1e-2, "use_ema": True, "ema_momentum": 0.5},
    ],
    ids=str,
)
def test_equals_keras(arguments):
    ours = trained(lambda: Adam(**arguments))
    theirs = trained(lambda: keras.optimizers.Adam(**arguments))
    assert_close(ours[0], theirs[0])
    assert_close(ours[1], theirs[1])


def test_equals_keras_with_a_schedule():
    def optimizer(kind):
        return lambda: kind(keras.optimizers.schedules.CosineDecay(1e-2, 10), beta_1=0.5)

    assert_close(trained(optimizer(Adam))[0], trained(optimizer(keras.optimizers.Adam))[0])


def test_equals_keras_on_replicas(replicas):
    assert_close(trained(lambda: Adam(1e-2), replicas)[0], trained(lambda: Adam(1e-2))[0])


def test_first_step_by_hand():
    """m = (1 - b1) g, v = (1 - b2) g^2, so the corrected step is rate g/(|g| + epsilon')."""
    variable = keras.Variable([1.0, 2.0])
    optimizer = Adam(0.1, epsilon=1e-12)
    optimizer.build([variable])
    optimizer.apply([tf.constant([3.0, -0.5])], [variable])
    np.testing.assert_allclose(variable.numpy(), [0.9, 2.1], rtol=1e-5)


def test_configuration_round_trip():
    config = Adam(0.5, beta_1=0.5).get_config()
    assert Adam.from_config(config).get_config() == config
    stock = keras.optimizers.Adam(0.5, beta_1=0.5).get_config()
    assert {**config, "name": None} == {**stock, "name": None}
