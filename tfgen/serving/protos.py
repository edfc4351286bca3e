"""TensorProto to NumPy and back, checked before memory is allocated."""

import math

import numpy as np
import tensorflow as tf
from tensorflow.core.framework.tensor_pb2 import TensorProto

from tfgen.serving.errors import Code, ServingError, invalid
from tfgen.serving.limits import Limits
from tfgen.serving.signatures import Signature, Tensors


def array(name: str, proto: TensorProto, signature: Signature, limits: Limits) -> np.ndarray:
    """Return a message's tensor, after a check of type and shape against the signature.

    A message may declare any shape with a single value, which would be repeated.

    Raises:
        ServingError: Type, shape or content differ from what the signature and the limits allow.
    """
    try:
        dtype = tf.as_dtype(proto.dtype)
    except TypeError as error:
        raise invalid(f"Input {name} has no type of TensorFlow: {proto.dtype}") from error
    shape = tuple(dim.size for dim in proto.tensor_shape.dim)
    if proto.tensor_shape.unknown_rank or any(size < 0 for size in shape):
        raise invalid(f"Input {name} must have a whole shape. Received: shape={shape}")
    signature.check_shape(name, dtype, shape, limits.rows)
    if math.prod(shape) > limits.body:
        raise invalid(
            f"Input {name} must have at most {limits.body} values. Received: shape={shape}"
        )
    if dtype == tf.string and not (proto.string_val or proto.tensor_content):
        return np.full(shape, b"", object)  # as TensorFlow itself reads it
    try:
        value = tf.make_ndarray(proto)
    except (TypeError, ValueError) as error:
        raise invalid(f"Input {name} must hold as many values as its shape: {shape}") from error
    return value.astype(object) if dtype == tf.string else value


def arrays(inputs: dict[str, TensorProto], signature: Signature, limits: Limits) -> Tensors:
    """Return a request's tensors, with the signature's defaults for missing ones.

    Raises:
        ServingError: A name is unknown or missing, or see `array`.
    """
    defaults = {name: d for name, d in signature.defaults.items() if name in signature.inputs}
    given = {**defaults, **inputs}
    signature.check_names(set(given))
    return {name: array(name, proto, signature, limits) for name, proto in given.items()}


def chosen(outputs: Tensors, names: list[str]) -> Tensors:
    """Return the outputs that a request's filter names, or all without a filter.

    Raises:
        ServingError: A name is not an output's.
    """
    if unknown := [name for name in names if name not in outputs]:
        raise invalid(f"output tensor alias not found in signature: {unknown[0]}")
    return {name: outputs[name] for name in names} if names else outputs


def proto(value: np.ndarray) -> TensorProto:
    """Return an output as a message.

    Raises:
        ServingError: A TensorProto cannot hold the type.
    """
    try:
        return tf.make_tensor_proto(value)
    except (TypeError, ValueError) as error:
        raise ServingError(Code.UNIMPLEMENTED, f"No message for type {value.dtype}") from error
