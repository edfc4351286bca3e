"""Small requests for one signature, computed by few threads, several requests at a time.

A lane groups requests, not rows: it passes the rows of those that have arrived to
`tf.nondifferentiable_batch_function` as one task, and that scheduler alone joins tasks, sizes, pads and
splits batches, and bounds their queue; requests too large for a lane go to it one by one.

With one thread per request, all threads of a batch wake when it is done and contend for the interpreter,
which takes longer than the batch itself. Here a thread takes all requests that have arrived and answers
them all.
"""

import asyncio
import collections
import dataclasses
import threading
from collections.abc import Callable
from concurrent.futures import Executor
from typing import Generic, TypeVar

T = TypeVar("T")
R = TypeVar("R")


@dataclasses.dataclass(frozen=True)
class Waiting(Generic[T, R]):
    """A request, and the future of its reply."""

    request: T
    future: asyncio.Future[R]


class Lane(Generic[T, R]):
    """Requests for one signature of a model.

    Args:
        answer: Function that returns a reply or an error for each request, in their order.
        threads: Executor that runs `answer`.
        workers: Largest number of threads at a time.
        most: Largest number of requests that one thread takes at a time.
    """

    def __init__(
        self,
        answer: Callable[[list[T]], list[R | Exception]],
        threads: Executor,
        workers: int,
        most: int,
    ) -> None:
        self._answer = answer
        self._threads = threads
        self._most = most
        self._idle = workers
        self._queue: collections.deque[Waiting[T, R]] = collections.deque()
        self._lock = threading.Lock()

    async def ask(self, request: T) -> R:
        """Return the reply to a request, or raise its error."""
        future: asyncio.Future[R] = asyncio.get_running_loop().create_future()
        with self._lock:
            self._queue.append(Waiting(request, future))
            start = self._idle > 0
            self._idle -= start
        if start:
            self._threads.submit(self._work)
        return await future

    def _work(self) -> None:
        while taken := self._take():
            wanted = [waiting for waiting in taken if not waiting.future.done()]  # others gave up
            if not wanted:
                continue
            try:
                outcomes = self._answer([waiting.request for waiting in wanted])
            except Exception as error:
                outcomes = [error] * len(wanted)
            loop = wanted[0].future.get_loop()
            loop.call_soon_threadsafe(_deliver, wanted, outcomes)

    def _take(self) -> list[Waiting[T, R]]:
        with self._lock:
            count = min(self._most, len(self._queue))
            self._idle += count == 0
            return [self._queue.popleft() for _ in range(count)]


def _deliver(wanted: list[Waiting], outcomes: list) -> None:
    for waiting, outcome in zip(wanted, outcomes, strict=True):
        if waiting.future.done():
            continue
        if isinstance(outcome, Exception):
            waiting.future.set_exception(outcome)
        else:
            waiting.future.set_result(outcome)
