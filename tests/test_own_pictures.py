"""From a folder of pictures to a trained model: messages, errors and data."""

import numpy as np
import pytest
import small
from PIL import Image

import zoo
from zoo.preset import summaries
from zoo.preset import train as training
from zoo.preset.run import Run

PICTURES = 30


@pytest.fixture
def photos(tmp_path):
    """Pictures of several sizes, without classes."""
    rng = np.random.default_rng(0)
    (tmp_path / "photos").mkdir()
    for i in range(PICTURES):
        pixels = rng.integers(0, 256, (8 + i % 3, 8, 3), dtype=np.uint8)
        Image.fromarray(pixels).save(tmp_path / "photos" / f"{i:02d}.png")
    return tmp_path / "photos"


def _recipe(photos, **data):
    build = {"width": 4, "latent_dim": 8}
    return {**small.GAN, "build": build, "data": {"name": str(photos), **data}}


@pytest.mark.parametrize(
    "name", ["cgan_digits", "cvae_digits", "resnet_digits", "svae_digits_10pct", "ada_usps_mnist"]
)
def test_a_recipe_that_learns_from_labels_refuses_pictures_without_classes(photos, tmp_path, name):
    with pytest.raises(ValueError, match=rf"{name} learns from labels.*30 pictures have no class"):
        training.train(name, tmp_path / "run", data=photos)
    assert not (tmp_path / "run" / "run.json").exists()


def test_every_recipe_that_learns_from_labels_is_known(photos):
    refused = set()
    for name, recipe in zoo.RECIPES.items():
        try:
            summaries.summarize({**recipe, "data": {"name": str(photos), "size": 8}}, name)
        except ValueError:
            refused.add(recipe["model"])
    assert refused == {"GAN", "VAE", "SVAE", "AAE", "ADA", "ResNet"}


@pytest.mark.parametrize("stream", [False, True])
def test_what_was_found_is_printed_before_training(photos, tmp_path, capsys, stream):
    recipe = _recipe(photos, size=8, channels=1, crop=True, stream=stream)
    model = training.train(recipe, tmp_path / "run", epochs=1, verbose=2)
    printed = capsys.readouterr().out
    assert printed.startswith(f"data: {photos}\nimages: train 27, test 3\nclasses: none")
    assert model.sample(2).shape == (2, 8, 8, 1)
    assert len(Run(tmp_path / "run").history) == 1


def test_a_stream_trains_as_memory_does(photos, tmp_path):
    weights = []
    for stream in (False, True):
        recipe = _recipe(photos, size=8, channels=1, stream=stream)
        weights.append(small.train(recipe, tmp_path / str(stream), epochs=1).get_weights())
    for one, other in zip(*weights, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-4, atol=1e-5)


def test_a_broken_picture_of_a_stream_is_named(photos, tmp_path):
    (photos / "07.png").write_bytes(b"not a picture")
    recipe = _recipe(photos, size=8, channels=1, stream=True)
    with pytest.raises(Exception, match=r"A picture must be readable. Received: '.*07\.png'"):
        small.train(recipe, tmp_path / "run", epochs=1)
