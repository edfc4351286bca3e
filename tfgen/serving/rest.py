"""TensorFlow Serving's REST interface, below /v1."""

import re
from typing import Any
from urllib.parse import unquote

from google.protobuf import json_format
from starlette.responses import Response
from tensorflow_serving.apis.get_model_metadata_pb2 import SignatureDefMap

from tfgen.serving import bodies, classification, documents
from tfgen.serving.core import SMALL, Address, Answer, Question, Service
from tfgen.serving.errors import ServingError, invalid
from tfgen.serving.http import json_response
from tfgen.serving.routing import Route, Router, version_number
from tfgen.serving.servable import Servable
from tfgen.serving.signatures import Signature, Tensors
from tfgen.serving.versions import Version

_MODEL = r"/v1/models/(?P<name>[^/:]+)"
_VERSION = r"(?:/versions/(?P<number>\d+)|/labels/(?P<label>[^/:]+))?"
_CALL = re.compile(
    rf"{_MODEL}{_VERSION}:(?P<method>classify|regress|predict)", re.IGNORECASE | re.ASCII
)
_METADATA = re.compile(rf"{_MODEL}{_VERSION}/metadata", re.IGNORECASE | re.ASCII)
_STATUS = re.compile(rf"{_MODEL}{_VERSION}", re.IGNORECASE | re.ASCII)
_LIST = re.compile(r"/v1/models/?", re.IGNORECASE)
PROTOCOL = "rest"


class Rest:
    """Handlers of /v1.

    Args:
        service: Models under limits.
    """

    def __init__(self, service: Service) -> None:
        self._service = service

    def router(self) -> Router:
        """Return the routes below /v1."""
        routes = (
            Route("POST", _CALL, self._call, blocking=False),
            Route("GET", _METADATA, self._metadata),
            Route("GET", _STATUS, self._status),
            Route("GET", _LIST, self._models, blocking=False),
        )
        return Router(self._service, routes, _malformed_request)

    async def _call(self, match: re.Match[str], body: bytes) -> Response:
        if len(body) > SMALL or match["method"].lower() != "predict":
            return await self._service.run(lambda: self._alone(match, body))
        document = documents.parse(body)
        name, question = bodies.signature_name(document), _question(document)
        return await self._service.ask(_address(match), name, PROTOCOL, question)

    def _alone(self, match: re.Match[str], body: bytes) -> Response:
        document = documents.parse(body)
        name, address = bodies.signature_name(document), _address(match)
        if (method := match["method"].lower()) != "predict":
            reply = classification.answer(self._service, address, name, document, method)
            return json_response(reply)
        question = _question(document)
        return question.write(self._service.predict(address, name, question.read, PROTOCOL))

    def _status(self, match: re.Match[str], _: bytes) -> Response:
        registry, address = self._service.registry, _address(match)
        number = address.number
        if address.label is not None:
            number = registry.version_of_label(address.name, address.label)
        return json_response(documents.dump(statuses(registry.status(address.name, number))))

    def _metadata(self, match: re.Match[str], _: bytes) -> Response:
        registry, address = self._service.registry, _address(match)
        with registry.use(address.name, address.number, address.label) as servable:
            return json_response(documents.dump(metadata(servable)))

    def _models(self, _: re.Match[str], __: bytes) -> Response:
        models = [
            {
                "name": name,
                **statuses(sorted(model.versions.values(), key=lambda v: -v.number)),
                "version_labels": {k: str(v) for k, v in model.source.labels},
            }
            for name, model in self._service.registry.models.items()
        ]
        return json_response(documents.dump({"models": models}))


def _question(document: dict[str, Any]) -> Question:
    def read(signature: Signature) -> Tensors:
        return bodies.tensors(document, signature)

    def write(answer: Answer) -> Response:
        return json_response(bodies.reply(answer.outputs, bodies.form(document)))

    return Question(read, write)


def _malformed_request(method: str, path: str) -> ServingError:
    return invalid(f"Malformed request: {method} {path}")


def _address(match: re.Match[str]) -> Address:
    label = match["label"]
    number = version_number(match["number"])
    return Address(unquote(match["name"]), number, None if label is None else unquote(label))


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
