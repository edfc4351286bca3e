"""Folders of pictures against each other, judged by the linear evaluator of the digits."""

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image
from test_evaluation import IMAGES, LABELS, LinearClassifier

from tfgen.evaluation import compare, metrics
from tfgen.evaluation.evaluator import load_evaluator, reference, save_reference

COUNT = 120


@pytest.fixture(scope="module")
def judge(tmp_path_factory):
    folder = tmp_path_factory.mktemp("resnet_digits")
    classifier = LinearClassifier()
    signatures = {"classify": classifier.classify, "features": classifier.features}
    tf.saved_model.save(classifier, str(folder / "1"), signatures)
    features = tf.saved_model.load(str(folder / "1")).signatures["features"]
    save_reference(folder, reference(features, IMAGES, LABELS))
    return load_evaluator(folder)


def _write(root, images, layout="{i:03d}.png"):
    for i, image in enumerate(images):
        path = root / layout.format(i=i, split="train" if i % 3 else "test")
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(np.rint(image[..., 0] * 255).astype(np.uint8)).save(path)
    return root


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    """Two disjoint samples of the digits, and the second with its black turned gray."""
    root = tmp_path_factory.mktemp("folders")
    first, second = IMAGES[:COUNT], IMAGES[COUNT : 2 * COUNT]
    return (
        _write(root / "first", first),
        _write(root / "second", second, "{split}/{i:03d}.png"),
        _write(root / "gray", np.maximum(second, 0.4)),
    )


def test_a_folder_equals_itself(judge, folders):
    scores = compare(folders[0], folders[0], judge)
    assert scores["fid"]["value"] == pytest.approx(0.0, abs=1e-6)
    assert scores["precision"]["value"] == scores["recall"]["value"] == 1.0
    assert scores["inception_score_ratio"]["value"] == pytest.approx(1.0)


def test_all_pictures_of_all_splits_are_scored(judge, folders):
    scores = compare(*folders[:2], judge)
    rows = [
        judge.observe(np.rint(part * 255).astype(np.float32) / np.float32(255))
        for part in (IMAGES[:COUNT], IMAGES[COUNT : 2 * COUNT])
    ]
    first, second = (metrics.Moments.of(features) for features, _ in rows)
    expected = metrics.frechet_distance(
        second.mean, second.covariance, first.mean, first.covariance
    )
    assert scores["fid"]["value"] == pytest.approx(expected, rel=1e-5)
    for name, (_, probabilities) in zip(("", "_real"), rows, strict=True):
        score = metrics.inception_score(probabilities)
        assert scores[f"inception_score{name}"]["value"] == pytest.approx(score, rel=1e-5)


def test_worse_pictures_score_worse(judge, folders):
    good, bad = (compare(samples, folders[1], judge) for samples in (folders[0], folders[2]))
    assert bad["fid"]["low"] > good["fid"]["high"]
    assert bad["precision"]["value"] < good["precision"]["value"]


def test_a_named_data_set_is_its_test_split(judge, folders):
    scores = compare(folders[0], "digits", judge)
    assert set(scores) == {
        "inception_score", "inception_score_real", "inception_score_ratio", "fid", "kid", "precision",
        "recall",
    }  # fmt: skip
    assert scores["inception_score_real"]["value"] > 1


def test_refuses_a_few_pictures_and_missing_folders(judge, folders, tmp_path):
    few = _write(tmp_path / "few", IMAGES[:3])
    with pytest.raises(ValueError, match=r"at least 4 pictures. Received: 3 in .*few"):
        compare(few, folders[0], judge)
    with pytest.raises(FileNotFoundError, match="folder of pictures.*nowhere"):
        compare(tmp_path / "nowhere", folders[0], judge)
    with pytest.raises(FileNotFoundError, match="evaluator='"):
        compare(few, few, tmp_path)
