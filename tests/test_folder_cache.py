"""Folders of pictures: the summary before reading, and the cache on disk."""

import os

import numpy as np
import pytest
from pictures_on_disk import fill, save

from tfgen import data
from tfgen.data import cache


class TestSummary:
    def test_says_what_was_found(self, tmp_path):
        fill(tmp_path, *(f"cat/{i:02d}.png" for i in range(18)), "dog/1.png")
        save(tmp_path / "dog" / "2.jpg", np.zeros((4, 6, 3)))
        (tmp_path / "dog" / "notes.txt").write_text("")
        assert str(data.summary(tmp_path)).splitlines() == [
            f"data: {tmp_path}",
            "images: train 18, test 2",
            "classes: 2",
            "  0: cat (train 16, test 2)",
            "  1: dog (train 2, test 0)",
            "sizes: 2 x 2 gray (19), 4 x 6 RGB (1)",
            "passed over: 1 no picture (.txt)",
            'note: there is no test folder: 10% of the pictures are held out as split "test"',
            "note: class 'dog' has no pictures in split 'test'",
        ]

    def test_of_pictures_without_labels(self, tmp_path):
        fill(tmp_path, "a.png")
        assert "classes: none, the pictures are unlabelled" in str(data.summary(tmp_path))

    def test_of_named_data(self):
        lines = str(data.summary("digits")).splitlines()
        assert lines[1:3] == [
            "images: train 1,437, test 360",
            "classes: 10 (0, 1, 2, 3, 4, 5, 6, 7, 8, 9)",
        ]

    def test_opens_no_picture_whose_geometry_is_given(self, tmp_path):
        (tmp_path / "a.png").write_bytes(b"not a picture")
        assert data.summary(tmp_path, size=8, channels=3).sizes == {}
        assert data.info(tmp_path, size=8, channels=3).shape == (8, 8, 3)
        with pytest.raises(ValueError, match=r"readable.*a\.png"):
            data.summary(tmp_path)

    def test_classes_can_be_asked_for(self, tmp_path):
        fill(tmp_path, "a.png", "b.png")
        with pytest.raises(ValueError, match="cgan learns from labels.*2 pictures have no"):
            data.require_classes(data.info(tmp_path), "cgan")
        data.require_classes(data.info("digits"), "cgan")


class TestCache:
    @pytest.fixture(autouse=True)
    def home(self, tmp_path, monkeypatch):
        monkeypatch.delenv("TFGEN_CACHE")
        monkeypatch.setenv("TFGEN_HOME", str(tmp_path / "home"))
        return tmp_path / "home" / "cache"

    @pytest.fixture
    def folder(self, tmp_path):
        fill(tmp_path / "photos", "a.png", "b.png")
        return tmp_path / "photos"

    def test_a_folder_is_decoded_once(self, folder, home, decoded):
        first, second = data.arrays(folder), data.arrays(folder)
        np.testing.assert_array_equal(first[0], second[0])
        assert sorted(decoded) == ["a.png", "b.png"]
        assert len(list(home.iterdir())) == 1
        data.arrays(folder, size=4)
        assert len(decoded) == 4

    def test_a_changed_picture_is_seen(self, folder, decoded):
        data.arrays(folder)
        before = (folder / "a.png").stat()
        save(folder / "a.png", np.full((2, 2), 9))
        os.utime(folder / "a.png", ns=(before.st_atime_ns, before.st_mtime_ns))
        assert data.arrays(folder)[0][0, 0, 0, 0] == 9

    @pytest.mark.parametrize("damage", ["cut", "flipped", "emptied"])
    def test_a_broken_entry_is_made_anew(self, folder, home, decoded, damage):
        expected, _ = data.arrays(folder)
        (entry,) = home.iterdir()
        content = bytearray(entry.read_bytes())
        content[-5] ^= 1
        entry.write_bytes({"cut": content[:-6], "flipped": content, "emptied": b""}[damage])
        for _ in range(2):
            np.testing.assert_array_equal(data.arrays(folder)[0], expected)
        assert len(decoded) == 4

    def test_is_bounded(self, folder, home, monkeypatch):
        data.arrays(folder)
        (entry,) = home.iterdir()
        monkeypatch.setattr(cache, "MOST_BYTES", entry.stat().st_size)
        data.arrays(folder, size=2, crop=True)
        (other,) = home.iterdir()
        assert other.name != entry.name
        monkeypatch.setattr(cache, "MOST_BYTES", 1)
        data.arrays(folder, size=3)
        assert list(home.iterdir()) == [other]

    def test_can_be_switched_off(self, folder, home, monkeypatch):
        monkeypatch.setenv("TFGEN_CACHE", "off")
        data.arrays(folder)
        assert not home.exists()

    def test_a_place_that_cannot_be_written_keeps_nothing(self, folder, tmp_path, monkeypatch):
        (tmp_path / "file").write_text("")
        monkeypatch.setenv("TFGEN_CACHE", str(tmp_path / "file"))
        assert len(data.arrays(folder)[1]) == 2
