"""The semi-supervised VAE against hand computations, and in the limits where it is another model."""

import itertools

import keras
import numpy as np
import pytest
import tensorflow as tf
from models import digits

from tfgen import data, networks
from tfgen.objectives import enumerated_bound, log_categorical
from zoo.models.svae import SVAE
from zoo.models.vae import VAE
from zoo.models.variational import GENERATED, POSTERIOR

SHAPE = (8, 8, 1)
CLASSES = 3


def build(phi=None, classes=CLASSES, **arguments):
    """Perceptrons, the same ones at every call; a weight of 1 on the classifier's term unless given."""
    keras.utils.set_random_seed(0)
    theta = networks.mlp_generator(SHAPE, 2, hidden=16, num_classes=classes)
    eta = networks.mlp_encoder(SHAPE, 2, hidden=16, num_classes=classes)
    omega = networks.mlp_classifier(SHAPE, classes, hidden=16)
    return SVAE(theta, eta, omega, phi, num_classes=classes, **{"alpha": 1.0, **arguments})


@pytest.fixture
def images():
    return np.round(digits(12)[0])


@pytest.fixture
def labels():
    return np.array([0, 1, 2, -1] * 3, "int32")


def by_hand(model, images, noise):
    """L(x, t) of every class, (b, num_classes), and log q_omega(t|x), in NumPy float64.

    L(x, t) = sum_pixels log Bernoulli(x) + log 1/K - 1/2 sum_units (m^2 + s^2 - 1 - log s^2)
    """
    bounds = []
    for t in range(model.num_classes):
        labels = np.full(len(images), t, "int32")
        posterior = model.eta([images, labels])
        mean, scale = (posterior[key].numpy().astype("float64") for key in ("mean", "scale"))
        latents = (mean + scale * noise[:, 0]).astype("float32")
        means = model.theta([latents, labels]).numpy().astype("float64")
        log_likelihood = np.log(np.where(images == 1, means, 1 - means)).sum(axis=(1, 2, 3))
        divergence = (mean**2 + scale**2 - 1 - np.log(scale**2)).sum(axis=1) / 2
        bounds.append(log_likelihood - np.log(model.num_classes) - divergence)
    logits = model.omega(images).numpy().astype("float64")
    log_q = logits - np.log(np.exp(logits).sum(axis=1, keepdims=True))
    return np.stack(bounds, axis=1), log_q


class TestBound:
    def test_enumerates_three_classes_by_hand(self, images):
        model = build()
        noise = np.random.default_rng(0).normal(size=(12, 1, 2)).astype("float32")
        bounds, log_q = by_hand(model, images, noise)
        np.testing.assert_allclose(model.class_bounds(images, noise), bounds, rtol=1e-5)
        expected = (np.exp(log_q) * (bounds - log_q)).sum(axis=1)
        np.testing.assert_allclose(model.bound(images, None, noise), expected, rtol=1e-5)

    def test_u_is_the_mean_bound_plus_the_entropy_by_hand(self):
        """q = (1/2, 1/2, 0): U = (L_0 + L_1)/2 + log 2; a class that q excludes adds nothing."""
        log_q = tf.math.log([[0.5, 0.5, 1e-30]])
        bounds = tf.constant([[-3.0, -5.0, -1e6]])
        np.testing.assert_allclose(enumerated_bound(bounds, log_q), [-4 + np.log(2)], rtol=1e-5)

    def test_u_of_a_sure_classifier_is_the_bound_of_its_class(self):
        logits = tf.constant([[0.0, 1e4, 0.0], [-1e4, 0.0, -1e4]])
        bounds = tf.constant([[-3.0, -5.0, -7.0], [-30.0, -50.0, -70.0]])
        with tf.GradientTape() as tape:
            tape.watch(logits)
            values = enumerated_bound(bounds, tf.nn.log_softmax(logits))
        np.testing.assert_allclose(values, [-5.0, -50.0])
        assert np.isfinite(tape.gradient(values, logits)).all()

    def test_u_is_largest_at_the_posterior_of_the_classes(self):
        """max_q U = log sum_t exp L(x, t), at q proportional to exp L."""
        bounds = tf.constant([[-1.0, -2.0, -4.0]])
        best = enumerated_bound(bounds, tf.nn.log_softmax(bounds))
        np.testing.assert_allclose(best, tf.reduce_logsumexp(bounds, axis=1), rtol=1e-6)
        for logits in np.random.default_rng(0).normal(size=(20, 1, 3)):
            assert enumerated_bound(bounds, tf.nn.log_softmax(tf.cast(logits, tf.float32))) < best

    def test_one_pass_through_the_trunk_equals_a_pass_for_each_class(self, images):
        model = SVAE.build_networks(SHAPE, CLASSES, width=4, latent_dim=2)
        everything = tf.tile(tf.range(CLASSES), [len(images)])
        found = model.class_posteriors(images, everything, False)
        for t in range(CLASSES):
            alone = model.eta([images, np.full(len(images), t, "int32")])
            for key in ("mean", "scale"):
                np.testing.assert_allclose(found[key][t::CLASSES], alone[key], rtol=1e-5, atol=1e-6)

    def test_labels_do_not_enter_it(self, images, labels):
        model = build()
        noise = model.latent_noise(images, POSTERIOR)
        np.testing.assert_array_equal(
            model.bound(images, labels, noise), model.bound(images, None, noise)
        )


def test_units_of_dense_layers_choose_other_networks():
    plain = SVAE.build_networks(SHAPE, CLASSES, width=4, latent_dim=2)
    sized = SVAE.build_networks(
        SHAPE, CLASSES, width=4, latent_dim=2, decoder_units=5, classifier_units=7
    )

    def kinds(network):
        return {type(layer).__name__ for layer in network._flatten_layers()}

    assert "Conv2DTranspose" in kinds(plain.theta)
    assert "Conv2DTranspose" not in kinds(sized.theta)
    assert "MaxPooling2D" not in kinds(plain.omega)
    assert "MaxPooling2D" in kinds(sized.omega)
    assert sized.omega.output_shape == (None, CLASSES)


class TestObjective:
    def test_by_hand(self, images, labels):
        """1/B [ sum_labelled (L(x, t) + alpha N/N_l log q(t|x)) + sum_unlabelled U(x) ]."""
        model = build(alpha=0.3)
        model.labelled_share.assign(0.75)
        bounds, log_q = by_hand(model, images, model.latent_noise(images, POSTERIOR).numpy())
        total = 0.0
        for i, t in enumerate(labels):
            if t >= 0:
                total += bounds[i, t] + 0.3 / 0.75 * log_q[i, t]
            else:
                total += (np.exp(log_q[i]) * (bounds[i] - log_q[i])).sum()
        objectives = model.objectives(images, labels)
        np.testing.assert_allclose(objectives["theta"], total / 12, rtol=1e-5)
        assert objectives["theta"] is objectives["eta"] is objectives["omega"]

    def test_with_all_labels_known_it_is_that_of_the_conditional_vae(self, images):
        """CVAE's bound + log p(t) + alpha log q_omega(t|x), and so are the gradients."""
        labels = np.array([0, 1, 2] * 4, "int32")
        model = build(alpha=0.7)
        cvae = VAE(model.theta, model.eta, num_classes=CLASSES)
        with tf.GradientTape(persistent=True) as tape:
            objective = model.objectives(images, labels)["theta"]
            conditional = cvae.objectives(images, labels)["theta"]
            classifier = tf.reduce_mean(log_categorical(model.omega(images), labels))
        np.testing.assert_allclose(
            objective, conditional - np.log(CLASSES) + 0.7 * classifier, rtol=1e-6
        )
        for players, expected, factor in (
            ((model.theta, model.eta), conditional, 1.0),
            ((model.omega,), classifier, 0.7),
        ):
            variables = [v for network in players for v in network.trainable_variables]
            pairs = zip(
                tape.gradient(objective, variables), tape.gradient(expected, variables), strict=True
            )
            for value, wanted in pairs:
                np.testing.assert_allclose(value, factor * wanted, rtol=1e-4, atol=1e-5)

    @pytest.mark.parametrize("size", [1, 2, 3])
    def test_the_minibatch_estimate_is_unbiased(self, images, size, monkeypatch):
        """Its mean over all minibatches of 6 images, some without labels, is the whole's objective."""
        images, labels = images[:6], np.array([0, -1, 2, -1, -1, -1], "int32")
        model = build()
        model.before_fit(tf.data.Dataset.from_tensor_slices((images, labels)).batch(4))
        np.testing.assert_allclose(model.labelled_share, 2 / 6)
        # At the posterior means; draws of z depend on an image's place in its batch.
        monkeypatch.setattr(model, "latent_noise", lambda x, stream: tf.zeros([len(x), 1, 2]))
        batches = [list(batch) for batch in itertools.combinations(range(6), size)]
        assert any((labels[batch] < 0).all() for batch in batches)
        estimates = [model.objectives(images[i], labels[i])["theta"] for i in batches]
        whole = model.objectives(images, labels)["theta"]
        np.testing.assert_allclose(np.mean(estimates), whole, rtol=1e-5)

    def test_tracks_the_unweighted_bound_and_the_accuracy_of_labelled_images(self, images, labels):
        model = build()
        model.objectives(images, labels)
        expected = np.mean(model.bound(images, None, model.latent_noise(images, POSTERIOR)))
        np.testing.assert_allclose(model.bound_tracker.result(), expected, rtol=1e-5)
        right = np.argmax(model.predict(images, verbose=0), axis=1)[labels >= 0]
        expected = np.mean(right == labels[labels >= 0])
        np.testing.assert_allclose(model.accuracy.result(), expected, rtol=1e-6)

    def test_importance_samples_tighten_the_bound_of_each_class(self, images):
        model = build(importance_samples=6)
        noise = model.latent_noise(images, POSTERIOR)
        assert noise.shape == (12, 6, 2)
        single = np.mean([model.class_bounds(images, noise[:, i : i + 1]) for i in range(6)])
        assert np.mean(model.class_bounds(images, noise)) > single


class TestActivation:
    def test_by_hand(self, images, labels):
        """Real bounds weigh w(x), generated images enter through w(x) U(x), omega's term weighs 1."""
        phi = networks.discriminator(SHAPE, 4, normalization=None)
        for variable in phi.trainable_variables:
            variable.assign(20 * variable)
        model, plain = build(phi, temperature=2.0), build()
        generated = model.generate_like(images, labels, True).numpy()
        assert set(np.unique(generated)) == {0, 1}
        w_real, w_fake = (tf.sigmoid(model.logits(x) / 2).numpy() for x in (images, generated))
        bounds, log_q = by_hand(plain, images, model.latent_noise(images, POSTERIOR).numpy())
        u = (np.exp(log_q) * (bounds - log_q)).sum(axis=1)
        known = labels >= 0
        real = np.where(known, bounds[np.arange(12), labels], u)
        bounds, fake_log_q = by_hand(
            plain, generated, model.latent_noise(images, GENERATED).numpy()
        )
        fake = (np.exp(fake_log_q) * (bounds - fake_log_q)).sum(axis=1)
        expected = (w_real * real).mean() + (w_fake * fake).mean()
        expected += np.where(known, log_q[np.arange(12), labels], 0).mean()
        objectives = model.objectives(images, labels)
        np.testing.assert_allclose(objectives["theta"], expected, rtol=1e-5)
        assert objectives.keys() == {"theta", "eta", "omega", "phi"}

    def test_labels_of_generated_images_are_uniform(self):
        model = build()
        labels = model.labels_to_generate(tf.zeros([3000, *SHAPE]), None)
        counts = np.bincount(labels, minlength=CLASSES)
        assert len(counts) == CLASSES
        assert (np.abs(counts - 1000) < 5 * np.sqrt(3000 * (1 / 3) * (2 / 3))).all()


class TestTraining:
    def test_nothing_becomes_nan_in_2000_steps_at_a_high_rate(self):
        model = build(classes=10, alpha=0.1)
        model.compile(keras.optimizers.Adam(3e-3), steps_per_execution=500)
        batches = data.load("digits", labelled=0.1, binarize=True, batch_size=8)
        model.before_fit(batches)
        model.before_fit = lambda dataset: None  # has seen the one epoch that is repeated
        history = model.fit(batches.repeat().take(2000), verbose=0).history
        assert int(model.steps) == 2000
        assert np.isfinite([*history.values()]).all()
        assert all(np.isfinite(weight).all() for weight in model.get_weights())
        assert history["accuracy"][-1] > 0.5

    def test_a_batch_without_labels_trains_all_but_nothing_of_the_classifiers_term(self, images):
        model = build()
        unlabelled = np.full(12, -1, "int32")
        bound = tf.reduce_mean(model.bound(images, None, model.latent_noise(images, POSTERIOR)))
        np.testing.assert_allclose(model.objectives(images, unlabelled)["theta"], bound, rtol=1e-6)
        model.compile(keras.optimizers.SGD(0.01))
        model.labelled_share.assign(0.1)
        logs = model.train_on_batch(images, unlabelled, return_dict=True)
        assert np.isfinite([*logs.values()]).all()

    def test_a_class_without_a_labelled_example_is_trained_on(self, images):
        labels = np.array([0, 1, -1] * 4, "int32")  # nothing is known of class 2
        model = build()
        before = model.theta.get_weights()
        model.compile(keras.optimizers.SGD(0.01))
        history = model.fit(images, labels, verbose=0).history
        assert np.isfinite([*history.values()]).all()
        assert any(
            (new != old).any() for new, old in zip(model.theta.get_weights(), before, strict=True)
        )

    def test_the_share_of_labels_is_saved(self, images, labels, tmp_path):
        model = build()
        model.compile(keras.optimizers.SGD(0.01))
        model.fit(images, labels, verbose=0)
        model.save(tmp_path / "m.keras")
        loaded = keras.saving.load_model(tmp_path / "m.keras")
        assert float(loaded.labelled_share) == 0.75
        noise = model.latent_noise(images, POSTERIOR)
        np.testing.assert_array_equal(
            loaded.bound(images, None, noise), model.bound(images, None, noise)
        )


class TestRules:
    @pytest.mark.parametrize("as_dataset", [False, True], ids=["array", "tf.data"])
    def test_at_least_one_image_has_a_label(self, images, as_dataset):
        labels = np.full(12, -1, "int32")
        given = (images, labels)
        if as_dataset:
            given = (tf.data.Dataset.from_tensor_slices(given).batch(5),)
        with pytest.raises(ValueError, match="one image must have a label. Received: 12 images"):
            build().fit(*given)

    def test_a_data_set_ends(self, images, labels):
        endless = tf.data.Dataset.from_tensor_slices((images, labels)).batch(5).repeat()
        with pytest.raises(ValueError, match="a finite data set. Received: .* without end"):
            build().fit(endless, steps_per_epoch=2)

    @pytest.mark.parametrize(
        ("spoil", "error"),
        [
            (lambda t: np.where(t < 0, -2, t), ValueError),
            (lambda t: t + 1, ValueError),
            (lambda t: t.astype("float32"), TypeError),
            (lambda t: t[:-1], ValueError),
            (lambda t: None, ValueError),
        ],
        ids=["below -1", "high", "float", "short", "none"],
    )
    def test_labels_are_classes_or_minus_one(self, images, labels, spoil, error):
        with pytest.raises(error, match="labels must be integers from -1 to 2, one per image"):
            build().fit(images, spoil(labels))

    def test_an_inference_net_of_one_piece(self):
        model = build()
        labels, pictures = keras.Input((), dtype="int32"), keras.Input(SHAPE)
        mean = keras.layers.Dense(2)(keras.layers.Flatten()(pictures))
        eta = keras.Model([pictures, labels], {"mean": mean, "scale": keras.ops.exp(mean)})
        with pytest.raises(ValueError, match="eta must consist of layers named 'trunk' and 'head'"):
            SVAE(model.theta, eta, model.omega, num_classes=CLASSES)

    def test_a_decoder_without_labels(self):
        model = build()
        theta = networks.mlp_generator(SHAPE, 2, hidden=16)
        with pytest.raises(ValueError, match="theta with 1 inputs"):
            SVAE(theta, model.eta, model.omega, num_classes=CLASSES)

    def test_a_discriminator_that_reads_labels(self):
        phi = networks.discriminator(SHAPE, 4, CLASSES, normalization=None)
        with pytest.raises(ValueError, match="phi with 2 inputs"):
            build(phi)
