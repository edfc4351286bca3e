"""The Open Inference Protocol, below /v2; a signature of a model is a model named `name.signature`."""

import functools
import math
import re
from typing import Any
from urllib.parse import unquote

import numpy as np
import tensorflow as tf
from starlette.responses import Response

from tfgen.serving import documents
from tfgen.serving.core import SMALL, Address, Answer, Question, Service
from tfgen.serving.documents import quote
from tfgen.serving.errors import Code, ServingError, invalid
from tfgen.serving.http import json_response
from tfgen.serving.protos import chosen
from tfgen.serving.routing import Route, Router, version_number
from tfgen.serving.signatures import DEFAULT, Signature, Spec, Tensors
from tfgen.version import __version__

DATATYPES: dict[tf.DType, str] = {
    tf.bool: "BOOL", tf.uint8: "UINT8", tf.uint16: "UINT16", tf.uint32: "UINT32", tf.uint64: "UINT64",
    tf.int8: "INT8", tf.int16: "INT16", tf.int32: "INT32", tf.int64: "INT64",
    tf.float16: "FP16", tf.float32: "FP32", tf.float64: "FP64", tf.bfloat16: "BF16", tf.string: "BYTES",
}  # fmt: skip
BASE64 = {"content_type": "base64"}  # of BYTES that are no text

_NAMED = r"/v2/models/(?P<name>[^/]+)(?:/versions/(?P<number>\d+))?"
_MODEL = re.compile(rf"{_NAMED}/*", re.ASCII)
_MODEL_READY = re.compile(rf"{_NAMED}/ready/*", re.ASCII)
_INFER = re.compile(rf"{_NAMED}/infer/*", re.ASCII)
_SERVER, _LIVE, _READY = map(re.compile, (r"/v2/*", r"/v2/health/live/*", r"/v2/health/ready/*"))
PROTOCOL = "v2"


class Inference:
    """Handlers of /v2.

    Args:
        service: Models under limits.
    """

    def __init__(self, service: Service) -> None:
        self._service = service

    def router(self) -> Router:
        """Return the routes below /v2."""
        routes = (
            Route("GET", _SERVER, self._server, blocking=False),
            Route("GET", _LIVE, self._live, blocking=False),
            Route("GET", _READY, self._ready, blocking=False),
            Route("POST", _INFER, self._infer, blocking=False),
            Route("GET", _MODEL_READY, self._model_ready),
            Route("GET", _MODEL, self._describe),
        )
        return Router(self._service, routes, _not_found)

    def _server(self, _: re.Match[str], __: bytes) -> Response:
        return _json({"name": "tfgen", "version": __version__, "extensions": []})

    def _live(self, _: re.Match[str], __: bytes) -> Response:
        return _json({"live": True})

    def _ready(self, _: re.Match[str], __: bytes) -> Response:
        return _json({"ready": self._service.ready}, 200 if self._service.ready else 503)

    def _address(self, match: re.Match[str]) -> tuple[str, Address, str]:
        """Return the name that the client gave, and the model and signature in it."""
        name, number = unquote(match["name"]), version_number(match["number"])
        return name, *self._split(name, number)

    def _split(self, name: str, number: int | None) -> tuple[Address, str]:
        """Return model and signature of a name; names of models may contain dots."""
        models = self._service.registry.models
        dots = [k for k, letter in enumerate(name) if letter == "."]
        for dot in reversed(dots):
            if name[:dot] in models:
                return Address(name[:dot], number), name[dot + 1 :]
        return Address(name, number), DEFAULT

    def _model_ready(self, match: re.Match[str], _: bytes) -> Response:
        name, address, key = self._address(match)
        with self._service.registry.use(address.name, address.number) as servable:
            servable.signature(key)
        return _json({"name": name, "ready": True})

    def _describe(self, match: re.Match[str], _: bytes) -> Response:
        name, address, key = self._address(match)
        with self._service.registry.use(address.name, address.number) as servable:
            signature = servable.signature(key)
        versions = self._service.registry.models[address.name].available()
        return _json(
            {
                "name": name,
                "versions": [str(number) for number in versions],
                "platform": "tensorflow_savedmodel",
                "inputs": [_entry(k, s) for k, s in signature.inputs.items()],
                "outputs": [_entry(k, s) for k, s in signature.outputs.items()],
            }
        )

    async def _infer(self, match: re.Match[str], body: bytes) -> Response:
        name, address, key = self._address(match)
        if len(body) <= SMALL:
            question = _question(name, documents.parse(body))
            return await self._service.ask(address, key, PROTOCOL, question)

        def work() -> Response:
            question = _question(name, documents.parse(body))
            return question.write(self._service.predict(address, key, question.read, PROTOCOL))

        return await self._service.run(work)


def _question(name: str, document: dict[str, Any]) -> Question:
    wanted = [entry["name"] for entry in _entries(document, "outputs", ())]

    def write(answer: Answer) -> Response:
        outputs = chosen(answer.outputs, wanted)
        reply = {"model_name": name, "model_version": str(answer.servable.version)}
        if isinstance(document.get("id"), str):
            reply["id"] = document["id"]
        return _json({**reply, "outputs": [_output(k, v) for k, v in outputs.items()]})

    return Question(functools.partial(_tensors, document), write)


def _not_found(method: str, path: str) -> ServingError:
    return ServingError(Code.NOT_FOUND, f"No {method} {path}")


def _json(document: dict[str, Any], status: int = 200) -> Response:
    return json_response(documents.dump(document), status)


def _entry(name: str, spec: Spec) -> dict[str, Any]:
    shape = [-1] if spec.shape is None else [-1 if size is None else size for size in spec.shape]
    return {"name": name, "datatype": _datatype(spec), "shape": shape}


def _datatype(spec: Spec) -> str:
    return DATATYPES.get(spec.dtype) or str(spec.dtype.name)


def _entries(document: dict[str, Any], key: str, default: Any = None) -> list[dict[str, Any]]:
    found = document.get(key, default)
    if not isinstance(found, list | tuple) or not all(
        isinstance(e, dict) and isinstance(e.get("name"), str) for e in found
    ):
        raise invalid(
            f"JSON Value: {quote(document)} Expecting '{key}' to be a list of named objects"
        )
    return list(found)


def _tensors(document: dict[str, Any], signature: Signature) -> Tensors:
    given = _entries(document, "inputs")
    entries = {entry["name"]: entry for entry in given}
    signature.check_names(set(entries))
    if len(entries) < len(given):
        names = ", ".join(entry["name"] for entry in given)
        raise invalid(f"Each input is given once. Received: {names}")
    return {name: _tensor(entry, signature.inputs[name]) for name, entry in entries.items()}


def _tensor(entry: dict[str, Any], spec: Spec) -> np.ndarray:
    name, shape = entry["name"], entry.get("shape")
    if entry.get("datatype") != _datatype(spec):
        raise invalid(
            f"Input {name} must be of datatype {_datatype(spec)}. "
            f"Received: {quote(entry.get('datatype'))}"
        )
    if (
        not isinstance(shape, list)
        or len(shape) > documents.MOST_AXES
        or not all(type(size) is int and size >= 0 for size in shape)
    ):
        raise invalid(f"Input {name} must have a shape. Received: {quote(shape)}")
    values, parameters = entry.get("data"), entry.get("parameters")
    packed = isinstance(parameters, dict) and parameters.items() >= BASE64.items()
    if spec.dtype == tf.string and packed and isinstance(values, list):
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
