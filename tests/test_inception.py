"""The literature's FID, by a stand-in for the network that it needs."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from tfgen import data
from tfgen.evaluation.inception import features, inception_fid
from tfgen.evaluation.metrics import frechet_distance

SIZE = 16


class Sampler:
    """Draws noise of the digits' shape."""

    def sample(self, n, seed=0):
        return np.random.default_rng(seed).random((n, 8, 8, 1), np.float32)


@pytest.fixture(scope="module")
def network():
    """Means of the quarters of each channel of an image of 16 pixels."""
    images = keras.Input((SIZE, SIZE, 3), name="images")
    pooled = keras.layers.AveragePooling2D(SIZE // 2)(images)
    return keras.Model(images, keras.layers.Flatten(name="pool_3")(pooled))


@pytest.fixture(scope="module", params=["file", "folder"])
def path(request, network, tmp_path_factory):
    folder = tmp_path_factory.mktemp("inception")
    if request.param == "file":
        network.save(folder / "inception.keras")
        return folder / "inception.keras"

    @tf.function(input_signature=[tf.TensorSpec((None, SIZE, SIZE, 3), tf.float32)])
    def serve(images):
        return {"logits": tf.zeros([tf.shape(images)[0], 7]), "pool_3": network(images)}

    module = tf.Module()
    module.network = network
    tf.saved_model.save(module, str(folder / "1"), signatures=serve)
    return folder / "1"


def expected(images):
    """Images of 8 pixels keep the means of their quarters when they are enlarged, but for the borders."""
    colored = tf.image.grayscale_to_rgb(tf.constant(images))
    enlarged = tf.image.resize(colored, [SIZE, SIZE]).numpy() * 2 - 1
    return enlarged.reshape(-1, 2, 8, 2, 8, 3).mean(axis=(2, 4)).reshape(len(images), -1)


def test_features_are_the_networks_on_rescaled_images(path):
    images = Sampler().sample(5)
    np.testing.assert_allclose(features(path)(images), expected(images), atol=1e-5)
    integers = np.rint(images * 255).astype(np.uint8)
    np.testing.assert_allclose(
        features(path)(integers), expected(integers / np.float32(255)), atol=1e-5
    )


def test_the_distance_is_that_of_the_moments_of_all_images(path):
    real = expected(data.arrays("digits", "test")[0] / np.float32(255))
    generated = expected(Sampler().sample(130, seed=4))
    moments = [(x.mean(axis=0), np.cov(x.T)) for x in (real, generated)]
    found = inception_fid(Sampler(), "digits", path, samples=130, split="test", seed=4)
    np.testing.assert_allclose(
        found.value, frechet_distance(*moments[0], *moments[1]), rtol=1e-3, atol=1e-5
    )
    assert found.low < found.value < found.high


def test_what_is_no_network_is_refused(tmp_path):
    with pytest.raises(FileNotFoundError, match="Received: network="):
        features(tmp_path)
    with pytest.raises(ValueError, match="Received: samples=3"):
        inception_fid(Sampler(), "digits", tmp_path, samples=3)


def test_images_of_another_shape_are_refused(path, monkeypatch):
    real = np.zeros((3, 9, 9, 1), np.uint8), np.zeros(3, np.int32)
    monkeypatch.setattr(data, "arrays", lambda name, split: real)
    with pytest.raises(ValueError, match=r"Received: real=\(9, 9, 1\), generated=\(8, 8, 1\)"):
        inception_fid(Sampler(), "digits", path, samples=4)


COLORED = (tf.TensorSpec((None, SIZE, SIZE, 3), tf.float32),)


def saved(folder, outputs, inputs=COLORED):
    """A SavedModel that returns outputs of the mean of each channel, or none of its signatures."""

    @tf.function(input_signature=inputs)
    def serve(images, *_):
        return {name: of(images) for name, of in outputs.items()}

    tf.saved_model.save(tf.Module(), str(folder), signatures=serve if outputs else None)
    return folder


def flat(images):
    return tf.reduce_mean(images, [1, 2])


def classes(images):
    return tf.argmax(flat(images), axis=1)


def test_a_map_of_one_pixel_is_pooled(tmp_path):
    outputs = {"features": lambda images: flat(images)[:, None, None]}
    images = Sampler().sample(3)
    np.testing.assert_allclose(
        features(saved(tmp_path, outputs))(images), expected(images).reshape(3, 4, 3).mean(axis=1),
        atol=0.05,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("outputs", "message"),
    [
        ({}, "signature serving_default"),
        ({"classes": classes, "features": flat}, "one must be pool_3. Received: classes, features"),
        ({"classes": lambda x: classes(x)[:, None]}, "as pooled. Received: int64"),
        ({"maps": lambda images: images}, "as pooled. Received: float32"),
    ],
)
def test_outputs_that_are_no_features_are_refused(outputs, message, tmp_path):
    with pytest.raises(ValueError, match=message):
        features(saved(tmp_path, outputs))(Sampler().sample(2))


def test_networks_of_other_images_are_refused(tmp_path):
    two = [tf.TensorSpec((None, SIZE, SIZE, 3), tf.float32, name=name) for name in "ab"]
    with pytest.raises(ValueError, match="one input. Received"):
        features(saved(tmp_path / "two", {"a": flat}, two))
    gray = [tf.TensorSpec((None, SIZE, SIZE, 1), tf.float32)]
    with pytest.raises(ValueError, match="must read RGB images"):
        features(saved(tmp_path / "gray", {"a": flat}, gray))
    images = keras.Input((SIZE, SIZE, 3))
    keras.Model(images, [images, images]).save(tmp_path / "two.keras")
    with pytest.raises(ValueError, match="1 inputs and 2 outputs"):
        features(tmp_path / "two.keras")


@pytest.mark.parametrize("images", [np.full((2, 8, 8, 1), 255.0), np.zeros((2, 8, 8, 1), np.int32)])
def test_images_of_another_range_are_refused(path, images):
    with pytest.raises((ValueError, TypeError), match=r"\[0, 1\]"):
        features(path)(images)
