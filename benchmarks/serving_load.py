"""`tfgen serve` under load, on loopback: `python -m benchmarks.serving_load iwgan_mnist`.

Clients that keep one connection each ask for one row at a time, first of a batching server, then of one
that computes each request by itself; beside them stands the rate of direct calls of the same signature
with full batches.  Then hostile requests; then a server of all presets, from its start until it is ready.
"""

import asyncio
import contextlib
import json
import re
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import click

from benchmarks.hostile_requests import requests

ROOT = Path(__file__).parents[1]
VERSION = "1"
SIGNATURES = ("generate_png", "generate")


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.argument("model", default="iwgan_mnist")
@click.option("--clients", default=64, show_default=True, help="Number of connections.")
@click.option("--seconds", default=60.0, show_default=True, help="Length of each measurement.")
@click.option("--hostile", default=10_000, show_default=True, help="Number of generated requests.")
@click.option("--write", is_flag=True, help="Write serving_load.json.")
def main(model: str, clients: int, seconds: float, hostile: int, write: bool) -> None:
    """Measure MODEL, a preset or a folder of a SavedModel's versions, and print the results as JSON."""
    folder = ROOT / "saved_models" / model
    folder = folder if folder.is_dir() else Path(model).resolve()
    check(folder)
    model = folder.name
    results = {"model": model, "clients": clients, "seconds": seconds}
    for name, options in (("batched", ()), ("alone", ("--no-batching",))):
        with start_server(str(folder), *options) as server:
            results[name] = {
                s: measure_load(server, model, s, clients, seconds) for s in SIGNATURES
            }
            if name == "batched":
                results["hostile"] = asyncio.run(hostility(server, folder, hostile))
    results["direct"] = {
        signature: direct(folder, signature, seconds / 4) for signature in SIGNATURES
    }
    results["all_presets"] = {
        "at once": ready_time(*presets()),
        "lazy": ready_time("--lazy", *presets()),
    }
    text = json.dumps(results, indent=1) + "\n"
    click.echo(text)
    if write:
        (ROOT / "benchmarks" / "serving_load.json").write_text(text)


def check(folder: Path) -> None:
    """Raise unless the model can be measured: `generate` of seeds alone.

    Raises:
        click.ClickException: It cannot.
    """
    from tfgen.serving import signatures

    found = signatures.read(folder / VERSION)
    if any(name not in found or list(found[name].inputs) != ["seeds"] for name in SIGNATURES):
        raise click.ClickException(
            f"The model must have {' and '.join(SIGNATURES)} of seeds alone. Received: {folder}"
        )


class Server:
    """A started server: its process and where it listens."""

    def __init__(self, process: subprocess.Popen, port: int) -> None:
        self.process = process
        self.port = port

    def memory(self) -> int:
        """Return resident memory in MiB."""
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        return int(re.search(r"VmRSS:\s+(\d+)", status)[1]) // 1024


@contextlib.contextmanager
def start_server(*arguments: str) -> Iterator[Server]:
    """Run `tfgen serve` of these arguments on free ports, ready when it has printed its line."""
    command = [
        sys.executable,
        "-m",
        "zoo.cli",
        "serve",
        *arguments,
        "--port",
        "0",
        "--grpc-port",
        "0",
    ]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        line = process.stdout.readline()
        yield Server(process, int(re.search(r"http://127\.0\.0\.1:(\d+)", line)[1]))
        process.terminate()


def measure_load(server: Server, model: str, signature: str, clients: int, seconds: float) -> dict:
    """Return rate, latencies, failures and memory of clients that ask as fast as they are answered."""
    asyncio.run(
        crowd(server.port, model, signature, clients, min(seconds, 3.0))
    )  # traces and warms
    before = server.memory()
    begin = time.perf_counter()
    statuses, times = asyncio.run(crowd(server.port, model, signature, clients, seconds))
    rate = len(times) / (time.perf_counter() - begin)
    cuts = statistics.quantiles(times, n=100)
    return {
        "images_per_second": round(rate, 1),
        "p50_ms": round(1000 * cuts[49], 1),
        "p99_ms": round(1000 * cuts[98], 1),
        "requests": len(statuses),
        "failed": sum(status != 200 for status in statuses),
        "memory_mib": [before, server.memory()],
    }


async def crowd(
    port: int, model: str, signature: str, clients: int, seconds: float
) -> tuple[list[int], list[float]]:
    """Statuses and times of all requests of the clients."""
    statuses, times = [], []
    end = time.perf_counter() + seconds

    async def client(number: int) -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        seed = number << 16
        while (begin := time.perf_counter()) < end:
            seed += 1
            body = json.dumps({"signature_name": signature, "instances": [seed]}).encode()
            statuses.append(
                await exchange(reader, writer, "POST", f"/v1/models/{model}:predict", body)
            )
            times.append(time.perf_counter() - begin)
        writer.close()

    await asyncio.gather(*map(client, range(clients)))
    return statuses, times


async def exchange(reader, writer, method: str, path: str, body: bytes, headers=()) -> int:
    """Send a request over an open connection, read the reply whole, and return its status."""
    lines = [f"{method} {path} HTTP/1.1", "Host: x", f"Content-Length: {len(body)}", *headers]
    writer.write("\r\n".join([*lines, "", ""]).encode() + body)
    head = (await reader.readuntil(b"\r\n\r\n")).decode()
    length = re.search(r"content-length: (\d+)", head, re.IGNORECASE)
    await reader.readexactly(int(length[1]) if length else 0)
    return int(head.split(" ", 2)[1])


async def hostility(server: Server, folder: Path, count: int) -> dict:
    """Return how often each status came of generated requests, and the memory around them."""
    from tfgen.serving import signatures

    inputs = {
        name: {
            k: (f"DT_{s.dtype.name.upper()}", len(s.shape or ())) for k, s in found.inputs.items()
        }
        for name, found in signatures.read(folder / VERSION).items()
    }
    statuses: dict[int, int] = {}
    memory = []
    for number, request in enumerate(requests(0, count, folder.name, inputs)):
        if number in (count // 2, count - 1):
            memory.append(server.memory())
        reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
        headers = [f"{name}: {value}" for name, value in request.headers.items()]
        headers.append("Connection: close")
        status = await exchange(reader, writer, request.method, request.path, request.body, headers)
        statuses[status] = statuses.get(status, 0) + 1
        writer.close()
    faults = sum(n for status, n in statuses.items() if status >= 500 and status != 503)
    return {"statuses": dict(sorted(statuses.items())), "faults": faults, "memory_mib": memory}


def direct(folder: Path, signature: str, seconds: float, rows: int = 64) -> float:
    """Return images a second of full batches in a loop, in this process."""
    import tensorflow as tf

    loaded_model = tf.saved_model.load(str(folder / VERSION))
    function = loaded_model.signatures[signature]
    function(seeds=tf.range(rows))
    calls, begin = 0, time.perf_counter()
    while (elapsed := time.perf_counter() - begin) < seconds:
        function(seeds=tf.range(calls, calls + rows))
        calls += 1
    return round(rows * calls / elapsed, 1)


def presets() -> list[str]:
    """Return the folders of all presets with a SavedModel."""
    return [str(path.parents[1]) for path in sorted(ROOT.glob("saved_models/*/1/saved_model.pb"))]


def ready_time(*arguments: str) -> dict:
    """Return the time from the process's start until it is ready, and its memory then."""
    begin = time.perf_counter()
    with start_server(*arguments) as server:
        seconds = time.perf_counter() - begin
        return {"seconds": round(seconds, 1), "memory_mib": server.memory()}


if __name__ == "__main__":
    main()
