"""TensorFlow Serving's gRPC interface, and the standard health service."""

import functools
import logging
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import grpc
from grpc_health.v1 import health, health_pb2, health_pb2_grpc
from tensorflow_serving.apis import (
    get_model_metadata_pb2,
    get_model_status_pb2,
    model_pb2,
    model_service_pb2_grpc,
    predict_pb2,
    prediction_service_pb2_grpc,
)

from tfgen.serving import protos
from tfgen.serving.core import Address, Service
from tfgen.serving.errors import ServingError, invalid
from tfgen.serving.http import check_token
from tfgen.serving.signatures import DEFAULT

SIGNATURES = "signature_def"  # the only field of metadata
MOST_WATCHERS = 1000  # clients that wait for changes of health, a thread each

log = logging.getLogger("tfgen.serving")

_CODES = {code.value[0]: code for code in grpc.StatusCode}


def answering(method: Callable[..., Any]) -> Callable[..., Any]:
    """Turn the errors of a handler into gRPC statuses."""

    @functools.wraps(method)
    def answer(self, request, context):
        try:
            return method(self, request)
        except ServingError as error:
            context.abort(_CODES[int(error.code)], str(error))
        except Exception:
            log.exception("%s failed", method.__name__)
            context.abort(grpc.StatusCode.INTERNAL, "The server has a fault, see its log")

    return answer


def _address(spec: model_pb2.ModelSpec) -> Address:
    if not spec.name:
        raise invalid("Missing ModelSpec")
    number = spec.version.value if spec.HasField("version") else None
    return Address(spec.name, number, spec.version_label or None)


class Prediction(prediction_service_pb2_grpc.PredictionServiceServicer):
    """Predict and GetModelMetadata; Classify, Regress and MultiInference are unimplemented."""

    def __init__(self, service: Service) -> None:
        self._service = service

    @answering
    def Predict(self, request: predict_pb2.PredictRequest) -> predict_pb2.PredictResponse:  # noqa: N802
        spec = request.model_spec
        limits = self._service.limits
        answer = self._service.predict(
            _address(spec),
            spec.signature_name or DEFAULT,
            lambda signature: protos.arrays(dict(request.inputs), signature, limits),
            "grpc",
        )
        response = predict_pb2.PredictResponse()
        for name, value in protos.chosen(answer.outputs, list(request.output_filter)).items():
            response.outputs[name].CopyFrom(protos.proto(value))
        response.model_spec.name = spec.name
        response.model_spec.version.value = answer.servable.version
        response.model_spec.signature_name = answer.signature.name
        return response

    @answering
    def GetModelMetadata(  # noqa: N802
        self, request: get_model_metadata_pb2.GetModelMetadataRequest
    ) -> get_model_metadata_pb2.GetModelMetadataResponse:
        if unknown := [field for field in request.metadata_field if field != SIGNATURES]:
            raise invalid(f"Metadata field {unknown[0]} is not supported")
        if not request.metadata_field:
            raise invalid("GetModelMetadataRequest must specify at least one metadata_field")
        address = _address(request.model_spec)
        response = get_model_metadata_pb2.GetModelMetadataResponse()
        definitions = get_model_metadata_pb2.SignatureDefMap()
        with self._service.registry.use(address.name, address.number, address.label) as servable:
            for name, signature in servable.signatures.items():
                definitions.signature_def[name].CopyFrom(signature.definition)
            response.model_spec.version.value = servable.version
        response.model_spec.name = address.name
        response.metadata[SIGNATURES].Pack(definitions)
        return response


class Status(model_service_pb2_grpc.ModelServiceServicer):
    """GetModelStatus; configurations are not reloaded over the network."""

    def __init__(self, service: Service) -> None:
        self._service = service

    @answering
    def GetModelStatus(  # noqa: N802
        self, request: get_model_status_pb2.GetModelStatusRequest
    ) -> get_model_status_pb2.GetModelStatusResponse:
        address = _address(request.model_spec)
        registry = self._service.registry
        number = address.number
        if address.label is not None:
            number = registry.version_of_label(address.name, address.label)
        response = get_model_status_pb2.GetModelStatusResponse()
        for version in registry.status(address.name, number):
            entry = response.model_version_status.add(
                version=version.number, state=int(version.state)
            )
            entry.status.error_code = version.code
            entry.status.error_message = version.message
        return response


class _Health(health.HealthServicer):
    """Health of the server, and of each model by its name, for Check and Watch.

    A watcher has a thread.  By default grpcio sends changes from the thread that makes them, under a lock
    that the end of a stream wants too, on the only thread that could report the change as sent: a watcher
    that ends while a model is loaded then stops the whole server.
    """

    def __init__(self, service: Service) -> None:
        super().__init__(experimental_non_blocking=False, experimental_thread_pool=_watchers_pool)
        self._service = service
        self._told: dict[str, bool] = {}
        self._refresh()
        service.listeners.append(self._refresh)

    def Check(self, request: Any, context: Any) -> Any:  # noqa: N802
        self._refresh()
        return super().Check(request, context)

    def _refresh(self) -> None:
        models, kinds = self._service.registry.models, health_pb2.HealthCheckResponse
        ready = {name: bool(model.available()) for name, model in models.items()}
        ready[""] = self._service.ready
        for name, is_ready in ready.items():
            if self._told.get(name) is not is_ready:  # a watcher is told of changes alone
                self._told[name] = is_ready
                self.set(name, kinds.SERVING if is_ready else kinds.NOT_SERVING)


# One for all servers of a process: grpcio keeps it with the class.
_watchers_pool = ThreadPoolExecutor(MOST_WATCHERS, "tfgen-health")


class _Token(grpc.ServerInterceptor):
    """Interceptor that requires the token in the metadata key `authorization`, except for health checks."""

    def __init__(self, token: str) -> None:
        self._token = token

    def intercept_service(self, continuation: Any, details: Any) -> Any:
        if details.method.startswith(f"/{health.SERVICE_NAME}/"):
            return continuation(details)
        header = dict(details.invocation_metadata).get("authorization", "")
        try:
            check_token(header, self._token)
        except ServingError as error:
            code, message = _CODES[int(error.code)], str(error)
            return grpc.unary_unary_rpc_method_handler(
                lambda _, context: context.abort(code, message)
            )
        return continuation(details)


def rpc_server(service: Service, address: str, token: str | None = None) -> tuple[grpc.Server, int]:
    """Return a gRPC server, not yet started, and its port.

    Args:
        service: Models under limits.
        address: Host and port to listen on; port 0 for any free one.
        token: Bearer token that requests must carry; None for none.

    Raises:
        OSError: The port is taken.
    """
    limits = service.limits
    server = grpc.server(
        ThreadPoolExecutor(limits.concurrency, "tfgen-grpc"),
        interceptors=[] if token is None else [_Token(token)],
        options=[
            ("grpc.max_receive_message_length", limits.body),
            ("grpc.max_send_message_length", -1),
            ("grpc.so_reuseport", 0),
        ],
        maximum_concurrent_rpcs=limits.concurrency + limits.queue,
    )
    prediction_service_pb2_grpc.add_PredictionServiceServicer_to_server(Prediction(service), server)
    model_service_pb2_grpc.add_ModelServiceServicer_to_server(Status(service), server)
    health_pb2_grpc.add_HealthServicer_to_server(_Health(service), server)
    try:
        port = server.add_insecure_port(address)
    except RuntimeError as error:
        raise OSError(f"gRPC cannot listen on {address}") from error
    return server, port
