"""Small requests that a signature accepts, as examples and for warm-up."""

import base64
import io
from typing import Any

import numpy as np
import orjson
import tensorflow as tf
from PIL import Image

from tfgen.serving.signatures import DEFAULT, Signature, Spec, Tensors

SHOWN = 200  # characters; a longer body is too long to paste


def tensors(signature: Signature) -> Tensors:
    """Return one row of ones for every input, or of a picture for an input of bytes."""
    return {name: _array(name, spec) for name, spec in signature.inputs.items()}


def body(signature: Signature) -> dict[str, Any]:
    """Return a body of one row for `:predict`, or of columns if a tensor has no rows."""
    name = {} if signature.name == DEFAULT else {"signature_name": signature.name}
    specs = (*signature.inputs.values(), *signature.outputs.values())
    if all(spec.shape and spec.shape[0] is None for spec in specs):
        row = {k: _value(k, s, (s.shape or ())[1:]) for k, s in signature.inputs.items()}
        return {**name, "instances": [row if len(row) > 1 else next(iter(row.values()))]}
    columns = {k: _value(k, s, s.shape or ()) for k, s in signature.inputs.items()}
    return {**name, "inputs": columns}


def curl(address: str, model: str, signature: Signature | None) -> str:
    """Return a shell command that calls a model's default signature, or else lists its signatures."""
    url = f"{address}/v1/models/{model}"
    if signature is None or not signature.inputs:
        return f"curl {url}/metadata"
    text = orjson.dumps(body(signature)).decode()
    return f"curl -d '{text}' {url}:predict" if len(text) <= SHOWN else f"curl {url}/metadata"


def picture() -> bytes:
    """Return a PNG of one pixel."""
    file = io.BytesIO()
    Image.new("L", (1, 1)).save(file, "PNG")
    return file.getvalue()


def _array(name: str, spec: Spec) -> np.ndarray:
    shape = [size or 1 for size in spec.shape or ()]
    if spec.dtype == tf.string:
        return np.full(shape, picture() if name.endswith("_bytes") else b"text", object)
    return np.ones(shape, spec.dtype.as_numpy_dtype)


def _value(name: str, spec: Spec, shape: tuple[int | None, ...]) -> Any:
    if spec.dtype == tf.string and name.endswith("_bytes"):
        leaf: Any = {"b64": base64.b64encode(picture()).decode()}
    elif spec.dtype == tf.string:
        leaf = "text"
    elif spec.dtype == tf.bool:
        leaf = True
    else:
        leaf = 1 if spec.dtype.is_integer else 0.5
    for size in reversed(shape):
        leaf = [leaf] * (size or 1)
    return leaf
