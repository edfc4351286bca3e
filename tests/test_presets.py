"""The published presets: each loads into this version of the library and agrees with its SavedModel."""

from pathlib import Path

import h5py
import numpy as np
import pytest
import tensorflow as tf
from models import RECIPES, build, large_but

import zoo
from zoo.preset import calibrate
from zoo.preset.publish import facts

JUDGES = [name for name in zoo.presets() if "discriminate" in zoo.card(name)["endpoints"]]
CLASSES = {zoo.card(name)["model"]: name for name in zoo.presets()}  # a preset of each
ROOT = Path(zoo.__file__).parents[1] / "saved_models"


def argument(spec, rng):
    """A value for an input of an endpoint, of 2 rows."""
    if spec.dtype == tf.string:
        return tf.stack([tf.io.encode_png(rng.integers(0, 256, (9, 7, 3)).astype("uint8"))] * 2)
    if not spec.shape.rank:
        return tf.constant(3)
    return tf.constant(rng.random((2, *spec.shape[1:])) > 0.5, spec.dtype)


@pytest.mark.parametrize("name", large_but(CLASSES.values(), zoo.presets()))
def test_a_preset_is_its_saved_model(name):
    model, card = zoo.load(name), zoo.card(name)
    endpoints = model.endpoints()
    assert list(endpoints) == card["endpoints"]
    known = facts(model)
    for key in ("equation", "table_row", "image_shape", "num_classes", "parameters"):
        assert card[key] == known[key], key
    served = tf.saved_model.load(str(ROOT / name / "1")).signatures
    rng = np.random.default_rng(0)
    for endpoint in card["endpoints"]:
        function, signature = endpoints[endpoint]
        inputs = {key: argument(spec, rng) for key, spec in signature.items()}
        outputs = served[endpoint](**inputs)
        for key, value in function(**inputs).items():
            if value.dtype != tf.string:
                np.testing.assert_allclose(outputs[key], value, rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize("name", JUDGES)
def test_a_served_discriminator_tells_real_images_from_samples(name):
    """Accuracy on 500 images of each kind as on the card; for `digits` on all 360 test images."""
    card = zoo.card(name)
    shares = card["discriminator"]
    if card["recipe"]["data"]["name"] == "digits":
        found = calibrate.accuracy(zoo.load(name), card["recipe"]["data"])
        assert found == pytest.approx(shares, abs=0.01)
    assert (shares["real"] + shares["generated"]) / 2 > 0.6


@pytest.mark.parametrize("name", zoo.presets())
def test_a_preset_keeps_to_the_projects_budget(name):
    """6 MB, or 20 for a flagship: a clone of the project stays quick.  A user's own may have any size."""
    most = 20_000_000 if zoo.RECIPES.get(name, {}).get("flagship") else 6_000_000
    assert sum(path.stat().st_size for path in (ROOT / name).rglob("*") if path.is_file()) <= most


@pytest.mark.parametrize("name", RECIPES)
def test_files_keep_the_layout_of_those_published(name, tmp_path):
    """No other attribute gives a network.

    Keras walks a model's attributes in alphabetical order: a property that gave one, and stood before
    `layers`, would move its weights, and no older file would load.
    """
    build(name).save_weights(tmp_path / "m.weights.h5")
    with h5py.File(tmp_path / "m.weights.h5") as file:
        stored = []
        file.visititems(lambda path, item: stored.append(path) if hasattr(item, "shape") else None)
    assert {path.split("/")[0] for path in stored} <= {"eta", "layers", "optimizer", "vars"}
