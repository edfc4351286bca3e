"""The mixture fitted to the aggregate posterior, and the learned mixture prior."""

import keras
import models
import numpy as np
import pytest
import tensorflow as tf
from numpy.testing import assert_allclose, assert_array_equal
from scipy import stats

import tfgen
import zoo
from tfgen import layers, networks, noise
from tfgen.evaluation import likelihood
from tfgen.evaluation.bounds import likelihood_bounds
from tfgen.evaluation.context import EvaluationContext
from tfgen.evaluation.samples import sample_quality
from tfgen.layers.mixtures import component

SHAPE = (8, 8, 1)


@pytest.fixture(scope="module")
def vae():
    images, _ = models.digits(300)
    return models.build("vae_digits").fit_sampler(images, components=3, seed=1)


# ---- layers ------------------------------------------------------------------------------------


def test_a_component_is_chosen_by_the_part_of_the_unit_interval():
    uniform = tf.constant([[0.0], [0.19], [0.2], [0.69], [0.7], [0.999]])
    assert_array_equal(component(tf.constant([0.2, 0.5, 0.3]), uniform), [0, 0, 1, 1, 2, 2])
    rows = tf.constant([[1.0, 0.0], [0.0, 1.0]])
    assert_array_equal(component(rows, tf.constant([[0.5], [0.5]])), [0, 1])


def test_a_fitted_mixture_draws_by_hand():
    """z = mean + L e, with the Cholesky factor L of the component's covariance."""
    mixture = layers.FittedMixture(classes=2, components=2, size=2)
    covariance = np.array([[4.0, 2.0], [2.0, 5.0]])  # L = [[2, 0], [1, 2]]
    mixture.assign(0, [1.0, 0.0], np.zeros([2, 2]), np.stack([np.eye(2)] * 2))
    mixture.assign(1, [0.5, 0.5], [[10.0, 20.0], [-1.0, -2.0]], np.stack([covariance] * 2))
    normal = tf.constant([[1.0, 1.0], [1.0, -1.0], [3.0, 4.0]])
    drawn = mixture.draw(tf.constant([[0.1], [0.9], [0.5]]), normal, tf.constant([1, 1, 0]))
    assert_allclose(drawn, [[12, 23], [1, -3], [3, 4]], rtol=1e-6)
    assert not mixture.trainable_variables


def test_a_learned_prior_is_a_density_and_its_draws_have_its_moments():
    prior = layers.MixturePrior(3)
    latents = tf.random.stateless_normal([5, 2], [0, 0])
    assert_array_equal(prior(latents), latents)
    prior.logits.assign([0.0, 1.0, -1.0])
    prior.log_scales.assign(tf.math.log([[1.0, 2.0], [0.5, 0.3], [1.0, 1.0]]))
    weights = np.exp([0.0, 1.0, -1.0]) / np.exp([0.0, 1.0, -1.0]).sum()
    means, scales = prior.means.numpy(), np.exp(prior.log_scales.numpy())
    density = sum(
        w * stats.norm.pdf(latents.numpy(), m, s).prod(axis=1)
        for w, m, s in zip(weights, means, scales, strict=True)
    )
    assert_allclose(prior.distribution().log_prob(latents), np.log(density), rtol=1e-5)
    samples = noise.Samples(100_000, 3)
    drawn = prior.draw(samples.uniform(1, 1), samples.gaussian(2)).numpy()
    assert_allclose(drawn.mean(axis=0), weights @ means, atol=0.03)
    second = weights @ (means**2 + scales**2)
    assert_allclose((drawn**2).mean(axis=0), second, rtol=0.03)


# ---- the fitted sampler ------------------------------------------------------------------------


def test_the_sampler_follows_the_aggregate_posterior_where_the_prior_does_not(vae):
    """Means and covariances of a mixture fitted by maximum likelihood are those of the codes."""
    images, _ = models.digits(300)
    posterior = vae.eta.predict(likelihood.prepare_images("bernoulli", images), verbose=0)
    codes = posterior["mean"] + posterior["scale"] * noise.Samples(300, 1).gaussian(16)
    drawn = vae.codes(20_000, 0, prior="aggregate").numpy()
    assert_allclose(drawn.mean(axis=0), np.mean(codes, axis=0), atol=0.05)
    assert_allclose(np.cov(drawn.T), np.cov(np.transpose(codes), bias=True), atol=0.1)


def test_bounds_and_the_priors_samples_stay_as_they_are(vae):
    plain = models.build("vae_digits")
    images, _ = models.digits(20)
    assert_array_equal(plain.sample(8, seed=3), vae.sample(8, seed=3))
    bounds = [likelihood.variational_bound(m, np.round(images)) for m in (plain, vae)]
    assert_array_equal(*bounds)
    assert (vae.sample(8, seed=3) != vae.sample(8, seed=3, prior="aggregate")).any()


def test_the_sampler_survives_saving_and_release(vae, tmp_path):
    vae.save(tmp_path / "vae.keras")
    expected = vae.sample(8, seed=3, prior="aggregate")
    for loaded in (zoo.load(tmp_path / "vae.keras"), vae.release()):
        assert_allclose(loaded.sample(8, seed=3, prior="aggregate"), expected, atol=1e-6)
    assert len(vae.trainable_variables) == len(models.build("vae_digits").trainable_variables)


def test_the_sampler_is_exported(vae, tmp_path):
    tfgen.export(vae, tmp_path / "vae" / "1")
    served = tf.saved_model.load(str(tmp_path / "vae" / "1"))
    seeds = tf.constant([3, 9, 3])
    images = served.signatures["generate_aggregate"](seeds=seeds)["images"]
    alone = [vae.sample(1, seed=int(s), prior="aggregate")[0] for s in seeds]
    assert_allclose(images, alone, atol=1e-5)


def test_a_conditional_model_has_a_mixture_for_each_class():
    images, labels = models.digits(300)
    model = models.build("cvae_digits").fit_sampler(images, labels, components=2)
    assert model.aggregate.means.shape == (10, 2, 16)
    drawn = model.codes(4000, 0, np.full(4000, 7), prior="aggregate").numpy()
    read = likelihood.prepare_images("bernoulli", images[labels == 7])
    means = model.eta.predict([read, labels[labels == 7]], verbose=0)["mean"]
    assert_allclose(drawn.mean(axis=0), means.mean(axis=0), atol=0.5)
    served, _ = model.serving_copy().endpoints()["generate_aggregate"]
    images = served(seeds=tf.constant([5, 6]), labels=tf.constant([7, 2]))["images"]
    alone = [model.sample(1, s, [t], prior="aggregate")[0] for s, t in ((5, 7), (6, 2))]
    assert_allclose(images, alone, atol=1e-5)


def test_unlabelled_images_join_the_class_that_omega_takes_them_for():
    images, labels = models.digits(400)
    model = models.build("svae_digits_10pct")
    found = model.predict(likelihood.prepare_images("bernoulli", images), verbose=0).argmax(axis=-1)
    hidden = np.where(np.arange(400) % 2, -1, labels)
    expected = np.bincount(np.where(hidden < 0, found, hidden), minlength=10)
    with pytest.raises(ValueError, match="as many images as components") as error:
        model.fit_sampler(images, hidden, components=300)
    assert f"images of each class={expected.tolist()}" in str(error.value)


def test_what_breaks_a_rule_is_refused(vae):
    images, _ = models.digits(20)
    with pytest.raises(
        ValueError, match="'aggregate' after `fit_sampler`, .* Received: prior='aggregate'"
    ):
        models.build("vae_digits").sample(2, prior="aggregate")
    with pytest.raises(
        ValueError, match="'aggregate' after `fit_sampler`, .* Received: prior='uniform'"
    ):
        vae.sample(2, prior="uniform")
    with pytest.raises(ValueError, match="labels=None"):
        models.build("cvae_digits").fit_sampler(images)
    with pytest.raises(ValueError, match="Received: components=21"):
        models.build("vae_digits").fit_sampler(images, components=21)
    with pytest.raises((ValueError, TypeError), match="components"):
        models.build("vae_digits").fit_sampler(images, components=0)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"images": np.zeros((9, *SHAPE), np.uint8)}, "dtype"),
        ({"images": np.full((9, *SHAPE), np.nan)}, "finite"),
        ({"images": np.full((9, *SHAPE), 9.0)}, r"\[0, 1\]"),
        ({"images": np.zeros((9, 9, 9, 1))}, "shape"),
        ({"images": np.zeros((0, *SHAPE))}, "at least one image"),
        ({"images": np.zeros((1, *SHAPE)), "labels": np.zeros(1, int)}, "and two. Received"),
        ({"labels": np.full(9, 10)}, "labels from 10 to 10"),
        ({"labels": np.full(9, -1)}, "labels from -1 to -1"),
        ({"labels": np.full(9, 0.5)}, "integers"),
        ({"labels": np.zeros(8, int)}, "for 9 images"),
        ({"seed": -1}, "seed=-1"),
    ],
)
def test_images_and_labels_of_a_fit_are_checked(changes, message):
    arguments = {"images": np.zeros((9, *SHAPE)), "labels": np.zeros(9, int), "components": 1}
    with pytest.raises((ValueError, TypeError), match=message):
        models.build("cvae_digits").fit_sampler(**{**arguments, **changes})


def test_a_model_has_one_mixture_however_often_it_is_fitted():
    images, _ = models.digits(100)
    model = models.build("vae_digits")
    without = len(model.weights)
    for components in (3, 3, 5):
        model.fit_sampler(images, components=components)
        assert len(model.weights) == without + 3
        assert [layer.name for layer in model.layers].count("aggregate") == 1
    assert model.aggregate.means.shape == (1, 5, 16)
    once = models.build("vae_digits").fit_sampler(images, components=5)
    assert_array_equal(*(m.sample(3, seed=1, prior="aggregate") for m in (model, once)))


def test_the_second_sampler_is_scored_beside_the_priors(vae):
    plain, both = (
        sample_quality(EvaluationContext(m, "digits", 40, None, 0))
        for m in (models.build("vae_digits"), vae)
    )
    assert both["aggregate_fid"] != both["fid"] == plain["fid"]
    assert both["aggregate_inception_score_ratio"].value > 0
    assert {name for name in both if name.startswith("aggregate_")} == {
        f"aggregate_{name}" for name in plain if name != "inception_score_real"
    }


# ---- the learned prior -------------------------------------------------------------------------


def test_one_component_at_the_origin_is_the_standard_prior():
    """The bound with p(z) = N(0, I) drawn, not integrated: equal in expectation over the draws."""
    plain, learned = (models.build("vae_digits", mixture_prior=k) for k in (None, 1))
    prior = learned.theta.get_layer(networks.PRIOR)
    weights = [w for w in learned.theta.weights if all(w is not p for p in prior.weights)]
    for weight, value in zip(weights, plain.theta.get_weights(), strict=True):
        weight.assign(value)
    learned.eta.set_weights(plain.eta.get_weights())
    prior.means.assign(tf.zeros_like(prior.means))
    images = np.round(models.digits(32)[0])
    bounds = [
        np.mean([likelihood.variational_bound(m, images, seed=s) for s in range(20)], axis=0)
        for m in (plain, learned)
    ]
    assert_allclose(
        *bounds, atol=2.5
    )  # the drawn divergence deviates by about 4 nats, over 20 draws
    assert_allclose(*(b.mean() for b in bounds), atol=0.5)
    many = [
        likelihood.importance_weighted_bound(m, images, importance_samples=64, seed=2)
        for m in (plain, learned)
    ]
    assert_allclose(*many, atol=1e-3)


def test_the_learned_prior_is_thetas_and_rises_with_the_bound():
    images, _ = models.digits(256)
    images = np.round(images)
    model = models.build("vae_digits", mixture_prior=4)
    prior = model.theta.get_layer(networks.PRIOR)
    assert {id(w) for w in prior.trainable_variables} <= {
        id(w) for w in model.theta.trainable_variables
    }
    before = [w.numpy() for w in prior.trainable_variables]
    first = likelihood.variational_bound(model, images).mean()
    model.fit(images, epochs=20, batch_size=64, verbose=0)
    assert likelihood.variational_bound(model, images).mean() > first + 5
    for weight, value in zip(prior.trainable_variables, before, strict=True):
        assert np.abs(weight.numpy() - value).max() > 1e-3


def test_a_learned_prior_draws_the_samples_and_survives_saving(tmp_path):
    model = models.build("vae_digits", mixture_prior=4)
    prior = model.theta.get_layer(networks.PRIOR)
    prior.means.assign(tf.fill(prior.means.shape, 9.0))
    assert abs(model.prior(2000, 0).numpy().mean() - 9) < 0.1
    assert abs(model.prior_like(tf.zeros([500, 1])).numpy().mean() - 9) < 0.1
    model.save(tmp_path / "vae.keras")
    loaded = zoo.load(tmp_path / "vae.keras")
    assert_allclose(loaded.sample(6, seed=2), model.sample(6, seed=2), atol=1e-6)
    served, _ = model.serving_copy().endpoints()["sample"]
    images = served(n=tf.constant(6), seed=tf.constant(2))["images"]
    assert_allclose(images, model.sample(6, seed=2), atol=1e-5)


def test_annealing_is_left_out_under_a_learned_prior():
    keras.utils.set_random_seed(0)
    model = models.build("vae_digits", mixture_prior=2)
    images, labels = tfgen.data.arrays("digits", "test")
    few = tf.data.Dataset.from_tensors((images[:4] / np.float32(255), labels[:4]))
    scores = likelihood_bounds(EvaluationContext(model, few, 10, None, 0))
    assert "ais_bound" not in scores
    assert scores["bound"].value < scores["iw_bound_64"].value


# ---- truncation --------------------------------------------------------------------------------


def test_truncated_samples_are_images_of_scaled_codes(tmp_path):
    model = models.build("iwcgan_digits", truncation=0.5)
    labels = [3, 1, 3, 7]
    expected = model.decode(0.5 * model.prior(4, 9), tf.constant(labels)).numpy()
    assert_allclose(model.sample(4, 9, labels, prior="truncated"), expected, atol=1e-6)
    assert (model.sample(4, 9, labels) != expected).any()
    model.save(tmp_path / "gan.keras")
    for copy in (zoo.load(tmp_path / "gan.keras"), model.release()):
        assert copy.truncation == 0.5
        assert_allclose(copy.sample(4, 9, labels, prior="truncated"), expected, atol=1e-6)


def test_truncation_changes_neither_training_nor_plain_samples():
    found = [models.build("iwgan_digits", truncation=factor) for factor in (None, 0.5)]
    images, _ = models.digits(64)
    for model in found:
        model.fit(images, batch_size=32, verbose=0)
    assert_array_equal(*(model.sample(3, seed=1) for model in found))


@pytest.mark.parametrize("factor", [0.0, -1.0, 2.0, float("nan"), "0.5", True])
def test_a_truncation_must_be_positive_and_at_most_1(factor):
    with pytest.raises((ValueError, TypeError), match="truncation"):
        models.build("gan_digits", truncation=factor)
    model = models.build("gan_digits", truncation=0.5)
    with pytest.raises((ValueError, TypeError), match="truncation"):
        model.truncation = factor
    assert model.truncation == 0.5


@pytest.mark.parametrize("components", [0, -1, 2.5, True])
def test_a_learned_prior_has_a_number_of_components(components):
    with pytest.raises((ValueError, TypeError), match="mixture_prior"):
        models.build("vae_digits", mixture_prior=components)


def test_a_prior_that_a_model_lacks_is_refused():
    gan = models.build("gan_digits")
    for prior in ("truncated", "aggregate", "normal"):
        with pytest.raises(ValueError, match=f"Received: prior='{prior}' for"):
            gan.sample(1, prior=prior)
    assert "generate_truncated" not in gan.endpoints()
    gan.truncation = 0.7
    assert gan.sample(1, prior="truncated").shape == (1, *SHAPE)


def test_scores_of_truncated_samples_have_a_prefix():
    model = models.build("cgan_digits", truncation=0.5)
    found = sample_quality(EvaluationContext(model, "digits", 200, None, 0))
    assert found["truncated_fid"] != found["fid"]
    assert {name for name in found if name.startswith("truncated_")} == {
        f"truncated_{name}"
        for name in found
        if not name.startswith("truncated_")
        and name not in ("inception_score_real", "evaluator_accuracy")
    }
