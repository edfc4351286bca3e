"""The server as an ASGI application, which any ASGI server runs; see `tfgen.serving.server`."""

from pathlib import Path

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import FileResponse, PlainTextResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from tfgen.serving import documents, openapi
from tfgen.serving.core import Service
from tfgen.serving.errors import Code, ServingError
from tfgen.serving.http import Handler, guard, json_response
from tfgen.serving.inference import Inference
from tfgen.serving.rest import Rest

PAGE = Path(__file__).parent / "page"
PAGE_HEADERS = {  # the page runs only its own scripts and cannot be framed
    "Content-Security-Policy": "default-src 'self'; img-src 'self' blob: data:; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
}
ANY = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]


def application(service: Service, token: str | None = None) -> ASGIApp:
    """Return the application of all HTTP dialects.

    Args:
        service: Models under limits.
        token: Bearer token that every request for a model must carry; None for none.
    """

    def protected(path, handler, methods=None):
        return Route(path, guard(handler, service.limits, token), methods=methods or ["GET"])

    async def metrics(request: Request) -> Response:
        return Response(service.metrics.text(), media_type="text/plain; version=0.0.4")

    async def healthz(request: Request) -> Response:
        return PlainTextResponse("ok\n")

    async def readyz(request: Request) -> Response:
        ready = service.ready
        return PlainTextResponse("ready\n" if ready else "not ready\n", 200 if ready else 503)

    async def description(request: Request) -> Response:
        return json_response(documents.dump(openapi.document(service)))

    async def nothing(request: Request) -> Response:
        raise ServingError(Code.NOT_FOUND, "Not Found")

    pages = Starlette(
        routes=[
            *(Route(f"/{path.name}", _file(path)) for path in PAGE.iterdir() if path.is_file()),
            Route("/", _file(PAGE / "index.html")),
            protected("/metrics", metrics),
            protected("/openapi.json", description),
            Route("/healthz", healthz),
            Route("/readyz", readyz),
            protected("/{rest:path}", nothing, ANY),
        ]
    )
    rest, inference = (
        guard(dialect.router().handle, service.limits, token)
        for dialect in (Rest(service), Inference(service))
    )
    dialects = {
        "/v1/": rest,
        "/v2/": inference,
        "/v2": inference,
    }  # the most frequent requests, without a search for routes

    async def dispatch(scope: Scope, receive: Receive, send: Send) -> None:
        handler = dialects.get(scope["path"][:4].lower()) if scope["type"] == "http" else None
        if handler is None:
            return await pages(scope, receive, send)
        response = await handler(Request(scope, receive))
        await response(scope, receive, send)

    return dispatch


def _file(path: Path) -> Handler:
    async def respond(request: Request) -> Response:
        return FileResponse(path, headers=PAGE_HEADERS)

    return respond
