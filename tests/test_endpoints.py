"""Served functions: rows of their own, assertions in words, pictures as bytes, binary pixels."""

import io

import numpy as np
import pytest
import tensorflow as tf
from models import build, digits
from PIL import Image

import tfgen
from tfgen import endpoints
from tfgen.data import encoded


def called(model, name, **arguments):
    """Return the outputs of a graph of the model's endpoint."""
    function, signature = model.endpoints()[name]
    return tf.function(function, input_signature=list(signature.values()))(**arguments)


class TestRows:
    """Row i is a function of its own inputs alone, whatever batch it is in."""

    @pytest.mark.parametrize("name", ["gan_digits", "cgan_digits", "infogan_digits"])
    def test_image_i_is_sampled_by_seed_i(self, name):
        model, seeds = build(name), np.array([7, -3, 7, 2**31 - 1], np.int32)
        labels = {"labels": np.array([1, 2, 3, 9], np.int32)} if model.conditional else {}
        images = called(model, "generate", seeds=seeds, **labels)["images"].numpy()
        for index, seed in enumerate(seeds):
            label = [labels["labels"][index]] if labels else None
            alone = model.sample(1, seed=int(seed), labels=label)[0]
            np.testing.assert_allclose(images[index], alone, atol=1e-5)

    @pytest.mark.parametrize("endpoint", ["reconstruct", "bound"])
    @pytest.mark.parametrize("name", ["vae_digits", "cvae_digits", "helmholtz_digits"])
    def test_noise_and_gray_pixels_are_the_rows_own(self, name, endpoint):
        model = build(name)
        arguments = {"images": digits(5)[0], "seeds": np.array([4, 4, 8, 1, 0], np.int32)}
        if model.conditional:
            arguments["labels"] = np.arange(5, dtype=np.int32)
        (together,) = called(model, endpoint, **arguments).values()
        for index in range(5):
            alone = {key: value[index : index + 1] for key, value in arguments.items()}
            (row,) = called(model, endpoint, **alone).values()
            np.testing.assert_allclose(together[index], row[0], rtol=1e-5, atol=1e-5)

    def test_generate_is_the_default_signature(self, tmp_path):
        tfgen.export(build("gan_digits"), tmp_path / "1")
        served = tf.saved_model.load(str(tmp_path / "1")).signatures["serving_default"]
        assert set(served.structured_input_signature[1]) == {"seeds"}
        assert served(seeds=tf.range(3))["images"].shape == (3, 8, 8, 1)


class TestAssertions:
    @pytest.mark.parametrize(
        ("endpoint", "arguments", "message"),
        [
            ("sample", {"n": -1, "seed": 0}, r"n must be from 0 to 100,000.*\[-1\]"),
            ("sample", {"n": 10**6, "seed": 0}, r"n must be from 0 to 100,000.*\[1000000\]"),
            ("sample_labels", {"labels": [0, 99, -1], "seed": 0}, r"from 0 to 9.*\[0 99 -1\]"),
            ("generate", {"seeds": [0], "labels": [10]}, r"labels must be from 0 to 9.*\[10\]"),
            ("generate_png", {"seeds": [0], "labels": [-1]}, "labels must be from 0 to 9"),
            ("generate", {"seeds": [0, 1], "labels": [1]}, "equally many rows.*2.*1"),
            ("decode", {"latents": np.zeros((1, 32), "f"), "labels": [10]}, "labels must be"),
            ("discriminate", {"images": np.zeros((1, 8, 8, 1), "f"), "labels": [-1]}, "labels"),
            (
                "discriminate",
                {"images": np.full((1, 8, 8, 1), np.nan, "f"), "labels": [0]},
                "finite",
            ),
            (
                "decode",
                {"latents": np.full((1, 32), -np.inf, "f"), "labels": [0]},
                "latents must be",
            ),
        ],
    )
    def test_the_graph_refuses_in_words(self, endpoint, arguments, message):
        model = build("cgan_digits")
        arguments = {key: tf.constant(value) for key, value in arguments.items()}
        with pytest.raises(tf.errors.InvalidArgumentError, match=message):
            called(model, endpoint, **arguments)

    def test_no_image_is_an_empty_batch(self):
        model = build("cgan_digits")
        none = tf.constant([], tf.int32)
        for name, arguments in {
            "sample": {"n": tf.constant(0), "seed": tf.constant(0)},
            "sample_labels": {"labels": none, "seed": tf.constant(0)},
            "generate": {"seeds": none, "labels": none},
        }.items():
            assert called(model, name, **arguments)["images"].shape == (0, 8, 8, 1)
        assert called(model, "generate_png", seeds=none, labels=none)["png_bytes"].shape == (0,)
        assert model.sample(0).shape == model.sample(0, labels=[]).shape == (0, 8, 8, 1)

    def test_many_images_are_decoded_in_chunks(self, monkeypatch):
        model, sizes = build("gan_digits"), []
        decode = model.decode

        def spied(latents, labels=None):
            tf.py_function(lambda x: sizes.append(len(x)), [latents], [])
            return decode(latents, labels)

        monkeypatch.setattr(model, "decode", spied)
        images = called(model, "sample", n=tf.constant(600), seed=tf.constant(1))["images"]
        assert sizes == [256, 256, 88]
        monkeypatch.undo()
        np.testing.assert_allclose(images, model.sample(600, seed=1), atol=1e-6)


def picture(mode, size, kind, **options):
    """A file of smooth noise in one of Pillow's modes, and the pixels that Pillow reads from it."""
    rng, channels = np.random.default_rng(len(mode)), len(Image.new(mode, (1, 1)).getbands())
    pixels = rng.integers(0, 256, (5, 4, channels), dtype=np.uint8)
    image = Image.fromarray(pixels[..., 0] if channels == 1 else pixels, mode=None)
    file = io.BytesIO()
    image.resize(size).save(file, kind, **options)
    return file.getvalue()


PICTURES = {
    "gray.png": picture("L", (12, 9), "PNG"),
    "color.png": picture("RGB", (20, 31), "PNG"),
    "small.png": picture("RGB", (3, 5), "PNG"),
    "gray.jpg": picture("L", (40, 33), "JPEG"),
    "color.jpg": picture("RGB", (33, 40), "JPEG"),
}


class TestBytes:
    @pytest.mark.parametrize("channels", [1, 3])
    @pytest.mark.parametrize("name", PICTURES)
    def test_a_picture_is_what_a_folder_of_it_gives(self, name, channels, tmp_path):
        (tmp_path / name).write_bytes(PICTURES[name])
        (batch, _) = next(iter(tfgen.data.load(tmp_path, size=16, channels=channels)))
        found = encoded.images(tf.constant([PICTURES[name]]), (16, 16, channels))
        np.testing.assert_allclose(found, batch, atol=1e-6)

    def test_transparency_lies_on_white_and_16_bits_keep_their_high_byte(self):
        alpha = np.array([[[0, 0, 0, 0], [255, 0, 0, 255]], [[10, 20, 30, 128], [0, 0, 0, 255]]])
        file = tf.io.encode_png(alpha.astype(np.uint8))
        found = encoded.images(file[None], (2, 2, 3))[0] * 255
        expected = [[[255, 255, 255], [255, 0, 0]], [[132, 137, 142], [0, 0, 0]]]
        np.testing.assert_allclose(found, expected, atol=1e-4)
        deep = tf.io.encode_png(np.array([[[0x12FF], [0xFF00]]], np.uint16))
        np.testing.assert_allclose(
            encoded.images(deep[None], (1, 2, 1))[0, 0, :, 0] * 255, [0x12, 0xFF], atol=1e-4
        )

    @pytest.mark.parametrize(
        ("name", "endpoint", "others"),
        [
            ("gan_digits", "discriminate", {}),
            ("cvae_digits", "reconstruct", {"seeds": [3, 4], "labels": [0, 1]}),
            ("resnet_digits", "features", {}),
            ("cyclegan_digits", "translate_ba", {}),
        ],
    )
    def test_an_endpoint_of_bytes_reads_those_images(self, name, endpoint, others):
        model = build(name)
        others = {key: tf.constant(value) for key, value in others.items()}
        files = tf.constant([PICTURES["color.png"], PICTURES["gray.jpg"]])
        found = called(model, f"{endpoint}_bytes", image_bytes=files, **others)
        images = encoded.images(files, model.image_shape)
        expected = called(model, endpoint, images=images, **others)
        for key, value in expected.items():
            np.testing.assert_allclose(found[key], value, rtol=1e-5, atol=1e-6)

    def test_the_domains_of_cyclegan_have_their_own_shapes(self):
        model = build("cyclegan_digits")
        model.image_shape_b = (8, 8, 3)  # as of a model of gray and color pictures
        _, signature = model.endpoints()["translate_ba"]
        assert signature["images"].shape == (None, 8, 8, 3)

    def test_generate_png_is_generate(self):
        model, seeds = build("gan_digits"), tf.range(3)
        files = called(model, "generate_png", seeds=seeds)["png_bytes"].numpy()
        images = called(model, "generate", seeds=seeds)["images"]
        for file, image in zip(files, images, strict=True):
            read = np.asarray(Image.open(io.BytesIO(file)))
            np.testing.assert_array_equal(read, np.rint(255 * image.numpy()[..., 0]))


class TestBinaryPixels:
    """A likelihood of binary pixels is served them: gray ones are drawn, binary ones stay."""

    def test_binary_images_stay_and_gray_ones_are_drawn_by_the_seed(self):
        model, images = build("vae_digits"), digits(64)[0]
        cut = (images > 0.5).astype(np.float32)
        seeds = tf.range(64)
        np.testing.assert_array_equal(endpoints.binary(model, cut, seeds), cut)
        np.testing.assert_array_equal(endpoints.binary(model, cut), cut)
        drawn = endpoints.binary(model, np.tile(images[:1], (4000, 1, 1, 1)), tf.range(4000))
        assert set(np.unique(drawn)) == {0.0, 1.0}
        assert np.abs(drawn.numpy().mean(axis=0) - images[0]).max() < 5 * 0.5 / np.sqrt(4000)

    @pytest.mark.parametrize("name", ["vae_digits", "helmholtz_digits"])
    def test_the_bound_of_gray_images_is_that_of_drawn_ones(self, name):
        model, images, seeds = build(name), digits(8)[0], tf.range(8)
        drawn = endpoints.binary(model, images, seeds)
        gray = called(model, "bound", images=images, seeds=seeds)["bound"]
        binary = called(model, "bound", images=drawn, seeds=seeds)["bound"]
        np.testing.assert_array_equal(gray, binary)
        latents = called(model, "encode", images=images)["latents"]
        again = called(model, "encode", images=endpoints.binary(model, images))["latents"]
        np.testing.assert_array_equal(latents, again)

    def test_other_likelihoods_read_gray(self):
        model, images = build("vae_digits", likelihood="gaussian"), digits(4)[0]
        assert endpoints.binary(model, images) is images
