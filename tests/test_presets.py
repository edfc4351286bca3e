"""The published presets: each loads into this version of the library and agrees with its SavedModel."""

from pathlib import Path

import h5py
import numpy as np
import pytest
import tensorflow as tf
from models import RECIPES, build

import zoo

ROOT = Path(zoo.__file__).parents[1] / "saved_models"


@pytest.mark.parametrize("name", zoo.presets())
def test_a_preset_is_its_saved_model(name):
    model, card = zoo.load(name), zoo.card(name)
    assert list(model.endpoints()) == card["endpoints"]
    row = model.row
    assert card["row"] == (list(row) if isinstance(row, tuple) else row)
    served = tf.saved_model.load(str(ROOT / name / "1")).signatures
    rng = np.random.default_rng(0)
    for endpoint, (function, signature) in model.endpoints().items():
        inputs = {
            key: tf.constant(3)
            if not spec.shape.rank
            else tf.constant(rng.random((2, *spec.shape[1:])) > 0.5, spec.dtype)
            for key, spec in signature.items()
        }
        outputs = served[endpoint](**inputs)
        for key, value in function(**inputs).items():
            np.testing.assert_allclose(outputs[key], value, rtol=1e-3, atol=1e-4)


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
