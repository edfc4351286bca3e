"""OpenAPI document of the REST interface, made from the signatures."""

from typing import Any
from urllib.parse import quote

import tensorflow as tf

from tfgen.serving import samples
from tfgen.serving.core import Service
from tfgen.serving.servable import Servable
from tfgen.serving.signatures import DEFAULT, Signature, Spec
from tfgen.version import __version__

_B64 = {"type": "object", "properties": {"b64": {"type": "string", "contentEncoding": "base64"}}}
ERROR = {"type": "object", "properties": {"error": {"type": "string"}}, "required": ["error"]}


def document(service: Service) -> dict[str, Any]:
    """Return the document of the models that accept requests now."""
    paths: dict[str, Any] = {
        "/v1/models": {"get": _get("List the models.")},
        "/healthz": {"get": _get("Tell that the server lives.")},
        "/readyz": {"get": _get("Tell whether all models take requests.")},
        "/metrics": {"get": _get("Report metrics for Prometheus.")},
    }
    for name, model in service.registry.models.items():
        if not model.available():
            continue
        with service.registry.use(name) as servable:
            paths[f"/v1/models/{quote(name)}:predict"] = {"post": _predict(servable)}
        paths[f"/v1/models/{quote(name)}"] = {"get": _get("Report the states of the versions.")}
        paths[f"/v1/models/{quote(name)}/metadata"] = {"get": _get("Describe the signatures.")}
    info = {"title": "tfgen serve", "version": __version__}
    return {"openapi": "3.1.0", "info": info, "paths": paths}


def _get(summary: str) -> dict[str, Any]:
    return {"summary": summary, "responses": {"200": {"description": "OK"}}}


def _predict(servable: Servable) -> dict[str, Any]:
    signatures = [s for s in servable.signatures.values() if s.inputs]
    return {
        "summary": f"Call a signature: {', '.join(s.name for s in signatures)}.",
        "requestBody": {"required": True, "content": _json(
            {"oneOf": [_request(signature) for signature in signatures]},
            {s.name: {"value": samples.body(s)} for s in signatures if _is_short(s)},
        )},
        "responses": {
            "200": {"description": "Outputs", "content": _json(
                {"anyOf": [_reply(signature) for signature in signatures]}
            )},
            "default": {"description": "A broken rule", "content": _json(ERROR)},
        },
    }  # fmt: skip


def _json(schema: dict[str, Any], examples: dict[str, Any] | None = None) -> dict[str, Any]:
    return {"application/json": {"schema": schema, **({"examples": examples} if examples else {})}}


def _is_short(signature: Signature) -> bool:
    return len(str(samples.body(signature))) <= samples.SHOWN


def _request(signature: Signature) -> dict[str, Any]:
    required = [] if signature.name == DEFAULT else ["signature_name"]
    shared = {"signature_name": {"const": signature.name}}
    columns = _or_bare(_object({k: _schema(s, s.shape) for k, s in signature.inputs.items()}))
    forms = [{"properties": {**shared, "inputs": columns}, "required": [*required, "inputs"]}]
    if all(spec.shape for spec in signature.inputs.values()):
        row = _object({k: _schema(s, (s.shape or ())[1:]) for k, s in signature.inputs.items()})
        rows = {"type": "array", "items": _or_bare(row), "minItems": 1}
        forms.append(
            {"properties": {**shared, "instances": rows}, "required": [*required, "instances"]}
        )
    return {"title": signature.name, "type": "object", "oneOf": forms}


def _or_bare(values: dict[str, Any]) -> dict[str, Any]:
    """Return the schema of an object or, if it has one value, of this value by itself."""
    if len(values["properties"]) > 1:
        return values
    return {"anyOf": [*values["properties"].values(), values]}


def _reply(signature: Signature) -> dict[str, Any]:
    values = {k: _schema(s, s.shape) for k, s in signature.outputs.items()}
    outputs = next(iter(values.values())) if len(values) == 1 else _object(values)
    return {
        "title": signature.name,
        "type": "object",
        "properties": {"outputs": outputs, "predictions": {"type": "array"}},
    }


def _object(properties: dict[str, Any]) -> dict[str, Any]:
    return {"type": "object", "properties": properties, "required": sorted(properties)}


def _schema(spec: Spec, shape: tuple[int | None, ...] | None) -> dict[str, Any]:
    if shape is None:
        return {}
    if spec.dtype == tf.string:
        schema: dict[str, Any] = {"anyOf": [{"type": "string"}, _B64]}
    elif spec.dtype == tf.bool:
        schema = {"type": "boolean"}
    else:
        schema = {"type": "integer" if spec.dtype.is_integer else "number"}
    for size in reversed(shape):
        bounds = {} if size is None else {"minItems": size, "maxItems": size}
        schema = {"type": "array", "items": schema, **bounds}
    return schema
