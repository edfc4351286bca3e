"""Small requests that a signature accepts, to show how it is asked."""

from typing import Any

import orjson
import tensorflow as tf

from tfgen.serving.servable import Servable
from tfgen.serving.signatures import DEFAULT, Signature, Spec

SHOWN = 200  # characters; a longer body is no line to paste


def body(signature: Signature) -> dict[str, Any]:
    """Return a body of one row for `:predict`, or of columns where a tensor has no rows."""
    name = {} if signature.name == DEFAULT else {"signature_name": signature.name}
    specs = (*signature.inputs.values(), *signature.outputs.values())
    if all(spec.shape and spec.shape[0] is None for spec in specs):
        row = {key: _value(spec, spec.shape[1:]) for key, spec in signature.inputs.items()}
        return {**name, "instances": [row if len(row) > 1 else next(iter(row.values()))]}
    return {**name, "inputs": {k: _value(s, s.shape or ()) for k, s in signature.inputs.items()}}


def curl(address: str, servable: Servable) -> str:
    """Return a line for a shell that asks the default signature, or else for the signatures."""
    url = f"{address}/v1/models/{servable.name}"
    signature = servable.signatures.get(DEFAULT)
    if signature is None or not signature.inputs:
        return f"curl {url}/metadata"
    text = orjson.dumps(body(signature)).decode()
    return f"curl -d '{text}' {url}:predict" if len(text) <= SHOWN else f"curl {url}/metadata"


def _value(spec: Spec, shape: tuple[int | None, ...]) -> Any:
    if spec.dtype == tf.string:
        leaf: Any = "text"
    elif spec.dtype == tf.bool:
        leaf = True
    else:
        leaf = 1 if spec.dtype.is_integer else 0.5
    for size in reversed(shape):
        leaf = [leaf] * (size or 1)
    return leaf
