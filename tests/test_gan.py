"""GAN and IWGAN against hand computations and against each other in the limits (Eq. 3-5, 36-43)."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from models import build, digits

from tfgen import networks
from tfgen.gate import unpack
from zoo.models.gan import GAN

PAIRS = [("gan_digits", "iwgan_digits"), ("cgan_digits", "iwcgan_digits")]


class Scalars(keras.layers.Layer):
    """A discriminator whose logit is a weight times the mean pixel, and a generator made alike."""

    def build(self, shape):
        self.scale = self.add_weight(name="scale", shape=(), initializer="ones")

    def call(self, x):
        return self.scale * keras.ops.mean(x, axis=tuple(range(1, len(x.shape))))[:, None]


def scalar_gan(**arguments):
    """Images of one pixel: G(z) = a mean(z), l(x) = b x."""
    latents = keras.Input((2,))
    theta = keras.Model(latents, keras.layers.Reshape((1, 1, 1))(Scalars()(latents)))
    images = keras.Input((1, 1, 1))
    phi = keras.Model(images, Scalars()(images))
    return GAN(theta, phi, **arguments)


def gradients(model, batch, player):
    with tf.GradientTape() as tape:
        objective = model.objectives(*unpack(batch))[player]
    return tape.gradient(objective, model.players[player].trainable_variables)


@pytest.mark.usefixtures("unchecked_heads")
@pytest.mark.parametrize("importance_weighted", [False, True])
def test_objectives_on_three_samples_by_hand(importance_weighted):
    model = scalar_gan(importance_weighted=importance_weighted)
    images = tf.constant([0.1, 0.5, 0.9])[:, None, None, None]
    generated = model.noise(images, 2, stream=0).numpy().mean(axis=1)  # a = b = 1: also the logits
    d_real, d_fake = (1 / (1 + np.exp(-x)) for x in (np.array([0.1, 0.5, 0.9]), generated))
    odds = d_fake / (1 - d_fake)
    weights = odds / odds.sum() if importance_weighted else np.full(3, 1 / 3)
    objectives = model.objectives(images)
    np.testing.assert_allclose(
        objectives["phi"], np.log(d_real).mean() / 2 + np.log(1 - d_fake).mean() / 2, rtol=1e-5
    )
    np.testing.assert_allclose(objectives["theta"], (weights * np.log(d_fake)).sum(), rtol=1e-5)
    # d theta / d a = sum_i w_i (1 - D_i) b z_i, with w_i constant.
    np.testing.assert_allclose(
        gradients(model, images, "theta")[0], (weights * (1 - d_fake) * generated).sum(), rtol=1e-4
    )


@pytest.mark.parametrize(("plain", "weighted"), PAIRS)
def test_one_sample_gives_the_gan_gradient(plain, weighted):
    """k = 1: the only weight is 1."""
    images, labels = digits(1)
    for player in ("theta", "phi"):
        for value, expected in zip(
            gradients(build(weighted), (images, labels), player),
            gradients(build(plain), (images, labels), player),
            strict=True,
        ):
            np.testing.assert_array_equal(value, expected)


@pytest.mark.usefixtures("unchecked_heads")
def test_equal_logits_of_unequal_gradients_give_the_gan_gradient():
    """l(x) = b (s - x)^2 - b s^2 / 4 is equal at samples that mirror each other about s, not its slope."""

    class Parabola(keras.layers.Layer):
        def call(self, x):
            return (keras.ops.reshape(x, (-1, 1)) - 0.5) ** 2

    class Affine(keras.layers.Layer):
        """z -> scale z, started so that the two samples lie at 0.5 - delta and 0.5 + delta."""

        def build(self, shape):
            self.scale = self.add_weight(name="scale", shape=(), initializer="ones")

        def call(self, x):
            signs = keras.ops.convert_to_tensor([[-0.2], [0.2]])
            return keras.ops.reshape(0.5 + self.scale * (signs + 0 * x), (-1, 1, 1, 1))

    def model(importance_weighted):
        latents, images = keras.Input((1,)), keras.Input((1, 1, 1))
        theta = keras.Model(latents, Affine()(latents))
        phi = keras.Model(images, keras.layers.Dense(1)(Parabola()(images)))
        phi.set_weights([np.ones((1, 1), "float32"), np.zeros(1, "float32")])
        return GAN(theta, phi, importance_weighted=importance_weighted)

    images = tf.constant([0.3, 0.6])[:, None, None, None]
    weighted, plain = (gradients(model(flag), images, "theta")[0] for flag in (True, False))
    assert abs(float(plain)) > 1e-3
    np.testing.assert_allclose(weighted, plain, rtol=1e-6)


def test_importance_weights_change_the_gradient_otherwise():
    images, _ = digits(16)
    pairs = zip(*(gradients(build(name), images, "theta") for name in PAIRS[0]), strict=True)
    assert any(np.abs(a - b).max() > 1e-6 for a, b in pairs)


@pytest.mark.usefixtures("unchecked_heads")
def test_theta_is_trained_without_the_half_of_phi():
    """At logits of 0 everywhere phi's objective is log 1/2 and theta's is log 1/2 as well."""
    model = scalar_gan()
    model.phi.set_weights([np.float32(0)])
    objectives = model.objectives(tf.zeros([5, 1, 1, 1]))
    np.testing.assert_allclose([objectives["theta"], objectives["phi"]], np.log(0.5), rtol=1e-6)


class TestRules:
    def test_labels_need_networks_that_read_them(self):
        theta, phi = networks.generator((8, 8, 1), width=4), networks.discriminator((8, 8, 1), 4)
        with pytest.raises(ValueError, match="input for labels exactly if num_classes is given"):
            GAN(theta, phi, num_classes=10)

    def test_theta_makes_what_phi_reads(self):
        theta, phi = networks.generator((8, 8, 1), width=4), networks.discriminator((8, 8, 3), 4)
        with pytest.raises(ValueError, match=r"phi must read what theta makes. Received: theta="):
            GAN(theta, phi)

    def test_players_share_no_variable(self):
        images = keras.Input((8, 8, 1))
        layer = keras.layers.Dense(1)
        shared = keras.Model(images, layer(images))
        theta = keras.Sequential([keras.Input((8, 8, 1)), layer])
        with pytest.raises(ValueError, match="Players must not share a trainable variable"):
            GAN(theta, shared)

    def test_labels_are_needed_to_train_conditionally(self):
        images, _ = digits()
        with pytest.raises(ValueError, match="Received: labels=None"):
            build("cgan_digits").fit(images)
