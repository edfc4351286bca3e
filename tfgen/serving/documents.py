"""JSON as TensorFlow Serving reads and writes it: with NaN and Infinity, and only the first value."""

import base64
import binascii
import itertools
import json
import math
from typing import Any

import numpy as np
import orjson
import tensorflow as tf

from tfgen.serving.errors import Code, ServingError, cut, invalid

MOST_AXES = 32

_INTEGERS = {tf.int8, tf.int16, tf.int32, tf.int64, tf.uint8, tf.uint16, tf.uint32, tf.uint64}
_FLOATS = {tf.float32: 2**24 - 1, tf.float64: 2**53 - 1}  # and its largest exact integer
_TYPES = {
    dict: "Object", list: "Array", str: "String", int: "Number", float: "Number", type(None): "Null"
}  # fmt: skip


def parse(body: bytes) -> dict[str, Any]:
    """Return the JSON object at the beginning of a body.

    Raises:
        ServingError: The body is empty, malformed, or begins with another kind of value.
    """
    try:
        value = orjson.loads(body)
    except orjson.JSONDecodeError:
        value = _parse_leniently(body)
    if not isinstance(value, dict):
        raise invalid(f"JSON Value: {quote(value)} Is not object")
    return value


def _parse_leniently(body: bytes) -> Any:
    try:
        text = body.decode("utf-8-sig").lstrip(" \t\r\n")
        if not text:
            raise invalid("JSON Parse error: The document is empty")
        return _DECODER.raw_decode(text)[0]
    except json.JSONDecodeError as error:
        raise invalid(f"JSON Parse error: {error.msg} at offset: {error.pos}") from error
    except (ValueError, RecursionError) as error:
        raise invalid(f"JSON Parse error: {cut(str(error))}") from error


def _finite(text: str) -> float:
    number = float(text)
    if math.isinf(number):
        raise ValueError(f"Number too big to be stored in double: {cut(text)}")
    return number


_DECODER = json.JSONDecoder(parse_float=_finite)


def quote(value: Any) -> str:
    """Return a value as JSON, cut at 256 bytes."""
    text = ""
    try:
        for part in json.JSONEncoder().iterencode(value):
            text += part[:1024]
            if len(text) > 1024:
                break
    except RecursionError:
        text += "..."
    return cut(text)


def is_base64(value: Any) -> bool:
    """Return whether a value is TensorFlow Serving's form of bytes, {"b64": "..."}."""
    return isinstance(value, dict) and len(value) == 1 and isinstance(value.get("b64"), str)


def tensor(value: Any, dtype: tf.DType) -> np.ndarray:
    """Return nested lists as an array.

    Args:
        value: Number, string, boolean, {"b64": ...}, or lists of them, as parsed.
        dtype: Type of the signature's input.

    Returns:
        Array of this type; strings as an array of bytes objects.

    Raises:
        ServingError: A list is ragged, a value has another type or is out of range, or JSON cannot hold the
            type.
    """
    if dtype not in _INTEGERS and dtype not in _FLOATS and dtype not in (tf.bool, tf.string):
        raise ServingError(
            Code.UNIMPLEMENTED, f"Conversion of JSON Value: {quote(value)} to type: {dtype.name}"
        )
    leaves, shape = _flatten(value)
    if dtype == tf.string:
        flat = np.empty(len(leaves), object)
        flat[:] = [_bytes(leaf) for leaf in leaves]
    elif dtype == tf.bool:
        _check_types(leaves, {bool}, dtype)
        flat = np.array(leaves, bool)
    elif dtype in _INTEGERS:
        flat = _integers(leaves, dtype)
    else:
        flat = _floats(leaves, dtype)
    return flat.reshape(shape)


def _flatten(value: Any) -> tuple[list[Any], tuple[int, ...]]:
    """Return values and shape, computed level by level, without recursion."""
    shape: list[int] = []
    level = [value]
    while level and list in (kinds := set(map(type, level))):
        if len(kinds) > 1:
            odd = next(v for v in level if type(v) is not type(level[0]))
            raise invalid(f"JSON Value: {quote(odd)} found at incorrect level: {len(shape)}")
        sizes = set(map(len, level))
        if len(sizes) > 1:
            expected = len(level[0])
            odd_size = next(len(v) for v in level if len(v) != expected)
            raise invalid(
                f"Encountered list at unexpected size: {odd_size} at level: {len(shape)} "
                f"expected size: {expected}"
            )
        shape.append(sizes.pop())
        if len(shape) > MOST_AXES:
            raise invalid(
                f"Encountered list at unexpected level: {MOST_AXES} expected < {MOST_AXES}"
            )
        level = list(itertools.chain.from_iterable(level))
    return level, tuple(shape)


def _check_types(leaves: list[Any], allowed: set[type], dtype: tf.DType) -> None:
    if set(map(type, leaves)) <= allowed:
        return
    odd = next(leaf for leaf in leaves if type(leaf) not in allowed)
    kind = _TYPES.get(type(odd), str(odd))  # True and False are types there
    raise invalid(f"JSON Value: {quote(odd)} Type: {kind} is not of expected type: {dtype.name}")


def _bytes(leaf: Any) -> bytes:
    if isinstance(leaf, str):
        return leaf.encode("utf-8", "surrogatepass")
    if not isinstance(leaf, dict):
        _check_types([leaf], {str}, tf.string)
    if not is_base64(leaf):
        raise invalid(f"JSON Value: {quote(leaf)} not formatted correctly for base64 data")
    try:
        return base64.b64decode(leaf["b64"] + "=" * (-len(leaf["b64"]) % 4), validate=True)
    except (binascii.Error, ValueError) as error:
        raise invalid("Unable to base64 decode") from error


def _integers(leaves: list[Any], dtype: tf.DType) -> np.ndarray:
    _check_types(leaves, {int}, dtype)
    try:
        return np.array(leaves, dtype.as_numpy_dtype)
    except OverflowError as error:
        odd = next(v for v in leaves if not dtype.min <= v <= dtype.max)
        raise invalid(
            f"JSON Value: {quote(odd)} Type: Number is not of expected type: {dtype.name}"
        ) from error


def _floats(leaves: list[Any], dtype: tf.DType) -> np.ndarray:
    _check_types(leaves, {int, float}, dtype)
    try:
        wide = np.array(leaves, np.float64)
    except OverflowError as error:
        raise invalid(f"Cannot convert JSON value to {dtype.name} without loss") from error
    for index in np.flatnonzero((np.abs(wide) > _FLOATS[dtype]) & np.isfinite(wide)):
        if type(leaves[index]) is int or abs(wide[index]) > dtype.max:
            odd = quote(leaves[index])
            raise invalid(
                f"Cannot convert JSON value: {odd} to {dtype.name} without loss of precision."
            )
    return wide.astype(dtype.as_numpy_dtype)


def plain(array: np.ndarray, as_bytes: bool) -> Any:
    """Convert an output to a value that `dump` writes.

    Args:
        array: Output; strings are an array of bytes objects.
        as_bytes: Whether strings are written in base64, which the output's name decides.

    Raises:
        ServingError: JSON cannot hold the type.
    """
    if array.dtype == object:
        return _strings(array.tolist(), as_bytes)
    dtype = tf.as_dtype(array.dtype)
    if dtype not in _INTEGERS and dtype not in _FLOATS and dtype != tf.bool:
        raise ServingError(
            Code.UNIMPLEMENTED, f"Failed to write JSON value for tensor type: {dtype.name}"
        )
    if dtype in _FLOATS and not np.isfinite(array).all():
        return _Bare(array)
    if array.ndim:
        return np.ascontiguousarray(array)
    return float(str(array[()])) if dtype in _FLOATS else array.item()


def _strings(value: Any, as_bytes: bool) -> Any:
    if isinstance(value, list):
        return [_strings(item, as_bytes) for item in value]
    if as_bytes:
        return {"b64": base64.b64encode(value).decode()}
    return value.decode("utf-8", "replace")


class _Bare:
    """An array with NaN or Infinity, which orjson would write as null."""

    def __init__(self, array: np.ndarray) -> None:
        self.array = array

    def fragment(self) -> orjson.Fragment:
        shortest = np.array([float(str(v)) for v in self.array.ravel()])
        return orjson.Fragment(json.dumps(shortest.reshape(self.array.shape).tolist()))


def dump(document: Any) -> bytes:
    """Write a document, floats in their shortest form that reads back equal."""
    options = orjson.OPT_SERIALIZE_NUMPY | orjson.OPT_NON_STR_KEYS
    return orjson.dumps(document, default=_default, option=options)


def _default(value: Any) -> Any:
    if isinstance(value, _Bare):
        return value.fragment()
    raise TypeError(f"No JSON for {type(value)}")
