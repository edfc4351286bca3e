"""Presets are scored again, with the effective sample size of an IWGAN's weights."""

import shutil

import numpy as np
import pytest

import zoo
from tfgen.evaluation import capabilities
from tfgen.evaluation.context import EvaluationContext
from tfgen.evaluation.intervals import Interval
from tfgen.evaluation.weights import BATCHES, K, weights_of_samples
from zoo.preset import rescore


def ess(logits, **traits):
    """The metric of a model whose phi gives these logits to every K samples."""

    class Drawn:
        importance_weighted = True
        num_classes = 10
        asked = None

        def sample(self, n, seed, labels=None):
            self.asked = (n, seed, labels)
            return np.zeros((n, 8, 8, 1), np.float32)

        def discriminate(self, images):
            raise NotImplementedError

        def logits(self, images, labels=None):
            assert labels is None or len(labels) == len(images) == K
            return np.asarray(logits, np.float32)

    model = Drawn()
    vars(model).update(traits)
    return weights_of_samples(EvaluationContext(model, "digits", 100, None, 5)), model.asked


def test_equal_logits_make_an_iwgan_a_gan():
    found, (count, seed, labels) = ess(np.full(K, 3.0))
    assert found == {"ess_share": Interval(1.0, 1.0, 1.0)}
    assert (count, seed) == (K * BATCHES, 5)
    assert set(labels) == set(range(10))


def test_one_image_may_have_all_the_weight():
    found, (_, _, labels) = ess([50.0, *np.zeros(K - 1)], conditional=False)
    assert found["ess_share"].value == pytest.approx(1 / K)
    assert labels is None


def test_a_gan_and_a_discriminator_of_codes_have_no_weights_of_images():
    assert ess(np.zeros(K), importance_weighted=False)[0] == {}
    context = EvaluationContext(zoo.load("iwaae_digits"), "digits", 100, None, 0)
    assert weights_of_samples(context) == {}


def test_a_preset_is_scored_again_and_all_else_stays(tmp_path, monkeypatch):
    folder = tmp_path / "iwcgan_digits"
    shutil.copytree(zoo.locate("iwcgan_digits"), folder)
    before = zoo.card(folder)
    asked = []

    def score(context):
        asked.append((context.samples, context.seed, context.evaluator.name))
        return {"fid": Interval(0.5, 0.25, 1.0)}

    monkeypatch.setattr(capabilities, "sample_quality", score)
    rescore.rescore(folder)
    after = zoo.card(folder)
    assert asked == [(10_000, 0, "resnet_digits")]
    assert set(after["evaluation"]["metrics"]) == {"fid", "ess_share"}
    assert 1 / K < after["evaluation"]["metrics"]["ess_share"]["value"] < 1
    assert "| ess_share |" in (folder / "README.md").read_text()
    changed = {key for key in after if after[key] != before[key]}
    assert changed == {"evaluation"}
