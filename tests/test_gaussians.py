"""Mixtures of Gaussians: scores by hand, and the experiment in small."""

import numpy as np
import pytest

import zoo
from zoo.studies import gaussians
from zoo.studies.reproduce import controls


@pytest.fixture
def quick(monkeypatch):
    """One model on the ring, in epochs of two steps."""
    monkeypatch.setattr(gaussians, "STEPS_OF_AN_EPOCH", 2)
    monkeypatch.setattr(gaussians, "MODELS", {"GAN": gaussians.MODELS["GAN"]})
    monkeypatch.setattr(gaussians, "MIXTURES", {"ring": gaussians.RING})


def test_modes_lie_apart_and_inside():
    for centers, count in ((gaussians.RING, 8), (gaussians.GRID, 25)):
        distances = np.linalg.norm(centers[:, None] - centers, axis=-1) + np.eye(count)
        assert distances.min() > 2 * gaussians.GOOD * gaussians.DEVIATION
        margin = np.minimum(centers, 1 - centers).min()
        assert margin > gaussians.GOOD * gaussians.DEVIATION


@pytest.mark.parametrize("mixture", gaussians.MIXTURES)
def test_points_of_the_mixture_are_good_and_cover_it(mixture):
    images = gaussians.draw(mixture, 4000, seed=1)
    assert (images.shape, images.dtype) == ((4000, 1, 2, 1), np.float32)
    np.testing.assert_array_equal(images, gaussians.draw(mixture, 4000, seed=1))
    found = gaussians.score(mixture, images.reshape(-1, 2))
    assert found.covered == len(gaussians.MIXTURES[mixture])
    assert found.good == pytest.approx(1 - np.exp(-(gaussians.GOOD**2) / 2), abs=0.005)


def test_score_by_hand():
    """Of 80 points on the ring a covered mode has at least one good: 0.1 of its 10."""
    points = np.repeat(gaussians.RING[:1], 80, axis=0)
    points[0] = gaussians.RING[3] + [0.0, 2.9 * gaussians.DEVIATION]
    points[1] = gaussians.RING[5] + [0.0, 3.1 * gaussians.DEVIATION]
    assert gaussians.score("ring", points) == (2, 79 / 80)
    twice = np.concatenate([points, points[2:], points[2:4]])  # 0.1 of 20 is two
    assert gaussians.score("ring", twice).covered == 1


@pytest.mark.parametrize("name", gaussians.MODELS)
def test_models_are_built_as_named(name):
    model = gaussians.build(name, seed=3)
    row = {"GAN, deeper phi": "GAN", "minimax GAN": "GAN"}.get(name, name)
    assert (model.table_row, model.seed) == (row, 3)
    assert model.image_shape == gaussians.SHAPE
    hidden = {"GAN, deeper phi": 2, "VAE": None}.get(name, 1)
    if hidden is not None:
        kernels = [w for w in model.phi.trainable_variables if len(w.shape) == 2]
        assert len(kernels) == hidden + 1


def test_a_likelihoods_noise_belongs_to_its_points():
    model = gaussians.build("VAE", seed=0)
    means, scale = model.theta(model.prior(3000, 5))
    noise = gaussians.sample(model, 3000, 5) - means.numpy().reshape(-1, 2)
    assert noise.std() == pytest.approx(float(scale[0, 0, 0, 0]), rel=0.05)
    adversarial = gaussians.build("GAN", seed=0)
    expected = adversarial.sample(9, seed=5).reshape(9, 2)
    np.testing.assert_allclose(gaussians.sample(adversarial, 9, 5), expected, rtol=1e-5)


def test_training_is_a_function_of_the_seed(quick):
    first, again, other = (gaussians.train("ring", "GAN", seed, epochs=1) for seed in (0, 0, 1))
    np.testing.assert_array_equal(first.points, again.points)
    assert (first.points != other.points).any()
    assert first.score == gaussians.score("ring", first.points)
    assert first.points.shape == (gaussians.POINTS, 2)


def test_the_experiment_trains_each_seed_in_a_process(quick):
    """Of its own, with epochs of the usual length."""
    [run] = gaussians.experiment(1, epochs=1)
    assert run[:3] == ("ring", "GAN", 0)
    assert run.score == gaussians.score("ring", run.points)
    assert run.seconds > 0


def test_the_section_tells_means_and_deviations(quick, tmp_path, monkeypatch):
    """With two runs whose scores are known."""
    points = np.repeat(gaussians.RING, 10, axis=0)
    scores = [gaussians.Score(8, 1.0), gaussians.Score(4, 0.5)]
    runs = [
        gaussians.Run("ring", "GAN", seed, points, score, 1.5) for seed, score in enumerate(scores)
    ]
    monkeypatch.setattr(gaussians, "experiment", lambda seeds: runs[:seeds])
    section = gaussians.write(tmp_path, 2)
    assert "| GAN | 6.0 ± 2.8 | 0.750 ± 0.354 | 1.5 |" in section
    assert "![Points of each model on the ring](ring.png)" in section
    assert "| p_data | 8 |" in section
    picture = (tmp_path / "ring.png").read_bytes()
    assert picture.startswith(b"\x89PNG")


def test_every_model_named_is_of_the_zoo_or_a_control():
    assert {kind for kind, *_ in gaussians.MODELS.values()} <= {*zoo.MODELS, *controls.NAMES}
