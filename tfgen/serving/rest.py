"""TensorFlow Serving's REST interface, below /v1."""

import functools
import re
from typing import Any
from urllib.parse import unquote

from google.protobuf import json_format
from starlette.requests import Request
from starlette.responses import Response
from tensorflow_serving.apis.get_model_metadata_pb2 import SignatureDefMap

from tfgen.serving import bodies, classification, documents
from tfgen.serving.core import Address, Service
from tfgen.serving.errors import invalid
from tfgen.serving.http import json_response, raw_path, read_body
from tfgen.serving.servable import Servable
from tfgen.serving.versions import LARGEST, Version

_MODEL = r"/v1/models/(?P<name>[^/:]+)"
_VERSION = r"(?:/versions/(?P<number>\d+)|/labels/(?P<label>[^/:]+))?"
_CALL = re.compile(
    rf"{_MODEL}{_VERSION}:(?P<method>classify|regress|predict)", re.IGNORECASE | re.ASCII
)
_LOOK = re.compile(rf"{_MODEL}{_VERSION}(?P<metadata>/metadata)?", re.IGNORECASE | re.ASCII)
_LIST = re.compile(r"/v1/models/?", re.IGNORECASE)


class Rest:
    """Handlers of /v1.

    Args:
        service: Models under limits.
    """

    def __init__(self, service: Service) -> None:
        self._service = service

    async def handle(self, request: Request) -> Response:
        """Answer a request for a path below /v1.

        Raises:
            ServingError: The path or the body is malformed, or what it names is not there.
        """
        path = raw_path(request)
        if request.method == "POST" and (match := _CALL.fullmatch(path)):
            body = await read_body(request, self._service.limits)
            work = functools.partial(self._call, _address(match), match["method"].lower(), body)
            return json_response(await self._service.run(work))
        if request.method == "GET" and (match := _LOOK.fullmatch(path)):
            look = self._metadata if match["metadata"] else self._status
            return json_response(await self._service.run(lambda: look(_address(match))))
        if request.method == "GET" and _LIST.fullmatch(path):
            return json_response(documents.dump(self._models()))
        raise invalid(f"Malformed request: {request.method} {path[:256]}")

    def _call(self, address: Address, method: str, body: bytes) -> bytes:
        document = documents.parse(body)
        name = bodies.signature_name(document)
        if method != "predict":
            return classification.answer(self._service, address, name, document, method)
        form = bodies.Form.ROWS

        def read(signature):
            nonlocal form
            tensors, form = bodies.tensors(document, signature)
            return tensors

        answer = self._service.predict(address, name, read, "rest")
        return bodies.reply(answer.outputs, form)

    def _status(self, address: Address) -> bytes:
        registry = self._service.registry
        number = address.number
        if address.label is not None:
            number = registry.labelled(address.name, address.label)
        return documents.dump(statuses(registry.status(address.name, number)))

    def _metadata(self, address: Address) -> bytes:
        registry = self._service.registry
        with registry.use(address.name, address.number, address.label) as servable:
            return documents.dump(metadata(servable))

    def _models(self) -> dict[str, Any]:
        registry = self._service.registry
        return {
            "models": [
                {
                    "name": name,
                    **statuses(sorted(model.versions.values(), key=lambda v: -v.number)),
                    "version_labels": {k: str(v) for k, v in model.source.labels},
                }
                for name, model in registry.models.items()
            ]
        }


def _address(match: re.Match[str]) -> Address:
    number, label = match["number"], match["label"]
    if number is not None and (len(number) > 19 or int(number) > LARGEST):
        raise invalid(f"Failed to convert version: {number[:256]} to numeric.")
    return Address(
        unquote(match["name"]),
        None if number is None else int(number),
        None if label is None else unquote(label),
    )


def statuses(versions: list[Version]) -> dict[str, Any]:
    """Return versions as TensorFlow Serving's GetModelStatusResponse."""
    return {
        "model_version_status": [
            {
                "version": str(version.number),
                "state": version.state.name,
                "status": {"error_code": version.code_name, "error_message": version.message},
            }
            for version in versions
        ]
    }


def metadata(servable: Servable) -> dict[str, Any]:
    """Return signatures as TensorFlow Serving's GetModelMetadataResponse, without defaults."""
    message = SignatureDefMap()
    for name, signature in servable.signatures.items():
        message.signature_def[name].CopyFrom(signature.definition)
        message.signature_def[name].ClearField("defaults")
    definitions = json_format.MessageToDict(
        message, preserving_proto_field_name=True, always_print_fields_with_no_presence=True
    )
    spec = {"name": servable.name, "signature_name": "", "version": str(servable.version)}
    return {"model_spec": spec, "metadata": {"signature_def": definitions}}
