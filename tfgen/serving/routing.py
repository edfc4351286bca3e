"""Routes of an HTTP interface: from method and path to the function that answers."""

import dataclasses
import functools
import inspect
import re
from collections.abc import Awaitable, Callable, Iterable
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from tfgen.serving.core import Service
from tfgen.serving.errors import ServingError, invalid
from tfgen.serving.http import raw_path, read_body
from tfgen.serving.versions import LARGEST

DIGITS = len(str(LARGEST))


@dataclasses.dataclass(frozen=True)
class Route:
    """One kind of request.

    Attributes:
        method: HTTP method; the body of a POST is read.
        pattern: Pattern of the whole path with its escapes.
        answer: Function of the match and the body.
        blocking: Whether `answer` may wait, so that it runs in a thread and needs a place in the queue; a
            coroutine function takes its place itself.
    """

    method: str
    pattern: re.Pattern[str]
    answer: Callable[[re.Match[str], bytes], Response | Awaitable[Response]]
    blocking: bool = True


class Router:
    """Routes below one prefix.

    Args:
        service: Models under limits.
        routes: Routes; the first that matches answers.
        unknown: Function of method and path that returns the error of a request without a route.
    """

    def __init__(
        self,
        service: Service,
        routes: Iterable[Route],
        unknown: Callable[[str, str], ServingError],
    ) -> None:
        self._service = service
        self._routes = tuple(routes)
        self._unknown = unknown

    async def handle(self, request: Request) -> Response:
        """Answer a request.

        Raises:
            ServingError: The path or the body is malformed, or names something that does not exist.
        """
        path = raw_path(request)
        for route in self._routes:
            match = route.pattern.fullmatch(path) if request.method == route.method else None
            if match is None:
                continue
            posted = route.method == "POST"
            body = await read_body(request, self._service.limits) if posted else b""
            if route.blocking:
                work: Any = functools.partial(route.answer, match, body)
                return await self._service.run(work)
            response: Any = route.answer(match, body)
            return await response if inspect.isawaitable(response) else response
        raise self._unknown(request.method, path[:256])


def version_number(text: str | None) -> int | None:
    """Return the version that a path names, or None.

    Raises:
        ServingError: The number has more than 64 bits.
    """
    if text is None:
        return None
    if len(text) > DIGITS or int(text) > LARGEST:
        raise invalid(f"Failed to convert version: {text[:256]} to numeric.")
    return int(text)
