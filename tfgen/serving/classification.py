"""`:classify` and `:regress`, for signatures that read serialized `tf.train.Example`."""

from typing import Any

import numpy as np
import tensorflow as tf

from tfgen.serving import documents
from tfgen.serving.core import Address, Service
from tfgen.serving.documents import is_base64, quote
from tfgen.serving.errors import invalid
from tfgen.serving.signatures import Signature, Tensors

METHODS = {
    "classify": (tf.saved_model.CLASSIFY_METHOD_NAME, "Expected classification"),
    "regress": (tf.saved_model.REGRESS_METHOD_NAME, "Expected regression"),
}


def answer(
    service: Service, address: Address, name: str, document: dict[str, Any], method: str
) -> bytes:
    """Return the reply to a parsed body, `{"results": [...]}`.

    Raises:
        ServingError: The body has no examples, or the signature is of another method.
    """
    serialized = examples(document)

    def read(signature: Signature) -> Tensors:
        _check_method(signature, method)
        [key] = signature.inputs
        return {key: serialized}

    outputs = service.predict(address, name, read, "rest").outputs
    results = _classes(outputs) if method == "classify" else _values(outputs)
    return documents.dump({"results": results})


def _check_method(signature: Signature, method: str) -> None:
    wanted, words = METHODS[method]
    received = signature.definition.method_name
    if received != wanted:
        raise invalid(f"{words} signature method_name to be {wanted}. Was: {received}")
    if [spec.dtype for spec in signature.inputs.values()] != [tf.string]:
        raise invalid(
            f"A signature of {method} reads one input of strings. Received: {signature.name}"
        )


def examples(document: dict[str, Any]) -> np.ndarray:
    """Return the body's `examples`, each with the features of `context`, serialized.

    Raises:
        ServingError: They are not a list of objects of numbers and strings.
    """
    found = document.get("examples")
    if not isinstance(found, list) or not found:
        raise invalid(f"JSON Value: {quote(document)} Expecting 'examples' to be a list, not empty")
    context = _features(document.get("context", {}))
    serialized = np.empty(len(found), object)
    for index, features in enumerate(found):
        merged = tf.train.Features(feature={**context, **_features(features)})
        serialized[index] = tf.train.Example(features=merged).SerializeToString()
    return serialized


def _features(value: Any) -> dict[str, tf.train.Feature]:
    if not isinstance(value, dict):
        raise invalid(f"Example must be JSON object. Received: {quote(value)}")
    return {k: _feature(k, v if isinstance(v, list) else [v]) for k, v in value.items()}


def _feature(name: str, values: list[Any]) -> tf.train.Feature:
    if not values:
        return tf.train.Feature()
    try:
        if all(isinstance(v, int) for v in values):  # booleans too
            return tf.train.Feature(int64_list=tf.train.Int64List(value=map(int, values)))
        if all(isinstance(v, float) for v in values):
            return tf.train.Feature(float_list=tf.train.FloatList(value=values))
    except (ValueError, OverflowError) as error:
        raise invalid(f"Feature: {name} has a value out of range") from error
    if all(isinstance(v, str) or is_base64(v) for v in values):
        strings = documents.tensor(values, tf.string).tolist()
        return tf.train.Feature(bytes_list=tf.train.BytesList(value=strings))
    raise invalid(f"Feature: {name} must have values of one type. Received: {quote(values)}")


def _classes(outputs: Tensors) -> list[list[list[Any]]]:
    """Rows of (class, score); a missing output leaves "" or 0."""
    classes, scores = outputs.get("classes"), outputs.get("scores")
    given = [array for array in (classes, scores) if array is not None]
    if not given or any(a.ndim != 2 or a.shape != given[0].shape for a in given):
        raise invalid("A classification has the outputs classes and scores, both of shape (b, k)")
    if classes is None:
        classes = np.full(given[0].shape, b"", object)
    if scores is None:
        scores = np.zeros(classes.shape, np.float32)
    labels = documents.plain(classes, as_bytes=False)
    return [
        [[label, documents.plain(score, False)] for label, score in zip(*row, strict=True)]
        for row in zip(labels, scores, strict=True)
    ]


def _values(outputs: Tensors) -> list[Any]:
    values = outputs.get("outputs")
    if values is None or values.ndim not in (1, 2) or (values.ndim == 2 and values.shape[1] != 1):
        raise invalid("A regression has the output outputs, of shape (b) or (b, 1)")
    return [documents.plain(value, False) for value in values.reshape(-1)]
