"""`tfgen serve` under load, on loopback: `python -m benchmarks.serving_load iwgan_mnist --write`.

Clients with one connection each request one row at a time from a batching server, from one without
batching, and from LitServe with its own batching, installed separately from the package index; for
comparison the same signature is called directly with full batches. Hostile requests, a kill under load, and
the start of servers with all presets follow.
"""

import asyncio
import contextlib
import importlib.metadata
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import click

from benchmarks import crowd, serving_page
from benchmarks.crowd import ROOT, Ask, Server
from benchmarks.hostile_requests import requests
from zoo.preset import provenance

VERSION = "1"
SIGNATURES = ("generate_png", "generate")
RESULTS = ROOT / "benchmarks" / "serving_load.json"
PEER = ROOT / "benchmarks" / "litserve_peer.py"
PEER_SECONDS = 120  # until it is ready


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.argument("model", default="iwgan_mnist")
@click.option("--clients", default=64, show_default=True, help="Number of connections.")
@click.option("--seconds", default=60.0, show_default=True, help="Seconds of each measurement.")
@click.option("--hostile", default=10_000, show_default=True, help="Number of generated requests.")
@click.option("--write", is_flag=True, help="Write serving_load.json and the page made of it.")
@click.option("--render", is_flag=True, help="Measure nothing, only write the page.")
def main(model: str, clients: int, seconds: float, hostile: int, write: bool, render: bool) -> None:
    """Measure MODEL, a preset or a folder of a SavedModel's versions, and print the results as JSON."""
    if not render:
        folder = ROOT / "saved_models" / model
        results = measure(
            folder if folder.is_dir() else Path(model).resolve(), clients, seconds, hostile
        )
        click.echo(json.dumps(results, indent=1))
        if write:
            RESULTS.write_text(json.dumps(results, indent=1) + "\n")
    if write or render:
        serving_page.PATH.write_text(serving_page.page(json.loads(RESULTS.read_text())))


def measure(folder: Path, clients: int, seconds: float, hostile: int) -> dict:
    """Return all results of the SavedModel's versions in a folder."""
    found = signatures_of(folder)
    asks = {signature: crowd.ours(folder.name, signature) for signature in SIGNATURES}
    results = {"model": folder.name, "clients": clients, "seconds": seconds}
    results |= {"machine": provenance.in_words(provenance.machine()), "versions": software()}
    for name, options in (("batched", ()), ("alone", ("--no-batching",))):
        with crowd.start_server(str(folder), *options) as server:
            results[name] = {s: crowd.load(server, a, clients, seconds) for s, a in asks.items()}
            if name == "batched":
                generated = list(requests(0, hostile, folder.name, found))
                results["hostile"] = asyncio.run(crowd.offend(server, generated))
    results["direct"] = {s: direct(folder, s, seconds / 4) for s in SIGNATURES}
    results["litserve"] = peer(folder, clients, seconds)
    results["kill"] = crowd.kill((str(folder),), asks["generate_png"], clients, seconds / 12)
    results["all_presets"] = {
        "count": len(presets()),
        "at once": ready_time(*presets()),
        "lazy": ready_time("--lazy", *presets()),
    }
    return results


def software() -> dict[str, str]:
    """Return the versions of the packages that a request passes through."""
    packages = ("tensorflow", "uvicorn", "httptools", "uvloop")
    return {package: importlib.metadata.version(package) for package in packages}


def signatures_of(folder: Path) -> dict[str, dict[str, tuple[str, int]]]:
    """Return {signature: {input: (its type, its rank)}} of a model that can be measured.

    Raises:
        click.ClickException: The model lacks a `generate` with seeds as its only input.
    """
    from tfgen.serving import signatures

    found = signatures.read(folder / VERSION)
    if any(name not in found or list(found[name].inputs) != ["seeds"] for name in SIGNATURES):
        raise click.ClickException(
            f"The model must have {' and '.join(SIGNATURES)} of seeds alone. Received: {folder}"
        )
    return {
        name: {k: (f"DT_{s.dtype.name.upper()}", len(s.shape or ())) for k, s in one.inputs.items()}
        for name, one in found.items()
    }


def direct(folder: Path, signature: str, seconds: float, rows: int = 64) -> dict:
    """Return images per second of full batches in a loop in this process, and its time per image."""
    import tensorflow as tf

    model = tf.saved_model.load(str(folder / VERSION))
    function = model.signatures[signature]
    function(seeds=tf.range(rows))
    calls, cpu, begin = 0, time.process_time(), time.perf_counter()
    while (elapsed := time.perf_counter() - begin) < seconds:
        function(seeds=tf.range(calls, calls + rows))
        calls += 1
    images, spent = rows * calls, time.process_time() - cpu
    return {
        "images_per_second": round(images / elapsed, 1),
        "cpu_us_per_image": round(1e6 * spent / images, 1),
    }


def peer(folder: Path, clients: int, seconds: float) -> dict:
    """Return the results of LitServe, installed from the package index into its own folder."""
    with tempfile.TemporaryDirectory() as place:
        install = [sys.executable, "-m", "pip", "install", "--quiet", "--target", place, "litserve"]
        subprocess.run(install, check=True)
        [found] = Path(place).glob("litserve-*.dist-info")
        results = {"version": found.name.split("-")[1].removesuffix(".dist")}
        for signature in SIGNATURES:
            with _start_peer(place, folder / VERSION, signature) as server:
                ask = Ask("/predict", lambda seed: json.dumps({"seed": seed}).encode())
                results[signature] = crowd.load(server, ask, clients, seconds)
    return results


@contextlib.contextmanager
def _start_peer(place: str, folder: Path, signature: str) -> Iterator[Server]:
    port = crowd.free_port()
    command = [sys.executable, str(PEER), str(folder), signature, str(port)]
    environment = {**os.environ, "PYTHONPATH": place}
    options = {"stdout": subprocess.DEVNULL, "start_new_session": True}
    with subprocess.Popen(command, env=environment, **options) as process:
        try:
            _await_health(f"http://127.0.0.1:{port}/health", time.perf_counter() + PEER_SECONDS)
            yield Server(process, port)
        finally:
            os.killpg(process.pid, signal.SIGKILL)  # SIGTERM leaves its workers behind


def _await_health(url: str, end: float) -> None:
    while True:
        try:
            with urllib.request.urlopen(url, timeout=5):
                return
        except urllib.error.URLError:
            if time.perf_counter() > end:
                raise
            time.sleep(0.2)


def presets() -> list[str]:
    """Return the folders of all presets with a SavedModel."""
    return [str(path.parents[1]) for path in sorted(ROOT.glob("saved_models/*/1/saved_model.pb"))]


def ready_time(*arguments: str) -> dict:
    """Return the time from the start of the process until it is ready, and its memory then."""
    begin = time.perf_counter()
    with crowd.start_server(*arguments) as server:
        seconds = time.perf_counter() - begin
        return {"seconds": round(seconds, 1), "memory_mib": server.memory()}


if __name__ == "__main__":
    main()
