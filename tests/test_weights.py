"""Effective sample sizes of the paper's weights, by hand and on models whose weights are known."""

import json

import models
import numpy as np
import pytest
import tensorflow as tf
from click.testing import CliRunner

from zoo.studies import weights
from zoo.studies.reproduce.cells import INFINITE


@pytest.mark.parametrize(
    ("values", "share"), [([1, 1, 1, 1], 1.0), ([1, 0, 0, 0], 0.25), ([3, 1], 16 / 20)]
)
def test_the_effective_share_by_hand(values, share):
    np.testing.assert_allclose(weights.effective_share(tf.constant(values, tf.float32)), share)


def test_importance_weights_of_a_step_sum_to_one_and_change_no_statistics():
    model = models.build("iwgan_digits")
    images, _ = models.digits(32)
    before = [w.numpy() for w in model.weights]
    found = weights.weights_of(model, tf.constant(images))["importance"]
    np.testing.assert_allclose(tf.reduce_sum(found), 1, rtol=1e-5)
    for weight, value in zip(model.weights, before, strict=True):
        np.testing.assert_array_equal(weight, value)


def test_at_infinite_temperature_half_of_the_weight_is_on_generated_images():
    model = models.build("aavae_digits", temperature=INFINITE)
    images, labels = models.digits(64)
    dataset = tf.data.Dataset.from_tensor_slices((np.round(images), labels)).batch(64)
    assert weights.measure(model, dataset) == {"ess": 1.0, "share": 0.5}


def test_a_run_is_measured_at_its_epochs(monkeypatch):
    monkeypatch.setattr(weights, "EVERY", 1)
    monkeypatch.setattr(weights, "BATCHES", 2)
    found = weights.run("iwgan_digits", {"width": 4}, 100, epochs=2)
    assert [one["epoch"] for one in found] == [1, 2]
    assert all(1 / 64 <= one["ess"] <= 1 for one in found)
    assert all(one["share"] == 1 for one in found)


def test_recorded_runs_are_not_repeated(monkeypatch, tmp_path):
    done = []

    def run(name, changes, seed):
        done.append((name, seed))
        return [{"epoch": 10, "ess": 0.5, "share": 0.25}]

    monkeypatch.setattr(weights, "PAGES", tmp_path)
    monkeypatch.setattr(weights, "run", run)
    for seeds in ("1", "2"):
        assert CliRunner().invoke(weights.main, ["--seeds", seeds]).exit_code == 0
    names = [name for name, _ in weights.RUNS.values()]
    assert done == [(name, seed) for seed in (100, 101) for name in names]
    written = " ".join((tmp_path / "weights.md").read_text().split())
    assert "| AA-VAE, T = 5 | 10 | 2 | 0.500 ± 0.000 | 0.250 ± 0.000 |" in written
    assert "On 1 % of MNIST, T = 5 puts 25% on generated images, with ESS/k 50%." in written


def test_the_page_is_made_of_the_results_beside_it():
    results = json.loads((weights.PAGES / "weights.json").read_text())
    assert weights.page(results) == (weights.PAGES / "weights.md").read_text()
