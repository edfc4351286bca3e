"""AAE against hand computations, against InfoGAN with x and z exchanged, and in its use of labels."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from models import build, digits
from scipy import stats

from tfgen import layers, networks
from tfgen.gate import unpack
from tfgen.objectives import FAKE, REAL, log_q, reverse
from tfgen.paper.theory import family
from zoo.models.aae import AAE
from zoo.models.infogan import InfoGAN

SHAPE, LATENT, CLASSES = (8, 8, 1), 3, 4


def aae(normalization=None, shape=SHAPE, **arguments):
    """A small AAE whose logits and codes are far from zero."""
    keras.utils.set_random_seed(1)
    model = AAE.build_networks(
        shape,
        CLASSES,
        width=4,
        latent_dim=LATENT,
        hidden=8,
        normalization=normalization,
        **arguments,
    )
    for network in (model.theta, model.eta):
        for variable in network.trainable_variables:
            variable.assign(5 * variable)
    return model


def linear_aae(**arguments):
    """Images of two pixels that are their own codes: E(x) = x, l(z) = z_1 + z_2, logits of x = 2 z."""
    images, codes, latents = keras.Input((1, 2, 1)), keras.Input((2,)), keras.Input((2,))
    same, ones = keras.initializers.Identity(), "ones"
    eta = keras.layers.Dense(2, kernel_initializer=same)(keras.layers.Flatten()(images))
    x = keras.layers.Dense(2, kernel_initializer=keras.initializers.Identity(2.0))(latents)
    theta = keras.layers.Activation("sigmoid")(keras.layers.Reshape((1, 2, 1))(x))
    phi = keras.layers.Dense(1, kernel_initializer=ones)(codes)
    pairs = ((latents, theta), (images, eta), (codes, phi))
    return AAE(*(keras.Model(*pair) for pair in pairs), **arguments)


def gradients(model, data, player, variables=None):
    with tf.GradientTape() as tape:
        objective = model.objectives(*unpack(data))[player]
    variables = model.players[player].trainable_variables if variables is None else variables
    return [gradient.numpy() for gradient in tape.gradient(objective, variables)]


def assert_all_close(values, expected, **tolerance):
    for value, other in zip(values, expected, strict=True):
        np.testing.assert_allclose(value, other, **tolerance)


@pytest.mark.parametrize("importance_weighted", [False, True])
def test_objectives_by_hand(importance_weighted):
    model = linear_aae(importance_weighted=importance_weighted, adversarial_weight=0.7)
    images = np.array([[0.1, 0.5], [0.9, 0.2], [1.0, 0.0]])
    prior = model.prior_like(tf.zeros([3, 1])).numpy().astype("float64")
    d_prior, d_code = (1 / (1 + np.exp(-z.sum(axis=1))) for z in (prior, images))
    means = 1 / (1 + np.exp(-2 * images))
    log_x = (images * np.log(means) + (1 - images) * np.log(1 - means)).sum(axis=1)
    odds = d_code / (1 - d_code)
    weights = odds / odds.sum() if importance_weighted else np.full(3, 1 / 3)
    objectives = model.objectives(tf.constant(images[:, None, :, None], tf.float32))
    expected = log_x.mean() + 0.7 * (weights * np.log(d_code)).sum()
    np.testing.assert_allclose(objectives["theta"], expected, rtol=1e-5)
    assert objectives["eta"] is objectives["theta"]
    expected = np.log(d_prior).mean() / 2 + np.log(1 - d_code).mean() / 2
    np.testing.assert_allclose(objectives["phi"], expected, rtol=1e-5)
    np.testing.assert_allclose(model.reconstruction_tracker.result(), log_x.mean(), rtol=1e-5)


class TestExchange:
    """Eq. 31 is Eq. 9 with x and z exchanged."""

    def infogan(self, real, source, generate, logits, log_recovery):
        """Eq. 9, {"phi", "theta"}: generate(source) against real, and the source recovered from it."""
        generated = generate(source)
        q_real, q_fake = logits(real), logits(generated)
        objective = log_q(reverse(q_fake), FAKE) + log_recovery(source, generated)
        return {
            "phi": tf.reduce_mean(log_q(q_real, REAL)) / 2
            + tf.reduce_mean(log_q(q_fake, FAKE)) / 2,
            "theta": tf.reduce_mean(objective),
        }

    def log_likelihood(self, model):
        def log_p(images, codes):
            logits = networks.before_sigmoid(model.theta)(codes)
            terms = images * tf.math.log_sigmoid(logits)
            return tf.reduce_sum(terms + (1 - images) * tf.math.log_sigmoid(-logits), [1, 2, 3])

        return log_p

    def test_unexchanged_it_is_the_zoos_infogan(self):
        model = InfoGAN.build_networks(
            SHAPE, None, width=4, latent_dim=8, num_categories=2, normalization=None
        )
        images = tf.constant(digits(6)[0])
        objectives = model.objectives(images)
        expected = self.infogan(
            real=images,
            source=model.prior_like(images),
            generate=model.theta,
            logits=lambda x: model.phi(x)[:, 0],
            log_recovery=lambda z, x: model.log_code(x, z),
        )
        for player in ("phi", "theta"):
            np.testing.assert_allclose(objectives[player], expected[player], rtol=1e-5)

    def test_exchanged_it_is_aae(self):
        model, images = aae(), tf.constant(digits(6)[0])
        with tf.GradientTape(persistent=True) as tape:
            objectives = model.objectives(images)
            expected = self.infogan(
                real=model.prior_like(images),
                source=images,
                generate=model.eta,
                logits=lambda z: model.phi(z)[:, 0],
                log_recovery=self.log_likelihood(model),
            )
        np.testing.assert_allclose(objectives["phi"], expected["phi"], rtol=1e-6)
        np.testing.assert_allclose(objectives["theta"], expected["theta"], rtol=1e-6)
        for player, name in (("phi", "phi"), ("theta", "theta"), ("eta", "theta")):
            variables = model.players[player].trainable_variables
            found = tape.gradient(objectives[player], variables)
            other = tape.gradient(expected[name], variables)
            assert max(np.abs(gradient).max() for gradient in found) > 1e-4
            assert_all_close(found, other, rtol=1e-4, atol=1e-6)

    def test_enumerated_world(self):
        """The minibatch as p_data, its codes and the prior's draws as all the codes there are."""
        model, images = aae(), tf.constant(digits(5)[0])
        codes = tf.concat([model.infer(images), model.prior_like(images)], axis=0)  # (10, d)
        log_p = self.log_likelihood(model)
        expected = family.aae(
            data=tf.fill([5], 1 / 5),
            encoder=tf.eye(5, 10),
            prior=tf.concat([tf.zeros([5]), tf.fill([5], 1 / 5)], axis=0),
            log_decoder=tf.stack([log_p(images, tf.tile(z[None], [5, 1])) for z in codes], axis=1),
            logits=model.phi(codes)[:, 0],
        )
        objectives = model.objectives(images)
        for player in ("phi", "theta"):
            np.testing.assert_allclose(objectives[player], expected[player], rtol=1e-5)


class TestImportanceWeights:
    """They are the global minibatch's softmax, and multiply log q^r alone."""

    def eta_gradients(self, images, **arguments):
        return gradients(linear_aae(**arguments), tf.constant(images)[:, None, :, None], "eta")

    def test_one_image_gives_the_unweighted_gradient(self):
        images = [[0.3, 0.9]]
        weighted = self.eta_gradients(images, importance_weighted=True)
        assert_all_close(weighted, self.eta_gradients(images), rtol=1e-6)

    def test_equal_logits_give_the_unweighted_gradient(self):
        """l(x) = x_1 + x_2 is 1 for both, the gradients of log q^r differ."""
        images = [[0.2, 0.8], [0.8, 0.2]]
        weighted = self.eta_gradients(images, importance_weighted=True)
        assert_all_close(weighted, self.eta_gradients(images), rtol=1e-5)

    def test_other_logits_do_not(self):
        images = [[0.2, 0.8], [0.9, 0.7]]
        weighted = self.eta_gradients(images, importance_weighted=True)
        assert np.abs(weighted[0] - self.eta_gradients(images)[0]).max() > 1e-3

    def test_reconstruction_is_unweighted(self):
        images = tf.constant(digits(6)[0])
        found = [
            gradients(aae(importance_weighted=weighted), images, "theta")
            for weighted in (True, False)
        ]
        assert_all_close(*found, rtol=1e-6)


def test_without_the_adversarial_term_it_is_an_autoencoder():
    """Eta's gradient does not depend on phi then."""
    model, images = aae(adversarial_weight=0.0), tf.constant(digits(6)[0])
    before = gradients(model, images, "eta")
    for variable in model.phi.trainable_variables:
        variable.assign(variable + 1)
    assert_all_close(gradients(model, images, "eta"), before, rtol=1e-6)
    assert_all_close([model.objectives(images)["eta"]], [model.reconstruction_tracker.result()])


class TestLabels:
    images, labels = tf.constant(digits(6)[0]), tf.constant([1, -1, 3, -1, -1, 0])

    def classified(self, **arguments):
        return aae(semi_supervised=True, **arguments)

    def test_term_by_hand(self):
        """alpha/(B share) times the sum over labelled images, so that it is right in expectation."""
        model, without = self.classified(alpha=0.7), self.classified(alpha=0.0)
        model.labelled_share.assign(0.25)
        logits = model.eta(self.images).numpy()[:, LATENT:].astype("float64")
        log_t = logits - np.log(np.exp(logits).sum(axis=1, keepdims=True))
        term = 0.7 / (6 * 0.25) * (log_t[0, 1] + log_t[2, 3] + log_t[5, 0])
        value, base = (m.objectives(self.images, self.labels)["eta"] for m in (model, without))
        np.testing.assert_allclose(value - base, term, rtol=1e-4)

    def test_unlabelled_images_have_no_term(self):
        data = (self.images, tf.fill([6], -1))
        found = [gradients(self.classified(alpha=alpha), data, "eta") for alpha in (0.0, 5.0)]
        assert_all_close(*found, rtol=1e-6)

    def test_fit_learns_the_share(self):
        model = build("saae_digits_10pct")
        images, labels = digits(8)
        model.fit(images, np.where(np.arange(8) < 6, -1, labels), verbose=0)
        np.testing.assert_allclose(model.labelled_share, 2 / 8)
        with pytest.raises(ValueError, match="At least one image must have a label. Received: 8"):
            model.fit(images, np.full(8, -1), verbose=0)

    def test_clusters_read_no_labels(self):
        model = aae(num_clusters=5)
        assert model.clustering
        assert not aae().clustering
        assert not self.classified().clustering
        found = [
            gradients(model, data, "eta") for data in (self.images, (self.images, self.labels))
        ]
        assert_all_close(*found, rtol=1e-6)
        model.compile("adam")
        model.fit(self.images.numpy(), verbose=0)
        model.fit(self.images.numpy(), np.full(6, 9), verbose=0)

    def test_code_is_z_and_the_probabilities_of_t(self):
        model = self.classified()
        outputs = model.eta(self.images).numpy()
        codes = model.infer(self.images).numpy()
        np.testing.assert_array_equal(codes[:, :LATENT], outputs[:, :LATENT])
        np.testing.assert_allclose(codes[:, LATENT:].sum(axis=1), 1, rtol=1e-6)
        served = {name: function for name, (function, _) in model.endpoints().items()}
        classified = served["classify"](images=self.images)
        np.testing.assert_array_equal(classified["probabilities"], codes[:, LATENT:])
        np.testing.assert_array_equal(classified["labels"], outputs[:, LATENT:].argmax(axis=1))

    def check(self, codes):
        z, t = np.split(codes, [LATENT], axis=1)
        assert stats.kstest(z.ravel(), "norm").pvalue > 1e-3
        np.testing.assert_array_equal(np.sort(t, axis=1), np.eye(CLASSES)[[-1] * len(t)])
        assert stats.chisquare(t.sum(axis=0)).pvalue > 1e-3
        assert np.abs(np.corrcoef(z.T, t[:, 0])[-1, :-1]).max() < 4 / np.sqrt(len(t))

    def test_prior_pairs_a_normal_and_a_uniform_class(self):
        model = self.classified()
        self.check(model.prior(4000, 3).numpy())
        self.check(model.prior_like(tf.zeros([4000, 1])).numpy())
        np.testing.assert_array_equal(model.prior(5, 3), model.prior(5, 3))


def test_encode_and_reconstruct_are_deterministic():
    model, images = aae("batch"), tf.constant(digits(4)[0])
    served = {name: function for name, (function, _) in model.endpoints().items()}
    assert "discriminate" not in served
    assert "classify" not in served
    latents = served["encode"](images=images)["latents"]
    decoded = served["decode"](latents=latents)["images"]
    for seed in (0, 1):
        reconstructed = served["reconstruct"](images=images, seeds=tf.fill([4], seed))["images"]
        np.testing.assert_array_equal(reconstructed, decoded)
    np.testing.assert_allclose(model.predict(images, verbose=0), decoded, atol=1e-6)


def test_two_replicas_equal_one(replicas):
    """The weights' softmax, the prior's draws and the labelled share are the global batch's."""
    images, labels = digits(14)
    labels = np.where(np.arange(14) % 3, labels % CLASSES, -1)
    trained = []
    for strategy in (tf.distribute.get_strategy(), replicas):
        with strategy.scope():
            model = aae(semi_supervised=True, importance_weighted=True)
            model.compile(keras.optimizers.SGD(0.01))
        model.fit(images, labels, batch_size=8, epochs=2, verbose=0)
        trained.append(model.get_weights())
    for value, expected in zip(*trained, strict=True):
        assert np.abs(value - expected).max() <= 1e-5 * max(1, np.abs(expected).max())


class TestRules:
    def networks(self, latent_dim=LATENT):
        theta = networks.mlp_generator(SHAPE, latent_dim, hidden=4)
        return theta, networks.code_encoder(SHAPE, 3, 2), networks.mlp_discriminator((3,), 4)

    @pytest.mark.parametrize(
        ("arguments", "message"),
        [
            ({"adversarial_weight": -1.0}, "adversarial_weight must not be negative. Received"),
            ({"alpha": -0.1}, "alpha must not be negative. Received: alpha=-0.1"),
            ({"num_classes": 3}, "must be longer than its one-hot t.* length 3, num_classes=3"),
            ({"clustering": True}, "clustering needs num_classes. Received: num_classes=None"),
        ],
    )
    def test_parameters(self, arguments, message):
        with pytest.raises(ValueError, match=message):
            AAE(*self.networks(), **arguments)

    def test_networks_fit_each_other(self):
        theta, eta, phi = self.networks()
        other, _, _ = self.networks(latent_dim=5)
        with pytest.raises(ValueError, match=r"phi must read the codes that theta reads. Received"):
            AAE(other, eta, phi)
        with pytest.raises(
            ValueError, match=r"eta must infer the codes that theta reads. Received"
        ):
            AAE(other, eta, networks.mlp_discriminator((5,), 4))
        with pytest.raises(
            ValueError, match=r"eta must read the images that theta makes. Received"
        ):
            AAE(theta, networks.code_encoder((16, 16, 1), 3, 2), phi)

    def test_theta_has_logits(self):
        _, eta, phi = self.networks()
        latents = keras.Input((3,))
        images = keras.layers.Reshape(SHAPE)(keras.layers.Dense(64)(latents))
        with pytest.raises(ValueError, match="theta must end in keras.layers.Activation"):
            AAE(keras.Model(latents, images), eta, phi)

    def test_labels_lie_in_their_range(self):
        images, labels = digits(4)
        model = aae(semi_supervised=True)
        with pytest.raises(ValueError, match="labels must be integers from -1 to 3, one per image"):
            model.fit(images, labels + 1, verbose=0)


def test_mlp_discriminator_reads_codes_and_images():
    for shape in ((3,), SHAPE):
        phi = networks.mlp_discriminator(shape, hidden=5, layers=3)
        assert phi.input_shape == (None, *shape)
        assert phi.output_shape == (None, 1)
        widths = [layer.units for layer in phi.layers if isinstance(layer, keras.layers.Dense)]
        assert widths == [5, 5, 5, 1]


def test_code_encoder_normalizes_as_discriminators_do():
    eta = networks.code_encoder(SHAPE, 3, width=4, activation="sigmoid")
    normalized = [isinstance(layer, layers.BatchNormalization) for layer in eta.layers]
    assert sum(normalized) == 1  # the layer nearest the image has none
    units = eta(digits(4)[0]).numpy()
    assert units.shape == (4, 3)
    assert (units > 0).all()
    assert (units < 1).all()
