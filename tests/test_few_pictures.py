"""Fine-tuning on few pictures: what is trained, what stays, and the page."""

import numpy as np
import pytest
from models import build

from tfgen import data
from tfgen.layers import Augmentation
from zoo.studies import few_pictures


def kernels(phi):
    return [layer.kernel.numpy() for layer in few_pictures.convolutions(phi)]


@pytest.mark.parametrize(("augmented", "frozen"), few_pictures.WAYS.values(), ids=few_pictures.WAYS)
def test_lower_layers_stay_and_the_others_learn(augmented, frozen):
    model = build("cgan_digits", spectral=True)
    before, theta = kernels(model.phi), model.theta.get_weights()
    images, labels = (x[:20] for x in data.arrays("digits"))
    tuned = few_pictures.fine_tune(model, images, labels, 2, augmented, min(frozen, 1))
    moved = [(a != b).any() for a, b in zip(before, kernels(tuned.phi), strict=True)]
    assert moved == [not frozen, True]
    assert any((a != b).any() for a, b in zip(theta, tuned.theta.get_weights(), strict=True))
    found = any(isinstance(layer, Augmentation) for layer in tuned.phi.layers)
    assert found == augmented
    assert np.isfinite(tuned.sample(4, seed=0)).all()


def test_the_page_says_what_was_not_run():
    setting = {"model": "m", "data": "d", "steps": 9, "seed": 0}
    machine = {"processor": "P", "cores": 2}
    scores = {"100": {"augmented": {"fid": 1.234, "conditional_accuracy": 0.5}}}
    page = few_pictures.page({"setting": {**setting, "machine": machine}, "scores": scores})
    cells = "not run here | 1.23 (0.500) | not run here | not run here"
    assert f"| 100 | {cells} |" in page
