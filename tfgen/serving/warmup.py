"""Requests written beside a SavedModel, replayed before it takes others'."""

from pathlib import Path

import tensorflow as tf
from google.protobuf.message import DecodeError
from tensorflow_serving.apis.prediction_log_pb2 import PredictionLog

from tfgen.serving import protos
from tfgen.serving.errors import Code, ServingError
from tfgen.serving.limits import Limits
from tfgen.serving.servable import Servable
from tfgen.serving.signatures import DEFAULT

FILE = Path("assets.extra") / "tf_serving_warmup_requests"
MOST = 1000  # records, as in TensorFlow Serving


def replay(servable: Servable, folder: Path, limits: Limits) -> int:
    """Run the warm-up requests of a version, if it has any, and return their number.

    Raises:
        ServingError: A record is damaged or fails: the version is not fit to serve.
    """
    path = folder / FILE
    if not path.is_file():
        return 0
    records = tf.data.TFRecordDataset(str(path)).take(MOST + 1).as_numpy_iterator()
    number = 0
    try:
        for number, record in enumerate(records, start=1):
            if number > MOST:
                raise ServingError(Code.INVALID_ARGUMENT, f"{FILE} has more than {MOST} records")
            _run(servable, PredictionLog.FromString(record), limits)
    except (DecodeError, tf.errors.OpError) as error:
        raise ServingError(Code.DATA_LOSS, f"{FILE} is damaged after record {number}") from error
    return number


def _run(servable: Servable, entry: PredictionLog, limits: Limits) -> None:
    kind = entry.WhichOneof("log_type")
    if kind != "predict_log":
        raise ServingError(Code.UNIMPLEMENTED, f"Warm-up replays predict_log. Received: {kind}")
    request = entry.predict_log.request
    name = request.model_spec.signature_name or DEFAULT
    signature = servable.signature(name)
    servable.predict(name, protos.arrays(dict(request.inputs), signature, limits))
