"""Shared code of the HTTP interfaces: bodies within limits, error replies, token, time limit."""

import asyncio
import hmac
import logging
import zlib
from collections.abc import Awaitable, Callable

from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response

from tfgen.serving import documents
from tfgen.serving.errors import Code, ServingError, invalid
from tfgen.serving.limits import Limits

Handler = Callable[[Request], Awaitable[Response]]

RETRY_AFTER = "1"  # second

log = logging.getLogger("tfgen.serving")


def json_response(body: bytes, status: int = 200) -> Response:
    """Return a reply whose body is JSON already."""
    return Response(body, status, media_type="application/json")


def error_response(error: ServingError) -> Response:
    """Return an error in TensorFlow Serving's form, `{"error": "..."}`."""
    response = json_response(documents.dump({"error": str(error)}), error.status)
    if error.status == 503:
        response.headers["Retry-After"] = RETRY_AFTER
    if error.status == 401:
        response.headers["WWW-Authenticate"] = "Bearer"
    return response


def guard(handler: Handler, limits: Limits, token: str | None = None) -> Handler:
    """Return the handler with a time limit, errors as replies and, if one is given, the token checked."""

    async def answer(request: Request) -> Response:
        try:
            if token is not None:
                check_token(request.headers.get("authorization", ""), token)
            async with asyncio.timeout(limits.seconds):
                return await handler(request)
        except ServingError as error:
            return error_response(error)
        except TimeoutError:
            message = f"The request took more than {limits.seconds:g} s"
            return error_response(ServingError(Code.DEADLINE_EXCEEDED, message))
        except ClientDisconnect:
            return error_response(ServingError(Code.CANCELLED, "The client has gone"))
        except Exception:
            log.exception("%s %s failed", request.method, request.url.path)
            return error_response(
                ServingError(Code.INTERNAL, "The server has a fault, see its log")
            )

    return answer


def check_token(header: str, token: str) -> None:
    """Raise unless an Authorization header holds the token.

    Raises:
        ServingError: The header lacks the token.
    """
    scheme, _, given = header.partition(" ")  # a scheme is case-blind, RFC 9110
    same = hmac.compare_digest(given.strip().encode(), token.encode())
    if scheme.lower() != "bearer" or not same:
        raise ServingError(
            Code.UNAUTHENTICATED, "A bearer token is needed: Authorization: Bearer ..."
        )


def raw_path(request: Request) -> str:
    """Return the path with its escapes, so that an escaped slash does not split a name."""
    raw = request.scope.get("raw_path") or request.url.path.encode()
    return raw.split(b"?")[0].decode("latin-1")


async def read_body(request: Request, limits: Limits) -> bytes:
    """Return a request's body, decompressed.

    Raises:
        ServingError: The body is too long, too slow, or not gzip although the header says so.
    """
    length = request.headers.get("content-length", "0")
    if length.isdecimal() and int(length[:20]) > limits.body:
        raise _too_long(limits)
    parts = bytearray()
    try:
        async with asyncio.timeout(limits.seconds / 2):
            async for part in request.stream():
                parts += part
                if len(parts) > limits.body:
                    raise _too_long(limits)
    except TimeoutError:
        message = f"The body did not arrive within {limits.seconds / 2:g} s"
        raise ServingError(Code.DEADLINE_EXCEEDED, message, status=408) from None
    encoding = request.headers.get("content-encoding", "identity").strip().lower()
    if encoding == "gzip":
        return _unzip(bytes(parts), limits)
    if encoding not in ("identity", ""):
        raise invalid(f"Content-Encoding must be gzip or identity. Received: {encoding[:64]}")
    return bytes(parts)


def _unzip(packed: bytes, limits: Limits) -> bytes:
    unpacker = zlib.decompressobj(wbits=16 + zlib.MAX_WBITS)
    try:
        body = unpacker.decompress(packed, limits.body + 1)
    except zlib.error as error:
        raise invalid(f"The body is no gzip: {error}") from error
    if len(body) > limits.body:
        raise _too_long(limits)
    if not unpacker.eof:
        raise invalid("The body is no gzip: it ends too early")
    return body


def _too_long(limits: Limits) -> ServingError:
    message = f"A body has at most {limits.body} bytes"
    return ServingError(Code.INVALID_ARGUMENT, message, status=413)
