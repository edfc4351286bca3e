"""Estimates of log p(x) where it is known: probabilistic PCA, enumerable posteriors, hand computations."""

import itertools
import math
import types

import keras
import numpy as np
import pytest
import tensorflow as tf
from models import digits
from scipy import stats

from tfgen import distributions, evaluation, likelihood, metrics
from tfgen.objectives import importance_weighted_bound
from zoo.svae import SVAE
from zoo.vae import VAE


class Constant(keras.layers.Layer):
    """A weight of the given value, one row an image."""

    def __init__(self, value, **kwargs):
        super().__init__(**kwargs)
        self.value = self.add_weight(
            shape=value.shape, initializer=keras.initializers.Constant(value)
        )

    def call(self, x):
        rows = (keras.ops.shape(x)[0], *self.value.shape)
        return keras.ops.broadcast_to(self.value, rows)


def dense(kernel, bias, dtype):
    layer = keras.layers.Dense(kernel.shape[1], dtype=dtype)
    layer.build((None, kernel.shape[0]))
    layer.set_weights([kernel, bias])
    return layer


class PrincipalComponents:
    """Probabilistic PCA at its optimum: p(x) = N(m, W W' + s^2 I), p(z|x) = N(M^-1 W'(x - m), s^2 M^-1).

    W holds the first d principal axes, each stretched to sqrt(eigenvalue - s^2), where s^2 is the mean
    of the other eigenvalues; then M = W'W + s^2 I is diagonal (Tipping & Bishop 1999).
    """

    def __init__(self, images, d, dtype):
        flat = images.reshape(len(images), -1).astype("float64")
        self.shape, self.mean = images.shape[1:], flat.mean(axis=0)
        values, axes = np.linalg.eigh(np.cov(flat, rowvar=False, bias=True))
        self.noise = math.sqrt(values[:-d].mean())
        self.loadings = axes[:, -d:] * np.sqrt(values[-d:] - self.noise**2)  # (D, d)
        self.covariance = self.loadings @ self.loadings.T + self.noise**2 * np.eye(len(values))
        self.precisions = (self.loadings**2).sum(axis=0) + self.noise**2  # (d,) of M
        self.model = self._linear_vae(dtype)

    def log_density(self, images):
        flat = images.reshape(len(images), -1).astype("float64")
        return stats.multivariate_normal(self.mean, self.covariance).logpdf(flat)

    def _linear_vae(self, dtype):
        latents = keras.Input((self.loadings.shape[1],), dtype=dtype)
        means = dense(self.loadings.T, self.mean, dtype)(latents)
        scale = Constant(np.full((1, 1, self.shape[-1]), self.noise), dtype=dtype)(latents)
        theta = keras.Model(latents, [keras.layers.Reshape(self.shape, dtype=dtype)(means), scale])
        images = keras.Input(self.shape, dtype=dtype)
        kernel = self.loadings / self.precisions
        mean = dense(kernel, -self.mean @ kernel, dtype)(keras.layers.Flatten(dtype=dtype)(images))
        scale = Constant(self.noise / np.sqrt(self.precisions), dtype=dtype)(images)
        eta = keras.Model(images, {"mean": mean, "scale": scale})
        return VAE(theta, eta, likelihood="gaussian")


@pytest.fixture(scope="module")
def pca():
    return PrincipalComponents(digits(300)[0][:, 1:7, 1:7], d=4, dtype="float64")


@pytest.fixture(scope="module")
def pca32():
    return PrincipalComponents(digits(300)[0][:, 1:7, 1:7], d=4, dtype="float32")


@pytest.fixture(scope="module")
def patches():
    return digits(300)[0][:, 1:7, 1:7].astype("float64")


def sigma_points(count, d):
    """2 d draws for each image whose mean of any quadratic is its expectation under N(0, I)."""
    corners = math.sqrt(d) * np.concatenate([np.eye(d), -np.eye(d)])
    return [np.tile(corner, (count, 1, 1)) for corner in corners]


class TestProbabilisticPrincipalComponents:
    def test_the_bound_is_the_log_density(self, pca, patches):
        model = pca.model
        bounds = [model.bound(patches, None, noise) for noise in sigma_points(300, 4)]
        np.testing.assert_allclose(np.mean(bounds, axis=0), pca.log_density(patches), atol=1e-6)

    def test_the_bound_is_stationary(self, pca, patches):
        with tf.GradientTape() as tape:
            bounds = [pca.model.bound(patches, None, noise) for noise in sigma_points(300, 4)]
            bound = tf.reduce_mean(bounds)
        for gradient in tape.gradient(bound, pca.model.trainable_variables):
            np.testing.assert_allclose(gradient, 0, atol=1e-6)

    @pytest.mark.parametrize("k", [2, 7])
    def test_draws_from_the_exact_posterior_weigh_the_density(self, pca, patches, k):
        noise = np.random.default_rng(0).normal(size=(300, k, 4))
        bounds = pca.model.bound(patches, None, noise)
        np.testing.assert_allclose(bounds, pca.log_density(patches), atol=1e-6)

    @pytest.mark.parametrize("draws", [2, 513, 1025])
    def test_streamed_draws_weigh_the_density(self, pca32, patches, draws, monkeypatch):
        """Blocks of uneven numbers of images and draws lose none and count none twice."""
        monkeypatch.setattr(likelihood, "ROWS", 100)
        images = patches[:7]
        bounds = likelihood.importance_weighted_bound(pca32.model, images, draws=draws)
        np.testing.assert_allclose(bounds, pca32.log_density(images), atol=1e-3)

    def test_the_mean_bound_is_the_log_density_within_its_interval(self, pca32, patches):
        bounds = likelihood.variational_bound(pca32.model, patches)
        interval = metrics.mean_interval(bounds - pca32.log_density(patches))
        assert interval.low < 0 < interval.high
        assert interval.high - interval.low < 0.5

    def test_annealing_finds_the_density_within_its_interval(self, pca32, patches):
        images = patches[:100]
        annealed = likelihood.annealed_bound(pca32.model, images, steps=400)
        errors = annealed - pca32.log_density(images)
        interval = metrics.mean_interval(np.exp(errors))  # E[w] = p(x)
        assert interval.low < 1 < interval.high
        assert interval.high - interval.low < 0.2
        assert errors.mean() < 0.02  # a lower bound of log p(x)

    def test_annealing_is_unbiased_whatever_the_step_sizes(self):
        """Transitions of wrong scales mix badly, but keep E[w] = p(x); x|z ~ N(z, 1/4)."""
        x = tf.constant(np.linspace(-2, 2, 4000)[:, None])
        exact = stats.norm(0, math.sqrt(1.25)).logpdf(x[:, 0])
        for scale in (0.1, 3.0):
            log_weights = distributions.annealed_log_weights(
                lambda z: distributions.normal(
                    z, tf.fill(x.shape, 0.5 * tf.ones([], x.dtype))
                ).log_prob(x),
                tf.fill(x.shape, tf.constant(scale, x.dtype)),
                20,
                tf.constant([0, 0]),
            )
            interval = metrics.mean_interval(np.exp(log_weights - exact), level=0.999)
            assert interval.low < 1 < interval.high
            assert interval.high - interval.low < 0.4

    def test_more_steps_tighten_the_annealed_bound(self, pca32, patches):
        bounds = [
            likelihood.annealed_bound(pca32.model, patches[:50], steps=steps).mean()
            for steps in (3, 10, 100)
        ]
        assert bounds == sorted(bounds)

    def test_every_unit_of_the_optimum_is_active_or_collapsed(self, pca32, patches):
        """Var_x(E[z_i|x]) = (eigenvalue - s^2)/eigenvalue."""
        expected = ((pca32.loadings**2).sum(axis=0) / pca32.precisions) > likelihood.ACTIVE
        assert likelihood.active_units(pca32.model, patches).value == expected.sum() == 4


@pytest.fixture(scope="module")
def vae():
    keras.utils.set_random_seed(0)
    return VAE.build_networks((8, 8, 1), 10, width=4, latent_dim=3, normalisation=None)


@pytest.fixture(scope="module")
def svae():
    keras.utils.set_random_seed(0)
    return SVAE.build_networks((8, 8, 1), 3, width=4, latent_dim=3, normalisation=None)


@pytest.fixture(scope="module")
def binary():
    return likelihood.observed("bernoulli", digits(40)[0])


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
            likelihood.importance_weighted_bound(vae, binary, draws=1, seed=3),
            likelihood.variational_bound(vae, binary, seed=3),
        )

    @pytest.mark.parametrize("draws", [0, -1])
    def test_there_is_at_least_one_draw(self, vae, binary, draws):
        with pytest.raises(ValueError, match=f"draws must be at least 1. Received: draws={draws}"):
            likelihood.importance_weighted_bound(vae, binary, draws=draws)

    def test_streamed_blocks_are_combined_as_one(self, vae, binary, monkeypatch):
        """Against the bound of all the noise that the blocks read, at once."""
        monkeypatch.setattr(likelihood, "ROWS", 12)
        drawn = []
        noise = likelihood._noise
        monkeypatch.setattr(
            likelihood, "_noise", lambda *args: drawn.append(noise(*args)) or drawn[-1]
        )
        streamed = likelihood.importance_weighted_bound(vae, binary[:3], draws=50)
        assert [block.shape for block in drawn] == [(1, 10, 3)] * 15
        noise = np.concatenate(drawn, axis=1).reshape(3, 50, 3)
        np.testing.assert_allclose(streamed, vae.bound(binary[:3], None, noise), rtol=1e-5)

    def test_estimates_agree_within_their_errors(self, vae, binary):
        """Independent ways to log p(x) of one network: from the inference net, and from the prior."""
        weighted = likelihood.importance_weighted_bound(vae, binary, draws=2000)
        annealed = likelihood.annealed_bound(vae, binary, steps=60)
        elbo = likelihood.variational_bound(vae, binary)
        assert np.abs(weighted - annealed).mean() < 0.05
        assert elbo.mean() < weighted.mean()

    def test_the_seed_fixes_every_number(self, vae, binary):
        for estimate in (
            likelihood.variational_bound,
            likelihood.importance_weighted_bound,
            lambda *args, seed: likelihood.annealed_bound(*args, steps=2, seed=seed),
        ):
            first, again, other = (estimate(vae, binary[:4], seed=seed) for seed in (1, 1, 2))
            np.testing.assert_array_equal(first, again)
            assert (first != other).all()


class TestClasses:
    def test_a_sum_over_classes_is_the_mixture_of_conditional_estimates(self, svae, binary):
        """log sum_t p(t) p(x|t), from a conditional model of the same networks."""
        cvae = VAE(svae.theta, svae.eta, num_classes=3)
        for estimate, tolerance in (
            (lambda *args: likelihood.importance_weighted_bound(*args, draws=2000), 0.02),
            (lambda *args: likelihood.annealed_bound(*args, steps=60), 0.1),
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
        assert (enumerated <= summed + 1e-4).all()

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
            eta=None,
            play=lambda _, x, t: {"mean": tf.reshape(x, (-1, 3)) * [0.0, 0.1, 1.0]},
        )
        assert likelihood.active_units(model, images) == (1.0, 1.0, 1.0)

    def test_the_interval_holds_units_in_doubt(self):
        """A variance of 0.01 is as likely above as below."""
        images = np.zeros((100, 1, 1, 1), "float32")
        images[:50] = 0.2
        model = types.SimpleNamespace(
            eta=None, play=lambda _, x, t: {"mean": tf.reshape(x, (-1, 1)) * 1.0}
        )
        noisy = images + np.random.default_rng(0).normal(0, 0.01, images.shape)
        assert likelihood.active_units(model, noisy)[1:] == (0.0, 1.0)


def test_bits_per_dimension_by_hand():
    interval = metrics.Interval(-12 * math.log(2), -24 * math.log(2), -6 * math.log(2))
    bits = likelihood.bits_per_dimension(interval, (2, 1, 3))
    np.testing.assert_allclose(bits, (2, 1, 4))


class TestObserved:
    def test_binarisation_is_one_fixed_draw_of_the_grey_values(self):
        images = np.full((200, 8, 8, 1), 0.3, "float32")
        drawn = likelihood.observed("bernoulli", images)
        assert set(np.unique(drawn)) == {0, 1}
        assert abs(drawn.mean() - 0.3) < 0.02
        np.testing.assert_array_equal(likelihood.observed("bernoulli", images), drawn)
        np.testing.assert_array_equal(likelihood.observed("bernoulli", images[:9]), drawn[:9])

    def test_binary_images_stay(self, binary):
        np.testing.assert_array_equal(likelihood.observed("bernoulli", binary), binary)

    @pytest.mark.parametrize("kind", ["gaussian", "logistic"])
    def test_other_likelihoods_read_the_images_as_they_are(self, kind):
        images = digits()[0]
        np.testing.assert_array_equal(likelihood.observed(kind, images), images)


class TestDistributions:
    def test_the_divergence_is_that_of_draws_within_its_error(self):
        rng = np.random.default_rng(0)
        mean, scale = rng.normal(size=(3, 5)), rng.uniform(0.2, 2, size=(3, 5))
        q = distributions.normal(mean, scale)
        p = distributions.standard_normal(tf.constant(mean))
        z = mean + scale * rng.normal(size=(20_000, 3, 5))
        ratios = (q.log_prob(z) - p.log_prob(z)).numpy()
        by_hand = 0.5 * (mean**2 + scale**2 - 1 - 2 * np.log(scale)).sum(axis=1)
        np.testing.assert_allclose(distributions.divergence(q, p), by_hand, rtol=1e-12)
        for image in range(3):
            interval = metrics.mean_interval(ratios[:, image], level=0.999)
            assert interval.low < by_hand[image] < interval.high

    def test_bernoulli_terms_are_summed_over_pixels(self):
        """log 3/4 + log 1/2 + log 1/5, and the sum of the logarithms of a binary grey mean."""
        logits = np.log([3.0, 1.0, 4.0]).reshape(1, 1, 3, 1)
        images = np.array([1.0, 1.0, 0.0]).reshape(1, 1, 3, 1)
        expected = math.log(3 / 4) + math.log(1 / 2) + math.log(1 / 5)
        found = distributions.log_likelihood("bernoulli", logits, images)
        np.testing.assert_allclose(found, [expected], rtol=1e-12)

    def test_a_grey_image_stands_for_the_mean_of_its_binarisations(self):
        logits = np.random.default_rng(0).normal(size=(1, 1, 3, 1))
        grey = np.array([0.2, 0.5, 0.9])
        expected = sum(
            np.prod(np.where(bits, grey, 1 - grey))
            * float(
                distributions.log_likelihood(
                    "bernoulli", logits, np.reshape(bits, (1, 1, 3, 1)).astype(float)
                )[0]
            )
            for bits in itertools.product([False, True], repeat=3)
        )
        found = distributions.log_likelihood("bernoulli", logits, grey.reshape(1, 1, 3, 1))
        np.testing.assert_allclose(found, [expected], rtol=1e-12)

    @pytest.mark.parametrize("logit", [-1e4, -100.0, 100.0, 1e4])
    @pytest.mark.parametrize("pixel", [0.0, 1.0])
    def test_bernoulli_terms_and_gradients_stay_finite_at_extreme_logits(self, logit, pixel):
        logits = tf.constant(logit, shape=(1, 1, 1, 1))
        with tf.GradientTape() as tape:
            tape.watch(logits)
            value = distributions.log_likelihood("bernoulli", logits, tf.fill([1] * 4, pixel))
        right = (logit > 0) == bool(pixel)
        np.testing.assert_allclose(value, [0.0 if right else -abs(logit)], atol=1e-6)
        gradient = tape.gradient(value, logits)
        expected = 0.0 if right else (1.0 if pixel else -1.0)
        np.testing.assert_allclose(tf.reshape(gradient, []), expected, atol=1e-6)

    def test_gaussian_terms_are_summed_over_pixels(self):
        mean, scale = np.zeros((1, 2, 2, 1)), np.full((1, 1, 1, 1), 0.5)
        images = np.arange(4).reshape(1, 2, 2, 1) / 3
        expected = stats.norm(0, 0.5).logpdf(images).sum()
        found = distributions.log_likelihood("gaussian", (mean, scale), images)
        np.testing.assert_allclose(found, [expected], rtol=1e-12)

    @pytest.mark.parametrize(("mean", "scale"), [(0.0, 0.1), (0.37, 1e-3), (0.5, 1.0), (1.0, 10.0)])
    def test_the_256_levels_of_a_logistic_have_probability_1(self, mean, scale):
        levels = (np.arange(256) / 255).reshape(256, 1, 1, 1)
        parameters = np.full((256, 1, 1, 1), mean), np.full((256, 1, 1, 1), scale)
        log_probabilities = distributions.log_likelihood("logistic", parameters, levels)
        np.testing.assert_allclose(np.exp(log_probabilities).sum(), 1.0, rtol=1e-9)

    @pytest.mark.parametrize("level", [0, 1, 100, 254, 255])
    def test_a_level_of_a_logistic_by_hand(self, level):
        """F(k + 1/2) - F(k - 1/2) of a logistic at 255 x 0.4 with scale 255 x 0.05; tails at the ends."""
        share = stats.logistic(255 * 0.4, 255 * 0.05)
        low = share.cdf(level - 0.5) if level else 0.0
        high = share.cdf(level + 0.5) if level < 255 else 1.0
        parameters = np.full((1, 1, 1, 1), 0.4), np.full((1, 1, 1, 1), 0.05)
        image = np.full((1, 1, 1, 1), level / 255)
        found = distributions.log_likelihood("logistic", parameters, image)
        np.testing.assert_allclose(found, [math.log(high - low)], rtol=1e-9)

    @pytest.mark.parametrize("scale", [1e-6, 1e-4, 1.0, 1e4])
    def test_gradients_of_a_logistic_stay_finite_at_extreme_scales(self, scale):
        mean, pixel = (
            tf.constant(values, tf.float32)
            for values in np.meshgrid([0.0, 0.3, 1.0], [0.0, 128 / 255, 1.0])
        )
        mean, pixel = (tf.reshape(x, (9, 1, 1, 1)) for x in (mean, pixel))
        parameters = mean, tf.fill(mean.shape, scale)
        with tf.GradientTape() as tape:
            tape.watch(parameters)
            values = distributions.log_likelihood("logistic", parameters, pixel)
        assert np.isfinite(values).all()
        assert all(np.isfinite(gradient).all() for gradient in tape.gradient(values, parameters))


@pytest.fixture
def cheap(monkeypatch):
    """Evaluation at the counts of a test."""
    monkeypatch.setattr(evaluation, "DRAWS", (4, 16))
    monkeypatch.setattr(evaluation, "DECODED", 16 * 20)
    monkeypatch.setattr(evaluation, "CHAINS", 6)
    monkeypatch.setattr(evaluation, "STEPS", 2)


BOUNDS = {"bound", "iw_bound_4", "iw_bound_16", "ais_bound", "ais_bound_gain", "active_units"}


def evaluate(model, data="digits", **arguments):
    """The likelihood's part of an evaluation."""
    task = evaluation.Task(model, data, 4, None, arguments.pop("seed", 0))
    return evaluation.likelihood_bounds(task)


@pytest.mark.usefixtures("cheap")
class TestEvaluation:
    def test_a_model_has_the_bounds_beside_its_samples_scores(self, vae, presets):
        scores = evaluation.evaluate(vae, "digits", samples=40, evaluator=presets / "resnet_small")
        assert scores.keys() > BOUNDS | {"inception_score", "fid"}
        assert "conditional_accuracy" not in scores
        for score in scores.values():
            assert score["low"] <= score["value"] <= score["high"]

    def test_a_model_with_classes_is_scored_by_all_families(self, presets):
        model = SVAE.build_networks((8, 8, 1), 10, width=4, latent_dim=3)
        scores = evaluation.evaluate(
            model, "digits", samples=40, evaluator=presets / "resnet_small"
        )
        assert scores.keys() > BOUNDS | {"accuracy", "conditional_accuracy", "inception_score"}

    def test_numbers_are_those_of_the_estimators_on_the_binarised_test_set(self, vae):
        scores = evaluate(vae)
        images = np.concatenate(
            [
                x
                for x, _ in evaluation._test_batches(
                    evaluation.Task(vae, "digits", 4, None, 0), False
                )
            ]
        )
        binarised = likelihood.observed("bernoulli", images)
        assert len(binarised) > 300
        order = np.random.default_rng(0).permutation(len(binarised))
        expected = metrics.mean_interval(likelihood.variational_bound(vae, binarised[order]))
        np.testing.assert_allclose(scores["bound"], expected, rtol=1e-6)

    def test_the_gain_is_paired(self, vae):
        scores = evaluate(vae)
        paired = scores["ais_bound_gain"].high - scores["ais_bound_gain"].low
        assert paired < scores["ais_bound"].high - scores["ais_bound"].low

    def test_a_conditional_model_reads_the_labels(self):
        model = VAE.build_networks((8, 8, 1), 10, width=4, latent_dim=3, conditional=True)
        images, labels = digits(200)
        data = tf.data.Dataset.from_tensor_slices((images, labels)).batch(50)
        other = tf.data.Dataset.from_tensor_slices((images, (labels + 1) % 10)).batch(50)
        assert evaluate(model, data)["bound"] != evaluate(model, other)["bound"]

    def test_labels_do_not_matter_to_a_model_that_sums_over_classes(self):
        model = SVAE.build_networks((8, 8, 1), 10, width=4, latent_dim=3)
        images, labels = digits(60)
        given, hidden = (
            tf.data.Dataset.from_tensor_slices((images, t)).batch(50)
            for t in (labels, np.full_like(labels, -1))
        )
        assert evaluate(model, given) == evaluate(model, hidden)

    def test_bits_per_dimension_are_those_of_the_logistic(self):
        model = VAE.build_networks((8, 8, 1), 10, width=4, latent_dim=3, likelihood="logistic")
        scores = evaluate(model)
        expected = -scores["bound"].value / (64 * math.log(2))
        np.testing.assert_allclose(scores["bits_per_dim"].value, expected)
        assert scores["bits_per_dim"].low < expected < scores["bits_per_dim"].high

    def test_other_images_are_refused(self):
        model = VAE.build_networks((16, 16, 1), 10, width=4, latent_dim=3)
        with pytest.raises(ValueError, match=r"The model reads images of shape \(16, 16, 1\)"):
            evaluate(model)

    def test_the_seed_fixes_every_number(self, vae):
        assert evaluate(vae, seed=1) == evaluate(vae, seed=1)
        assert evaluate(vae, seed=1)["bound"] != evaluate(vae, seed=2)["bound"]
