"""Grids are checked pixel by pixel, arcs by geometry, and written files by what interrupts them."""

import numpy as np
import pytest
from models import build
from PIL import Image

from tfgen import pictures
from tfgen.pictures import CAPTION, GAP
from tfgen.unified import prior


def images(n=3, size=2, channels=1):
    return np.random.default_rng(0).random((n, size, size, channels), dtype=np.float32)


def tile(picture, row, column, size, caption=0):
    left, top = GAP + column * (size + GAP), GAP + row * (caption + size + GAP) + caption
    return np.asarray(picture)[top : top + size, left : left + size]


@pytest.mark.parametrize("channels", [1, 3])
def test_tiles_hold_the_images_in_reading_order(channels):
    batch = images(3, channels=channels)
    picture = pictures.grid(batch, columns=2, scale=1)
    assert picture.size == (2 * 2 + 3 * GAP, 2 * 2 + 3 * GAP)
    assert picture.mode == {1: "L", 3: "RGB"}[channels]
    for index, image in enumerate(batch):
        expected = np.rint(image.squeeze() * 255)
        np.testing.assert_array_equal(tile(picture, index // 2, index % 2, 2), expected)
    assert (tile(picture, 1, 1, 2) == 255).all()  # the fourth place is empty
    assert (np.asarray(picture)[:GAP] == 255).all()


def test_a_pixel_becomes_a_square():
    batch = images(1)
    picture = pictures.grid(batch, scale=3)
    expected = np.kron(np.rint(batch[0, ..., 0] * 255), np.ones((3, 3)))
    np.testing.assert_array_equal(tile(picture, 0, 0, 6), expected)


@pytest.mark.parametrize(("size", "shown"), [(8, 64), (28, 84), (32, 64), (64, 64), (100, 100)])
def test_small_images_are_enlarged_until_they_are_visible(size, shown):
    assert pictures.grid(images(1, size)).size == (shown + 2 * GAP, shown + 2 * GAP)


@pytest.mark.parametrize(("n", "columns", "rows"), [(1, 1, 1), (2, 2, 1), (10, 4, 3), (64, 8, 8)])
def test_a_grid_is_about_square(n, columns, rows):
    picture = pictures.grid(images(n), scale=1)
    assert picture.size == (columns * (2 + GAP) + GAP, rows * (2 + GAP) + GAP)


def test_labels_stand_above_their_tiles():
    batch = images(4, size=20)
    plain = pictures.grid(batch, columns=2, scale=1)
    picture = pictures.grid(batch, ["0", "", "", "7"], columns=2, scale=1)
    assert picture.height == plain.height + 2 * CAPTION
    pixels = np.asarray(picture)
    for index in range(4):
        row, column = divmod(index, 2)
        drawn = tile(picture, row, column, 20, CAPTION)
        np.testing.assert_array_equal(drawn, tile(plain, row, column, 20))
        left, top = GAP + column * (20 + GAP), GAP + row * (CAPTION + 20 + GAP)
        strip = pixels[top : top + CAPTION, left : left + 20]
        assert (strip.min() < 128) == (index in (0, 3))


@pytest.mark.parametrize(
    ("batch", "arguments", "error", "rule"),
    [
        (images()[0], {}, ValueError, "images must have shape"),
        (images(0), {}, ValueError, "images must have shape"),
        (images(channels=2), {}, ValueError, "images must have shape"),
        ((images() * 255).astype("uint8"), {}, TypeError, "divide 8-bit values by 255"),
        (images() * 255, {}, ValueError, r"must lie in \[0, 1\]"),
        (images() * np.nan, {}, ValueError, "must be finite"),
        (images(), {"labels": [1, 2]}, ValueError, "labels must be one an image"),
        (images(), {"columns": 0}, ValueError, "columns must be at least 1"),
        (images(), {"scale": 0}, ValueError, "scale must be at least 1"),
        (images(), {"scale": 9999}, ValueError, "at most 100,000,000 pixels"),
    ],
)
def test_bad_input_is_refused(batch, arguments, error, rule):
    with pytest.raises(error, match=rule):
        pictures.grid(batch, **arguments)


def test_an_arc_keeps_its_ends_and_the_length_between():
    start, end = np.eye(2, dtype=np.float32)[:, None]  # (1, 2) each, at a right angle
    arc = pictures.spherical(start, end, 5)[0]
    angle = np.linspace(0, np.pi / 2, 5)
    np.testing.assert_allclose(arc, np.stack([np.cos(angle), np.sin(angle)], -1), atol=1e-6)


def test_an_arc_between_parallel_codes_is_a_line():
    start = np.array([[1.0, 2.0]])
    arc = pictures.spherical(start, 3 * start, 3)[0]
    np.testing.assert_allclose(arc, [[1, 2], [2, 4], [3, 6]], rtol=1e-6)


def test_rows_of_an_interpolation_run_between_draws_of_the_prior():
    model = build("cgan_digits")
    picture = pictures.interpolation(model, rows=2, columns=3, seed=4, labels=[7, 1])
    latents = prior(4, model.latent_dim, 4)
    labels = np.array([7, 1], "int32")
    for column, ends in ((0, latents[:2]), (2, latents[2:])):
        expected = pictures.grid(model.decode(ends, labels).numpy(), labels, columns=1)
        across = (picture.width - GAP) // 3
        drawn = picture.crop((column * across, 0, column * across + expected.width, picture.height))
        np.testing.assert_allclose(np.asarray(drawn, int), np.asarray(expected, int), atol=1)


def test_an_interpolation_has_two_ends():
    with pytest.raises(ValueError, match="columns=1"):
        pictures.interpolation(build("gan_digits"), columns=1)


def test_samples_show_the_labels_of_conditional_models_only():
    labelled = pictures.samples(build("cgan_digits"), 4)
    assert labelled.height == pictures.samples(build("gan_digits"), 4).height + 2 * CAPTION


def test_a_saved_picture_is_read_back(tmp_path):
    picture = pictures.grid(images())
    path = pictures.save(picture, tmp_path / "new" / "a.png")
    with Image.open(path) as read:
        np.testing.assert_array_equal(np.asarray(read), np.asarray(picture))


def test_an_interrupted_write_leaves_the_good_picture(tmp_path, monkeypatch):
    path = pictures.save(pictures.grid(images()), tmp_path / "a.png")
    good = path.read_bytes()

    def interrupted(self, file, **_):
        file.write_bytes(b"half")
        raise KeyboardInterrupt

    monkeypatch.setattr(Image.Image, "save", interrupted)
    with pytest.raises(KeyboardInterrupt):
        pictures.save(pictures.grid(images()), path)
    assert path.read_bytes() == good
    assert list(tmp_path.iterdir()) == [path]


def test_a_picture_is_a_png_file(tmp_path):
    with pytest.raises(ValueError, match=r"must end in \.png"):
        pictures.save(pictures.grid(images()), tmp_path / "a.jpg")
    assert not any(tmp_path.iterdir())
