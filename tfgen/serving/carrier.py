"""HTTP server: uvicorn, with bounded request heads and a callback when a signal ends it."""

import gc
import re
from collections.abc import Callable
from types import FrameType
from typing import Any

import uvicorn
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from tfgen.serving.limits import Limits

HEAD_BYTES = 64 * 1024

_UPGRADE = re.compile(rb"\n[Uu][Pp][Gg][Rr][Aa][Dd][Ee]:")  # quicker than re.IGNORECASE


class Protocol(HttpToolsProtocol):
    """HTTP/1.1 by llhttp, with a bound on a request's head, which llhttp itself lacks.

    An offer to upgrade, which Java's client sends with every request, is ignored, as RFC 9110 permits:
    llhttp would take the request's body for the new protocol's.  The header gets another name of equal
    length; bodies are left alone.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._head: int | None = None  # bytes of a head that is being read
        self._in_body = False

    def on_message_begin(self) -> None:
        """Start to count the bytes of a head."""
        super().on_message_begin()
        self._head = 0

    def on_headers_complete(self) -> None:
        """End it."""
        super().on_headers_complete()
        self._head, self._in_body = None, True

    def on_message_complete(self) -> None:
        """End the body."""
        super().on_message_complete()
        self._in_body = False

    def data_received(self, data: bytes) -> None:
        """Parse, and reject a head that is too long."""
        if not self._in_body and (offer := _UPGRADE.search(data)):
            start, end = offer.span()
            if b"\r\n\r\n" not in data[:start]:
                data = data[:start] + b"\nX-Offer:" + data[end:]
        super().data_received(data)
        if self._head is None:
            return
        self._head += len(data)
        if self._head > HEAD_BYTES and not self.transport.is_closing():
            self.send_400_response(f"The head of a request has at most {HEAD_BYTES} bytes")


class Carrier(uvicorn.Server):
    """A server of an application.

    Args:
        application: ASGI application.
        limits: Bounds on requests.
        ending: Function to call when a signal ends the server.
    """

    def __init__(
        self, application: Callable[..., Any], limits: Limits, ending: Callable[[], None]
    ) -> None:
        config = uvicorn.Config(
            application,
            http=Protocol,
            log_config=None,
            log_level="warning",
            access_log=False,
            server_header=False,
            proxy_headers=False,
            lifespan="off",
            ws="none",
            limit_concurrency=limits.connections,
            timeout_graceful_shutdown=int(limits.seconds) + 1,
        )
        super().__init__(config)
        self._ending = ending

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Call `ending`, and end once all accepted requests are answered."""
        self._ending()
        super().handle_exit(sig, frame)


def settle() -> None:
    """Freeze the objects of loaded models, so that the garbage collector skips them.

    They are a million long-lived objects; scanning them again and again took a fifth of a busy server's
    time.
    """
    gc.unfreeze()
    gc.collect()
    gc.freeze()
