"""The path of every protocol's requests to a graph."""

import asyncio
import dataclasses
import functools
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

from starlette.responses import Response

from tfgen.serving.errors import Code, ServingError
from tfgen.serving.lanes import Lane
from tfgen.serving.limits import Batching, Limits
from tfgen.serving.metrics import Labels, Metrics, code_of
from tfgen.serving.registry import Registry
from tfgen.serving.servable import Servable
from tfgen.serving.signatures import Signature, Tensors

T = TypeVar("T")

SMALL = 16 * 1024  # largest number of bytes of a body that the event loop parses


@dataclasses.dataclass(frozen=True)
class Address:
    """Model and version that a request names; the newest version without number and label."""

    name: str
    number: int | None = None
    label: str | None = None


@dataclasses.dataclass(frozen=True)
class Answer:
    """Outputs of a signature, with the model and version that computed them."""

    servable: Servable
    signature: Signature
    outputs: Tensors


@dataclasses.dataclass(frozen=True)
class Question:
    """A request for a prediction in one protocol's form.

    Attributes:
        read: Function that returns the request's tensors for the signature.
        write: Function that returns the reply.
    """

    read: Callable[[Signature], Tensors]
    write: Callable[[Answer], Response]


class Service:
    """Models under limits.

    Args:
        registry: Models.
        limits: Bounds on requests.
        batching: Parameters of the batch scheduler.

    Attributes:
        draining: Whether the server is ending and new requests should go to another server.
        listeners: Functions to call when the server or a model may have become ready, or is no longer.
    """

    def __init__(self, registry: Registry, limits: Limits, batching: Batching) -> None:
        self.registry = registry
        self.limits = limits
        self._batching = batching
        self.metrics = Metrics(registry)
        self.draining = False
        self.listeners: list[Callable[[], None]] = []
        registry.listeners.append(self._announce)
        self._places = threading.BoundedSemaphore(limits.concurrency + limits.queue)
        self._lanes: dict[tuple[Address, str, str], Lane[Question, Response]] = {}
        self._threads = ThreadPoolExecutor(limits.concurrency, "tfgen-http")

    def drain(self) -> None:
        """Tell that the server is ending; it still answers."""
        self.draining = True
        self._announce()

    def _announce(self) -> None:
        for listener in self.listeners:
            listener()

    @property
    def ready(self) -> bool:
        """Whether the server accepts requests: all models do, and the server is not ending."""
        return self.registry.ready and not self.draining

    def predict(
        self, address: Address, name: str, read: Callable[[Signature], Tensors], protocol: str
    ) -> Answer:
        """Return the outputs of a signature.

        Args:
            address: Model and version.
            name: Signature.
            read: Function that returns the request's tensors for the signature.
            protocol: Name of the protocol in the metrics.

        Raises:
            ServingError: Model, version or signature do not exist, or the request breaks a rule.
        """
        with self.registry.use(address.name, address.number, address.label) as servable:
            signature = servable.signature(name)
            labels = (address.name, name, protocol)
            with self.metrics.time_request(*labels):
                tensors = read(signature)
                outputs = servable.predict(name, tensors)
            self.metrics.count_rows(labels, signature.rows(tensors))
            return Answer(servable, signature, outputs)

    async def ask(self, address: Address, name: str, protocol: str, question: Question) -> Response:
        """Return the reply to a small request, with rows of several requests computed together if possible.

        Args:
            address: Model and version.
            name: Signature.
            protocol: Name of the protocol in the metrics.
            question: Request that is quick to parse.

        Raises:
            ServingError: See `predict`; or all places in the queue are taken.
        """
        lane = self._lane(address, name, protocol)
        if lane is None:
            return await self.run(
                lambda: question.write(self.predict(address, name, question.read, protocol))
            )
        self._take_place()
        try:
            return await lane.ask(question)
        finally:
            self._places.release()

    def _lane(self, address: Address, name: str, protocol: str) -> Lane[Question, Response] | None:
        key = (address, name, protocol)
        if key not in self._lanes:
            servable = self.registry.loaded(address.name, address.number, address.label)
            signature = servable.signatures.get(name) if servable else None
            if servable is None or signature is None or not servable.shares(signature):
                return None
            answer = functools.partial(self._answers, *key)
            workers = max(1, self._batching.threads // 2)  # the loop needs its share
            self._lanes[key] = Lane(answer, self._threads, workers, self._batching.rows)
        return self._lanes[key]

    def _answers(
        self, address: Address, name: str, protocol: str, questions: list[Question]
    ) -> list[Response | Exception]:
        labels, begin = (address.name, name, protocol), time.perf_counter()
        with (
            self.registry.use(address.name, address.number, address.label) as servable,
            self.metrics.running(len(questions)),
        ):
            outcomes = self._together(servable, servable.signature(name), labels, questions)
        seconds = time.perf_counter() - begin
        for outcome in outcomes:
            self.metrics.count(labels, code_of(outcome), seconds)
        return outcomes

    def _together(
        self, servable: Servable, signature: Signature, labels: Labels, questions: list[Question]
    ) -> list[Response | Exception]:
        outcomes: list[Response | Exception] = []
        given: dict[int, Tensors] = {}
        for index, question in enumerate(questions):
            outcomes.append(ServingError(Code.INTERNAL, "No answer"))
            try:
                tensors = question.read(signature)
                servable.check(signature, tensors)
                given[index] = tensors
            except ServingError as error:
                outcomes[index] = error
        found = servable.predict_together(signature, list(given.values())) if given else []
        for index, outputs in zip(given, found, strict=True):
            try:
                if isinstance(outputs, ServingError):
                    raise outputs
                outcomes[index] = questions[index].write(Answer(servable, signature, outputs))
            except ServingError as error:
                outcomes[index] = error
        self.metrics.count_rows(labels, sum(map(signature.rows, given.values())))
        return outcomes

    async def run(self, work: Callable[[], T]) -> T:
        """Run blocking work in a thread, if there is a place for it.

        A cancelled request keeps its place until its thread has ended, so that the number of threads is
        bounded too.

        Raises:
            ServingError: All places in the queue are taken.
        """
        self._take_place()
        place = _Place(self._places)
        try:
            loop = asyncio.get_running_loop()
            done: Any = await loop.run_in_executor(self._threads, place.run, work)
            return done
        finally:
            place.leave_unless_running()

    def _take_place(self) -> None:
        if not self._places.acquire(blocking=False):
            raise ServingError(Code.UNAVAILABLE, "The server is busy; try again in a second")

    def close(self) -> None:
        """Let the threads end when their work is done."""
        self._threads.shutdown(wait=False)


class _Place:
    """A place in the queue, returned once: by the thread that used it, or at once if no thread did."""

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
