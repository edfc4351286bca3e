"""The Open Inference Protocol, below /v2; a signature of a model is a model named `name.signature`."""

import functools
import math
import re
from typing import Any
from urllib.parse import unquote

import numpy as np
import tensorflow as tf
from starlette.requests import Request
from starlette.responses import Response

import tfgen
from tfgen.serving import documents
from tfgen.serving.core import Address, Service
from tfgen.serving.documents import quote
from tfgen.serving.errors import Code, ServingError, invalid
from tfgen.serving.http import json_response, raw_path, read_body
from tfgen.serving.protos import chosen
from tfgen.serving.signatures import DEFAULT, Signature, Spec, Tensors
from tfgen.serving.versions import LARGEST

DATATYPES: dict[tf.DType, str] = {
    tf.bool: "BOOL", tf.uint8: "UINT8", tf.uint16: "UINT16", tf.uint32: "UINT32", tf.uint64: "UINT64",
    tf.int8: "INT8", tf.int16: "INT16", tf.int32: "INT32", tf.int64: "INT64",
    tf.float16: "FP16", tf.float32: "FP32", tf.float64: "FP64", tf.bfloat16: "BF16", tf.string: "BYTES",
}  # fmt: skip
BASE64 = {"content_type": "base64"}  # of BYTES that are no text

_MODEL = re.compile(r"/v2/models/([^/]+)(?:/versions/(\d+))?(/ready|/infer)?", re.ASCII)


class Inference:
    """Handlers of /v2.

    Args:
        service: Models under limits.
    """

    def __init__(self, service: Service) -> None:
        self._service = service

    async def handle(self, request: Request) -> Response:
        """Answer a request for a path below /v2.

        Raises:
            ServingError: The path or the body is malformed, or what it names is not there.
        """
        path = raw_path(request).rstrip("/")
        if request.method == "GET" and path in ("/v2", "/v2/health/live"):
            server = {"name": "tfgen", "version": tfgen.__version__, "extensions": []}
            return json_response(documents.dump(server if path == "/v2" else {"live": True}))
        if request.method == "GET" and path == "/v2/health/ready":
            ready = self._service.registry.ready and not self._service.draining
            return json_response(documents.dump({"ready": ready}), 200 if ready else 503)
        match = _MODEL.fullmatch(path)
        wanted = "POST" if match and match[3] == "/infer" else "GET"
        if match is None or request.method != wanted:
            raise ServingError(Code.NOT_FOUND, f"No {request.method} {path[:256]}")
        name, number = unquote(match[1]), match[2]
        if number is not None and (len(number) > 19 or int(number) > LARGEST):
            raise invalid(f"Failed to convert version: {number[:256]} to numeric.")
        address, signature = self._split(name, None if number is None else int(number))
        if wanted == "POST":
            body = await read_body(request, self._service.limits)
            work = functools.partial(self._infer, name, address, signature, body)
        else:
            work = functools.partial(self._describe, name, address, signature, bool(match[3]))
        return json_response(documents.dump(await self._service.run(work)))

    def _split(self, name: str, number: int | None) -> tuple[Address, str]:
        """Model and signature; names of models may have dots of their own."""
        models = self._service.registry.models
        dots = [k for k, letter in enumerate(name) if letter == "."]
        for dot in reversed(dots):
            if name[:dot] in models:
                return Address(name[:dot], number), name[dot + 1 :]
        return Address(name, number), DEFAULT

    def _describe(self, name: str, address: Address, key: str, ready: bool) -> dict[str, Any]:
        with self._service.registry.use(address.name, address.number) as servable:
            signature = servable.signature(key)
        if ready:
            return {"name": name, "ready": True}
        versions = self._service.registry.models[address.name].available()
        return {
            "name": name,
            "versions": [str(number) for number in versions],
            "platform": "tensorflow_savedmodel",
            "inputs": [_entry(k, s) for k, s in signature.inputs.items()],
            "outputs": [_entry(k, s) for k, s in signature.outputs.items()],
        }

    def _infer(self, name: str, address: Address, key: str, body: bytes) -> dict[str, Any]:
        document = documents.parse(body)
        wanted = [entry.get("name") for entry in _entries(document, "outputs", ())]
        read = functools.partial(_tensors, document)
        answer = self._service.predict(address, key, read, "v2")
        outputs = chosen(answer.outputs, wanted)
        reply = {"model_name": name, "model_version": str(answer.servable.version)}
        if isinstance(document.get("id"), str):
            reply["id"] = document["id"]
        return {**reply, "outputs": [_output(k, v) for k, v in outputs.items()]}


def _entry(name: str, spec: Spec) -> dict[str, Any]:
    shape = [-1 if size is None else size for size in spec.shape or ()]
    return {"name": name, "datatype": DATATYPES.get(spec.dtype, spec.dtype.name), "shape": shape}


def _entries(document: dict[str, Any], key: str, default: Any = None) -> list[dict[str, Any]]:
    found = document.get(key, default)
    good = isinstance(found, list | tuple) and all(isinstance(e, dict) for e in found)
    if not good or any(not isinstance(e.get("name"), str) for e in found):
        raise invalid(
            f"JSON Value: {quote(document)} Expecting '{key}' to be a list of named objects"
        )
    return found


def _tensors(document: dict[str, Any], signature: Signature) -> Tensors:
    entries = {entry["name"]: entry for entry in _entries(document, "inputs")}
    signature.check_names(set(entries))
    return {name: _tensor(entry, signature.inputs[name]) for name, entry in entries.items()}


def _tensor(entry: dict[str, Any], spec: Spec) -> np.ndarray:
    name, shape = entry["name"], entry.get("shape")
    if entry.get("datatype") != DATATYPES.get(spec.dtype):
        raise invalid(
            f"Input {name} must be of datatype {DATATYPES.get(spec.dtype)}. "
            f"Received: {quote(entry.get('datatype'))}"
        )
    good = isinstance(shape, list) and all(type(size) is int and size >= 0 for size in shape)
    if not good or len(shape) > documents.MOST_AXES:
        raise invalid(f"Input {name} must have a shape. Received: {quote(shape)}")
    values = entry.get("data")
    if spec.dtype == tf.string and entry.get("parameters") == BASE64 and isinstance(values, list):
        values = [{"b64": value} for value in values]
    flat = documents.tensor(values, spec.dtype)
    if flat.size != math.prod(shape):
        raise invalid(f"Input {name} must hold {math.prod(shape)} values. Received: {flat.size}")
    return flat.reshape(shape)


def _output(name: str, array: np.ndarray) -> dict[str, Any]:
    as_bytes = array.dtype == object and name.endswith("_bytes")
    data = documents.plain(array.reshape(-1), as_bytes)
    dtype = tf.string if array.dtype == object else tf.as_dtype(array.dtype)
    entry = {"name": name, "datatype": DATATYPES[dtype], "shape": list(array.shape), "data": data}
    if as_bytes:
        entry |= {"data": [value["b64"] for value in data], "parameters": BASE64}
    return entry
