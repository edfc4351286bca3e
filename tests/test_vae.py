"""VAE, CVAE and their adversary-activated forms against hand computations and in the limits (Eq. 11-17)."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from models import digits

from tfgen import data, networks
from tfgen.gate import unpack
from tfgen.objectives import FAKE, REAL, log_q
from zoo.models.vae import VAE
from zoo.models.variational import GENERATED, POSTERIOR

SHAPE = (8, 8, 1)
CONDITIONS = pytest.mark.parametrize("num_classes", [None, 10], ids=["vae", "cvae"])


def perceptrons(num_classes=None, latent_dim=3):
    """Decoder and inference net, the same ones at every call."""
    keras.utils.set_random_seed(0)
    theta = networks.mlp_generator(SHAPE, latent_dim, hidden=16, num_classes=num_classes)
    return theta, networks.mlp_encoder(SHAPE, latent_dim, hidden=16, num_classes=num_classes)


def discriminator(num_classes=None):
    """A discriminator that is sure of some images: its weights are 20 times the usual."""
    phi = networks.discriminator(SHAPE, 4, num_classes, normalization=None)
    for variable in phi.trainable_variables:
        variable.assign(20 * variable)
    return phi


def build(num_classes=None, phi=None, **arguments):
    return VAE(*perceptrons(num_classes), phi, num_classes=num_classes, **arguments)


def gradients(model, batch):
    """Of the objective of theta and eta, in their variables."""
    variables = model.theta.trainable_variables + model.eta.trainable_variables
    with tf.GradientTape() as tape:
        objective = model.objectives(*unpack(batch))["theta"]
    return tape.gradient(objective, variables)


def assert_close(found, expected, **tolerance):
    for value, wanted in zip(found, expected, strict=True):
        np.testing.assert_allclose(value, wanted, **tolerance)


@pytest.fixture
def gray():
    return digits(32)


@pytest.fixture
def binary(gray):
    images, labels = gray
    return np.round(images), labels


class TestBound:
    @CONDITIONS
    def test_by_hand(self, binary, num_classes):
        """sum_pixels log Bernoulli(x; sigmoid(l)) - 1/2 sum_units (m^2 + s^2 - 1 - log s^2)."""
        images, labels = binary
        model = build(num_classes)
        labels = labels if num_classes else None
        noise = np.random.default_rng(0).normal(size=(32, 1, 3)).astype("float32")
        posterior = model.call_network(model.eta, tf.constant(images), labels)
        mean, scale = (posterior[key].numpy().astype("float64") for key in ("mean", "scale"))
        latents = (mean + scale * noise[:, 0]).astype("float32")
        means = model.decode(tf.constant(latents), labels).numpy().astype("float64")
        log_likelihood = np.log(np.where(images == 1, means, 1 - means)).sum(axis=(1, 2, 3))
        divergence = (mean**2 + scale**2 - 1 - np.log(scale**2)).sum(axis=1) / 2
        bound = model.bound(images, labels, noise)
        np.testing.assert_allclose(bound, log_likelihood - divergence, rtol=1e-5)

    @CONDITIONS
    def test_is_what_theta_and_eta_ascend(self, binary, num_classes):
        model = build(num_classes)
        objectives = model.objectives(*binary)
        bounds = model.bound(*binary, model.latent_noise(binary[0], POSTERIOR))
        assert objectives["theta"] is objectives["eta"]
        np.testing.assert_allclose(objectives["theta"], np.mean(bounds), rtol=1e-6)
        np.testing.assert_allclose(model.bound_tracker.result(), np.mean(bounds), rtol=1e-6)

    def test_importance_samples_are_the_draws_of_its_objective(self, binary):
        model = build(importance_samples=5)
        noise = model.latent_noise(binary[0], POSTERIOR)
        assert noise.shape == (32, 5, 3)
        bounds = model.bound(binary[0], None, noise)
        np.testing.assert_allclose(model.objectives(*binary)["theta"], np.mean(bounds), rtol=1e-6)

    @pytest.mark.parametrize("likelihood", ["gaussian", "logistic"])
    def test_reads_the_scale_of_a_likelihood(self, gray, likelihood):
        """A wider scale than the residuals' costs likelihood; the gradient says so."""
        model = VAE.build_networks(SHAPE, None, width=4, latent_dim=3, likelihood=likelihood)
        scale = next(v for v in model.theta.trainable_variables if "log_scale" in v.path)
        scale.assign([3.0])
        noise = np.zeros((32, 1, 3), "float32")
        with tf.GradientTape() as tape:
            bound = tf.reduce_mean(model.bound(gray[0], None, noise))
        assert np.isfinite(bound)
        assert tape.gradient(bound, scale)[0] < 0


class TestActivation:
    @CONDITIONS
    def test_objectives_by_hand(self, binary, num_classes):
        phi = discriminator(num_classes)
        model = build(num_classes, phi, temperature=3.0)
        images, labels = binary
        generated = model.generate_like(images, labels, True)
        q_real, q_fake = (model.logits(x, labels).numpy() for x in (images, generated))
        real = model.bound(images, labels, model.latent_noise(images, POSTERIOR)).numpy()
        fake = model.bound(generated, labels, model.latent_noise(images, GENERATED)).numpy()
        w_real, w_fake = (1 / (1 + np.exp(-q / 3)) for q in (q_real, q_fake))
        assert np.ptp(w_real) > 0.1
        objectives = model.objectives(*binary)
        np.testing.assert_allclose(
            objectives["theta"], (w_real * real).mean() + (w_fake * fake).mean(), rtol=1e-5
        )
        expected = (np.mean(log_q(q_real, REAL)) + np.mean(log_q(q_fake, FAKE))) / 2
        np.testing.assert_allclose(objectives["phi"], expected, rtol=1e-5)
        np.testing.assert_allclose(model.bound_tracker.result(), real.mean(), rtol=1e-5)

    def test_running_statistics_are_those_of_real_images(self, binary):
        """Of theta and eta, as without phi: tests and samples are of real images' networks."""
        plain = VAE.build_networks(SHAPE, None, width=4, latent_dim=3)
        activated = VAE.build_networks(SHAPE, None, width=4, latent_dim=3, adversary=True)
        for model in (activated, plain):
            for name in ("theta", "eta"):
                model.players[name].set_weights(plain.players[name].get_weights())
            model.objectives(binary[0], training=True)
        for name in ("theta", "eta"):
            pairs = zip(
                activated.players[name].non_trainable_variables,
                plain.players[name].non_trainable_variables,
                strict=True,
            )
            for value, expected in pairs:
                np.testing.assert_array_equal(value.numpy(), expected.numpy())

    def test_a_perfect_discriminator_gives_the_gradient_of_the_vae(self, binary):
        """l = 1e4 where the first pixel is on, as in every real image here and in no generated one."""
        images = binary[0].copy()
        images[:, 0, 0] = 1
        theta, eta = perceptrons()
        bias = theta.trainable_variables[-1]
        bias.assign(tf.tensor_scatter_nd_update(bias, [[0]], [-60.0]))
        inputs = keras.Input(SHAPE)
        phi = keras.Model(inputs, keras.layers.Dense(1)(keras.layers.Flatten()(inputs)))
        kernel = np.zeros((64, 1), "float32")
        kernel[0] = 2e4
        phi.set_weights([kernel, np.float32([-1e4])])
        activated, plain = VAE(theta, eta, phi), VAE(theta, eta)
        generated = activated.generate_like(images, None, True)
        np.testing.assert_array_equal(activated.logits(images), 1e4)
        np.testing.assert_array_equal(activated.logits(generated), -1e4)
        for value, expected in zip(
            gradients(activated, images), gradients(plain, images), strict=True
        ):
            assert np.abs(expected).max() > 0
            np.testing.assert_array_equal(value, expected)

    @CONDITIONS
    def test_an_infinite_temperature_weighs_all_alike(self, binary, num_classes):
        images, labels = binary
        model = build(num_classes, discriminator(num_classes), temperature=1e9)
        variables = model.theta.trainable_variables + model.eta.trainable_variables
        generated = model.generate_like(images, labels, True)
        with tf.GradientTape() as tape:
            real = model.bound(images, labels, model.latent_noise(images, POSTERIOR))
            fake = model.bound(generated, labels, model.latent_noise(images, GENERATED))
            equal = tf.reduce_mean(real) / 2 + tf.reduce_mean(fake) / 2
        expected = tape.gradient(equal, variables)
        assert_close(gradients(model, binary), expected, rtol=1e-4, atol=1e-5)

    @pytest.mark.parametrize("images", ["gray", "binary"])
    def test_no_gradient_passes_weights_or_generated_images(self, images, request):
        """The gradient is that of the bounds, with weights and generated images as constants."""
        images, labels = request.getfixturevalue(images)
        model = build(phi=discriminator())
        variables = model.theta.trainable_variables + model.eta.trainable_variables
        generated = model.generate_like(images, labels, True).numpy()
        w_real, w_fake = (tf.sigmoid(model.logits(x)).numpy() for x in (images, generated))
        with tf.GradientTape(persistent=True) as tape:
            real = model.bound(images, None, model.latent_noise(images, POSTERIOR))
            fake = model.bound(generated, None, model.latent_noise(images, GENERATED))
            expected = tf.reduce_mean(w_real * real) + tf.reduce_mean(w_fake * fake)
            objectives = model.objectives(images, labels)
        assert_close(
            gradients(model, (images, labels)),
            tape.gradient(expected, variables),
            rtol=1e-4,
            atol=1e-5,
        )
        assert not any(g is not None for g in tape.gradient(objectives["theta"], model.phi.weights))
        assert not any(g is not None for g in tape.gradient(objectives["phi"], variables))

    def test_binary_images_are_met_by_samples_and_gray_ones_by_means(self, binary, gray):
        model = build(phi=discriminator())
        means = model.generate_like(gray[0], None, False).numpy()
        samples = model.generate_like(binary[0], None, False).numpy()
        assert ((means > 0) & (means < 1)).all()
        assert set(np.unique(samples)) == {0, 1}
        np.testing.assert_allclose(samples.mean(), means.mean(), atol=0.05)

    def test_samples_are_drawn_from_their_means(self):
        """Over 4,000 draws each pixel is on as often as the decoder says."""
        model = build(phi=discriminator())
        images = np.zeros((4000, *SHAPE), "float32")
        samples = model.generate_like(images, None, False).numpy()
        means = model.generate_like(images + 0.5, None, False).numpy()
        error = np.sqrt(means.mean(axis=0) * (1 - means.mean(axis=0)) / 4000)
        assert (np.abs((samples - means).mean(axis=0)) < 5 * error).all()

    def test_other_likelihoods_are_met_by_means(self, binary):
        phi = discriminator()
        model = VAE.build_networks(SHAPE, None, width=4, latent_dim=3, likelihood="gaussian")
        model = VAE(model.theta, model.eta, phi, likelihood="gaussian")
        assert len(np.unique(model.generate_like(binary[0], None, False))) > 2

    def test_noise_of_its_parts_is_independent(self, binary):
        """Posterior, generated images' posterior and prior draw from streams of their own."""
        model = build(phi=discriminator())
        streams = [
            model.latent_noise(binary[0], stream).numpy() for stream in (POSTERIOR, GENERATED)
        ]
        assert (streams[0] != streams[1]).all()


def test_nothing_becomes_nan_in_2000_steps_at_a_high_rate():
    keras.utils.set_random_seed(0)
    model = VAE.build_networks(SHAPE, None, width=2, latent_dim=2, adversary=True)
    model.compile(keras.optimizers.Adam(3e-3), steps_per_execution=500)
    images = data.load("digits", binarize=True, batch_size=8).map(lambda x, t: x).repeat()
    history = model.fit(images.take(2000), verbose=0).history
    assert int(model.steps) == 2000
    assert np.isfinite([*history.values()]).all()
    assert all(np.isfinite(weight).all() for weight in model.get_weights())
    assert history["bound"][-1] > -64 * np.log(2)  # of a decoder that knows nothing


def test_extreme_logits_leave_bound_and_gradients_finite(binary):
    model = build()
    for variable in model.theta.trainable_variables:
        variable.assign(1e3 * variable)
    means = model.decode(model.latent_noise(binary[0], POSTERIOR)[:, 0]).numpy()
    assert ((means == 0) | (means == 1)).mean() > 0.9
    assert np.isfinite(model.objectives(*binary)["theta"])
    assert all(np.isfinite(gradient).all() for gradient in gradients(model, binary))


class TestRules:
    def test_labels_are_passed_over_by_a_model_without_classes(self, gray):
        models = [build(), build()]
        for model, labels in zip(models, (None, gray[1]), strict=True):
            model.compile(keras.optimizers.SGD(0.01))
            model.fit(gray[0], labels, verbose=0)
        assert_close(models[1].get_weights(), models[0].get_weights(), rtol=0)

    def test_images_outside_the_likelihoods_support(self, gray):
        with pytest.raises(ValueError, match=r"images must lie in \[0, 1\]"):
            build().fit(2 * gray[0])

    def test_a_likelihood_of_another_name(self):
        with pytest.raises(ValueError, match="likelihood must be one of .* likelihood='poisson'"):
            build(likelihood="poisson")

    def test_a_decoder_without_the_likelihoods_scale(self):
        with pytest.raises(ValueError, match="theta must have 2 outputs for the logistic"):
            build(likelihood="logistic")

    @pytest.mark.parametrize("last", ["tanh", None])
    def test_a_decoder_that_does_not_end_in_a_sigmoid(self, last):
        _, eta = perceptrons()
        latents = keras.Input((3,))
        pixels = keras.layers.Dense(64, activation="sigmoid")(latents)
        images = keras.layers.Reshape(SHAPE)(pixels)
        images = images if last is None else keras.layers.Activation(last)(images)
        with pytest.raises(ValueError, match="theta must end in keras.layers.Activation"):
            VAE(keras.Model(latents, images), eta)

    def test_latents_of_another_length(self):
        theta, _ = perceptrons(latent_dim=4)
        _, eta = perceptrons()
        with pytest.raises(ValueError, match="eta must infer the latents .* theta=4, eta=3"):
            VAE(theta, eta)

    @pytest.mark.parametrize("temperature", [0, -1.0, float("nan")])
    def test_temperature_is_positive(self, temperature):
        with pytest.raises(ValueError, match="temperature must be positive. Received: temperature"):
            build(temperature=temperature)

    @pytest.mark.parametrize("count", [0, -3, 2.0, True])
    def test_importance_samples_are_counted(self, count):
        message = r"importance_samples must be (an int|at least 1)\. Received"
        with pytest.raises((TypeError, ValueError), match=message):
            build(importance_samples=count)

    def test_a_discriminator_that_reads_no_labels(self):
        with pytest.raises(ValueError, match="phi with 1 inputs"):
            build(num_classes=10, phi=discriminator())
