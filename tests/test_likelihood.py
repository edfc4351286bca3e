"""Estimates of log p(x) against each other and against hand computations.

`test_principal_components` has the case in which log p(x) is known.
"""

import itertools
import math
import types

import keras
import numpy as np
import pytest
import tensorflow as tf
from models import digits

from tfgen import data, distributions, evaluation, networks
from tfgen.evaluation import likelihood, metrics
from tfgen.evaluation.bounds import likelihood_bounds
from tfgen.gate import Gate, Images
from tfgen.objectives import importance_weighted_bound
from zoo.models.svae import SVAE
from zoo.models.vae import VAE


def perceptrons(num_classes=None):
    """A decoder of twice the usual weights, so that images depend on z, and an inference net."""
    keras.utils.set_random_seed(0)
    theta = networks.mlp_generator((8, 8, 1), 3, hidden=8, num_classes=num_classes)
    for variable in theta.trainable_variables:
        variable.assign(2 * variable)
    return theta, networks.mlp_encoder((8, 8, 1), 3, hidden=8, num_classes=num_classes)


def semi_supervised(num_classes):
    omega = networks.mlp_classifier((8, 8, 1), num_classes, hidden=8)
    return SVAE(*perceptrons(num_classes), omega, num_classes=num_classes)


@pytest.fixture(scope="module")
def vae():
    return VAE(*perceptrons())


@pytest.fixture(scope="module")
def svae():
    return semi_supervised(3)


@pytest.fixture(scope="module")
def binary():
    return likelihood.prepare_images("bernoulli", digits(40)[0])


class TestImportanceWeights:
    def test_the_bound_is_the_logarithm_of_a_mean_by_hand(self):
        log_weights = tf.math.log([[1.0, 2.0, 6.0], [4.0, 4.0, 4.0]])
        np.testing.assert_allclose(
            importance_weighted_bound(log_weights), np.log([3.0, 4.0]), rtol=1e-6
        )

    def test_the_bound_stays_finite_at_extreme_weights(self):
        log_weights = tf.constant([[-1e4, -2e4], [1e4, 0.0]])
        expected = np.array([-1e4, 1e4]) - np.log(2)
        np.testing.assert_allclose(importance_weighted_bound(log_weights), expected, rtol=1e-6)

    def test_it_does_not_fall_with_the_number_of_draws(self, vae, binary):
        """Averaged over all k of the same 5 draws, which makes it exact (Burda et al., Theorem 1)."""
        noise = np.random.default_rng(0).normal(size=(40, 5, 3)).astype("float32")

        def bound(draws):
            # A draw repeated is its own mean: the Monte-Carlo bound of k = 1.
            draws = [*draws] * 2 if len(draws) == 1 else [*draws]
            return vae.bound(binary, None, noise[:, draws])

        means = [
            np.mean([bound(chosen) for chosen in itertools.combinations(range(5), k)], axis=0)
            for k in range(1, 6)
        ]
        assert (np.diff(means, axis=0) > -1e-4).all()
        assert (np.diff(np.mean(means, axis=1)) > 0).all()

    def test_one_draw_of_it_differs_by_the_divergences_error(self, vae, binary):
        """At one z: ELBO - log p(x, z)/q(z|x) = log q(z|x)/p(z) - KL(q || p)."""
        noise = np.random.default_rng(0).normal(size=(40, 1, 3)).astype("float32")
        single = vae.bound(binary, None, noise)
        repeated = vae.bound(binary, None, np.repeat(noise, 2, axis=1))
        posterior = vae.eta(binary)
        q = distributions.normal(posterior["mean"], posterior["scale"])
        p = distributions.standard_normal(posterior["mean"])
        z = posterior["mean"] + posterior["scale"] * noise[:, 0]
        gap = q.log_prob(z) - p.log_prob(z) - distributions.divergence(q, p)
        np.testing.assert_allclose(single - repeated, gap, atol=1e-4)

    def test_a_single_draw_is_the_variational_bound(self, vae, binary):
        np.testing.assert_array_equal(
            likelihood.importance_weighted_bound(vae, binary, importance_samples=1, seed=3),
            likelihood.variational_bound(vae, binary, seed=3),
        )

    @pytest.mark.parametrize("draws", [0, -1])
    def test_there_is_at_least_one_draw(self, vae, binary, draws):
        with pytest.raises(
            ValueError, match=rf"importance_samples must be .* Received: importance_samples={draws}"
        ):
            likelihood.importance_weighted_bound(vae, binary, importance_samples=draws)

    def test_streamed_blocks_are_combined_as_one(self, vae, binary, monkeypatch):
        """Against the bound of all the noise that the blocks read, at once."""
        monkeypatch.setattr(likelihood, "ROWS", 12)
        drawn = []
        noise = VAE.bound_noise
        monkeypatch.setattr(
            VAE, "bound_noise", lambda *args: drawn.append(noise(*args)) or drawn[-1]
        )
        streamed = likelihood.importance_weighted_bound(vae, binary[:3], importance_samples=50)
        assert [block.shape for block in drawn] == [(1, 10, 3)] * 15
        noise = np.concatenate(drawn, axis=1).reshape(3, 50, 3)
        np.testing.assert_allclose(streamed, vae.bound(binary[:3], None, noise), rtol=1e-5)

    def test_estimates_agree_within_their_errors(self, vae, binary):
        """Independent ways to log p(x) of one network: from the inference net, and from the prior."""
        weighted = likelihood.importance_weighted_bound(vae, binary, importance_samples=2000)
        annealed = likelihood.annealed_bound(vae, binary, steps=100)
        assert abs((weighted - annealed).mean()) < 0.3
        assert likelihood.variational_bound(vae, binary).mean() < weighted.mean() - 3

    def test_the_seed_fixes_every_number(self, vae, binary):
        for estimate in (
            likelihood.variational_bound,
            likelihood.importance_weighted_bound,
            lambda *args, seed: likelihood.annealed_bound(*args, steps=2, seed=seed),
        ):
            first, again, other = (estimate(vae, binary[:4], seed=seed) for seed in (1, 1, 2))
            np.testing.assert_array_equal(first, again)
            assert (first != other).all()


ESTIMATES = (
    likelihood.variational_bound,
    likelihood.importance_weighted_bound,
    likelihood.annealed_bound,
    likelihood.active_units,
)


@pytest.mark.parametrize("estimate", ESTIMATES, ids=lambda estimate: estimate.__name__)
class TestFaults:
    """Data that break a rule raise; none of them may give a number."""

    @pytest.mark.parametrize(
        ("labels", "received"),
        [
            (None, "labels=None"),
            (np.arange(40) % 4, "labels from 0 to 3"),
            (np.full(40, -1), "labels from -1 to -1"),
            (np.arange(39) % 3, "for 40 images"),
        ],
    )
    def test_labels_are_the_models(self, estimate, binary, labels, received):
        cvae = VAE(*perceptrons(3), num_classes=3)
        with pytest.raises(ValueError, match=f"integers from 0 to 2, .* Received: .*{received}"):
            estimate(cvae, binary, labels)

    def test_images_are_the_models(self, estimate, vae, binary):
        with pytest.raises(TypeError, match="divide 8-bit values by 255.* Received: dtype=uint8"):
            estimate(vae, binary.astype("uint8"))
        with pytest.raises(ValueError, match=r"did you mean images / 255\? Received: .*255"):
            estimate(vae, 255 * binary)

    def test_a_column_of_labels_is_a_row(self, estimate, binary):
        cvae, labels = VAE(*perceptrons(3), num_classes=3), np.arange(4) % 3
        row, column = (estimate(cvae, binary[:4], t) for t in (labels, labels[:, None]))
        np.testing.assert_array_equal(row, column)


def test_annealing_has_a_step(vae, binary):
    with pytest.raises(ValueError, match="steps must be .* Received: steps=0"):
        likelihood.annealed_bound(vae, binary, steps=0)


class TestClasses:
    def test_a_sum_over_classes_is_the_mixture_of_conditional_estimates(self, svae, binary):
        """log sum_t p(t) p(x|t), from a conditional model of the same networks."""
        cvae = VAE(svae.theta, svae.eta, num_classes=3)
        for estimate, tolerance in (
            (
                lambda *args: likelihood.importance_weighted_bound(*args, importance_samples=200),
                0.2,
            ),
            (lambda *args: likelihood.annealed_bound(*args, steps=30), 0.5),
        ):
            given = [estimate(cvae, binary, np.full(len(binary), t)) for t in range(3)]
            mixture = np.logaddexp.reduce(given, axis=0) - np.log(3)
            np.testing.assert_allclose(
                estimate(svae, binary).mean(), mixture.mean(), atol=tolerance
            )

    def test_it_lies_above_the_enumerated_bound_of_the_same_draws(self, svae, binary):
        """sum_t q (L - log q) <= log sum_t exp L for every q_omega."""
        noise = np.random.default_rng(0).normal(size=(40, 6, 3)).astype("float32")
        enumerated = svae.bound(binary, None, noise)
        summed = np.logaddexp.reduce(svae.class_bounds(binary, noise), axis=1)
        assert (enumerated.numpy() <= summed + 1e-4).all()

    def test_posterior_means_are_weighed_by_the_classifier(self, svae, binary):
        q = tf.nn.softmax(svae.omega(binary)).numpy()
        means = [svae.eta([binary, np.full(40, t)])["mean"].numpy() for t in range(3)]
        expected = sum(q[:, t, None] * means[t] for t in range(3))
        found = likelihood._posterior_mean(svae, tf.constant(binary), None)
        np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-7)


class TestUnits:
    def test_active_ones_vary_with_the_image(self):
        """Unit i reads pixel i alone, times 0, 0.1 and 1: variances 0, 0.0025 and 0.25."""
        images = np.random.default_rng(0).integers(0, 2, (400, 1, 3, 1)).astype("float32")
        model = types.SimpleNamespace(
            gate=lambda predicting: Gate(Images((1, 3, 1)), None),
            eta=None,
            call_network=lambda _, x, t: {"mean": tf.reshape(x, (-1, 3)) * [0.0, 0.1, 1.0]},
        )
        assert likelihood.active_units(model, images) == (1.0, 1.0, 1.0)

    def test_the_interval_holds_units_in_doubt(self):
        """A variance of 0.01 is as likely above as below."""
        images = np.full((100, 1, 1, 1), 0.4, "float32")
        images[:50] = 0.6
        model = types.SimpleNamespace(
            gate=lambda predicting: Gate(Images((1, 1, 1)), None),
            eta=None,
            call_network=lambda _, x, t: {"mean": tf.reshape(x, (-1, 1)) * 1.0},
        )
        noisy = images + np.random.default_rng(0).normal(0, 0.01, images.shape)
        assert likelihood.active_units(model, noisy)[1:] == (0.0, 1.0)


def test_bits_per_dimension_by_hand():
    interval = metrics.Interval(-12 * math.log(2), -24 * math.log(2), -6 * math.log(2))
    bits = likelihood.bits_per_dimension(interval, (2, 1, 3))
    np.testing.assert_allclose(bits, (2, 1, 4))


class TestObserved:
    def test_binarization_is_one_fixed_draw_of_the_gray_values(self):
        images = np.full((200, 8, 8, 1), 0.3, "float32")
        drawn = likelihood.prepare_images("bernoulli", images)
        assert set(np.unique(drawn)) == {0, 1}
        assert abs(drawn.mean() - 0.3) < 0.02
        np.testing.assert_array_equal(likelihood.prepare_images("bernoulli", images), drawn)
        np.testing.assert_array_equal(likelihood.prepare_images("bernoulli", images[:9]), drawn[:9])

    def test_binary_images_stay(self, binary):
        np.testing.assert_array_equal(likelihood.prepare_images("bernoulli", binary), binary)

    @pytest.mark.parametrize("kind", ["gaussian", "logistic"])
    def test_other_likelihoods_read_the_images_as_they_are(self, kind):
        images = digits()[0]
        np.testing.assert_array_equal(likelihood.prepare_images(kind, images), images)


@pytest.fixture(scope="module")
def cheap():
    """Evaluation at the counts of a test."""
    with pytest.MonkeyPatch.context() as patch:
        for name, value in {
            "IMPORTANCE_SAMPLES": (4, 16),
            "DECODED": 16 * 20,
            "CHAINS": 6,
            "STEPS": 2,
        }.items():
            patch.setattr(evaluation.bounds, name, value)
        yield


def evaluate(model, data="digits", seed=0):
    """The likelihood's part of an evaluation."""
    return likelihood_bounds(evaluation.EvaluationContext(model, data, 4, None, seed))


@pytest.fixture(scope="module")
def scores(cheap, vae):
    return evaluate(vae)


BOUNDS = {
    "bound",
    "iw_bound_4",
    "iw_bound_16",
    "iw_bound_4_gain",
    "iw_bound_16_gain",
    "active_units",
}


@pytest.mark.usefixtures("cheap")
class TestEvaluation:
    def test_a_model_has_the_bounds_beside_its_samples_scores(self, presets):
        model = semi_supervised(10)
        judge = presets / "resnet_small"
        scores = evaluation.evaluate(model, "digits", samples=40, evaluator=judge)
        shares = {"accuracy", "accuracy_binarized", "conditional_accuracy"}
        assert scores.keys() > BOUNDS | shares | {"inception_score"}
        assert "ais_bound" not in scores  # ten classes leave it ten images
        for score in scores.values():
            assert score["low"] <= score["value"] <= score["high"]

    def test_a_model_without_classes_is_asked_for_none(self, vae, presets, monkeypatch):
        monkeypatch.setitem(evaluation.CAPABILITIES, "bound", evaluation.Capability(lambda _: {}))
        judge = presets / "resnet_small"
        scores = evaluation.evaluate(vae, "digits", samples=40, evaluator=judge)
        assert "inception_score" in scores
        assert "conditional_accuracy" not in scores

    def test_numbers_are_those_of_the_estimators_on_the_binarized_test_set(self, vae, scores):
        images = data.arrays("digits", "test")[0] / np.float32(255)
        binarized = likelihood.prepare_images("bernoulli", images)
        binarized = binarized[np.random.default_rng(0).permutation(len(binarized))]
        tightest = likelihood.importance_weighted_bound(vae, binarized[:20], importance_samples=16)
        annealed = likelihood.annealed_bound(vae, binarized[:6], steps=2)
        for name, estimate in {
            "bound": likelihood.variational_bound(vae, binarized),
            "iw_bound_4": likelihood.importance_weighted_bound(
                vae, binarized[:80], importance_samples=4
            ),
            "iw_bound_16": tightest,
            "iw_bound_16_gain": tightest - likelihood.variational_bound(vae, binarized)[:20],
            "ais_bound": annealed,
            "ais_bound_gain": annealed - tightest[:6],
        }.items():
            expected = metrics.mean_interval(estimate)
            np.testing.assert_allclose(scores[name], expected, rtol=1e-4)

    @pytest.mark.parametrize("kind", ["vae", "cvae", "svae"])
    def test_labels_are_read_by_a_model_that_learns_from_labelled_images_only(
        self, kind, vae, monkeypatch
    ):
        images, labels = digits(12)
        labels = np.where(np.arange(12) < 5, -1, labels)
        model = {
            "vae": lambda: vae,
            "cvae": lambda: VAE(*perceptrons(10), num_classes=10),
            "svae": lambda: semi_supervised(10),
        }[kind]()
        asked = []

        def estimate(model, images, labels, *args, **kwargs):
            asked.append((len(images), None if labels is None else sorted(labels)))
            return np.arange(float(len(images)))

        for name in ("variational_bound", "importance_weighted_bound", "annealed_bound"):
            monkeypatch.setattr(likelihood, name, estimate)
        evaluate(model, tf.data.Dataset.from_tensor_slices((images, labels)).batch(5))
        known = (7, sorted(labels[5:]))  # the unlabelled images are passed over
        assert asked[0] == (known if kind == "cvae" else (12, None))
        assert {given is None for _, given in asked} == {kind != "cvae"}

    def test_bits_per_dimension_are_those_of_the_logistic(self, scores):
        assert "bits_per_dim" not in scores
        model = VAE.build_networks((8, 8, 1), None, width=4, latent_dim=3, likelihood="logistic")
        scores = evaluate(model)
        expected = -scores["bound"].value / (64 * math.log(2))
        np.testing.assert_allclose(scores["bits_per_dim"].value, expected)
        assert scores["bits_per_dim"].low < expected < scores["bits_per_dim"].high

    def test_other_images_are_refused(self):
        model = VAE.build_networks((16, 16, 1), None, width=4, latent_dim=3)
        with pytest.raises(ValueError, match=r"images must have shape \(n, 16, 16, 1\)"):
            evaluate(model)

    def test_the_seed_fixes_every_number(self, vae, scores):
        assert evaluate(vae) == scores
        assert evaluate(vae, seed=1)["bound"] != scores["bound"]
