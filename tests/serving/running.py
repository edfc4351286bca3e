"""A server for the duration of a test."""

import threading
from contextlib import contextmanager

from tfgen import serving


@contextmanager
def running(*sources, token=None, **options):
    """A server of these sources on a free port, loaded."""
    server = serving.Server(serving.service(sources, **options), port=0, grpc_port=0, token=token)
    loaded = threading.Event()
    thread = threading.Thread(target=server.run, args=(loaded.set,))
    thread.start()
    try:
        assert loaded.wait(600)  # a guard against waiting for ever, not a limit
        yield server
    finally:
        server.end()
        thread.join()
