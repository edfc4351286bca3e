"""The server as an ASGI application, which any ASGI server runs; see `tfgen.serving.server`."""

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from tfgen.serving.core import Service
from tfgen.serving.errors import Code, ServingError
from tfgen.serving.http import guarded
from tfgen.serving.rest import Rest, raw_path

ANY = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]


def application(service: Service, token: str | None = None) -> Starlette:
    """Return the application of all HTTP dialects.

    Args:
        service: Models under limits.
        token: Bearer token that every request for a model must carry; None for none.
    """

    def protected(path, handler, methods=None):
        return Route(path, guarded(handler, service.limits, token), methods=methods or ["GET"])

    async def metrics(request: Request) -> Response:
        return Response(service.metrics.text(), media_type="text/plain; version=0.0.4")

    async def healthz(request: Request) -> Response:
        return PlainTextResponse("ok\n")

    async def readyz(request: Request) -> Response:
        ready = service.registry.ready and not service.draining
        return PlainTextResponse("ready\n" if ready else "not ready\n", 200 if ready else 503)

    rest = Rest(service)

    async def other(request: Request) -> Response:
        if raw_path(request)[:4].lower() == "/v1/":
            return await rest.handle(request)
        raise ServingError(Code.NOT_FOUND, "Not Found")

    return Starlette(
        routes=[
            protected("/metrics", metrics),
            Route("/healthz", healthz),
            Route("/readyz", readyz),
            protected("/{rest:path}", other, ANY),
        ]
    )
