"""Warm-up requests: written beside a SavedModel, replayed before others' are taken."""

import logging
import shutil

import numpy as np
import pytest
import tensorflow as tf
import toys
from click.testing import CliRunner
from tensorflow_serving.apis.prediction_log_pb2 import PredictionLog

from tfgen import serving
from tfgen.serving import warmup
from tfgen.serving.servable import Servable
from zoo import cli


def stored(path):
    """The requests of a file, as {signature: {input: array}}."""
    logs = map(PredictionLog.FromString, tf.data.TFRecordDataset(str(path)).as_numpy_iterator())
    requests = [log.predict_log.request for log in logs]
    return {
        r.model_spec.signature_name: {k: tf.make_ndarray(v) for k, v in r.inputs.items()}
        for r in requests
    }


def logged(**inputs):
    log = PredictionLog()
    for name, value in inputs.items():
        log.predict_log.request.inputs[name].CopyFrom(tf.make_tensor_proto(value))
    return log


def write(folder, logs):
    path = folder / warmup.FILE
    path.parent.mkdir(exist_ok=True)
    with tf.io.TFRecordWriter(str(path)) as writer:
        for log in logs:
            writer.write(log.SerializeToString())
    return path


def available(source):
    """The versions that load, all others being refused."""
    served = serving.service([source])
    served.registry.poll()
    return served.registry.models[source.name].available()


def test_an_export_asks_each_endpoint_once_and_the_server_replays_it(tmp_path, monkeypatch):
    result = CliRunner().invoke(
        cli.main, ["export", "cgan_digits", "--out", str(tmp_path / "m"), "--warmup"]
    )
    assert result.exit_code == 0, result.output
    requests = stored(tmp_path / "m" / "1" / warmup.FILE)
    assert set(requests) == set(tf.saved_model.load(str(tmp_path / "m" / "1")).signatures)
    np.testing.assert_array_equal(requests["generate"]["seeds"], [1])
    np.testing.assert_array_equal(requests["generate"]["labels"], [1])
    [picture] = requests["discriminate_bytes"]["image_bytes"]
    assert tf.io.decode_png(picture).shape == (1, 1, 1)
    asked = []
    real = Servable.predict
    monkeypatch.setattr(
        Servable,
        "predict",
        lambda self, name, tensors: asked.append(name) or real(self, name, tensors),
    )
    assert available(serving.Source("m", tmp_path / "m")) == [1]
    assert sorted(asked) == sorted(requests)


def test_only_a_savedmodel_has_warm_up_requests(tmp_path):
    arguments = ["export", "cgan_digits", "--out", str(tmp_path / "m.onnx"), "--format", "onnx"]
    result = CliRunner().invoke(cli.main, [*arguments, "--warmup"])
    assert result.exit_code == 1
    assert "Received: --format onnx" in result.stderr


def unnamed():
    log = PredictionLog()
    log.session_run_log.SetInParent()
    return log


@pytest.mark.parametrize(
    ("logs", "words"),
    [
        ([logged(x=[[2.0, 4.0]])], None),
        ([logged(x=[[2.0, 4.0]]), logged(x=[[2.0]])], "must have the shape"),
        ([logged(x=[[2.0, 4.0]])] * (warmup.MOST + 1), "more than 1000 records"),
        ([unnamed()], "Received: session_run_log"),
    ],
)
def test_a_request_that_fails_fails_the_version(toys_folder, tmp_path, caplog, logs, words):
    shutil.copytree(toys_folder / "toy" / "1", tmp_path / "1")
    write(tmp_path / "1", logs)
    with caplog.at_level(logging.WARNING, "tfgen.serving"):
        found = available(serving.Source("m", tmp_path))
    assert found == ([] if words else [1])
    assert not words or words in caplog.text


def test_a_damaged_file_fails_the_version(toys_folder, tmp_path, caplog):
    shutil.copytree(toys_folder / "toy" / "1", tmp_path / "1")
    path = write(tmp_path / "1", [logged(x=[[2.0, 4.0]])] * 2)
    path.write_bytes(path.read_bytes()[:-5])
    with caplog.at_level(logging.WARNING, "tfgen.serving"):
        assert available(serving.Source("m", tmp_path)) == []
    assert "damaged after record 1" in caplog.text


def test_examples_are_replayed_too(tmp_path):
    toys.write_examples(tmp_path / "1")
    example = tf.train.Example()
    example.features.feature["x"].float_list.value[:] = [0.25]
    classify, regress = PredictionLog(), PredictionLog()
    classify.classify_log.request.input.example_list.examples.append(example)
    regress.regress_log.request.model_spec.signature_name = "regress"
    regress.regress_log.request.input.example_list_with_context.context.CopyFrom(example)
    regress.regress_log.request.input.example_list_with_context.examples.add()
    write(tmp_path / "1", [classify, regress])
    assert available(serving.Source("m", tmp_path)) == [1]
