"""Fine-tuning on few pictures: what is trained, what stays, and the page."""

import json

import numpy as np
import pytest
from click.testing import CliRunner
from models import build
from PIL import Image

from tfgen import data
from tfgen.layers import Augmentation
from zoo.studies import few_pictures


def kernels(phi):
    return [layer.kernel.numpy() for layer in few_pictures.convolutions(phi)]


FROM_TRAINED = {title: way for title, way in few_pictures.WAYS.items() if not way.fresh}


@pytest.mark.parametrize("way", FROM_TRAINED.values(), ids=FROM_TRAINED)
def test_lower_layers_stay_and_the_others_learn(way):
    model = build("cgan_digits", spectral=True)
    before, theta = kernels(model.phi), model.theta.get_weights()
    images, labels = (x[:20] for x in data.arrays("digits"))
    tuned = few_pictures.fine_tune(
        model, images, labels, 2, way._replace(frozen=min(way.frozen, 1))
    )
    moved = [(a != b).any() for a, b in zip(before, kernels(tuned.phi), strict=True)]
    assert moved == [not way.frozen, True]
    assert any((a != b).any() for a, b in zip(theta, tuned.theta.get_weights(), strict=True))
    found = any(isinstance(layer, Augmentation) for layer in tuned.phi.layers)
    assert found == way.augmented
    assert np.isfinite(tuned.sample(4, seed=0)).all()


def test_fresh_weights_are_the_seed_s_and_not_the_trained_ones():
    images, labels = (x[:20] for x in data.arrays("digits"))
    way = few_pictures.Way(False, 0, fresh=True)
    found = []
    for trained in (1.0, 2.0):
        model = build("cgan_digits", spectral=True)
        model.theta.set_weights([np.full_like(x, trained) for x in model.theta.get_weights()])
        tuned = few_pictures.fine_tune(model, images, labels, 1, way, seed=3)
        found.append(tuned.sample(4, seed=0))
    np.testing.assert_array_equal(*found)
    other = few_pictures.fine_tune(model, images, labels, 1, way, seed=4)
    assert (other.sample(4, seed=0) != found[0]).any()


def test_the_page_says_what_was_not_run():
    setting = {"model": "m", "data": "d", "steps": 9, "seed": 0}
    machine = {"processor": "P", "cores": 2}
    score = {"fid": 1.234, "conditional_accuracy": 0.5, "seconds": 90.0, "machine": machine}
    scores = {"500": {}, "100": {"augmented": score}}
    page = few_pictures.page({"setting": setting, "scores": scores})
    cells = "not run here | 1.23 (0.500) | not run here | not run here | not run here"
    assert f"| 100 | {cells} |" in page
    assert page.index("| 100 |") < page.index("| 500 |")
    assert "2 minutes of training, on P, 2 cores." in page


def test_a_folder_is_brought_to_the_models_size_and_smaller_counts_are_run(tmp_path, monkeypatch):
    rng = np.random.default_rng(0)
    for split, count in (("train", 3), ("test", 2)):
        for label in range(10):
            folder = tmp_path / "pictures" / split / str(label)
            folder.mkdir(parents=True)
            for index in range(count):
                pixels = rng.integers(0, 256, (12, 9), np.uint8)
                Image.fromarray(pixels).save(folder / f"{index}.png")
    monkeypatch.setattr(few_pictures, "PAGES", tmp_path)
    monkeypatch.setattr(few_pictures, "SAMPLES", 40)
    learned = []

    def tune(model, pictures, labels, *_):
        learned.append((pictures.shape, np.bincount(labels).tolist()))
        return model

    monkeypatch.setattr(few_pictures, "fine_tune", tune)
    data = str(tmp_path / "pictures")
    invoked = CliRunner().invoke(few_pictures.main, ["cgan_digits", "--data", data])
    assert isinstance(invoked.exception, FileNotFoundError)  # no evaluator: nothing was trained
    assert not learned
    arguments = ["cgan_digits", "--data", data, "--evaluator", "resnet_digits"]
    arguments += ["--pictures", "20", "--pictures", "31"]
    invoked = CliRunner().invoke(few_pictures.main, arguments)
    assert invoked.exit_code == 0, invoked.output
    assert learned == [((20, 8, 8, 1), [2] * 10)] * len(few_pictures.WAYS)
    assert "has 30 pictures to learn from, fewer than 31" in invoked.output
    invoked = CliRunner().invoke(few_pictures.main, [*arguments, "--pictures", "10"])
    assert invoked.exit_code == 0, invoked.output
    refused = CliRunner().invoke(few_pictures.main, [*arguments, "--pictures", "0"])
    assert refused.exit_code == 2
    assert "0 is not in the range" in refused.output
    counts = [sum(labels) for _, labels in learned]
    assert counts == [20] * 5 + [10] * 5  # not 20 again


def test_results_of_other_settings_are_not_mixed(tmp_path, monkeypatch):
    monkeypatch.setattr(few_pictures, "PAGES", tmp_path)
    setting = {"model": "cgan_cifar10", "data": "mnist_m", "steps": 9, "seed": 0}
    recorded = json.dumps({"setting": setting, "scores": {}})
    (tmp_path / "few_pictures.json").write_text(recorded)
    result = CliRunner().invoke(few_pictures.main, ["--steps", "10"])
    assert result.exit_code == 2
    assert "'steps': 10" in result.output
    assert (tmp_path / "few_pictures.json").read_text() == recorded
