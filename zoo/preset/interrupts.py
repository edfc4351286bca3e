"""Ctrl-C and SIGTERM during a training, heeded between two batches."""

import contextlib
import signal
import threading
from collections.abc import Iterator
from typing import Any

import keras


@contextlib.contextmanager
def between_batches() -> Iterator[keras.callbacks.Callback]:
    """Give `fit` a callback that calls the handlers of SIGINT and SIGTERM after the interrupted batch.

    A handler raises, and what it raises within TensorFlow's own calls to Python is lost or aborts the
    process.  A second signal is heeded at once.  Signals without a handler of Python's, and all signals in
    another thread than the main one, where Python does not handle any, are left alone.
    """
    heeded = _Heeded()
    with contextlib.ExitStack() as restored:
        if threading.current_thread() is threading.main_thread():
            for number in (signal.SIGINT, signal.SIGTERM):
                if callable(handler := signal.getsignal(number)):
                    signal.signal(number, heeded.later(handler))
                    restored.callback(signal.signal, number, handler)
        yield heeded
    heeded.now()


class _Heeded(keras.callbacks.Callback):
    """Callback that calls the handler of a signal received since the last batch."""

    def __init__(self):
        super().__init__()
        self._waiting: tuple[Any, int, Any] | None = None

    def later(self, handler: Any) -> Any:
        """Return a handler that leaves the first signal to `now`."""

        def wait(number, frame):
            if self._waiting is not None:
                handler(number, frame)
            self._waiting = handler, number, frame

        return wait

    def now(self) -> None:
        """Call the handler of a signal that waits."""
        waiting, self._waiting = self._waiting, None
        if waiting is not None:
            handler, number, frame = waiting
            handler(number, frame)

    def on_train_batch_end(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        self.now()

    def on_test_batch_end(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        self.now()

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        self.now()
