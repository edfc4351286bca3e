"""ADA by hand, and in its limits: source-only training, the GAN."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from models import build, digits

import tfgen
from tfgen import data, networks
from tfgen.gate import unpack
from zoo.models.ada import ADA
from zoo.models.gan import GAN

NAMES = ("ada_digits", "iwada_digits")


def domains(count=24):
    """Return the first digits; every third is an image of the target."""
    images, labels = digits(count)
    target = np.arange(count) % 3 == 0
    return np.where(target[:, None, None, None], 1 - images, images), np.where(target, -1, labels)


def gradients(model, batch, player, of=None):
    with tf.GradientTape() as tape:
        objective = model.objectives(*unpack(batch))[player]
    return [
        gradient.numpy()
        for gradient in tape.gradient(objective, model.players[of or player].trainable_variables)
    ]


def dense(size, units, *weights):
    """A linear network with given weights, without a bias."""
    network = keras.Sequential([keras.Input((size,)), keras.layers.Dense(units, use_bias=False)])
    network.set_weights([np.array(w, "float32") for w in weights])
    return network


def linear_ada(**arguments):
    """Images of two pixels are their own features; l(x) = x_1 - x_2/2, and the classes' logits are x."""
    images = keras.Input((1, 2, 1))
    theta = keras.Model(
        images, keras.layers.Dense(2, use_bias=False)(keras.layers.Flatten()(images))
    )
    theta.set_weights([np.eye(2, dtype="float32")])
    phi, omega = dense(2, 1, [[1.0], [-0.5]]), dense(2, 2, np.eye(2))
    return ADA(theta, phi, omega, num_classes=2, **arguments)


POINTS = np.array([[0.1, 0.9], [0.8, 0.2], [0.4, 0.3], [0.6, 0.7], [1.0, 0.0]], "float32")
LABELS = np.array([1, 0, -1, 1, -1], "int32")
BATCH = (POINTS[:, None, :, None], LABELS)


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def log_softmax(x):
    return x - np.log(np.exp(x).sum(axis=1, keepdims=True))


@pytest.mark.parametrize("importance_weighted", [False, True])
def test_objectives_on_five_images_by_hand(importance_weighted):
    model = linear_ada(adversarial_weight=0.3, importance_weighted=importance_weighted)
    source = LABELS >= 0
    logits = POINTS @ [1.0, -0.5]
    l_source, l_target = logits[source], logits[~source]
    w_source, w_target = np.full(3, 1 / 3), np.full(2, 1 / 2)
    if importance_weighted:
        w_source = np.exp(-l_source) / np.exp(-l_source).sum()
        w_target = np.exp(l_target) / np.exp(l_target).sum()
    classified = log_softmax(POINTS[source])[np.arange(3), LABELS[source]].mean()
    confused = (w_source * np.log(1 - sigmoid(l_source))).sum()
    confused += (w_target * np.log(sigmoid(l_target))).sum()
    objectives = model.objectives(*BATCH)
    assert {name: float(value) for name, value in objectives.items()} == pytest.approx(
        {
            "phi": np.log(sigmoid(l_source)).mean() / 2 + np.log(1 - sigmoid(l_target)).mean() / 2,
            "theta": 0.3 * confused + classified,
            "omega": classified,
        },
        rel=1e-5,
    )
    # d/dW of theta's x = W z, with constant weights: the flipped labels' slopes, then the classes'.
    slopes = np.zeros((5, 2))
    slopes[source] = np.outer(-w_source * sigmoid(l_source), [1.0, -0.5]) * 0.3
    slopes[~source] = np.outer(w_target * sigmoid(-l_target), [1.0, -0.5]) * 0.3
    slopes[source] += (np.eye(2)[LABELS[source]] - np.exp(log_softmax(POINTS[source]))) / 3
    np.testing.assert_allclose(gradients(model, BATCH, "theta")[0], POINTS.T @ slopes, rtol=1e-4)


@pytest.mark.parametrize("importance_weighted", [False, True])
def test_a_missing_domain_contributes_nothing(importance_weighted):
    model = linear_ada(importance_weighted=importance_weighted)
    images, labels = BATCH
    source = labels >= 0
    whole, one, other = (
        {name: float(value) for name, value in model.objectives(*batch).items()}
        for batch in (BATCH, (images[source], labels[source]), (images[~source], labels[~source]))
    )
    assert other["omega"] == 0
    for name, value in whole.items():
        assert one[name] + other[name] == pytest.approx(value, rel=1e-6)
    for player in model.players:
        found = gradients(model, (images[~source], labels[~source]), "theta", of=player)
        assert all(np.isfinite(gradient).all() for gradient in found)


@pytest.mark.parametrize(("size", "count"), [(8, 2 * 2 * 6), (28, 4 * 4 * 6)])
def test_features_of_an_image_are_its_own(size, count):
    """Normalization looks at one image at a time, also in training."""
    theta = networks.extractor((size, size, 3), width=4)
    images = np.random.default_rng(0).random((5, size, size, 3)).astype("float32")
    together = theta(images, training=True)
    assert together.shape == (5, count)
    np.testing.assert_allclose(together[3:4], theta(images[3:4]), rtol=1e-4, atol=1e-5)
    assert theta.non_trainable_variables == []


class TestSourceOnly:
    """lambda = 0."""

    @pytest.mark.parametrize("name", NAMES)
    def test_the_target_has_no_influence(self, name):
        """Bit for bit, whatever the images of the target are."""
        images, labels = domains()
        noise = np.random.default_rng(0).random(images.shape).astype("float32")
        weights = []
        for others in (images, noise):
            model = build(name, adversarial_weight=0.0, ramp=None)
            seen = np.where((labels < 0)[:, None, None, None], others, images)
            model.fit(seen, labels, batch_size=8, epochs=2, verbose=0)
            weights.append(model.theta.get_weights() + model.omega.get_weights())
        for value, expected in zip(*weights, strict=True):
            np.testing.assert_array_equal(value, expected)

    def test_is_a_classifier_of_the_source(self):
        """The gradients are those of the mean cross-entropy of the source's images alone."""
        model = build("ada_digits", adversarial_weight=0.0)
        images, labels = domains()
        source = labels >= 0
        with tf.GradientTape(persistent=True) as tape:
            logits = model.omega(model.theta(images[source]))
            loss = keras.losses.sparse_categorical_crossentropy(labels[source], logits, True)
            loss = tf.reduce_mean(loss)
        for player in ("theta", "omega"):
            expected = tape.gradient(loss, model.players[player].trainable_variables)
            for value, gradient in zip(
                gradients(model, (images, labels), player), expected, strict=True
            ):
                np.testing.assert_allclose(value, -gradient, rtol=1e-3, atol=1e-6)

    def test_otherwise_theta_feels_the_target(self):
        model, witness = (build("ada_digits", adversarial_weight=w, ramp=None) for w in (1.0, 0.0))
        pairs = zip(*(gradients(m, domains(), "theta") for m in (model, witness)), strict=True)
        assert any(np.abs(a - b).max() > 1e-5 for a, b in pairs)


@pytest.mark.usefixtures("unchecked_heads")
class TestGAN:
    """z from the prior at y = 0, and data that are their own features at y = 1."""

    class GenerateOrKeep(keras.layers.Layer):
        """(z, y), images of two channels: a z + b where y = 0, and z itself where y = 1."""

        def build(self, shape):
            self.scale = self.add_weight(name="scale", shape=(), initializer="ones")
            self.shift = self.add_weight(name="shift", shape=(), initializer="zeros")

        def call(self, images):
            z, y = images[..., :1], images[..., 1:]
            return y * z + (1 - y) * (self.scale * z + self.shift)

    class Affine(GenerateOrKeep):
        """G(z) = a z + b as an image of one pixel."""

        def call(self, z):
            return keras.ops.reshape(self.scale * z + self.shift, (-1, 1, 1, 1))

    def networks(self):
        latents, images = keras.Input((1,)), keras.Input((1, 1, 2))
        generator = keras.Model(latents, self.Affine()(latents))
        theta = keras.Model(images, self.GenerateOrKeep()(images))
        for network in (generator, theta):
            network.set_weights([np.float32(0.7), np.float32(-0.2)])
        x = keras.Input((1, 1, 1))
        hidden = keras.layers.Dense(5, activation="tanh")(keras.layers.Flatten()(x))
        phi = keras.Model(x, keras.layers.Dense(1)(hidden))
        omega = keras.Model(x, keras.layers.Dense(2)(keras.layers.Flatten()(x)))
        return generator, theta, phi, omega

    @pytest.mark.parametrize("importance_weighted", [False, True])
    def test_players_objectives_and_gradients_are_the_gans(self, importance_weighted):
        keras.utils.set_random_seed(0)
        generator, theta, phi, omega = self.networks()
        gan = GAN(generator, phi, importance_weighted=importance_weighted)
        ada = ADA(theta, phi, omega, importance_weighted=importance_weighted, num_classes=2)
        real = np.linspace(0.1, 0.9, 6, dtype="float32").reshape(6, 1, 1, 1)
        latents = gan.noise(real, 1, stream=0).numpy().reshape(6, 1, 1, 1)
        z = np.concatenate([real, latents])
        y = np.repeat([1.0, 0.0], 6).astype("float32").reshape(12, 1, 1, 1)
        mixed = (np.concatenate([z, y], axis=-1), np.repeat([0, -1], 6).astype("int32"))
        np.testing.assert_allclose(ada.objectives(*mixed)["phi"], gan.objectives(real)["phi"], 1e-6)
        for player in ("theta", "phi"):
            for value, expected in zip(
                gradients(ada, mixed, player), gradients(gan, real, player), strict=True
            ):
                np.testing.assert_allclose(value, expected, rtol=1e-5, atol=1e-7)
                assert np.abs(expected).max() > 1e-4


class TestImportanceWeights:
    def test_one_image_a_domain_gives_the_unweighted_gradient(self):
        images, labels = domains()
        pair = [0, 1]
        plain, weighted = (build(name, ramp=None) for name in NAMES)
        for value, expected in zip(
            gradients(weighted, (images[pair], labels[pair]), "theta"),
            gradients(plain, (images[pair], labels[pair]), "theta"),
            strict=True,
        ):
            np.testing.assert_array_equal(value, expected)

    def test_equal_logits_of_unequal_features_give_the_unweighted_gradient(self):
        """l(x) = x_1 - x_2/2 is equal on a line across which the classes' slopes differ."""
        points = np.array([[0.5, 0.0], [0.75, 0.5], [0.6, 0.2], [0.9, 0.8]], "float32")
        batch = (points[:, None, :, None], np.array([0, 1, -1, -1], "int32"))
        plain, weighted = (
            gradients(linear_ada(importance_weighted=flag), batch, "theta")[0]
            for flag in (False, True)
        )
        np.testing.assert_allclose(weighted, plain, rtol=1e-6)

    def test_stay_finite(self):
        model = linear_ada(importance_weighted=True)
        model.phi.set_weights([np.array([[160.0], [-160.0]], "float32")])
        assert all(np.isfinite(value) for value in model.objectives(*BATCH).values())
        assert np.isfinite(gradients(model, BATCH, "theta")[0]).all()


def test_lambda_rises_over_the_ramp_and_stays():
    model = linear_ada(adversarial_weight=2.0, ramp=100)
    for steps, p in ((0, 0.0), (10, 0.1), (50, 0.5), (100, 1.0), (1000, 1.0)):
        model.steps.assign(steps)
        expected = 2.0 * (2 / (1 + np.exp(-10 * p)) - 1)
        np.testing.assert_allclose(model.ramped_weight(), expected, rtol=1e-6)
    assert linear_ada(adversarial_weight=2.0).ramped_weight() == 2.0


def test_accuracy_is_that_of_the_source():
    model = linear_ada()
    model.compile(keras.optimizers.SGD(0.0))
    logs = model.evaluate(*BATCH, verbose=0, return_dict=True)
    assert logs["accuracy"] == 1.0  # each label is its larger pixel
    wrong = np.array([1, 1, -1, 0, -1], "int32")
    logs = model.evaluate(BATCH[0], wrong, verbose=0, return_dict=True)
    assert logs["accuracy"] == pytest.approx(1 / 3)


def test_predictions_are_the_endpoints():
    model = build("ada_digits")
    images, _ = digits(5)
    probabilities = model.predict(images, verbose=0)
    function, _ = model.endpoints()["classify"]
    served = function(tf.constant(images))
    np.testing.assert_allclose(served["probabilities"], probabilities, atol=1e-6)
    np.testing.assert_array_equal(served["labels"], probabilities.argmax(axis=1))
    np.testing.assert_allclose(probabilities.sum(axis=1), 1, rtol=1e-5)


def test_two_replicas_equal_one(replicas):
    """39 images, 13 of them the target's, in batches of 16 that the domains divide unevenly."""
    weights = []
    for strategy in (tf.distribute.get_strategy(), replicas):
        with strategy.scope():
            model = build("iwada_digits", ramp=None)
            model.compile(keras.optimizers.SGD(0.1))
        model.fit(*domains(39), batch_size=16, epochs=2, verbose=0)
        weights.append(model.get_weights())
    for value, expected in zip(*weights, strict=True):
        np.testing.assert_allclose(value, expected, rtol=1e-4, atol=1e-6)


class TestRules:
    @pytest.mark.parametrize(
        ("arguments", "message"),
        [
            ({"adversarial_weight": -1.0}, "must not be negative. Received: adversarial_weight=-1"),
            ({"ramp": 0}, "ramp must be None or a positive number of steps. Received: ramp=0"),
            ({"num_classes": 3}, "omega must have a logit for each class. Received: num_classes=3"),
        ],
    )
    def test_numbers(self, arguments, message):
        model = linear_ada()
        with pytest.raises(ValueError, match=message):
            ADA(model.theta, model.phi, model.omega, **{"num_classes": 2, **arguments})

    @pytest.mark.parametrize("name", ["phi", "omega"])
    def test_networks_read_features(self, name):
        players = linear_ada().players | {name: dense(3, 2, np.ones((3, 2)))}
        with pytest.raises(
            ValueError, match=rf"{name} must read what theta makes. Received: theta="
        ):
            ADA(**players, num_classes=2)

    def test_labels_are_needed(self):
        images, _ = digits()
        with pytest.raises(ValueError, match="labels must be integers from -1 to 9"):
            build("ada_digits").fit(images)


def test_evaluation_is_on_the_target():
    """A classifier of dark digits on a light ground; names bring pictures to the model's shape."""
    model = build("ada_digits")
    measured = tfgen.evaluate(model, "digits_negative")
    images, labels = data.arrays("digits_negative", "test")
    share = (model.predict(images / np.float32(255), verbose=0).argmax(1) == labels).mean()
    assert measured["accuracy"]["value"] == pytest.approx(share)
