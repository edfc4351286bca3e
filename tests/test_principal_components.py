"""The exact case: a linear VAE at the optimum of probabilistic PCA, whose log p(x) is known."""

import math

import keras
import numpy as np
import pytest
import tensorflow as tf
from models import digits
from scipy import stats

from tfgen import distributions
from tfgen.evaluation import likelihood, metrics
from tfgen.networks import heads
from zoo.models.vae import VAE


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
        with heads.skip_trials():  # its means are no images in [0, 1]
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


def test_the_bound_is_the_log_density(pca, patches):
    model = pca.model
    bounds = [model.bound(patches, None, noise) for noise in sigma_points(300, 4)]
    np.testing.assert_allclose(np.mean(bounds, axis=0), pca.log_density(patches), atol=1e-6)


def test_the_bound_is_stationary(pca, patches):
    with tf.GradientTape() as tape:
        bounds = [pca.model.bound(patches, None, noise) for noise in sigma_points(300, 4)]
        bound = tf.reduce_mean(bounds)
    for gradient in tape.gradient(bound, pca.model.trainable_variables):
        np.testing.assert_allclose(gradient, 0, atol=1e-6)


@pytest.mark.parametrize("k", [2, 7])
def test_draws_from_the_exact_posterior_weigh_the_density(pca, patches, k):
    noise = np.random.default_rng(0).normal(size=(300, k, 4))
    bounds = pca.model.bound(patches, None, noise)
    np.testing.assert_allclose(bounds, pca.log_density(patches), atol=1e-6)


@pytest.mark.parametrize("draws", [2, 513, 1025])
def test_streamed_draws_weigh_the_density(pca32, patches, draws, monkeypatch):
    """Blocks of uneven numbers of images and draws lose none and count none twice."""
    monkeypatch.setattr(likelihood, "ROWS", 100)
    images = patches[:7]
    bounds = likelihood.importance_weighted_bound(pca32.model, images, importance_samples=draws)
    np.testing.assert_allclose(bounds, pca32.log_density(images), atol=1e-3)


def test_the_mean_bound_is_the_log_density_within_its_interval(pca32, patches):
    bounds = likelihood.variational_bound(pca32.model, patches)
    interval = metrics.mean_interval(bounds - pca32.log_density(patches))
    assert interval.low < 0 < interval.high
    assert interval.high - interval.low < 0.5


def test_annealing_finds_the_density_within_its_interval(pca32, patches):
    annealed = likelihood.annealed_bound(pca32.model, patches, steps=200)
    errors = annealed - pca32.log_density(patches)
    interval = metrics.mean_interval(np.exp(errors), level=0.999)  # E[w] = p(x)
    assert interval.low < 1 < interval.high
    assert interval.high - interval.low < 0.2
    assert -0.2 < errors.mean() < 0  # a lower bound of log p(x), and a tight one


def test_annealing_is_unbiased_whatever_the_step_sizes():
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


def test_more_steps_tighten_the_annealed_bound(pca32, patches):
    bounds = [
        likelihood.annealed_bound(pca32.model, patches[:50], steps=steps).mean()
        for steps in (3, 10, 100)
    ]
    assert bounds == sorted(bounds)


def test_every_unit_of_the_optimum_is_active(pca32, patches):
    """Var_x(E[z_i|x]) = (eigenvalue - s^2)/eigenvalue."""
    variances = (pca32.loadings**2).sum(axis=0) / pca32.precisions
    posterior = pca32.model.eta(patches.astype("float32"))["mean"].numpy()
    np.testing.assert_allclose(posterior.var(axis=0), variances, rtol=1e-3)
    assert likelihood.active_units(pca32.model, patches) == (4, 4, 4)
