"""The one way from a request to a graph, whatever the protocol."""

import dataclasses
import threading
from collections.abc import Callable
from typing import TypeVar

import anyio
import anyio.to_thread

from tfgen.serving.errors import Code, ServingError
from tfgen.serving.limits import Limits
from tfgen.serving.metrics import Metrics
from tfgen.serving.registry import Registry
from tfgen.serving.servable import Servable
from tfgen.serving.signatures import Signature, Tensors

T = TypeVar("T")


@dataclasses.dataclass(frozen=True)
class Address:
    """Model and version that a request names; the newest version without number and label."""

    name: str
    number: int | None = None
    label: str | None = None


@dataclasses.dataclass(frozen=True)
class Answer:
    """Outputs of a signature and where they come from."""

    servable: Servable
    signature: Signature
    outputs: Tensors


class Service:
    """Models under limits.

    Args:
        registry: Models.
        limits: Bounds on requests.

    Attributes:
        draining: Whether the server is ending and new traffic should go elsewhere.
    """

    def __init__(self, registry: Registry, limits: Limits) -> None:
        self.registry = registry
        self.limits = limits
        self.metrics = Metrics(registry)
        self.draining = False
        self._places = threading.BoundedSemaphore(limits.concurrency + limits.queue)
        self._threads = anyio.CapacityLimiter(limits.concurrency)

    @property
    def ready(self) -> bool:
        """Whether new traffic may come: all models take requests, and the server is not ending."""
        return self.registry.ready and not self.draining

    def predict(
        self, address: Address, name: str, read: Callable[[Signature], Tensors], protocol: str
    ) -> Answer:
        """Return the outputs of a signature.

        Args:
            address: Model and version.
            name: Signature.
            read: Function that returns the request's tensors for the signature.
            protocol: Protocol's name in the metrics.

        Raises:
            ServingError: Model, version or signature are not there, or the request breaks a rule.
        """
        with self.registry.use(address.name, address.number, address.label) as servable:
            signature = servable.signature(name)
            labels = (address.name, name, protocol)
            with self.metrics.time_request(*labels):
                tensors = read(signature)
                outputs = servable.predict(name, tensors)
            self.metrics.count_rows(*labels, signature.rows(tensors))
            return Answer(servable, signature, outputs)

    async def run(self, work: Callable[[], T]) -> T:
        """Run blocking work in a thread, if there is a place for it.

        A request that was given up keeps its place until its thread has ended, so that threads are
        bounded too.

        Raises:
            ServingError: All places are taken.
        """
        if not self._places.acquire(blocking=False):
            raise ServingError(Code.UNAVAILABLE, "The server is busy; try again in a second")
        place = _Place(self._places)
        try:
            return await anyio.to_thread.run_sync(
                place.run, work, abandon_on_cancel=True, limiter=self._threads
            )
        finally:
            place.leave_unless_running()


class _Place:
    """A place in the queue, given back once: by the thread that used it, or if none ever did."""

    def __init__(self, places: threading.BoundedSemaphore) -> None:
        self._places = places
        self._lock = threading.Lock()
        self._taken = False

    def run(self, work: Callable[[], T]) -> T | None:
        if not self._take():
            return None  # given up before a thread came
        try:
            return work()
        finally:
            self._places.release()

    def leave_unless_running(self) -> None:
        if self._take():
            self._places.release()

    def _take(self) -> bool:
        with self._lock:
            first, self._taken = not self._taken, True
            return first
