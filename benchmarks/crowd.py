"""Clients of a server on loopback: as fast as it answers, during a kill, or hostile."""

import asyncio
import collections
import contextlib
import json
import os
import re
import socket
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

from benchmarks.hostile_requests import Hostile

ROOT = Path(__file__).parents[1]
WARM_SECONDS = 3.0
JSON = ["Content-Type: application/json"]  # LitServe needs it
PAUSE_SECONDS = 0.02  # seconds that a client waits after a refused connection


class Ask(NamedTuple):
    """Request for one row of a signature: the path, and a function from seed to body."""

    path: str
    body: Callable[[int], bytes]


class Server:
    """A started server: its process and port."""

    def __init__(self, process: subprocess.Popen, port: int) -> None:
        self.process = process
        self.port = port

    def memory(self) -> int:
        """Return resident memory of the process and those it has started, in MiB."""
        return sum(map(_resident, self._pids())) // 1024

    def cpu(self) -> float:
        """Return processor time of the process and those it has started, in seconds."""
        return sum(map(_cpu, self._pids()))

    def _pids(self) -> list[int]:
        return [self.process.pid, *_descendants(self.process.pid)]


def ours(model: str, signature: str) -> Ask:
    """Return a request in TensorFlow Serving's form."""

    def body(seed: int) -> bytes:
        return json.dumps({"signature_name": signature, "instances": [seed]}).encode()

    return Ask(f"/v1/models/{model}:predict", body)


@contextlib.contextmanager
def start_server(*arguments: str, port: int = 0) -> Iterator[Server]:
    """Run `tfgen serve` with these arguments; it is ready once it has printed its line."""
    serve = [sys.executable, "-m", "zoo.cli", "serve", *arguments]
    command = [*serve, "--port", str(port), "--grpc-port", "0"]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        line = process.stdout.readline()
        yield Server(process, int(re.search(r"http://127\.0\.0\.1:(\d+)", line)[1]))
        process.terminate()


def free_port() -> int:
    """Return a free port."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return listener.getsockname()[1]


def load(server: Server, ask: Ask, clients: int, seconds: float) -> dict:
    """Return rate, latencies, failures and memory with clients that send as fast as they get replies."""
    asyncio.run(_crowd(server.port, ask, clients, min(seconds, WARM_SECONDS)))
    memory, cpu = server.memory(), (server.cpu(), time.process_time())
    begin = time.perf_counter()
    statuses, times = asyncio.run(_crowd(server.port, ask, clients, seconds))
    rate = len(times) / (time.perf_counter() - begin)
    spent = server.cpu() - cpu[0], time.process_time() - cpu[1]
    cuts = statistics.quantiles(times, n=100)
    return {
        "images_per_second": round(rate, 1),
        "p50_ms": round(1000 * cuts[49], 1),
        "p99_ms": round(1000 * cuts[98], 1),
        "requests": len(statuses),
        "failed": sum(status != 200 for status in statuses),
        "memory_mib": [memory, server.memory()],
        "cpu_us_per_request": [
            round(1e6 * one / len(times), 1) for one in spent
        ],  # server, clients
    }


async def _crowd(
    port: int, ask: Ask, clients: int, seconds: float
) -> tuple[list[int], list[float]]:
    statuses, times = [], []
    end = time.perf_counter() + seconds

    async def client(number: int) -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        seed = number << 16
        while (begin := time.perf_counter()) < end:
            seed += 1
            statuses.append(await _exchange(reader, writer, "POST", ask.path, ask.body(seed), JSON))
            times.append(time.perf_counter() - begin)
        writer.close()

    await asyncio.gather(*map(client, range(clients)))
    return statuses, times


def kill(arguments: tuple[str, ...], ask: Ask, clients: int, seconds: float) -> dict:
    """Return replies and failures of a server that was killed by SIGKILL and restarted on its port.

    Args:
        arguments: Arguments of `tfgen serve`.
        ask: Request of each client.
        clients: Number of clients; each reconnects after a failure.
        seconds: Time before the kill, and after the restart.
    """
    port = free_port()
    seen: list[tuple[str, float]] = []
    stop = asyncio.Event()

    async def scene() -> float:
        crowd = asyncio.gather(*(_stubborn(port, ask, k, seen, stop) for k in range(clients)))
        await asyncio.sleep(seconds)
        first.process.kill()
        begin = time.perf_counter()
        with contextlib.ExitStack() as stack:
            second = start_server(*arguments, port=port)
            await asyncio.to_thread(stack.enter_context, second)
            away = time.perf_counter() - begin
            await asyncio.sleep(seconds)
            stop.set()
            await crowd
        return away

    with start_server(*arguments, port=port) as first:
        asyncio.run(_crowd(port, ask, clients, WARM_SECONDS))
        away = asyncio.run(scene())
    counts = collections.Counter(outcome for outcome, _ in seen)
    failures = [took for outcome, took in seen if outcome == "failed"]
    return {
        "answered": counts["200"],
        "failed": counts["failed"],
        "refused": counts["refused"],  # nobody listened
        "statuses": {one: n for one, n in sorted(counts.items()) if one.isdigit() and one != "200"},
        "slowest_failure_ms": round(1000 * max(failures, default=0.0), 1),
        "away_seconds": round(away, 1),
    }


async def _stubborn(
    port: int, ask: Ask, number: int, seen: list[tuple[str, float]], stop: asyncio.Event
) -> None:
    """Send requests until told to stop; record the outcome and time of each."""
    seed, stream = number << 16, None
    while not stop.is_set():
        seed, begin, outcome = seed + 1, time.perf_counter(), "refused"
        try:
            stream = stream or await asyncio.open_connection("127.0.0.1", port)
            outcome = "failed"
            outcome = str(await _exchange(*stream, "POST", ask.path, ask.body(seed), JSON))
        except (OSError, asyncio.IncompleteReadError):
            if stream is not None:
                stream[1].close()
            stream = None
        seen.append((outcome, time.perf_counter() - begin))
        if outcome == "refused":
            await asyncio.sleep(PAUSE_SECONDS)
    if stream is not None:
        stream[1].close()


async def offend(server: Server, requests: list[Hostile]) -> dict:
    """Return the count of each status after hostile requests, and memory halfway and at the end."""
    statuses: collections.Counter[int] = collections.Counter()
    memory = []
    for number, request in enumerate(requests):
        if number in (len(requests) // 2, len(requests) - 1):
            memory.append(server.memory())
        reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
        headers = [*(f"{k}: {v}" for k, v in request.headers.items()), "Connection: close"]
        status = await _exchange(
            reader, writer, request.method, request.path, request.body, headers
        )
        statuses[status] += 1
        writer.close()
    faults = sum(n for status, n in statuses.items() if status >= 500 and status != 503)
    return {"statuses": dict(sorted(statuses.items())), "faults": faults, "memory_mib": memory}


async def _exchange(
    reader: asyncio.StreamReader,
    writer: asyncio.StreamWriter,
    method: str,
    path: str,
    body: bytes,
    headers: list[str],
) -> int:
    """Send a request over an open connection, read the whole reply, and return its status."""
    lines = [f"{method} {path} HTTP/1.1", "Host: x", f"Content-Length: {len(body)}", *headers]
    writer.write("\r\n".join([*lines, "", ""]).encode() + body)
    head = (await reader.readuntil(b"\r\n\r\n")).decode()
    length = re.search(r"content-length: (\d+)", head, re.IGNORECASE)
    await reader.readexactly(int(length[1]) if length else 0)
    return int(head.split(" ", 2)[1])


def _descendants(pid: int) -> Iterator[int]:
    for path in Path(f"/proc/{pid}/task").glob("*/children"):
        for child in map(int, path.read_text().split()):
            yield child
            yield from _descendants(child)


def _resident(pid: int) -> int:
    status = Path(f"/proc/{pid}/status").read_text()
    return int(re.search(r"VmRSS:\s+(\d+)", status)[1])


def _cpu(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
