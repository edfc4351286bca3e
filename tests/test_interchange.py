"""Decoders in other runtimes give the images of `model.decode`."""

import warnings

import numpy as np
import onnxruntime
import pytest
import tensorflow as tf
from click.testing import CliRunner

import zoo
from tfgen import interchange
from zoo import cli

DIGITS = [name for name in zoo.presets() if zoo.card(name)["recipe"]["data"]["name"] == "digits"]
GENERATORS = [name for name in DIGITS if "decode" in zoo.card(name)["endpoints"]]


def codes(model, n=5):
    """Inputs of `decode`."""
    feed = {"latents": np.asarray(model.prior(n, 0))}
    return {**feed, "labels": np.arange(n, dtype=np.int32)} if model.conditional else feed


@pytest.mark.parametrize("name", GENERATORS)
def test_onnx_decodes_as_the_preset(name, tmp_path):
    model = zoo.load(name)
    path = interchange.onnx(model, tmp_path / "decoder.onnx")
    session = onnxruntime.InferenceSession(path)
    feed = codes(model)
    assert {given.name for given in session.get_inputs()} == feed.keys()
    [images] = session.run(["images"], feed)
    np.testing.assert_allclose(images, model.decode(*feed.values()), atol=1e-5)


@pytest.mark.parametrize("name", ["cgan_digits", "vae_digits", "helmholtz_digits"])
def test_litert_decodes_as_the_preset(name, tmp_path):
    model = zoo.load(name)
    path = interchange.litert(model, tmp_path / "decoder.tflite")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # TensorFlow's interpreter moves to another package
        interpreter = tf.lite.Interpreter(str(path))
    feed = codes(model)
    images = interpreter.get_signature_runner()(**feed)["images"]
    np.testing.assert_allclose(images, model.decode(*feed.values()), atol=1e-5)


@pytest.mark.parametrize("convert", [interchange.onnx, interchange.litert])
def test_a_model_without_a_decoder_is_refused(convert, tmp_path):
    with pytest.raises(TypeError, match="has no endpoint `decode`"):
        convert(zoo.load("resnet_digits"), tmp_path / "file")
    assert not any(tmp_path.iterdir())


def test_without_its_package_onnx_names_the_extra(tmp_path, monkeypatch):
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(ImportError, match=r"tfgen\[onnx\]"):
        interchange.onnx(zoo.load("vae_digits"), tmp_path / "file.onnx")


class TestCommand:
    def run(self, *arguments):
        return CliRunner().invoke(cli.main, ["export", *map(str, arguments)])

    def test_writes_the_file(self, tmp_path):
        path = tmp_path / "new" / "vae.onnx"
        result = self.run("vae_digits", "--format", "onnx", "--out", path)
        assert result.output.strip().endswith(str(path))
        assert path.is_file()

    def test_a_file_of_another_name_is_refused_before_loading(self, tmp_path):
        result = self.run("gone", "--format", "litert", "--out", tmp_path / "vae.onnx")
        assert result.exit_code == 1
        assert "ends in .tflite. Received: --out" in result.output
