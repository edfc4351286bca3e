"""Errors with TensorFlow's canonical codes and their HTTP statuses."""

import enum
import re

import tensorflow as tf

QUOTED_BYTES = 256  # of a value in a message, as in TensorFlow Serving


class Code(enum.IntEnum):
    """The canonical codes; gRPC uses the same numbers."""

    CANCELLED = 1
    UNKNOWN = 2
    INVALID_ARGUMENT = 3
    DEADLINE_EXCEEDED = 4
    NOT_FOUND = 5
    ALREADY_EXISTS = 6
    PERMISSION_DENIED = 7
    RESOURCE_EXHAUSTED = 8
    FAILED_PRECONDITION = 9
    ABORTED = 10
    OUT_OF_RANGE = 11
    UNIMPLEMENTED = 12
    INTERNAL = 13
    UNAVAILABLE = 14
    DATA_LOSS = 15
    UNAUTHENTICATED = 16


HTTP_STATUS: dict[Code, int] = {
    Code.CANCELLED: 499,
    Code.UNKNOWN: 500,
    Code.INVALID_ARGUMENT: 400,
    Code.DEADLINE_EXCEEDED: 504,
    Code.NOT_FOUND: 404,
    Code.ALREADY_EXISTS: 409,
    Code.PERMISSION_DENIED: 403,
    Code.RESOURCE_EXHAUSTED: 429,
    Code.FAILED_PRECONDITION: 400,
    Code.ABORTED: 409,
    Code.OUT_OF_RANGE: 400,
    Code.UNIMPLEMENTED: 501,
    Code.INTERNAL: 500,
    Code.UNAVAILABLE: 503,
    Code.DATA_LOSS: 500,
    Code.UNAUTHENTICATED: 401,
}


class ServingError(Exception):
    """An error that is reported to the client.

    Attributes:
        code: Canonical code.
        status: HTTP status; that of the code, unless HTTP has a more specific one.
    """

    def __init__(self, code: Code, message: str, status: int | None = None) -> None:
        super().__init__(message)
        self.code = code
        self.status = status or HTTP_STATUS[code]


def invalid(message: str) -> ServingError:
    """Return the error of a request that breaks a rule."""
    return ServingError(Code.INVALID_ARGUMENT, message)


def from_tensorflow(error: tf.errors.OpError) -> ServingError:
    """Return TensorFlow's error without source lines of the graph, which clients need not see."""
    return ServingError(Code(error.error_code), _essence(error.message))


def cut(text: str) -> str:
    """Return the first 256 bytes of a text."""
    return text.encode("utf-8", "replace")[:QUOTED_BYTES].decode("utf-8", "ignore")


_NOISE = re.compile(
    r"^(Graph execution error:|Detected at node .*|<stack traces unavailable>|\d+ root error.*"
    r"|\s+.*|\s*\(\d+\) .*: Graph execution error:.*)$"
)


def _essence(message: str) -> str:
    lines = [line for line in message.splitlines() if line.strip() and not _NOISE.match(line)]
    return cut(" ".join(lines) or message.strip())
