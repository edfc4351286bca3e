"""Import of TensorFlow without the lines that it writes to stderr at every log level."""

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
    """Drop TensorFlow's messages during its import, unless TF_CPP_MIN_LOG_LEVEL is set."""
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
