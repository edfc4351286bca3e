"""Networks as users build them: inputs in any structure, and float64 from end to end."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import layers
from models import build, digits, precision

import tfgen
import zoo

SHAPE, LATENTS = (8, 8, 1), 4


def from_codes(z, labels=None):
    x = layers.Dense(64)(z)
    if labels is not None:
        x = x + layers.Embedding(10, 64)(labels)
    return layers.Reshape(SHAPE)(layers.Activation("sigmoid")(x))


def from_images(images, labels=None):
    x = layers.Flatten()(images)
    if labels is not None:
        x = layers.Concatenate()([x, layers.Embedding(10, 4)(labels)])
    return layers.Dense(1)(x)


STRUCTURES = {  # (images or codes [, labels]) -> what `keras.Model` is given
    "alone": lambda x: x,
    "list of one": lambda x: [x],
    "dictionary of one": lambda x: {"a": x},
    "list": lambda x, t: [x, t],
    "tuple": lambda x, t: (x, t),
    "dictionary": lambda x, t: {"a": x, "labels": t},
}


def model_of(structure, conditional):
    ends = []
    for shape, function in (((LATENTS,), from_codes), (SHAPE, from_images)):
        given = [keras.Input(shape, name="a")]
        given += [keras.Input((), dtype="int32", name="labels")] if conditional else []
        ends.append(keras.Model(STRUCTURES[structure](*given), function(*given)))
    return zoo.GAN(*ends, num_classes=10 if conditional else None)


@pytest.mark.parametrize("structure", STRUCTURES)
def test_inputs_of_any_structure_are_met_without_a_warning(structure, tmp_path):
    """F24: warnings are errors here."""
    model = model_of(structure, structure in ("list", "tuple", "dictionary"))
    model.compile("adam")
    images, labels = digits(32)
    model.fit(images, labels, verbose=0)
    expected = model.sample(3, seed=1)
    model.predict((images, labels) if model.conditional else images, verbose=0)
    model.save(tmp_path / "m.keras")
    np.testing.assert_array_equal(zoo.load(tmp_path / "m.keras").sample(3, seed=1), expected)
    tfgen.export(model, tmp_path / "1")
    served = tf.saved_model.load(str(tmp_path / "1")).signatures["sample"]
    found = served(n=tf.constant(3), seed=tf.constant(1))["images"]
    np.testing.assert_allclose(found, expected, atol=1e-6)


def test_labels_come_second():
    z, t = keras.Input((LATENTS,), name="z"), keras.Input((), dtype="int32", name="labels")
    theta = keras.Model({"z": z, "labels": t}, from_codes(z, t))
    i = keras.Input(SHAPE)
    phi = keras.Model([i, t], from_images(i, t))
    with pytest.raises(
        ValueError, match="Labels must be a network's second input.* Received: theta"
    ):
        zoo.GAN(theta, phi, num_classes=10)


def test_a_file_and_an_export_of_float64_give_its_images(tmp_path):
    """F25; that all members learn in it is in tests/test_contract.py."""
    images, labels = digits(32)
    with precision("float64"):
        model = build("cvae_digits")
        model.fit(images, labels, verbose=0, validation_data=(images, labels))
        model.save(tmp_path / "m.keras")
        loaded = zoo.load(tmp_path / "m.keras")
        tfgen.export(model, tmp_path / "1")
    assert "float64" in {variable.dtype for variable in loaded.trainable_variables}
    expected = model.sample(3, seed=1)
    assert expected.dtype == np.float32
    np.testing.assert_allclose(loaded.sample(3, seed=1), expected, atol=1e-6)
    served = tf.saved_model.load(str(tmp_path / "1")).signatures["sample"]
    found = served(n=tf.constant(3), seed=tf.constant(1))["images"]
    np.testing.assert_allclose(found, expected, atol=1e-6)
