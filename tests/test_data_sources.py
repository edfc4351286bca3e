"""Images of each named source: digits, TFDS and its added builders."""

import bz2
import hashlib
import json
import socket
import tarfile
from pathlib import Path

import numpy as np
import pytest
import requests
import tensorflow_datasets as tfds
from PIL import Image
from sklearn.datasets import load_digits

from tfgen import data
from tfgen.data import naming
from tfgen.data.builders import mnist_m, usps
from tfgen.evaluation.evaluator import find_evaluator


def _save(path, pixels, **options):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(np.asarray(pixels, np.uint8)).save(path, **options)


@pytest.fixture
def rng():
    return np.random.default_rng(0)


class TestDigits:
    def test_splits_are_fixed_stratified_and_whole(self):
        parts = [data.arrays("digits", split, seed=7) for split in ("train", "test")]
        assert [len(y) for _, y in parts] == [1437, 360]
        assert np.bincount(parts[1][1]).tolist() == [36, 36, 35, 37, 36, 37, 36, 36, 35, 36]
        original = np.rint(load_digits().images * 255 / 16).astype(np.uint8)
        both = np.concatenate([x for x, _ in parts])[..., 0]
        assert sorted(x.tobytes() for x in both) == sorted(x.tobytes() for x in original)
        # Published scores rest on this very split.
        assert hashlib.sha256(parts[1][0].tobytes()).hexdigest()[:16] == "de85aee14a9506dd"

    def test_slices_have_the_syntax_of_tfds(self):
        x, y = data.arrays("digits")
        first, last = data.arrays("digits", "train[:90%]"), data.arrays("digits", "train[90%:]")
        assert [len(part) for _, part in (first, last)] == [1293, 144]
        np.testing.assert_array_equal(np.concatenate([first[0], last[0]]), x)
        assert len(data.arrays("digits", "train[-7:]+test")[1]) == 367

    @pytest.mark.parametrize("split", ["validation", "train[", "train[2000:]"])
    def test_unknown_split(self, split):
        with pytest.raises(ValueError, match=r"\['test', 'train'\].*Received: split="):
            data.load("digits", split)

    def test_empty_slice(self):
        with pytest.raises(ValueError, match=r"hold images.*split='train\[:0\]'"):
            data.load("digits", "train[:0]")

    def test_info(self):
        splits = {"train": 1437, "test": 360}
        assert data.info("digits") == data.Info("digits", (8, 8, 1), 10, splits)


class TestTFDS:
    def test_reads_any_classification_data_set(self, tmp_path, monkeypatch):
        monkeypatch.setenv("TFDS_DATA_DIR", str(tmp_path))
        with tfds.testing.mock_data(num_examples=5):
            x, y = data.arrays("svhn_cropped")
            (batch, labels), *_ = data.load("svhn_cropped", "test", batch_size=5, channels=1)
        assert (x.shape, x.dtype, y.dtype) == ((5, 32, 32, 3), np.uint8, np.int32)
        assert 0 <= y.min() <= y.max() <= 9
        assert batch.shape == (5, 32, 32, 1)
        assert labels.shape == (5,)

    def test_pictures_of_different_sizes(self, tmp_path, monkeypatch):
        monkeypatch.setenv("TFDS_DATA_DIR", str(tmp_path))
        with tfds.testing.mock_data(num_examples=3):
            assert data.info("rock_paper_scissors").shape == (300, 300, 3)
            assert data.info("tf_flowers").shape == (None, None, 3)
            assert data.arrays("tf_flowers", size=16)[0].shape == (3, 16, 16, 3)

    @pytest.mark.parametrize(("name", "shape"), [("usps", (16, 16, 1)), ("mnist_m", (32, 32, 3))])
    def test_prepared_copies_satisfy_the_builders(self, name, shape, tmp_path, monkeypatch, rng):
        """The copy is not written by the builder, and TFDS_DATA_DIR is set after TFDS's import."""
        x = rng.integers(0, 256, (6, *shape), dtype=np.uint8)
        examples = [(i, {"image": image, "label": i}) for i, image in enumerate(x)]
        tfds.dataset_builders.store_as_tfds_dataset(
            name,
            "1.0.0",
            tfds.features.FeaturesDict(
                {
                    "image": tfds.features.Image(shape=shape),
                    "label": tfds.features.ClassLabel(num_classes=10),
                }
            ),
            split_datasets={"train": examples[:4], "test": examples[4:]},
            data_dir=tmp_path,
            disable_shuffling=True,
        )
        monkeypatch.setenv("TFDS_DATA_DIR", str(tmp_path))
        assert data.info(name) == data.Info(name, shape, 10, {"train": 4, "test": 2})
        images, labels = data.arrays(name, "train[1:]+test")
        np.testing.assert_array_equal(images, x[1:])
        assert labels.tolist() == [1, 2, 3, 4, 5]
        with pytest.raises(ValueError, match=r"\['test', 'train'\].*split='validation'"):
            data.load(name, "validation")

    def test_unknown_name_is_answered_with_the_nearest(self):
        with pytest.raises(ValueError, match="near this one: 'mnist'.*name='mnits'"):
            data.load("mnits")
        with pytest.raises(ValueError, match="near this one: 'digits'.*name='digit'"):
            data.info("digit")

    def test_refuses_what_is_not_image_classification(self, tmp_path, monkeypatch):
        monkeypatch.setenv("TFDS_DATA_DIR", str(tmp_path))
        with pytest.raises(ValueError, match="class labels.*name='ag_news_subset'"):
            data.load("ag_news_subset")

    def test_absent_and_not_to_be_downloaded(self, tmp_path, monkeypatch, caplog):
        with socket.socket() as unused:
            unused.bind(("localhost", 0))
            port = unused.getsockname()[1]  # where nobody answers
        monkeypatch.setenv("NO_PROXY", "*")
        monkeypatch.setenv("TFDS_DATA_DIR", str(tmp_path))
        monkeypatch.setattr(usps, "URLS", {"train": f"http://localhost:{port}/usps.bz2"})
        with pytest.raises(FileNotFoundError, match="'usps' .*TFDS_DATA_DIR=") as raised:
            data.load("usps")
        assert str(tmp_path) in str(raised.value)
        assert isinstance(raised.value.__cause__, requests.ConnectionError)
        retries = [r for r in caplog.records if r.name.startswith("urllib3")]
        assert len(retries) == 3  # TFDS's own number would take minutes


class TestBuilders:
    """From archives as their authors lay them out to what `data` reads."""

    def test_usps(self, tmp_path, monkeypatch):
        lines = {
            "train": ["7 1:-1 2:-0.631 3:0.862 256:1", "1 1:0.307 256:-0.167"],
            "test": ["10 1:1"],
        }
        for split, text in lines.items():
            path = tmp_path / f"{split}.bz2"
            path.write_bytes(bz2.compress("\n".join(text).encode() + b"\n"))
            monkeypatch.setitem(usps.URLS, split, str(path))
        monkeypatch.setenv("TFDS_DATA_DIR", str(tmp_path / "tfds"))

        x, y = data.arrays("usps")
        assert sorted(y) == [0, 6]
        assert x.shape == (2, 16, 16, 1)
        # round(127.5 (gray + 1)); a value left out of the line is a gray of 0.
        assert x[y == 6].ravel()[[0, 1, 2, 3, 255]].tolist() == [0, 47, 237, 128, 255]
        assert x[y == 0].ravel()[[0, 1, 255]].tolist() == [167, 128, 106]
        assert data.arrays("usps", "test")[1].tolist() == [9]

    def test_mnist_m(self, tmp_path, monkeypatch, rng):
        x = rng.integers(0, 256, (3, 32, 32, 3), dtype=np.uint8)
        root = tmp_path / "mnist_m"
        for i, split in enumerate(("train", "train", "test")):
            _save(root / f"mnist_m_{split}" / f"{i:08d}.png", x[i])
        (root / "mnist_m_train_labels.txt").write_text("00000000.png 5\n00000001.png 0\n")
        (root / "mnist_m_test_labels.txt").write_text("00000002.png 9\n")
        with tarfile.open(tmp_path / "download", "w:gz") as archive:
            archive.add(root, "mnist_m")
        monkeypatch.setattr(mnist_m, "URL", str(tmp_path / "download"))
        monkeypatch.setenv("TFDS_DATA_DIR", str(tmp_path / "tfds"))

        images, labels = data.arrays("mnist_m")
        by_label = dict(zip(labels.tolist(), images, strict=True))
        np.testing.assert_array_equal([by_label[5], by_label[0]], x[:2])
        images, labels = data.arrays("mnist_m", "test")
        np.testing.assert_array_equal(images, x[2:])
        assert labels.tolist() == [9]


def test_a_data_set_that_would_be_downloaded_is_not_on_disk(tmp_path, monkeypatch):
    monkeypatch.setenv("TFDS_DATA_DIR", str(tmp_path))
    assert data.on_disk("digits")
    assert not data.on_disk("svhn_cropped")


def test_a_folder_does_not_take_the_place_of_a_data_set_of_its_name(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in ("digits", "mnist", "usps", "my_pictures"):
        _save(tmp_path / name / "1.png", np.zeros((5, 5)))
    for name in ("digits", "mnist", "usps"):
        assert naming.absolute(name) == name
        assert naming.absolute(f"./{name}") == naming.absolute(Path(name)) == str(tmp_path / name)
    assert naming.absolute("my_pictures") == str(tmp_path / "my_pictures")
    assert data.info("digits").shape == (8, 8, 1)
    assert data.info("my_pictures").shape == data.info("./digits").shape == (5, 5, 1)


def test_the_evaluator_of_a_folder_is_found_from_anywhere(tmp_path, monkeypatch):
    folder, recipe = tmp_path / "root" / "judge", {"data": {"name": str(tmp_path / "my_pictures")}}
    (folder / "1").mkdir(parents=True)
    for name in ("reference.npz", "1/saved_model.pb"):
        (folder / name).touch()
    (folder / "card.json").write_text(json.dumps({"recipe": recipe}))
    _save(tmp_path / "my_pictures" / "1.png", np.zeros((5, 5)))
    monkeypatch.chdir(tmp_path)
    for name in ("my_pictures", "./my_pictures", Path("my_pictures")):
        assert find_evaluator(name, tmp_path / "root") == folder
