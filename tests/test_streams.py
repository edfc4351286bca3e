"""Data read batch by batch: the same batches as from memory, from files of TFDS and from folders."""

import gc
import itertools
import os
import shutil
from pathlib import Path

import keras
import numpy as np
import pytest
import tensorflow_datasets as tfds
from PIL import Image

from tfgen import data
from tfgen.data import cache

COUNT = 50


def _write_tfds(root, name, file_format, shape, version="1.0.0"):
    """COUNT random images in two splits, the first of several files, as TFDS writes them."""
    pixels = np.random.default_rng(0)

    def examples(count):
        for i in range(count):
            sides = [side or 3 + i % 4 for side in shape]
            image = pixels.integers(0, 256, sides, dtype=np.uint8)
            yield i, {"image": image, "label": i % 10}

    features = {
        "image": tfds.features.Image(shape=shape),
        "label": tfds.features.ClassLabel(num_classes=10),
    }
    return tfds.dataset_builders.store_as_tfds_dataset(
        name,
        version,
        tfds.features.FeaturesDict(features),
        split_datasets={"train": examples(COUNT - 10), "test": examples(10)},
        data_dir=root,
        file_format=file_format,
        disable_shuffling=True,
        download_config=tfds.download.DownloadConfig(num_shards=3),
    )


@pytest.fixture(scope="module", params=["tfrecord", "array_record"])
def prepared(request, tmp_path_factory):
    root = tmp_path_factory.mktemp("tfds")
    _write_tfds(root, "usps", request.param, (16, 16, 1))
    _write_tfds(root, "tf_flowers", request.param, (None, None, 3), "3.0.1")
    return root


@pytest.fixture(scope="module")
def photos(tmp_path_factory):
    """Pictures of several sizes, gray and RGB, in two classes."""
    root, rng = tmp_path_factory.mktemp("photos"), np.random.default_rng(0)
    for i in range(COUNT):
        shape = (4 + i % 3, 5 + i % 2, 3)[: 2 + i % 2]
        path = root / f"{i % 2}" / f"{i:02d}.png"
        path.parent.mkdir(exist_ok=True)
        Image.fromarray(rng.integers(0, 256, shape, dtype=np.uint8)).save(path)
    return root


def _equal(one, other, epochs=2):
    for _ in range(epochs):
        for a, b in zip(one, other, strict=True):
            for left, right in zip(a, b, strict=True):
                assert left.dtype == right.dtype
                np.testing.assert_array_equal(left, right)
    assert one.element_spec == other.element_spec


def _both(*arguments, **options):
    return (data.load(*arguments, **options, stream=stream) for stream in (False, True))


class TestFolder:
    @pytest.mark.parametrize(
        "options",
        [
            {},
            {"split": "test"},
            {"split": "train[:30%]+test", "crop": True},
            {"fraction": 0.5, "labelled": 0.3, "binarize": True},
            {"seed": 3, "size": 9, "pad": True, "shard": (1, 2)},
        ],
    )
    def test_equals_that_in_memory(self, photos, options):
        _equal(*_both(photos, **{"batch_size": 8, "size": 6, "channels": 3, **options}))

    def test_goes_on_at_any_epoch(self, photos):
        memory, stream = _both(photos, batch_size=8, size=6, channels=3)
        stream.epoch.assign(5)
        memory.epoch.assign(5)
        _equal(memory, stream)
        assert stream.epoch.numpy() == 7

    def test_opens_only_the_pictures_of_its_batches(self, photos, tmp_path):
        shutil.copytree(photos, tmp_path / "photos")
        for path in sorted((tmp_path / "photos").rglob("*.png"))[1:]:
            path.write_bytes(b"not a picture")
        options = {"size": 6, "channels": 1, "batch_size": 1, "shuffle": False, "stream": True}
        batches = iter(data.load(tmp_path / "photos", **options))
        assert next(batches)[0].shape == (1, 6, 6, 1)
        with pytest.raises(Exception, match=r"A picture must be readable. Received: '.*\.png'"):
            list(itertools.islice(batches, 9))

    @pytest.mark.parametrize("options", [{}, {"size": 6}, {"channels": 1}])
    def test_needs_a_geometry(self, photos, options):
        with pytest.raises(ValueError, match="needs size= and channels="):
            data.load(photos, stream=True, **options)

    def test_a_share_can_be_held_out(self, photos):
        options = {"size": 6, "channels": 1, "batch_size": 8}
        memory, stream = (
            data.load_with_validation(photos, 0.2, stream=s, **options) for s in (False, True)
        )
        for one, other in zip(memory, stream, strict=True):
            _equal(one, other)
        training, held_out = data.load_with_validation(
            photos, 0.2, stream=True, binarize=True, **options
        )
        (first, _), (second, _) = next(iter(held_out)), next(iter(held_out))
        np.testing.assert_array_equal(first, second)
        assert set(np.unique(first)) == {0.0, 1.0}
        (first, _), (second, _) = next(iter(training)), next(iter(training))
        assert (first.numpy() != second.numpy()).any()

    def test_trains(self, photos):
        model = keras.Sequential([keras.layers.Flatten(), keras.layers.Dense(2)])
        model.compile("sgd", keras.losses.SparseCategoricalCrossentropy(from_logits=True))
        options = {"size": 6, "channels": 1, "batch_size": 10, "stream": True}
        dataset = data.load(photos, **options)
        model.fit(dataset, epochs=2, shuffle=False, verbose=0)
        assert dataset.cardinality() == 5  # 45 of 50 are "train"


class TestCached:
    OPTIONS = {"size": 6, "channels": 3, "batch_size": 8}

    @pytest.fixture(autouse=True)
    def kept(self, tmp_path, monkeypatch):
        monkeypatch.setenv("TFGEN_CACHE", str(tmp_path / "kept"))
        return tmp_path / "kept"

    def _batches(self, photos, epochs=1, **options):
        dataset = data.load(photos, **self.OPTIONS, **options)
        return [x.numpy() for _ in range(epochs) for x, _ in dataset]

    def test_a_picture_is_decoded_once_for_all_ways_of_reading(self, photos, decoded, monkeypatch):
        kept = self._batches(photos, epochs=2, stream=True, cached=True)
        assert len(decoded) == len(set(decoded)) == 45
        again = self._batches(photos, epochs=2, stream=True, cached=True)
        in_memory = self._batches(photos, epochs=2)
        assert len(decoded) == 45
        monkeypatch.setenv("TFGEN_CACHE", "off")
        for batches in (again, in_memory, self._batches(photos, epochs=2, stream=True)):
            np.testing.assert_array_equal(np.concatenate(batches), np.concatenate(kept))

    def test_an_unfinished_one_goes_with_its_reader(self, kept):
        rows = cache.Rows("key", (3, 2), lambda positions: np.uint8([[p, 9] for p in positions]))
        assert rows(np.array([2, 0, 2])).tolist() == [[2, 9], [0, 9], [2, 9]]
        assert [path.suffix for path in kept.iterdir()] == [".partial"]
        del rows
        gc.collect()
        assert list(kept.iterdir()) == []

    def test_two_parts_make_one_entry(self, photos, kept):
        parts = data.load_with_validation(photos, 0.2, stream=True, cached=True, **self.OPTIONS)
        for part in parts:
            list(part)
        assert [path.suffix for path in kept.iterdir()] == [".npy"]

    def test_a_full_disk_is_done_without(self, photos, kept, decoded, monkeypatch):
        monkeypatch.setattr(cache.Rows, "_finish", _full)
        assert len(self._batches(photos, stream=True, cached=True)) == 6
        kept.mkdir(exist_ok=True)
        monkeypatch.setattr(cache.Rows, "_unfinished", _full)
        assert len(self._batches(photos, stream=True, cached=True)) == 6

    def test_a_broken_entry_is_made_anew(self, photos, kept):
        expected = self._batches(photos, stream=True, cached=True)
        (entry,) = kept.iterdir()
        for content in (entry.read_bytes()[:-9], b"", b"nothing" * 99):
            entry.write_bytes(content)
            again = self._batches(photos, stream=True, cached=True)
            np.testing.assert_array_equal(np.concatenate(again), np.concatenate(expected))


def _full(self):
    raise OSError(28, "No space left on device")


class TestTFDS:
    @pytest.mark.parametrize(
        "options",
        [
            {},
            {"split": "test", "size": 8, "channels": 3},
            {"split": "train[10:-3]+test[50%:]"},
            {"fraction": 0.5, "labelled": 0.3, "binarize": True},
        ],
    )
    def test_equals_that_in_memory(self, prepared, monkeypatch, options):
        monkeypatch.setenv("TFDS_DATA_DIR", str(prepared))
        _equal(*_both("usps", batch_size=8, **options))

    def test_several_sizes(self, prepared, monkeypatch):
        monkeypatch.setenv("TFDS_DATA_DIR", str(prepared))
        _equal(*_both("tf_flowers", batch_size=8, size=5, crop=True))
        with pytest.raises(ValueError, match=r"need size=.*shape=\(None, None, 3\)"):
            data.load("tf_flowers", stream=True)

    @pytest.mark.parametrize("split", ["validation", "train["])
    def test_unknown_split(self, prepared, monkeypatch, split):
        monkeypatch.setenv("TFDS_DATA_DIR", str(prepared))
        with pytest.raises(ValueError, match=r"\['test', 'train'\].*Received: split="):
            data.load("usps", split, stream=True)

    def test_a_file_cut_short(self, tmp_path, monkeypatch):
        _write_tfds(tmp_path, "usps", "tfrecord", (16, 16, 1))
        path = max(tmp_path.rglob("*.tfrecord*"))
        path.write_bytes(path.read_bytes()[:-9])
        monkeypatch.setenv("TFDS_DATA_DIR", str(tmp_path))
        with pytest.raises(Exception, match="file of records must be whole. Received: .*tfrecord"):
            list(data.load("usps", stream=True))


@pytest.mark.parametrize("pair", [data.load_adaptation, data.load_unpaired])
def test_two_domains_stream_too(photos, pair):
    options = {"size": 6, "channels": 3, "batch_size": 8}
    memory, stream = (pair(photos, "digits", stream=s, **options) for s in (False, True))
    for _ in range(2):
        for one, other in itertools.islice(zip(memory, stream, strict=True), 20):
            np.testing.assert_array_equal(one[0], other[0])
            np.testing.assert_array_equal(one[1], other[1])
    assert memory.element_spec == stream.element_spec


def _check_worker_shards(name):
    """Three workers and two epochs: their parts of each batch of 8 make it, and of the last one."""
    whole = data.load(name, size=6, channels=3, batch_size=8, seed=3, stream=True)
    parts = [whole.worker_shard(index, 3) for index in range(3)]
    for _ in range(2):
        for batch, *found in zip(whole, *parts, strict=True):
            for part, expected in zip(zip(*found, strict=True), batch, strict=True):
                np.testing.assert_array_equal(np.concatenate(part), expected)


def test_workers_read_every_picture_once_in_an_epoch(photos):
    _check_worker_shards(photos)


def test_workers_read_every_record_once_in_an_epoch(prepared, monkeypatch):
    monkeypatch.setenv("TFDS_DATA_DIR", str(prepared))
    _check_worker_shards("usps")


def test_memory_is_that_of_a_few_batches(tmp_path):
    """400 pictures of 192 KiB, 300 MiB as float32, in batches of 4."""
    first = tmp_path / "0.png"
    Image.new("RGB", (256, 256), "white").save(first)
    for i in range(1, 400):
        os.link(first, tmp_path / f"{i}.png")
    batches = iter(
        data.load(tmp_path, "train+test", size=256, channels=3, batch_size=4, stream=True)
    )
    held = [_resident() for _ in zip(batches, range(100), strict=True)]
    assert max(held[10:]) - held[9] < 32 * 2**20


def _resident():
    """Bytes of this process in memory."""
    pages = Path("/proc/self/statm").read_text().split()[1]
    return int(pages) * os.sysconf("SC_PAGE_SIZE")


def test_digits_stream_too():
    _equal(*_both("digits", "train[:40]", batch_size=8, binarize=True))
