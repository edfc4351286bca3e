"""Builders of networks: shapes, places of normalization, saving, rules."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from tfgen import layers, networks

SHAPES = [(8, 8, 1), (16, 16, 3), (27, 27, 2), (28, 28, 1), (32, 32, 3), (64, 64, 3)]


def normalized(network):
    return [
        isinstance(network.layers[index + 1], layers.BatchNormalization)
        for index, layer in enumerate(network.layers)
        if isinstance(layer, keras.layers.Conv2D | keras.layers.Conv2DTranspose)
    ]


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("num_classes", [None, 3])
def test_generator_and_discriminator_fit_together(shape, num_classes):
    theta = networks.generator(shape, latent_dim=5, width=2, num_classes=num_classes)
    phi = networks.discriminator(shape, width=2, num_classes=num_classes)
    latents, labels = tf.random.stateless_normal([2, 5], [0, 1]), tf.constant([0, 2])

    def pair(x):
        return x if num_classes is None else [x, labels]

    images = theta(pair(latents))
    assert images.shape == (2, *shape)
    assert float(tf.reduce_min(images)) >= 0
    assert float(tf.reduce_max(images)) <= 1
    assert phi(pair(images)).shape == (2, 1)


def test_radfords_rules():
    """Batch normalization but at the image ends, LeakyReLU down and ReLU up, N(0, 0.02) weights."""
    theta, phi = networks.generator((32, 32, 3), 100, 64), networks.discriminator((32, 32, 3), 64)
    assert normalized(theta) == [True, True, False]
    assert normalized(phi) == [False, True, True]
    assert [layer.filters for layer in phi.layers if hasattr(layer, "filters")] == [64, 128, 256]
    assert [layer.filters for layer in theta.layers if hasattr(layer, "filters")] == [128, 64, 3]
    slopes = {
        layer.negative_slope for layer in phi.layers if isinstance(layer, keras.layers.LeakyReLU)
    }
    assert [round(float(slope), 6) for slope in slopes] == [0.2]
    kernels = [layer.kernel.numpy() for layer in phi.layers if hasattr(layer, "kernel")]
    for kernel in kernels[1:]:
        assert abs(kernel.std() - 0.02) < 1e-3
        assert abs(kernel.mean()) < 1e-3


def test_paper_sizes_have_the_papers_depth():
    """64 pixels: four strided layers of 64 to 512 channels."""
    phi = networks.discriminator((64, 64, 3))
    filters = [layer.filters for layer in phi.layers if hasattr(layer, "filters")]
    assert filters == [64, 128, 256, 512]


def test_labels_change_images_and_logits():
    theta = networks.generator((8, 8, 1), 4, 8, num_classes=3)
    phi = networks.discriminator((8, 8, 1), 8, num_classes=3)
    latents, images = tf.ones([3, 4]), tf.random.stateless_uniform([1, 8, 8, 1], [0, 1])
    drawn = theta([latents, tf.range(3)]).numpy()
    logits = phi([tf.repeat(images, 3, axis=0), tf.range(3)]).numpy()
    for values in (drawn, logits):
        assert np.abs(values[0] - values[1]).max() > 0
        assert np.abs(values[1] - values[2]).max() > 0


def test_conditional_encoder_is_a_trunk_and_a_head():
    eta = networks.encoder((8, 8, 1), 4, 8, num_classes=3)
    trunk, head = eta.get_layer(networks.TRUNK), eta.get_layer(networks.HEAD)
    images, labels = tf.random.stateless_uniform([3, 8, 8, 1], [0, 1]), tf.range(3)
    whole, parts = eta([images, labels]), head([trunk(images), labels])
    for key in ("mean", "scale"):
        np.testing.assert_array_equal(whole[key], parts[key])
    assert float(tf.reduce_min(whole["scale"])) > 0


def test_logits_before_the_sigmoid():
    for theta in (networks.generator((8, 8, 1), 4, 8), networks.mlp_generator((8, 8, 1), 4, 16)):
        latents = tf.random.stateless_normal([2, 4], [0, 1])
        logits = networks.before_sigmoid(theta)(latents)
        np.testing.assert_allclose(tf.sigmoid(logits), theta(latents), rtol=1e-6)


def test_logits_need_a_sigmoid():
    latents = keras.Input((2,))
    with pytest.raises(ValueError, match="theta must end in keras.layers.Activation"):
        networks.before_sigmoid(keras.Model(latents, keras.layers.Dense(3)(latents)))


@pytest.mark.parametrize("size", [8, 16, 28, 32])
def test_residual_network(size):
    omega = networks.residual_network((size, size, 3), num_classes=7, width=4, blocks=1)
    outputs = omega(tf.zeros([2, size, size, 3]))
    assert outputs["logits"].shape == (2, 7)
    assert outputs["features"].shape == (2, 4 * 2 ** (2 if size >= 16 else 1))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            {"shape": (8, 9, 1)},
            r"shape must be \(size, size, channels\).*Received: shape=\(8, 9, 1\)",
        ),
        ({"shape": (4, 4, 1)}, "Received: shape="),
        ({"shape": (128, 128, 3)}, "Received: shape="),
        ({"shape": (8, 8, 1), "width": 0}, "width must be at least 1. Received: width=0"),
        ({"shape": (8, 8, 1), "normalization": "layer"}, "Received: normalization='layer'"),
    ],
    ids=str,
)
@pytest.mark.parametrize("builder", [networks.generator, networks.discriminator])
def test_sizes_out_of_range_are_refused(builder, arguments, message):
    with pytest.raises(ValueError, match=message):
        builder(**arguments)


def test_the_pooled_classifier_is_ganins_behind_their_features():
    """(24 - 4)/2 = 10, (10 - 4)/2 = 3 rows of 6 channels; their normalization acts image by image."""
    network = networks.pooled_classifier((24, 24, 1), 3, width=4, hidden=5)
    assert network.output_shape == (None, 3)
    assert [layer.output.shape[1:] for layer in network.layers if layer.name == "features"] == [
        (3 * 3 * 6,)
    ]
    images = np.random.default_rng(0).random((4, 24, 24, 1), np.float32)
    together, alone = network(images, training=True), network(images[:1], training=True)
    np.testing.assert_allclose(together[:1], alone, rtol=1e-4, atol=1e-5)


RESIDUAL = {"width": 4, "num_classes": 3}


def test_residual_networks_fit_together_at_any_size():
    latents, labels = tf.random.stateless_normal([2, 5], [0, 1]), tf.constant([0, 2])
    for size in (8, 32):
        theta = networks.residual_generator((size, size, 3), 5, modulation="both", **RESIDUAL)
        phi = networks.residual_discriminator((size, size, 3), **RESIDUAL)
        images = theta([latents, labels])
        assert images.shape == (2, size, size, 3)
        assert 0 <= float(tf.reduce_min(images)) <= float(tf.reduce_max(images)) <= 1
        assert phi([images, labels]).shape == (2, 1)


def test_residual_blocks_add_to_what_they_read():
    """With f = 0 the discriminator is means, 1x1 kernels, a leaky unit and a sum."""
    phi = networks.residual_discriminator((8, 8, 1), width=2, normalization=None)
    for layer in phi.layers:
        if isinstance(layer, layers.Conv2D):
            size = layer.kernel_size[0]
            layer.kernel.assign(
                tf.zeros_like(layer.kernel) if size == 3 else tf.ones_like(layer.kernel)
            )
    *_, logits = phi.layers
    logits.kernel.assign([[1.0], [0.5]])
    images = tf.random.stateless_uniform([3, 8, 8, 1], [2, 3])
    means = tf.nn.avg_pool2d(2 * images - 1, 4, 4, "VALID")  # of one channel, then of two alike
    expected = tf.reduce_sum(1.5 * tf.nn.leaky_relu(2 * means), axis=[1, 2])
    np.testing.assert_allclose(phi(images), expected, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize(
    ("build", "arguments", "received"),
    [
        (networks.residual_generator, {"shape": (28, 28, 1)}, "shape="),
        (networks.residual_generator, {"shape": (8, 8, 1), "normalization": "spectral"}, "normal"),
        (networks.residual_discriminator, {"shape": (8, 8, 1), "normalization": "batch"}, "normal"),
    ],
)
def test_residual_networks_refuse_what_they_cannot_be(build, arguments, received):
    with pytest.raises(ValueError, match=f"Received: {received}"):
        build(**arguments)
