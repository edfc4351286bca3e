"""A quiet start: what TensorFlow writes to stderr while it is imported, whatever its log level."""

import contextlib
import os
from collections.abc import Iterator

LEVEL = "TF_CPP_MIN_LOG_LEVEL"
ERRORS = (
    "3"  # TensorFlow reports failed optimizations of its graphs as errors; real ones are exceptions
)

os.environ.setdefault(LEVEL, ERRORS)


@contextlib.contextmanager
def quietly() -> Iterator[None]:
    """Import TensorFlow without its words, unless TF_CPP_MIN_LOG_LEVEL asks for them."""
    if os.environ[LEVEL] < ERRORS:
        yield
        return
    kept = os.dup(2)
    with open(os.devnull, "w") as null:
        os.dup2(null.fileno(), 2)
    try:
        yield
        from absl import logging

        logging.set_verbosity(logging.ERROR)
    finally:
        os.dup2(kept, 2)
        os.close(kept)
