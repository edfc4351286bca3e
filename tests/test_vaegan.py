"""VAE/GAN and GAN/VAE against hand computations, and against VAE, AA-VAE and GAN in the limits."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from models import build, digits

from tfgen import networks, noise
from tfgen.paper import table
from tfgen.unified import Unified
from zoo.models.gan import GAN
from zoo.models.vae import VAE
from zoo.models.vaegan import GANVAE, VAEGAN
from zoo.models.variational import GENERATED, POSTERIOR, PRIOR

SHAPE = (8, 8, 1)
CLASSES = pytest.mark.parametrize("kind", [VAEGAN, GANVAE])


def perceptrons(shape=SHAPE, latent_dim=3):
    """theta, eta and a phi that is sure of some images, the same ones at every call."""
    keras.utils.set_random_seed(0)
    theta = networks.mlp_generator(shape, latent_dim, hidden=16)
    eta = networks.mlp_encoder(shape, latent_dim, hidden=16)
    phi = networks.mlp_discriminator(shape, hidden=8)
    for variable in phi.trainable_variables:
        variable.assign(3 * variable)
    return theta, eta, phi


def gradients(model, images, player):
    with tf.GradientTape() as tape:
        objective = model.objectives(images)[player]
    return tape.gradient(objective, model.players[player].trainable_variables)


def assert_close(found, expected, **tolerance):
    assert max(np.abs(value).max() for value in expected) > 1e-3
    for value, wanted in zip(found, expected, strict=True):
        np.testing.assert_allclose(value, wanted, **tolerance)


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def judged(phi, images):
    """l(x) and the layer before it, as float64."""
    outputs = networks.with_features(phi, -2)(tf.convert_to_tensor(images))
    return outputs["logits"].numpy()[:, 0].astype("float64"), outputs["features"].numpy()


def coded(model, images, stream):
    """KL(q_eta(z|x) || N(0, I)) and a draw of z."""
    posterior = {
        key: value.numpy() for key, value in model.eta(tf.convert_to_tensor(images)).items()
    }
    mean, scale = posterior["mean"], posterior["scale"]
    divergence = (mean**2 + scale**2 - 1 - np.log(scale**2)).sum(axis=1) / 2
    return divergence, mean + scale * model.noise(images, 3, stream)


def log_normal(x, mean):
    return (-((x - mean) ** 2) / 2 - np.log(2 * np.pi) / 2).sum(axis=1)


def softmax(x):
    return np.exp(x - x.max()) / np.exp(x - x.max()).sum()


@pytest.fixture
def images():
    return digits(16)[0]


class TestObjectivesByHand:
    @pytest.mark.parametrize("importance_weighted", [False, True])
    @pytest.mark.parametrize("temperature", [None, 2.0])
    def test_vaegan(self, images, importance_weighted, temperature):
        theta, eta, phi = perceptrons()
        model = VAEGAN(
            theta, eta, phi, 0.3, importance_weighted=importance_weighted, temperature=temperature
        )
        divergence, codes = coded(model, images, POSTERIOR)
        generated = theta(model.noise(images, 3, PRIOR)).numpy()
        (q_real, real), (q_fake, fake), (q_again, again) = (
            judged(phi, x) for x in (images, generated, theta(codes))
        )
        likelihood = log_normal(real, again)
        reconstruction, compression = likelihood.mean(), divergence.mean()
        if temperature is not None:
            w_real, w_fake = sigmoid(q_real / 2), sigmoid(q_fake / 2)
            fake_divergence, codes = coded(model, generated, GENERATED)
            fake_likelihood = log_normal(fake, judged(phi, theta(codes))[1])
            reconstruction = (w_real * likelihood).mean() + (w_fake * fake_likelihood).mean()
            compression = (w_real * divergence).mean() + (w_fake * fake_divergence).mean()
        weights = softmax(q_fake) if importance_weighted else 1 / 16
        samples = (weights * np.log(sigmoid(q_fake))).sum()
        expected = {
            "theta": 0.3 * reconstruction + samples + np.log(sigmoid(q_again)).mean(),
            "eta": reconstruction - compression,
            "phi": np.log(sigmoid(q_real)).mean() / 2
            + np.log(sigmoid(-q_fake)).mean() / 4
            + np.log(sigmoid(-q_again)).mean() / 4,
        }
        found = model.objectives(images)
        for player, value in expected.items():
            np.testing.assert_allclose(found[player], value, rtol=1e-4)

    @pytest.mark.parametrize("importance_weighted", [False, True])
    def test_ganvae(self, images, importance_weighted):
        theta, eta, phi = perceptrons()
        model = GANVAE(theta, eta, phi, 0.3, 0.7, importance_weighted=importance_weighted)
        _, codes = coded(model, images, POSTERIOR)
        again = theta(codes).numpy()
        q_real, q_fake, q_again = (
            judged(phi, x)[0] for x in (images, theta(model.noise(images, 3, PRIOR)), again)
        )
        weights = softmax(q_fake) if importance_weighted else 1 / 16
        distance = ((images - again) ** 2).sum(axis=(1, 2, 3))
        expected = (weights * np.log(sigmoid(q_fake))).sum()
        expected += (0.7 * np.log(sigmoid(q_again)) - 0.3 * distance).mean()
        found = model.objectives(images)
        assert found["theta"] is found["eta"]
        np.testing.assert_allclose(found["theta"], expected, rtol=1e-4)
        expected = (np.log(sigmoid(q_real)).mean() + np.log(sigmoid(-q_fake)).mean()) / 2
        np.testing.assert_allclose(found["phi"], expected, rtol=1e-4)


class TestReductions:
    """A layer of phi that is the image itself leaves the VAE with a Gaussian of unit variance."""

    @pytest.mark.parametrize("temperature", [None, 2.0])
    def test_eta_of_vaegan_is_that_of_the_vae_on_pixels(self, images, temperature):
        theta = networks.generator(SHAPE, 3, 4, normalization=None, scaled=True)
        _, eta, phi = perceptrons()
        next(v for v in theta.trainable_variables if "log_scale" in v.path).assign([0.0])
        plain = keras.Model(theta.inputs, theta.outputs[0])
        adversary = {} if temperature is None else {"phi": phi, "temperature": temperature}
        vae = VAE(theta, eta, likelihood="gaussian", **adversary)
        joint = VAEGAN(plain, eta, phi, layer=0, temperature=temperature)
        expected = vae.objectives(images)["eta"]
        np.testing.assert_allclose(joint.objectives(images)["eta"], expected, rtol=1e-5)
        assert_close(
            gradients(joint, images, "eta"), gradients(vae, images, "eta"), rtol=1e-4, atol=1e-5
        )

    @pytest.mark.parametrize("player", ["theta", "phi"])
    @pytest.mark.parametrize("importance_weighted", [False, True])
    def test_ganvae_without_its_regularizers_is_the_gan(
        self, images, player, importance_weighted, monkeypatch
    ):
        class OneStream(noise.Samples):
            def gaussian(self, size, stream=0):
                return super().gaussian(size)

        monkeypatch.setattr(Unified, "batch_noise", lambda _, images: OneStream(len(images), 1))
        theta, eta, phi = perceptrons()
        flag = {"importance_weighted": importance_weighted}
        joint, gan = GANVAE(theta, eta, phi, 0.0, 0.0, **flag), GAN(theta, phi, **flag)
        assert_close(
            gradients(joint, images, player), gradients(gan, images, player), rtol=1e-4, atol=1e-6
        )

    def test_without_gamma_theta_hears_only_the_adversary(self, images):
        """gamma = 0: neither the layer nor activation matters to theta."""
        networks_ = perceptrons()
        one = VAEGAN(*networks_, gamma=0.0)
        other = VAEGAN(*networks_, gamma=0.0, layer=0, temperature=1.0)
        assert_close(gradients(other, images, "theta"), gradients(one, images, "theta"), rtol=1e-5)

    @pytest.mark.parametrize("player", ["theta", "eta"])
    def test_a_perfect_discriminator_activates_nothing(self, images, player):
        """l = 1e4 where the first pixel is on, as in every real image here and in no generated one."""
        images[:, 0, 0] = 1
        theta, eta, _ = perceptrons()
        bias = theta.trainable_variables[-1]
        bias.assign(tf.tensor_scatter_nd_update(bias, [[0]], [-60.0]))
        inputs = keras.Input(SHAPE)
        phi = keras.Model(inputs, keras.layers.Dense(1)(keras.layers.Flatten()(inputs)))
        kernel = np.zeros((64, 1), "float32")
        kernel[0] = 2e4
        phi.set_weights([kernel, np.float32([-1e4])])
        plain, activated = (VAEGAN(theta, eta, phi, temperature=t) for t in (None, 1.0))
        assert_close(
            gradients(activated, images, player), gradients(plain, images, player), rtol=0, atol=0
        )

    @CLASSES
    def test_one_sample_weighs_one(self, images, kind):
        networks_ = perceptrons()
        plain, weighted = (kind(*networks_, importance_weighted=flag) for flag in (False, True))
        for player in ("theta", "eta", "phi"):
            assert_close(
                gradients(weighted, images[:1], player),
                gradients(plain, images[:1], player),
                rtol=1e-5,
            )

    @pytest.mark.usefixtures("unchecked_heads")
    @CLASSES
    @pytest.mark.parametrize("slope", [0.0, 1.0])
    def test_equal_logits_of_unequal_gradients_weigh_alike(self, kind, slope):
        """G makes 0.3 or 0.7 by the sign of z; l(x) = (x - 1/2)^2 + slope x tells them apart or not."""

        class Mirror(keras.layers.Layer):
            def build(self, shape):
                self.sides = self.add_weight(name="sides", shape=(2,), initializer="ones")

            def call(self, z):
                side = keras.ops.where(z > 0, self.sides[0], -self.sides[1])
                return keras.ops.reshape(0.5 + 0.2 * side, (-1, 1, 1, 1))

        class Parabola(keras.layers.Layer):
            def call(self, x):
                x = keras.ops.reshape(x, (-1, 1))
                return (x - 0.5) ** 2 + slope * x

        latents, pixels = keras.Input((1,)), keras.Input((1, 1, 1))
        theta = keras.Model(latents, Mirror()(latents))
        phi = keras.Model(pixels, keras.layers.Dense(1)(Parabola()(pixels)))
        phi.set_weights([np.ones((1, 1), "float32"), np.zeros(1, "float32")])
        eta = networks.mlp_encoder((1, 1, 1), 1, hidden=4)
        images = tf.fill([16, 1, 1, 1], 0.4)
        plain, weighted = (
            gradients(kind(theta, eta, phi, importance_weighted=flag), images, "theta")[0].numpy()
            for flag in (False, True)
        )
        assert abs(plain[0] - plain[1]) > 1e-3
        assert np.allclose(weighted, plain, rtol=1e-5) == (slope == 0)


class TestGradients:
    def test_weights_samples_and_their_features_are_data_of_the_vaes_part(self, images):
        theta, eta, phi = perceptrons()
        model = VAEGAN(theta, eta, phi, gamma=2.0, temperature=1.0)
        generated = theta(model.noise(images, 3, PRIOR)).numpy()
        weights = [sigmoid(judged(phi, x)[0]).astype("float32") for x in (images, generated)]
        targets = [judged(phi, x)[1] for x in (images, generated)]
        features = networks.with_features(phi, -2)
        with tf.GradientTape(persistent=True) as tape:
            likelihood, divergence = 0.0, 0.0
            for x, stream, w, target in zip(
                (images, generated), (POSTERIOR, GENERATED), weights, targets, strict=True
            ):
                posterior = eta(tf.convert_to_tensor(x))
                mean, scale = posterior["mean"], posterior["scale"]
                again = theta(mean + scale * model.noise(images, 3, stream))
                error = tf.reduce_sum((target - features(again)["features"]) ** 2, axis=1)
                kl = tf.reduce_sum(mean**2 + scale**2 - 1 - tf.math.log(scale**2), axis=1) / 2
                likelihood -= tf.reduce_mean(w * error) / 2
                divergence += tf.reduce_mean(w * kl)
            bound = likelihood - divergence
            with_part, without = (
                VAEGAN(theta, eta, phi, gamma=gamma, temperature=1.0).objectives(images)["theta"]
                for gamma in (2.0, 0.0)
            )
            part = with_part - without
        assert_close(
            gradients(model, images, "eta"),
            tape.gradient(bound, eta.trainable_variables),
            rtol=1e-3,
            atol=1e-5,
        )
        assert_close(
            tape.gradient(part, theta.trainable_variables),
            [2 * g for g in tape.gradient(likelihood, theta.trainable_variables)],
            rtol=1e-3,
            atol=1e-4,
        )

    def test_images_that_stand_for_data_leave_the_running_statistics(self, images):
        """Activation's second pass through the networks moves no statistics."""
        statistics = []
        for temperature in (None, 1.0):
            model = build("vaegan_digits", temperature=temperature)
            model.objectives(images, training=True)
            statistics.append([v.numpy() for v in model.non_trainable_variables])
        for value, expected in zip(*statistics, strict=True):
            np.testing.assert_array_equal(value, expected)

    def test_theta_normalizes_samples_and_reconstructions_alike(self, images):
        """Its batch is both: the statistics of a pass in training reproduce that pass."""
        model = build("ganvae_digits")
        codes = 3 + model.noise(images, model.latent_dim, POSTERIOR)  # far from the prior's
        for layer in model.theta.layers:
            if isinstance(layer, keras.layers.BatchNormalization):
                layer.momentum = 0.0
        trained, served = (model.generate(codes, training) for training in (True, False))
        np.testing.assert_allclose(served, trained, atol=1e-5)


@CLASSES
def test_learns_points_as_images(kind):
    """Two coordinates as an image of shape (1, 2, 1), by perceptrons."""
    model = kind(*perceptrons((1, 2, 1), latent_dim=2), average=0.9)
    model.compile(keras.optimizers.Adam(1e-3))
    points = np.random.default_rng(0).random((64, 1, 2, 1)).astype("float32")
    history = model.fit(points, verbose=0).history
    assert np.isfinite([*history.values()]).all()
    assert model.sample(5).shape == (5, 1, 2, 1)


def test_the_layer_is_found_again_in_a_copy(images):
    """The index of a layer outlives its name, and reading it adds no node to phi."""
    model = build("vaegan_digits", layer=-6, normalization=None)
    before = model.phi.get_config()
    expected = model.objectives(images)["eta"]
    assert model.phi.get_config() == before
    twin = VAEGAN.from_config(model.get_config())
    twin.set_weights(model.get_weights())
    np.testing.assert_allclose(twin.objectives(images)["eta"], expected, rtol=1e-5)
    assert twin.layer == -6


def test_offers_no_bound():
    """The likelihood of features bounds no log p_theta(x)."""
    for name in ("vaegan_digits", "ganvae_digits"):
        assert "bound" not in build(name).endpoints()


def test_predicts_reconstructions(images):
    model = build("vaegan_digits")
    expected = model.decode(model.call_network(model.eta, images)["mean"])
    np.testing.assert_allclose(model.predict(images, verbose=0), expected, atol=1e-6)


def test_rows():
    networks_ = perceptrons()
    for flag, prefix in ((False, ""), (True, "IW")):
        assert GANVAE(*networks_, importance_weighted=flag).table_row == f"{prefix}GAN/VAE"
        for temperature, first in ((None, ""), (1.0, "AA-")):
            model = VAEGAN(*networks_, importance_weighted=flag, temperature=temperature)
            assert model.table_row == f"{first}{prefix}VAE/GAN"
            assert model.table_row in table.ROWS


def test_two_replicas_equal_one(replicas):
    """23 images in batches of 16: the last one, of 7, splits into 4 and 3."""
    trained = []
    for strategy in (tf.distribute.get_strategy(), replicas):
        with strategy.scope():
            model = build("aavaegan_digits", normalization=None, importance_weighted=True)
            model.compile(keras.optimizers.SGD(0.05))
        model.fit(digits(23)[0], batch_size=16, verbose=0)
        trained.append(model.get_weights())
    for value, expected in zip(*trained, strict=True):
        assert np.abs(value - expected).max() <= 1e-5 * max(1, np.abs(expected).max())


class TestRules:
    @pytest.mark.parametrize(
        ("kind", "arguments", "message"),
        [
            (VAEGAN, {"gamma": -1.0}, "gamma must not be negative. Received: gamma=-1.0"),
            (VAEGAN, {"gamma": float("nan")}, "gamma must not be negative. Received: gamma=nan"),
            (VAEGAN, {"temperature": 0.0}, "temperature must be positive. Received: temperature=0"),
            (VAEGAN, {"layer": 9}, "an index among the .* layers of discriminator. Received: lay"),
            (GANVAE, {"mode_weight": -0.1}, "mode_weight must not be negative. Received"),
            (GANVAE, {"reconstruction_weight": -2}, "reconstruction_weight must not be negative"),
        ],
    )
    def test_parameters(self, kind, arguments, message):
        with pytest.raises(ValueError, match=message):
            kind(*perceptrons(), **arguments)

    @CLASSES
    def test_latents_of_another_length(self, kind):
        theta, _, phi = perceptrons()
        _, eta, _ = perceptrons(latent_dim=4)
        with pytest.raises(ValueError, match="eta must infer the latents .* theta=3, eta=4"):
            kind(theta, eta, phi)

    @CLASSES
    def test_phi_reads_what_theta_makes(self, kind):
        theta, eta, _ = perceptrons()
        _, _, phi = perceptrons((8, 8, 3))
        with pytest.raises(ValueError, match="phi must read what theta makes"):
            kind(theta, eta, phi)
