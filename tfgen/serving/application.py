"""The server as an ASGI application, which any ASGI server runs; see `tfgen.serving.server`."""

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from tfgen.serving import documents, openapi
from tfgen.serving.core import Service
from tfgen.serving.errors import Code, ServingError
from tfgen.serving.http import guarded, json_response, raw_path
from tfgen.serving.inference import Inference
from tfgen.serving.rest import Rest

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

    async def description(request: Request) -> Response:
        return json_response(documents.dump(openapi.document(service)))

    rest, inference = Rest(service), Inference(service)

    async def other(request: Request) -> Response:
        path = raw_path(request)
        if path[:4].lower() == "/v1/":
            return await rest.handle(request)
        if path.rstrip("/") == "/v2" or path.startswith("/v2/"):
            return await inference.handle(request)
        raise ServingError(Code.NOT_FOUND, "Not Found")

    return Starlette(
        routes=[
            protected("/metrics", metrics),
            protected("/openapi.json", description),
            Route("/healthz", healthz),
            Route("/readyz", readyz),
            protected("/{rest:path}", other, ANY),
        ]
    )
