"""TensorFlow Serving's gRPC interface."""

import itertools
import shutil
import threading
from concurrent.futures import ThreadPoolExecutor

import grpc
import numpy as np
import pytest
import tensorflow as tf
from grpc_health.v1 import health_pb2, health_pb2_grpc
from running import running
from tensorflow.core.framework.tensor_pb2 import TensorProto
from tensorflow.core.protobuf import saved_model_pb2
from tensorflow_serving.apis import (
    get_model_metadata_pb2,
    get_model_status_pb2,
    model_service_pb2_grpc,
    predict_pb2,
    prediction_service_pb2_grpc,
)

from tfgen import serving
from tfgen.serving.rpc import rpc_server


@pytest.fixture(scope="module")
def channel(server):
    with grpc.insecure_channel(f"127.0.0.1:{server.grpc_port}") as channel:
        yield channel


@pytest.fixture(scope="module")
def stub(channel):
    return prediction_service_pb2_grpc.PredictionServiceStub(channel)


def request(signature="", model="toy", version=None, label="", outputs=(), **inputs):
    message = predict_pb2.PredictRequest(output_filter=outputs)
    message.model_spec.name = model
    message.model_spec.signature_name = signature
    if version is not None:
        message.model_spec.version.value = version
    if label:
        message.model_spec.version_label = label
    for name, value in inputs.items():
        proto = value if isinstance(value, TensorProto) else tf.make_tensor_proto(value)
        message.inputs[name].CopyFrom(proto)
    return message


def refusal(call, message):
    with pytest.raises(grpc.RpcError) as caught:
        call(message, timeout=30)
    return caught.value.code(), caught.value.details()


X = np.array([[2, 4]], "f")


@pytest.mark.parametrize(
    ("which", "factor", "number"),
    [({}, 0.5, 2), ({"version": 1}, 10, 1), ({"version": 2}, 0.5, 2), ({"label": "stable"}, 10, 1)],
)
def test_predict_by_version_and_label(stub, which, factor, number):
    response = stub.Predict(request(x=X, **which), timeout=30)
    np.testing.assert_array_equal(tf.make_ndarray(response.outputs["y"]), factor * X)
    spec = response.model_spec
    assert (spec.name, spec.version.value, spec.signature_name) == (
        "toy",
        number,
        "serving_default",
    )


def test_every_type_and_the_filter_of_outputs(stub):
    response = stub.Predict(request("pictures", image_bytes=[b"\x00\xff", b"a"]), timeout=30)
    assert tf.make_ndarray(response.outputs["image_bytes"]).tolist() == [b"\x00\xff", b"a"]
    announced = tf.make_tensor_proto([b"a", b"a"])  # two strings, and none follows
    del announced.string_val[:]
    response = stub.Predict(request("pictures", image_bytes=announced), timeout=30)
    assert tf.make_ndarray(response.outputs["length"]).tolist() == [0, 0]
    half = np.array([1.5], "f2")
    assert tf.make_ndarray(stub.Predict(request("half", x=half), timeout=30).outputs["y"]) == half
    pair = {"a": np.zeros((1, 2), "f"), "b": np.ones(1, "i4")}
    response = stub.Predict(request("pair", outputs=["twice"], **pair), timeout=30)
    assert list(response.outputs) == ["twice"]
    code, words = refusal(stub.Predict, request("pair", outputs=["thrice"], **pair))
    assert (code, words) == (
        grpc.StatusCode.INVALID_ARGUMENT, "output tensor alias not found in signature: thrice"
    )  # fmt: skip


def giant():
    """A message of a few bytes that announces 2**40 values."""
    proto = tf.make_tensor_proto(1.0)
    for size in (2**20, 2**20):
        proto.tensor_shape.dim.add(size=size)
    return proto


def unknown_rank():
    proto = tf.make_tensor_proto(X)
    proto.tensor_shape.unknown_rank = True
    return proto


@pytest.mark.parametrize(
    ("message", "code"),
    [
        (request(x=X, model="none"), grpc.StatusCode.NOT_FOUND),
        (request(x=X, version=9), grpc.StatusCode.NOT_FOUND),
        (request(x=X, model=""), grpc.StatusCode.INVALID_ARGUMENT),
        (request(x=X, label="none"), grpc.StatusCode.INVALID_ARGUMENT),
        (request("none", x=X), grpc.StatusCode.INVALID_ARGUMENT),
        (request(), grpc.StatusCode.INVALID_ARGUMENT),
        (request(x=X, y=X), grpc.StatusCode.INVALID_ARGUMENT),
        (request(x=X.astype("f8")), grpc.StatusCode.INVALID_ARGUMENT),
        (request(x=X[0]), grpc.StatusCode.INVALID_ARGUMENT),
        (request(x=giant()), grpc.StatusCode.INVALID_ARGUMENT),
        (request(x=unknown_rank()), grpc.StatusCode.INVALID_ARGUMENT),
        (request(x=TensorProto(dtype=999)), grpc.StatusCode.INVALID_ARGUMENT),
        (request("lookup", index=np.array([7], "i4")), grpc.StatusCode.INVALID_ARGUMENT),
        (request("draw", n=10**9, seed=0), grpc.StatusCode.INVALID_ARGUMENT),
    ],
)
def test_refusals(stub, message, code):
    assert refusal(stub.Predict, message)[0] is code


def test_metadata(stub):
    message = get_model_metadata_pb2.GetModelMetadataRequest(metadata_field=["signature_def"])
    message.model_spec.name = "toy"
    response = stub.GetModelMetadata(message, timeout=30)
    definitions = get_model_metadata_pb2.SignatureDefMap()
    assert response.metadata["signature_def"].Unpack(definitions)
    assert response.model_spec.version.value == 2
    assert set(definitions.signature_def["pair"].inputs) == {"a", "b"}
    for fields in ([], ["assets"]):
        del message.metadata_field[:]
        message.metadata_field.extend(fields)
        assert refusal(stub.GetModelMetadata, message)[0] is grpc.StatusCode.INVALID_ARGUMENT


def test_status(channel):
    stub = model_service_pb2_grpc.ModelServiceStub(channel)
    message = get_model_status_pb2.GetModelStatusRequest()
    message.model_spec.name = "toy"
    states = [
        (v.version, v.state) for v in stub.GetModelStatus(message, timeout=30).model_version_status
    ]
    available = get_model_status_pb2.ModelVersionStatus.AVAILABLE
    assert states == [(2, available), (1, available)]
    message.model_spec.version_label = "stable"
    [only] = stub.GetModelStatus(message, timeout=30).model_version_status
    assert only.version == 1
    message.model_spec.name = "none"
    assert refusal(stub.GetModelStatus, message)[0] is grpc.StatusCode.NOT_FOUND


def test_health(channel):
    stub = health_pb2_grpc.HealthStub(channel)
    for name in ("", "toy"):
        reply = stub.Check(health_pb2.HealthCheckRequest(service=name), timeout=30)
        assert reply.status == health_pb2.HealthCheckResponse.SERVING
    message = health_pb2.HealthCheckRequest(service="none")
    assert refusal(stub.Check, message)[0] is grpc.StatusCode.NOT_FOUND


def test_a_watcher_of_health_is_told_of_changes(toys_folder, tmp_path):
    kinds = health_pb2.HealthCheckResponse
    served = serving.service([serving.Source("m", tmp_path)])
    server, port = rpc_server(served, "127.0.0.1:0")
    server.start()
    with grpc.insecure_channel(f"127.0.0.1:{port}") as channel:
        watch = health_pb2_grpc.HealthStub(channel).Watch
        streams = [watch(health_pb2.HealthCheckRequest(service=n), timeout=60) for n in ("", "m")]
        assert [next(stream).status for stream in streams] == [kinds.NOT_SERVING] * 2
        shutil.copytree(toys_folder / "toy" / "1", tmp_path / "1")
        served.registry.poll()
        assert [next(stream).status for stream in streams] == [kinds.SERVING] * 2
        served.drain()
        assert next(streams[0]).status == kinds.NOT_SERVING
    server.stop(None).wait()
    served.close()


def test_watchers_may_leave_while_the_health_changes(tmp_path, monkeypatch):
    """By default the server of grpcio stops for ever within seconds."""
    served = serving.service([serving.Source("m", tmp_path)])
    server, port = rpc_server(served, "127.0.0.1:0")
    server.start()
    ready, over = itertools.cycle([True, False]), threading.Event()
    monkeypatch.setattr(type(served), "ready", property(lambda self: next(ready)))

    def change():
        while not over.is_set():
            for listener in served.listeners:
                listener()

    def watch():
        with grpc.insecure_channel(f"127.0.0.1:{port}") as channel:
            stub = health_pb2_grpc.HealthStub(channel)
            for _ in range(300):
                stream = stub.Watch(health_pb2.HealthCheckRequest(service=""), timeout=60)
                assert {next(stream).status, next(stream).status} <= {1, 2}
                stream.cancel()

    changing = threading.Thread(target=change, daemon=True)
    changing.start()
    with ThreadPoolExecutor(3) as pool:
        watching = [pool.submit(watch) for _ in range(3)]
    over.set()
    assert [one.exception() for one in watching] == [None] * 3
    changing.join()
    server.stop(None).wait()
    served.close()


def test_defaults_of_a_signature_stand_in_for_missing_inputs(toys_folder, tmp_path):
    folder = tmp_path / "m" / "1"
    shutil.copytree(toys_folder / "toy" / "2", folder)
    path = folder / "saved_model.pb"
    saved = saved_model_pb2.SavedModel.FromString(path.read_bytes())
    definition = saved.meta_graphs[0].signature_def["pair"]
    definition.defaults["b"].CopyFrom(tf.make_tensor_proto(np.array([5], "i4")))
    path.write_bytes(saved.SerializeToString())
    with (
        running(serving.Source("m", folder.parent), token="secret") as server,
        grpc.insecure_channel(f"127.0.0.1:{server.grpc_port}") as channel,
    ):
        stub = prediction_service_pb2_grpc.PredictionServiceStub(channel)
        message = request("pair", model="m", a=np.zeros((1, 2), "f"))
        assert refusal(stub.Predict, message)[0] is grpc.StatusCode.UNAUTHENTICATED
        token = [("authorization", "Bearer secret")]
        response = stub.Predict(message, timeout=30, metadata=token)
        assert tf.make_ndarray(response.outputs["twice"]).tolist() == [10]
