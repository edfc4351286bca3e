"""Limits that keep one client from blocking the server for others."""

import dataclasses
import os


@dataclasses.dataclass(frozen=True)
class Limits:
    """Bounds on requests, all with defaults.

    Attributes:
        body: Bytes of a request's body, and of what it decompresses to.
        reply: Bytes of a reply's tensors, before they are written in a protocol's form.
        rows: Rows of a request; also the largest value of an input that sets their number.
        pixels: Pixels of a PNG or JPEG in a request, read from its header before it is decoded.
        concurrency: Number of requests computed at a time.
        queue: Number of requests that wait for one of those places; further ones are rejected with 503.
        seconds: Time of a request, from its first byte to its reply.
        connections: Number of open connections.
    """

    body: int = 64 * 2**20
    reply: int = 64 * 2**20
    rows: int = 1024
    pixels: int = 2**24
    concurrency: int = 128
    queue: int = 512
    seconds: float = 30.0
    connections: int = 2048

    def __post_init__(self) -> None:
        for field in dataclasses.fields(self):
            least = 0 if field.name == "queue" else 1
            value = getattr(self, field.name)
            if not value >= least and field.name != "seconds":
                raise ValueError(
                    f"A limit must be at least {least}. Received: {field.name}={value}"
                )
        if not self.seconds > 0:
            raise ValueError(f"A limit of time must be positive. Received: seconds={self.seconds}")


@dataclasses.dataclass(frozen=True)
class Batching:
    """Parameters of TensorFlow's batch scheduler, one queue per model, version and signature.

    Attributes:
        enabled: Whether rows of different requests share a call of the graph.
        rows: Largest number of rows per call; a larger request is split.
        microseconds: Longest time that a row waits for others.
        batches: Number of full batches that wait; further ones are rejected with 503.
        threads: Number of calls of one queue at a time.
    """

    enabled: bool = True
    rows: int = 64
    microseconds: int = 0
    batches: int = 64
    threads: int = max(1, (os.cpu_count() or 1))

    def __post_init__(self) -> None:
        for name in ("rows", "batches", "threads"):
            if getattr(self, name) < 1:
                raise ValueError(
                    f"A parameter of batching must be at least 1. Received: {name}={getattr(self, name)}"
                )
        if self.microseconds < 0:
            raise ValueError(
                f"A wait cannot be negative. Received: microseconds={self.microseconds}"
            )

    def sizes(self) -> list[int]:
        """Return the sizes that batches are padded to: powers of two and the largest one."""
        powers = [2**k for k in range(self.rows.bit_length()) if 2**k < self.rows]
        return [*powers, self.rows]
