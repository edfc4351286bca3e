"""Evaluators: whitened patches, smoothed labels, and served predictions."""

import keras
import numpy as np
import pytest
import tensorflow as tf

import zoo
from tfgen import networks, objectives
from tfgen.layers import PatchWhitening

RNG = np.random.default_rng(0)
MIXED = RNG.normal(size=(3, 3))  # channels that depend on each other
IMAGES = (RNG.random((32, 9, 9, 3)) @ MIXED + 1).astype(np.float32)
SMOOTHING = 0.3


@pytest.fixture(scope="module")
def whitening():
    layer = PatchWhitening(epsilon=1e-6)
    layer.build(IMAGES.shape)
    assert not layer.adapted
    layer.adapt([IMAGES[:20], IMAGES[20:]])
    assert layer.adapted
    return layer


def test_whitened_patches_are_uncorrelated_with_mean_0_and_variance_1(whitening):
    outputs = whitening(IMAGES).numpy()
    assert outputs.shape == whitening.compute_output_shape(IMAGES.shape)
    positive, negative = np.split(outputs.reshape(-1, 24), 2, axis=1)
    np.testing.assert_allclose(positive.mean(axis=0), 0, atol=1e-4)
    np.testing.assert_allclose(np.cov(positive.T, bias=True), np.eye(12), atol=2e-3)
    np.testing.assert_allclose(negative, -positive, atol=1e-4)


def test_the_filters_are_no_trainable_weights(whitening):
    assert not whitening.trainable_variables
    assert len(whitening.weights) == 2


def small(label_smoothing=SMOOTHING):
    keras.utils.set_random_seed(0)
    omega = networks.whitened_network((16, 16, 3), 10, widths=(4, 6))
    model = zoo.ResNet(omega, label_smoothing=label_smoothing)
    model.compile(keras.optimizers.SGD(0.01, momentum=0.9, nesterov=True, weight_decay=5e-3))
    return model


@pytest.fixture(scope="module")
def data():
    return RNG.random((24, 16, 16, 3)).astype(np.float32), np.arange(24) % 10


@pytest.fixture(scope="module")
def fitted(data):
    model = small()
    model.fit(*data, batch_size=8, verbose=0)
    return model


def test_a_new_model_computes_its_filters_and_a_trained_one_keeps_them(fitted, data):
    def filters():
        return fitted.omega.get_layer("whitening").kernel.numpy()

    before = filters()
    expected = PatchWhitening()
    expected.build((None, 16, 16, 3))
    expected.adapt([2 * data[0] - 1])
    np.testing.assert_allclose(before, expected.kernel, rtol=1e-3, atol=1e-3)
    fitted.fit(data[0] / 2, data[1], batch_size=8, verbose=0)
    np.testing.assert_array_equal(filters(), before)


def test_a_saved_model_holds_its_filters_and_goes_on_as_if_unstopped(fitted, data, tmp_path):
    fitted.save(tmp_path / "m.keras")
    again = zoo.load(tmp_path / "m.keras")
    assert again.label_smoothing == SMOOTHING
    assert again.optimizer.weight_decay == 5e-3
    np.testing.assert_array_equal(
        again.predict(data[0], verbose=0), fitted.predict(data[0], verbose=0)
    )
    for model in (again, fitted):
        model.fit(*data, batch_size=8, epochs=1, verbose=0)
    for one, other in zip(again.weights, fitted.weights, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-5, atol=1e-6)


def test_what_is_served_is_rid_of_the_smoothing(fitted, data):
    outputs = fitted.omega(data[0], training=False)
    served, _ = fitted.endpoints()["features"]
    expected = objectives.remove_smoothing(tf.nn.softmax(outputs["logits"]), SMOOTHING)
    np.testing.assert_allclose(served(tf.constant(data[0]))["probabilities"], expected, atol=1e-6)
    np.testing.assert_allclose(fitted.predict(data[0], verbose=0), expected, atol=1e-6)


def test_the_objective_is_that_of_smoothed_labels(data):
    model = small()
    logits = model.omega(data[0], training=False)["logits"]
    ascended = model.objectives(*map(tf.constant, data), training=False)["omega"]
    expected = objectives.log_smoothed_categorical(logits, data[1], SMOOTHING)
    np.testing.assert_allclose(ascended, tf.reduce_mean(expected), rtol=1e-5)


@pytest.mark.parametrize("value", [-0.1, 1.0])
def test_smoothing_out_of_range_is_refused(value):
    with pytest.raises(ValueError, match=f"Received: label_smoothing={value}"):
        small(value)


def test_images_too_small_for_the_blocks_are_refused():
    with pytest.raises(ValueError, match=r"2\^blocks pixels per side. Received: shape=\(8, 8, 3\)"):
        networks.whitened_network((8, 8, 3), 10, widths=(4, 4, 4))
