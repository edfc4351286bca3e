"""Grids are checked pixel by pixel, arcs by geometry, and written files by what interrupts them."""

import builtins

import numpy as np
import pytest
import tensorflow as tf
from models import build, digits
from PIL import Image
from scipy import stats
from sklearn.decomposition import PCA

from tfgen import networks
from tfgen.drawing import pictures, plots
from tfgen.drawing.tiles import CAPTION, GAP
from zoo.models.svae import SVAE
from zoo.models.vae import VAE


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
        (images(), {"labels": [1, 2]}, ValueError, "labels must be one per image"),
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
    latents = model.prior(4, 4)
    labels = np.array([7, 1], "int32")
    for column, ends in ((0, latents[:2]), (2, latents[2:])):
        expected = pictures.grid(model.decode(ends, labels).numpy(), labels, columns=1)
        across = (picture.width - GAP) // 3
        drawn = picture.crop((column * across, 0, column * across + expected.width, picture.height))
        np.testing.assert_allclose(np.asarray(drawn, int), np.asarray(expected, int), atol=1)


def test_an_interpolation_without_classes_has_no_labels():
    model = build("gan_digits")
    picture = pictures.interpolation(model, rows=2, columns=3)
    assert picture.size == (3 * (64 + GAP) + GAP, 2 * (64 + GAP) + GAP)


def test_an_interpolation_has_two_ends():
    with pytest.raises(ValueError, match="columns=1"):
        pictures.interpolation(build("gan_digits"), columns=1)


def vae(num_classes=None, latent_dim=3):
    theta = networks.mlp_generator((8, 8, 1), latent_dim, 8, num_classes)
    eta = networks.mlp_encoder((8, 8, 1), latent_dim, 8, num_classes)
    return VAE(theta, eta, num_classes=num_classes)


class TestReconstructions:
    def test_originals_stand_above_what_is_decoded_of_their_codes(self):
        """Five images in rows of three: two rows of originals, each above its reconstructions."""
        model, images = vae(), digits(5)[0]
        rebuilt = model.endpoints()["reconstruct"][0](images=images, seeds=tf.range(4, 9))[
            "images"
        ].numpy()
        picture = pictures.reconstructions(model, images, seed=4)
        for index, (image, decoded) in enumerate(zip(images, rebuilt, strict=True)):
            row, column = divmod(index, 3)
            for place, pixels in ((2 * row, image), (2 * row + 1, decoded)):
                expected = np.kron(np.rint(pixels[..., 0] * 255), np.ones((8, 8)))
                np.testing.assert_array_equal(tile(picture, place, column, 64), expected)
        assert (tile(picture, 2, 2, 64) == 255).all()
        assert (tile(picture, 3, 2, 64) == 255).all()

    def test_the_seed_draws_the_codes(self):
        model, images = vae(), digits(4)[0]
        first, again, other = (
            np.asarray(pictures.reconstructions(model, images, seed=seed)) for seed in (1, 1, 2)
        )
        np.testing.assert_array_equal(first, again)
        assert (first != other).any()

    @pytest.mark.parametrize("kind", ["cvae", "svae"])
    def test_labels_are_read_and_stand_above_the_originals(self, kind):
        model = vae(10)
        if kind == "svae":
            omega = networks.mlp_classifier((8, 8, 1), 10, 8)
            model = SVAE(model.theta, model.eta, omega)
        images, labels = digits(4)
        picture = pictures.reconstructions(model, images, labels)
        assert picture.height == pictures.reconstructions(vae(), images).height + 4 * CAPTION
        captions = [
            np.asarray(picture)[row * (CAPTION + 64 + GAP) + GAP :][:CAPTION] for row in range(4)
        ]
        assert [strip.min() < 128 for strip in captions] == [True, False, True, False]
        other = pictures.reconstructions(model, images, (labels + 1) % 10)
        below = tile(picture, 1, 0, 64, CAPTION), tile(other, 1, 0, 64, CAPTION)
        assert (below[0] != below[1]).any()

    @pytest.mark.parametrize(
        ("spoil", "labels", "error", "rule"),
        [
            (lambda x: x * 255, None, ValueError, r"must lie in \[0, 1\]"),
            (lambda x: x[:, :6], None, ValueError, r"shape \(n, 8, 8, 1\)"),
            (lambda x: x[:0], None, ValueError, "at least one image"),
            (lambda x: x, [0, 1], ValueError, "one per image"),
            (lambda x: x, None, ValueError, "Received: labels=None"),
        ],
    )
    def test_bad_input_is_refused(self, spoil, labels, error, rule):
        with pytest.raises(error, match=rule):
            pictures.reconstructions(vae(10), spoil(digits(4)[0]), labels)


class TestLatentMap:
    def scattered(self, figure):
        """{legend entry: points} of a map."""
        [axis] = figure.axes
        return {points.get_label(): np.asarray(points.get_offsets()) for points in axis.collections}

    def test_two_units_are_shown_as_they_are_by_class(self):
        model, (images, labels) = vae(latent_dim=2), digits(50)
        images = np.round(images)  # gray pixels would be drawn
        means = model.eta(images)["mean"].numpy()
        found = self.scattered(pictures.latent_map(model, images, labels))
        assert list(found) == [str(label) for label in range(10)]
        for label in range(10):
            np.testing.assert_allclose(found[str(label)], means[labels == label], rtol=1e-6)

    def test_more_units_by_their_principal_components(self):
        model, (images, labels) = vae(10, latent_dim=5), digits(50)
        images = np.round(images)  # gray pixels would be drawn
        means = model.eta([images, labels])["mean"].numpy()
        figure = pictures.latent_map(model, images, labels)
        found = np.concatenate([*self.scattered(figure).values()])
        components = PCA(2).fit(means)
        expected = components.transform(means[np.argsort(labels, kind="stable")])
        np.testing.assert_allclose(np.abs(found), np.abs(expected), atol=1e-4)
        share = components.explained_variance_ratio_[0]
        assert figure.axes[0].get_xlabel() == f"principal component 1, {share:.0%}"

    def test_is_written_as_a_picture(self, tmp_path):
        figure = pictures.latent_map(vae(latent_dim=2), *digits(20))
        with Image.open(plots.save(figure, tmp_path / "map.png")) as picture:
            assert min(picture.size) > 300

    def test_needs_matplotlib(self, monkeypatch):
        imported = builtins.__import__

        def missing(name, *args, **kwargs):
            if name.startswith("matplotlib"):
                raise ImportError(name)
            return imported(name, *args, **kwargs)

        monkeypatch.setattr(builtins, "__import__", missing)
        with pytest.raises(ImportError, match="needs the package matplotlib"):
            pictures.latent_map(vae(latent_dim=2), *digits(20))

    @pytest.mark.parametrize(
        ("latent_dim", "count", "labels", "rule"),
        [
            (1, 20, lambda t: t, "Received: latent_dim=1, 20 images"),
            (2, 1, lambda t: t, "Received: latent_dim=2, 1 images"),
            (2, 20, lambda t: t[:-1], "one per image"),
            (2, 20, lambda t: None, "Received: labels=None"),
        ],
    )
    def test_bad_input_is_refused(self, latent_dim, count, labels, rule):
        images, classes = digits(count)
        with pytest.raises(ValueError, match=rule):
            pictures.latent_map(vae(latent_dim=latent_dim), images, labels(classes))


class TestLatentPlane:
    @pytest.mark.parametrize("label", [None, 4])
    def test_tiles_lie_at_quantiles_of_the_prior(self, label):
        model = vae(None if label is None else 10, latent_dim=2)
        picture = pictures.latent_plane(model, columns=3, label=label)
        for row, column in np.ndindex(3, 3):
            shares = np.array([(column + 0.5) / 3, (2 - row + 0.5) / 3])
            latents = stats.norm.ppf(shares)[None].astype("float32")
            labels = None if label is None else np.array([label], "int32")
            decoded = model.decode(tf.constant(latents), labels).numpy()
            expected = np.asarray(pictures.grid(decoded), int)
            drawn = np.asarray(tile(picture, row, column, 64), int)
            np.testing.assert_allclose(drawn, expected[GAP:-GAP, GAP:-GAP], atol=1)

    def test_a_class_is_chosen_where_none_is_given(self):
        model = vae(10, latent_dim=2)
        first, zero = (np.asarray(pictures.latent_plane(model, 2, label)) for label in (None, 0))
        np.testing.assert_array_equal(first, zero)

    def test_a_plane_has_two_dimensions(self):
        with pytest.raises(ValueError, match="latent_dim must be 2. Received: latent_dim=3"):
            pictures.latent_plane(vae())

    def test_other_classes_are_refused(self):
        with pytest.raises(ValueError, match="from 0 to 9"):
            pictures.latent_plane(vae(10, latent_dim=2), label=10)


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
