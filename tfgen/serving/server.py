"""Start, run and end a server."""

import contextlib
import signal
import socket
import threading
from collections.abc import Callable, Iterable, Iterator

from tfgen.serving.application import application
from tfgen.serving.carrier import Carrier, settle
from tfgen.serving.core import Service
from tfgen.serving.limits import Batching, Limits
from tfgen.serving.registry import Registry
from tfgen.serving.rpc import rpc_server
from tfgen.serving.servable import Servable
from tfgen.serving.versions import Source, Version
from tfgen.serving.warmup import replay

LOOPBACK = "127.0.0.1"


def service(
    sources: Iterable[Source],
    limits: Limits | None = None,
    batching: Batching | None = None,
    lazy: bool = False,
) -> Service:
    """Return the models of these sources, not yet loaded; `registry.poll()` loads them.

    Args:
        sources: Models to serve.
        limits: Bounds on requests; by default those of `Limits`.
        batching: Parameters of the batch scheduler; by default those of `Batching`.
        lazy: Whether a model is loaded on its first request.

    Raises:
        ValueError: Two models have one name.
    """
    limits, batching = limits or Limits(), batching or Batching()

    def load(name: str, version: Version) -> Servable:
        loaded = Servable(name, version.number, version.folder, limits, batching)
        replay(loaded, version.folder, limits)
        return loaded

    registry = Registry(sources, load, lazy)
    registry.listeners.append(settle)
    return Service(registry, limits, batching)


class Server:
    """A service behind HTTP and gRPC.

    Args:
        served: Models under limits.
        host: Address to listen on.
        port: Port of HTTP; 0 for any free one.
        grpc_port: Port of gRPC; 0 for any free one, None for no gRPC.
        token: Bearer token that requests must carry; None for none.
        poll_seconds: Time between searches for new versions.

    Raises:
        OSError: A port is taken.
    """

    def __init__(
        self,
        served: Service,
        host: str = LOOPBACK,
        port: int = 8501,
        grpc_port: int | None = None,
        token: str | None = None,
        poll_seconds: float = 1.0,
    ) -> None:
        self.service = served
        self._poll_seconds = poll_seconds
        self._http = Carrier(application(served, token), served.limits, served.drain)
        self._socket = _listen(host, port)
        self._rpc, self.grpc_port = None, None
        if grpc_port is not None:
            try:
                self._rpc, self.grpc_port = rpc_server(served, _address(host, grpc_port), token)
            except OSError:
                self._socket.close()
                raise

    @property
    def address(self) -> str:
        """Address of the page and of the REST interface."""
        host, port = self._socket.getsockname()[:2]
        return f"http://{_address(host, port)}"

    def run(self, started: Callable[[], None] = lambda: None) -> None:
        """Serve until SIGTERM or SIGINT, then answer all accepted requests and return.

        Args:
            started: Function to call once models are loaded.
        """
        registry = self.service.registry
        watcher = threading.Thread(target=self._watch, args=(started,), name="tfgen-poll")
        watcher.start()
        if self._rpc is not None:
            self._rpc.start()
        try:
            with _swallow_signals():
                self._http.run(sockets=[self._socket])
        finally:
            self._socket.close()
            if self._rpc is not None:
                self._rpc.stop(self.service.limits.seconds).wait()
            registry.close()
            watcher.join()
            self.service.close()

    def end(self) -> None:
        """Make `run` answer all accepted requests and return."""
        self.service.drain()
        self._http.should_exit = True

    def _watch(self, started: Callable[[], None]) -> None:
        self.service.registry.poll()
        started()
        self.service.registry.watch(self._poll_seconds)


@contextlib.contextmanager
def _swallow_signals() -> Iterator[None]:
    """Ignore signals that uvicorn raises again after it has obeyed them."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    old = {n: signal.signal(n, lambda *_: None) for n in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield
    finally:
        for number, handler in old.items():
            signal.signal(number, handler)


def _address(host: str, port: int) -> str:
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def _listen(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    return socket.create_server((host, port), family=family, backlog=2048)
