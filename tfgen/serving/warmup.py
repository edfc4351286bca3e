"""Requests stored with a SavedModel, which a server replays before it accepts others."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import tensorflow as tf
from google.protobuf.message import DecodeError
from tensorflow_serving.apis.classification_pb2 import ClassificationRequest
from tensorflow_serving.apis.input_pb2 import Input
from tensorflow_serving.apis.predict_pb2 import PredictRequest
from tensorflow_serving.apis.prediction_log_pb2 import PredictionLog
from tensorflow_serving.apis.regression_pb2 import RegressionRequest

from tfgen.serving import protos, samples, signatures
from tfgen.serving.errors import Code, ServingError, invalid
from tfgen.serving.limits import Limits
from tfgen.serving.servable import Servable
from tfgen.serving.signatures import DEFAULT, Signature

FILE = Path("assets.extra") / "tf_serving_warmup_requests"
MOST = 1000  # records, as in TensorFlow Serving


def write(folder: Path) -> Path:
    """Write a request of one row for every signature of a SavedModel, and return the file.

    Args:
        folder: Folder of a version, with its `saved_model.pb`.

    Raises:
        ServingError: The folder holds no readable SavedModel.
        OSError: The file cannot be written.
    """
    path = folder / FILE
    path.parent.mkdir(exist_ok=True)
    with tf.io.TFRecordWriter(str(path)) as writer:
        for signature in signatures.read(folder).values():
            writer.write(record(signature).SerializeToString(deterministic=True))
    return path


def record(signature: Signature) -> PredictionLog:
    """Return a request that the signature accepts, in the form of TensorFlow Serving's log."""
    log = PredictionLog()
    request = log.predict_log.request
    request.model_spec.signature_name = signature.name
    for name, value in samples.tensors(signature).items():
        request.inputs[name].CopyFrom(protos.proto(value))
    return log


def replay(servable: Servable, folder: Path, limits: Limits) -> int:
    """Run the warm-up requests of a version, if it has any, and return their number.

    Raises:
        ServingError: A record is damaged or fails, so the version must not be served.
    """
    path = folder / FILE
    if not path.is_file():
        return 0
    done = 0
    try:
        for log in _records(path):
            _run(servable, log, limits)
            done += 1
    except (DecodeError, tf.errors.OpError) as error:
        raise ServingError(Code.DATA_LOSS, f"{FILE} is damaged after record {done}") from error
    return done


def _records(path: Path) -> Iterator[PredictionLog]:
    records = tf.data.TFRecordDataset(str(path)).take(MOST + 1).as_numpy_iterator()
    for number, record in enumerate(records, start=1):
        if number > MOST:
            raise invalid(f"{FILE} has more than {MOST} records")
        yield PredictionLog.FromString(record)


def _run(servable: Servable, log: PredictionLog, limits: Limits) -> None:
    kind = log.WhichOneof("log_type")
    if kind not in ("predict_log", "classify_log", "regress_log"):
        message = f"Warm-up replays predict_log, classify_log and regress_log. Received: {kind}"
        raise ServingError(Code.UNIMPLEMENTED, message)
    request: PredictRequest | ClassificationRequest | RegressionRequest = getattr(log, kind).request
    signature = servable.signature(request.model_spec.signature_name or DEFAULT)
    if kind == "predict_log":
        tensors = protos.arrays(dict(request.inputs), signature, limits)
    else:
        tensors = dict.fromkeys(signature.inputs, _serialized(request.input))
    servable.predict(signature.name, tensors)


def _serialized(message: Input) -> np.ndarray:
    """Return the examples of a request, with the features of its context, serialized."""
    context, examples = tf.train.Example(), message.example_list.examples
    if message.WhichOneof("kind") == "example_list_with_context":
        context = message.example_list_with_context.context
        examples = message.example_list_with_context.examples
    serialized = np.empty(len(examples), object)
    for index, example in enumerate(examples):
        merged = tf.train.Example()
        merged.CopyFrom(context)
        merged.MergeFrom(example)
        serialized[index] = merged.SerializeToString()
    return serialized
