"""The second sampler is added to a published preset, which stays as it is otherwise."""

import shutil

import numpy as np
import pytest
import tensorflow as tf

import zoo
from tfgen.evaluation.intervals import Interval
from zoo import registry
from zoo.preset import second_sampler


def test_a_second_sampler_is_added_and_all_else_stays(tmp_path, monkeypatch):
    folder = tmp_path / "vae_digits"
    shutil.copytree(zoo.locate("vae_digits"), folder)
    before, card = zoo.load(folder), zoo.card(folder)
    score = Interval(0.5, 0.25, 1.0)
    found = {"fid": score, "aggregate_fid": score}
    monkeypatch.setattr(second_sampler, "sample_quality", lambda context: found)
    second_sampler.add_second_sampler(folder)
    after, again = zoo.load(folder), zoo.card(folder)
    for name, network in before.players.items():
        for value, other in zip(network.weights, after.players[name].weights, strict=True):
            np.testing.assert_array_equal(value, other)
    metrics = {**card["evaluation"]["metrics"], "aggregate_fid": score._asdict()}
    assert again["evaluation"]["metrics"] == metrics
    served = tf.saved_model.load(folder / "1").signatures["generate_aggregate"]
    images = served(seeds=tf.constant([7]))["images"]
    np.testing.assert_allclose(images, after.sample(1, seed=7, prior="aggregate"), atol=1e-5)


def test_a_gan_gets_the_truncation_of_its_recipe(tmp_path, monkeypatch):
    folder = tmp_path / "cgan_digits"
    shutil.copytree(zoo.locate("cgan_digits"), folder)
    recipe = zoo.RECIPES["cgan_digits"]
    changed = {**recipe, "build": {**recipe["build"], "truncation": 0.5}}
    monkeypatch.setattr(registry, "recipes", lambda: {"cgan_digits": changed})
    score = Interval(0.5, 0.25, 1.0)
    monkeypatch.setattr(second_sampler, "sample_quality", lambda context: {"truncated_fid": score})
    second_sampler.add_second_sampler(folder)
    after, card = zoo.load(folder), zoo.card(folder)
    assert after.truncation == card["recipe"]["build"]["truncation"] == 0.5
    assert card["evaluation"]["metrics"]["truncated_fid"] == score._asdict()
    assert "images of z times" in (folder / "README.md").read_text()
    served = tf.saved_model.load(folder / "1").signatures["generate_truncated"]
    images = served(seeds=tf.constant([7]), labels=tf.constant([3]))["images"]
    expected = after.sample(1, seed=7, labels=[3], prior="truncated")
    np.testing.assert_allclose(images, expected, atol=1e-5)


def test_a_gan_without_a_truncation_gets_no_second_sampler(presets):
    with pytest.raises(
        ValueError, match="truncation of a GAN's recipe. Received: GAN, 'cgan_small'"
    ):
        second_sampler.add_second_sampler(presets / "cgan_small")
