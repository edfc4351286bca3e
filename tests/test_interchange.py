"""Files for other runtimes compute as the presets do."""

import warnings

import numpy as np
import onnxruntime
import pytest
import tensorflow as tf
from click.testing import CliRunner
from models import build, digits, large_but

import zoo
from tfgen import interchange
from zoo import cli

DIGITS = {n: zoo.card(n) for n in zoo.presets() if zoo.card(n)["data"]["name"] == "digits"}
CLASSES = {card["model"]: name for name, card in DIGITS.items()}  # a preset of each


def asked(model):
    """The endpoint that a file holds, and 5 rows of its inputs."""
    name = next(name for name in interchange.ENDPOINTS if name in model.endpoints())
    function, signature = model.endpoints()[name]
    feed = {
        "latents": np.asarray(model.prior(5, 0)) if "latents" in signature else None,
        "labels": np.arange(5, dtype=np.int32),
        "images": digits(5)[0],
    }
    return function, {key: feed[key] for key in signature}


def assert_equal(found, expected, feed):
    assert found.keys() == {f"{key}_out" if key in feed else key for key in expected}
    for key, value in expected.items():
        given = found[f"{key}_out" if key in feed else key]
        np.testing.assert_allclose(given, value, atol=1e-5)


@pytest.mark.parametrize("name", large_but(CLASSES.values(), DIGITS))
def test_onnx_computes_as_the_preset(name, tmp_path):
    model = zoo.load(name)
    session = onnxruntime.InferenceSession(interchange.onnx(model, tmp_path / "model.onnx"))
    function, feed = asked(model)
    assert {given.name for given in session.get_inputs()} == feed.keys()
    names = [output.name for output in session.get_outputs()]
    assert_equal(dict(zip(names, session.run(names, feed), strict=True)), function(**feed), feed)


@pytest.mark.parametrize("name", CLASSES.values())
def test_litert_computes_as_the_preset(name, tmp_path):
    model = zoo.load(name)
    path = interchange.litert(model, tmp_path / "model.tflite")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # TensorFlow's interpreter moves to another package
        interpreter = tf.lite.Interpreter(str(path))
    function, feed = asked(model)
    assert_equal(interpreter.get_signature_runner()(**feed), function(**feed), feed)


@pytest.mark.parametrize("convert", [interchange.onnx, interchange.litert])
def test_a_model_of_no_such_endpoint_is_refused(convert, tmp_path, monkeypatch):
    model = build("gan_digits")
    only = {"generate": model.endpoints()["generate"]}
    monkeypatch.setattr(type(model), "endpoints", lambda self: only)
    with pytest.raises(
        TypeError, match="holds one endpoint.*decode, translate_ab, classify.*gener"
    ):
        convert(model, tmp_path / "file")
    assert not any(tmp_path.iterdir())


def test_without_its_package_onnx_names_the_extra(tmp_path, monkeypatch):
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(ImportError, match=r"tfgen-zoo\[onnx\]"):
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
