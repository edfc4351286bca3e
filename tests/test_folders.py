"""Folders of pictures: layout, held-out test split, summary, geometry, cache."""

import os
import pathlib
import unicodedata

import numpy as np
import pytest
from pictures_on_disk import fill, save

from tfgen import data


@pytest.fixture
def rng():
    return np.random.default_rng(0)


class TestPictures:
    @pytest.fixture
    def classes(self, tmp_path, rng):
        """Two pictures of cats and one of a dog, as PNG."""
        pixels = rng.integers(0, 256, (3, 4, 5, 3), dtype=np.uint8)
        for name, x in zip(("dog/1.png", "cat/b.png", "cat/a.PNG"), pixels, strict=True):
            save(tmp_path / "pets" / name, x)
        (tmp_path / "pets" / "cat" / "notes.txt").write_text("no picture")
        return tmp_path / "pets", pixels[[2, 1, 0]]

    def test_sub_folders_are_classes_in_sorted_order(self, classes):
        folder, pixels = classes
        x, y = data.arrays(folder)
        np.testing.assert_array_equal(x, pixels)
        assert y.tolist() == [0, 0, 1]
        assert data.info(folder) == data.Info(str(folder), (4, 5, 3), 2, {"train": 3})
        assert len(data.arrays(folder, "train[:2]")[1]) == 2

    def test_is_found_by_a_string_that_tfds_does_not_know(self, classes, monkeypatch):
        monkeypatch.chdir(classes[0].parent)
        assert data.info("pets").splits == data.info("./pets").splits == {"train": 3}

    def test_pictures_directly_are_unlabelled(self, tmp_path):
        for i in (2, 10, 1):
            save(tmp_path / f"{i:02d}.png", np.full((2, 2), i))
        x, y = data.arrays(tmp_path)
        assert x[:, 0, 0, 0].tolist() == [1, 2, 10]
        assert y.tolist() == [-1, -1, -1]
        assert data.info(tmp_path).num_classes == 0

    def test_train_and_test_are_splits_with_one_set_of_classes(self, tmp_path):
        fill(tmp_path, "train/a/1.png", "train/b/1.png", "test/b/1.png")
        assert data.info(tmp_path).splits == {"test": 1, "train": 2}
        assert data.arrays(tmp_path, "test")[1].tolist() == [1]

    def test_train_beside_other_vehicles_is_a_class(self, tmp_path):
        fill(tmp_path, "bus/1.png", "train/1.png")
        assert data.arrays(tmp_path)[1].tolist() == [0, 1]

    def test_one_colored_picture_makes_all_of_them_color(self, tmp_path):
        save(tmp_path / "a.png", np.full((2, 2), 7))
        assert data.arrays(tmp_path)[0].shape == (1, 2, 2, 1)
        save(tmp_path / "b.png", np.full((2, 2, 3), 9))
        x, _ = data.arrays(tmp_path)
        assert x[:, 0, 0].tolist() == [[7, 7, 7], [9, 9, 9]]

    def test_pictures_of_different_sizes_need_a_size(self, tmp_path):
        for side in (2, 4):
            save(tmp_path / f"{side}.png", np.full((side, 2), 100 + side))
        assert data.info(tmp_path).shape == (None, 2, 1)
        with pytest.raises(ValueError, match=r"size=.*\(2, 2, 1\) to \(4, 2, 1\)"):
            data.arrays(tmp_path)
        x, _ = data.arrays(tmp_path, size=2)
        assert x.reshape(2, 4).tolist() == [[102] * 4, [104] * 4]

    def test_refuses_missing_and_empty_folders(self, tmp_path):
        with pytest.raises(FileNotFoundError, match="folder of pictures.*nowhere"):
            data.load(tmp_path / "nowhere")
        with pytest.raises(ValueError, match="hold pictures"):
            data.load(tmp_path)

    def test_refuses_pictures_beside_classes(self, classes):
        save(classes[0] / "stray.png", np.zeros((4, 5)))
        with pytest.raises(ValueError, match=r"not both.*stray\.png"):
            data.load(classes[0])

    def test_a_broken_one_is_named(self, tmp_path):
        fill(tmp_path, "a.png")
        (tmp_path / "b.png").symlink_to("nowhere")
        with pytest.raises(ValueError, match=r"readable. Received: '.*b\.png', No such file"):
            data.arrays(tmp_path)
        with pytest.raises(ValueError, match=r"readable. Received: '.*b\.png', No such file"):
            data.arrays(tmp_path, size=2, channels=1)

    @pytest.mark.parametrize("kind", ["relative", "home", "path", "home path"])
    def test_the_folder_is_given_in_any_way(self, tmp_path, monkeypatch, kind):
        fill(tmp_path / "Bilder für é", "katze/ä b.PNG", "hund/犬.JPEG")
        monkeypatch.chdir(tmp_path)
        monkeypatch.setenv("HOME", str(tmp_path))
        name = {
            "relative": "./Bilder für é",
            "home": "~/Bilder für é",
            "path": tmp_path / "Bilder für é",
            "home path": pathlib.Path("~/Bilder für é"),
        }[kind]
        assert data.info(name).class_names == ("hund", "katze")
        assert data.arrays(name)[1].tolist() == [0, 1]

    @pytest.mark.parametrize(
        ("name", "error"),
        [(None, TypeError), (3, TypeError), (b"x", TypeError), ("a\0b", ValueError)],
    )
    def test_refuses_other_names(self, name, error):
        with pytest.raises(error, match="name is a string or a path|no NUL"):
            data.info(name)

    def test_refuses_a_split_that_is_no_string(self, tmp_path):
        fill(tmp_path, "a.png")
        for name in (tmp_path, "digits"):
            with pytest.raises(TypeError, match="split must be a string.*split=None"):
                data.load(name, None)


class TestArguments:
    """Every argument gives a data set or an error of this library."""

    OTHERS = (None, "x", b"x", 1.5, -1, 2**40, True, float("nan"), [], {}, object(), np.arange(2))

    @pytest.mark.parametrize(
        "name",
        ["split", "fraction", "labelled", "batch_size", "seed", "size", "channels", "pad", "crop"]
        + ["binarize", "shuffle", "stream", "cached", "shard", "shift", "flip"],
    )
    def test_of_load(self, tmp_path, name):
        fill(tmp_path, "a.png", "b.png")
        said = []
        for value in self.OTHERS:
            try:
                data.load(tmp_path, **{"size": 2, "channels": 1, name: value})
            except (TypeError, ValueError) as error:
                said.append(str(error))
        assert said
        assert [words for words in said if "Received: " not in words] == []

    @pytest.mark.parametrize(
        "name", ["", " ", "/dev/null", "a/b", "mnist:99.9.9", "x" * 5000, "a\ud800"]
    )
    def test_names(self, name):
        with pytest.raises((ValueError, OSError), match="Received: "):
            data.info(name)


class TestLayout:
    def test_what_tools_leave_behind_is_passed_over(self, tmp_path):
        fill(tmp_path, "cat/1.png", "dog/1.png")
        for name in ("__MACOSX", "@eaDir", ".ipynb_checkpoints", "$RECYCLE.BIN", ".git"):
            fill(tmp_path / name, "cat/1.png")
        for name in ("._1.png", ".DS_Store", "Thumbs.db", "desktop.ini"):
            (tmp_path / "cat" / name).write_bytes(b"\0\5\x16\7")
        (tmp_path / "labels.csv").write_text("1.png,cat")
        (tmp_path / "README").write_text("cats and dogs")
        assert data.info(tmp_path).class_names == ("cat", "dog")
        assert data.arrays(tmp_path)[1].tolist() == [0, 1]
        assert data.summary(tmp_path).passed_over == {
            "hidden, or left behind by a tool": 9,
            "no picture (.csv)": 1,
            "no picture (without a suffix)": 1,
        }

    @pytest.mark.parametrize(
        ("folders", "splits"),
        [
            (("train", "val"), ["train", "validation"]),
            (("Training", "VALID", "Testing"), ["test", "train", "validation"]),
            (("train", "dev", "test"), ["test", "train", "validation"]),
        ],
    )
    @pytest.mark.parametrize("classes", [(".",), ("cat", "dog")])
    def test_splits_are_known_by_their_usual_names(self, tmp_path, folders, splits, classes):
        fill(tmp_path, *(f"{folder}/{c}/1.png" for folder in folders for c in classes))
        info = data.info(tmp_path)
        assert info.splits == dict.fromkeys(splits, len(classes))
        labels = [-1] if len(classes) == 1 else [0, 1]
        for split in splits:
            assert data.arrays(tmp_path, split)[1].tolist() == labels

    @pytest.mark.parametrize(
        ("names", "message"),
        [
            (
                ("train/1.png", "val/1.png", "cat/1.png"),
                "must not stand beside.*train. beside.*cat",
            ),
            (("test/1.png", "cat/1.png"), "must not stand beside.*test' beside.*cat"),
            (("train/cat/1.png", "dog/1.png"), "must not stand beside.*train' beside.*dog"),
            (("train/1.png", "test/1.png", "2.png"), r"must not stand beside.*beside.*2\.png"),
            (("val/1.png", "validation/1.png", "train/1.png"), "one folder.*val, validation"),
            (("cat/train/1.png", "cat/test/1.png"), "above class folders.*test, train in.*cat"),
            (
                ("pets/cat/1.png", "pets/dog/1.png"),
                "lone sub-folder.*pets', whose pictures lie deeper",
            ),
            (
                ("train/cat/1.png", "test/1.png"),
                "all splits or none.*cat, and split 'test' without",
            ),
            (("cat/1.png", "Cat/1.png"), "more than case.*'Cat' and 'cat'"),
            (("train/cat/1.png", "test/Cat/1.png"), "more than case.*'Cat' and 'cat'"),
            (("cat/1.png", "dog/"), "must hold pictures, or be removed.*'dog' without"),
            (("train/1.png", "test/"), "hold pictures.*without pictures in.*test"),
            (("cat/1.png", "cat/2.HEIC"), r"format that is read.*Received: .*2\.HEIC"),
        ],
    )
    def test_refuses(self, tmp_path, names, message):
        for name in names:
            (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
            if name.endswith("/"):
                (tmp_path / name).mkdir()
            else:
                save(tmp_path / name, np.zeros((2, 2)), format="PNG")
        with pytest.raises(ValueError, match=message):
            data.info(tmp_path)

    def test_deeper_pictures_are_of_the_outermost_class(self, tmp_path):
        fill(tmp_path, "0/a.png", "1/more/b.png", "1/more/still/c.png", "1/d.png")
        x, y = data.arrays(tmp_path)
        assert y.tolist() == [0, 1, 1, 1]
        assert x[:, 0, 0, 0].tolist() == [0, 3, 1, 2]  # sorted by path

    def test_links_are_followed_and_must_end(self, tmp_path):
        fill(tmp_path / "elsewhere", "1.png", "2.png")
        (tmp_path / "pets" / "cat").mkdir(parents=True)
        (tmp_path / "pets" / "cat" / "1.png").symlink_to(tmp_path / "elsewhere" / "1.png")
        (tmp_path / "pets" / "dog").symlink_to(tmp_path / "elsewhere")
        assert data.arrays(tmp_path / "pets")[1].tolist() == [0, 1, 1]
        (tmp_path / "pets" / "cat" / "again").symlink_to(tmp_path / "pets" / "cat")
        with pytest.raises(ValueError, match="must not link to itself.*again"):
            data.info(tmp_path / "pets")

    def test_an_accent_is_one_class_however_it_is_written(self, tmp_path):
        composed, decomposed = (unicodedata.normalize(form, "é") for form in ("NFC", "NFD"))
        fill(tmp_path, f"train/{composed}/1.png", f"test/{decomposed}/1.png")
        assert data.info(tmp_path).class_names == (composed,)

    def test_one_class_is_a_class(self, tmp_path):
        fill(tmp_path, "cat/1.png", "cat/2.png")
        assert data.arrays(tmp_path)[1].tolist() == [0, 0]
        assert data.info(tmp_path).num_classes == 1

    def test_a_folder_that_cannot_be_listed_is_named(self, tmp_path, monkeypatch):
        fill(tmp_path, "cat/1.png")
        scandir = os.scandir

        def refuse(folder):  # root may list any folder
            if pathlib.Path(folder).name == "cat":
                raise PermissionError(13, "Permission denied")
            return scandir(folder)

        monkeypatch.setattr(os, "scandir", refuse)
        with pytest.raises(ValueError, match="folder must be readable.*cat', Permission denied"):
            data.info(tmp_path)


class TestHeldOut:
    @pytest.fixture
    def folder(self, tmp_path):
        fill(
            tmp_path,
            *(f"{c}/{i:02d}.png" for c, n in (("a", 30), ("b", 9), ("c", 1)) for i in range(n)),
        )
        return tmp_path

    def test_a_tenth_is_the_test_split(self, folder):
        assert data.info(folder).splits == {"train": 36, "test": 4}
        (x, y), (held, held_labels) = data.arrays(folder), data.arrays(folder, "test")
        assert held_labels.tolist() == [0, 0, 0, 1]
        assert set(y) == {0, 1, 2}  # the only one of its class is kept
        grays = np.concatenate([x, held])[:, 0, 0, 0]
        assert sorted(grays) == list(range(40))
        assert len(data.arrays(folder, "train+test")[1]) == 40

    def test_stays_when_pictures_are_added(self, folder):
        before = {image.tobytes() for image in data.arrays(folder, "test")[0]}
        save(folder / "a" / "30.png", np.full((2, 2), 200))
        assert len(before & {image.tobytes() for image in data.arrays(folder, "test")[0]}) >= 3

    def test_pictures_without_labels_too(self, tmp_path):
        fill(tmp_path, *(f"{i:02d}.png" for i in range(20)))
        assert data.info(tmp_path).splits == {"train": 18, "test": 2}

    def test_nothing_of_a_few(self, tmp_path):
        fill(tmp_path, *(f"{i:02d}.png" for i in range(19)))
        assert data.info(tmp_path).splits == {"train": 19}
        with pytest.raises(ValueError, match=r"\['train'\].*split='test'"):
            data.load(tmp_path, "test")

    def test_a_validation_folder_is_the_test_split(self, tmp_path):
        fill(tmp_path, *(f"train/{i:02d}.png" for i in range(30)), "val/1.png")
        assert data.info(tmp_path).splits == {"train": 30, "validation": 1}
        np.testing.assert_array_equal(
            data.arrays(tmp_path, "test")[0], data.arrays(tmp_path, "validation")[0]
        )


class TestGeometry:
    def test_crop_takes_the_centered_square(self, tmp_path):
        wide = np.zeros((4, 8), np.uint8)
        wide[:, 2:6] = 200
        save(tmp_path / "wide.png", wide)
        save(tmp_path / "high.png", wide.T)
        x, _ = data.arrays(tmp_path, size=2, crop=True)
        assert (x == 200).all()
        squeezed, _ = data.arrays(tmp_path, size=2)
        assert (squeezed < 200).all()

    def test_padding_names_the_picture_that_does_not_fit(self, tmp_path):
        save(tmp_path / "a.png", np.zeros((4, 8)))
        with pytest.raises(ValueError, match="largest side, 8.*size=6"):
            data.arrays(tmp_path, size=6, pad=True)
        with pytest.raises(ValueError, match="padded or cropped"):
            data.arrays(tmp_path, size=8, pad=True, crop=True)
        with pytest.raises(ValueError, match="crop=True crops to size.*size=None"):
            data.arrays(tmp_path, crop=True)
