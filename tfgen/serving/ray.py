"""The application on Ray Serve: replicas, autoscaling, and no request lost with a replica.

    from tfgen.serving import Source
    from tfgen.serving import ray as replicated

    replicated.run([Source("gan", Path("saved_models/gan_digits"))], port=8501, most=4)

It needs Ray, of the extra `ray`. Replicas hold the models; gateways, which hold none, take requests from
Ray's proxy and ask another replica if the first one dies. A reply depends only on its request, so asking
twice is harmless.
"""

import asyncio
import dataclasses
import threading
from collections.abc import Iterable
from typing import Any

from ray import serve
from ray.exceptions import RayError
from starlette.requests import Request
from starlette.responses import Response

from tfgen.serving.application import application
from tfgen.serving.errors import Code, ServingError
from tfgen.serving.http import error_response, read_body
from tfgen.serving.limits import Batching, Limits
from tfgen.serving.server import service
from tfgen.serving.versions import Source

NAME = "tfgen"
ATTEMPTS = 5  # number of replicas to try
DEPARTED = (
    b"content-encoding",
    b"content-length",
    b"transfer-encoding",
)  # the body travels unpacked


@dataclasses.dataclass(frozen=True)
class Packed:
    """A request or a reply as sent between processes.

    Attributes:
        scope: ASGI's description of the request, or status and headers of the reply.
        body: Body.
    """

    scope: dict[str, Any]
    body: bytes


@serve.deployment
class Replica:
    """One copy of the models and of the application.

    Args:
        sources: Models to serve.
        limits: Bounds on requests.
        batching: Parameters of the batch scheduler.
        token: Bearer token that requests must carry; None for none.

    Raises:
        RuntimeError: A model has no version that loads.
    """

    def __init__(
        self, sources: list[Source], limits: Limits, batching: Batching, token: str | None
    ) -> None:
        served = service(sources, limits, batching)
        served.registry.poll()
        if not served.registry.ready:
            raise RuntimeError("A model has no version that loads, see the log of the replica")
        self._registry = served.registry
        self._application = application(served, token)
        threading.Thread(target=self._registry.watch, args=(1.0,), daemon=True).start()

    async def answer(self, request: Packed) -> Packed:
        """Return the application's reply."""
        status: dict[str, Any] = {}
        parts: list[bytes] = []

        received = False

        async def receive() -> dict[str, Any]:
            nonlocal received
            if received:
                await asyncio.Event().wait()  # a client that leaves is the gateway's affair
            received = True
            return {"type": "http.request", "body": request.body, "more_body": False}

        async def send(message: Any) -> None:
            if message["type"] == "http.response.start":
                status.update(status=message["status"], headers=list(message["headers"]))
            elif message["type"] == "http.response.body":
                parts.append(message.get("body", b""))

        await self._application(request.scope, receive, send)
        return Packed(status, b"".join(parts))

    def check_health(self) -> None:
        """Raise if a model accepts no requests, so that Ray replaces this replica."""
        if not self._registry.ready:
            raise RuntimeError("A model takes no requests")


@serve.deployment
class Gateway:
    """Hands requests to replicas.

    Args:
        replicas: Handle of the replicas.
        limits: Bounds on requests.
    """

    def __init__(self, replicas: serve.handle.DeploymentHandle, limits: Limits) -> None:
        self._replicas = replicas
        self._limits = limits

    async def __call__(self, request: Request) -> Response:
        """Return the reply of the first replica that does not die."""
        try:
            reply = await self._ask(Packed(_scope(request), await read_body(request, self._limits)))
        except ServingError as error:
            return error_response(error)
        response = Response(reply.body, reply.scope["status"])
        response.raw_headers = reply.scope["headers"]
        return response

    async def _ask(self, packed: Packed) -> Packed:
        for _ in range(ATTEMPTS):
            try:
                return await self._replicas.answer.remote(packed)
            except RayError:  # the replica has died
                continue
        raise ServingError(Code.UNAVAILABLE, "No replica lives; try again in a second")


def _scope(request: Request) -> dict[str, Any]:
    keys = (
        "type",
        "method",
        "path",
        "raw_path",
        "query_string",
        "root_path",
        "http_version",
        "scheme",
    )
    kept = {key: request.scope[key] for key in keys if key in request.scope}
    headers = [(k, v) for k, v in request.scope["headers"] if k not in DEPARTED]
    return {**kept, "headers": headers}


def bind(
    sources: Iterable[Source],
    limits: Limits | None = None,
    batching: Batching | None = None,
    token: str | None = None,
    least: int = 1,
    most: int = 1,
    gateways: int = 1,
) -> serve.Application:
    """Return the application for `ray.serve.run`, or for a configuration file of Ray Serve.

    Args:
        sources: Models to serve; every machine of the cluster must find them at these paths.
        limits: Bounds on the requests of one replica.
        batching: Parameters of its batch scheduler.
        token: Bearer token that requests must carry; None for none.
        least: Smallest number of replicas.
        most: Largest number of replicas; their number grows with waiting requests.
        gateways: Number of gateways.
    """
    limits, batching = limits or Limits(), batching or Batching()
    scaling = {
        "min_replicas": least,
        "max_replicas": most,
        "target_ongoing_requests": batching.rows,
    }
    replicas = Replica.options(
        autoscaling_config=scaling, max_ongoing_requests=limits.concurrency
    ).bind(list(sources), limits, batching, token)
    busy = limits.concurrency * most
    return Gateway.options(num_replicas=gateways, max_ongoing_requests=busy).bind(replicas, limits)


def run(
    sources: Iterable[Source], host: str = "127.0.0.1", port: int = 8501, **options: Any
) -> None:
    """Deploy, and return once all replicas are ready; Ray serves until `ray.serve.shutdown`.

    Args:
        sources: Models to serve.
        host: Address to listen on.
        port: Port of HTTP.
        **options: Further arguments of `bind`.
    """
    serve.start(http_options={"host": host, "port": port})
    serve.run(bind(sources, **options), name=NAME, route_prefix="/")
