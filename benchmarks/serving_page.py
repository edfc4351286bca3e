"""Make docs/serving.md from serving_load.json."""

from typing import Any

from benchmarks.crowd import ROOT
from tfgen import markdown

PATH = ROOT / "docs" / "serving.md"
TIMES, SHARE = 3, 0.6  # targets, relative to the rate without batching and to that of direct calls

TEXT = """# Serving under load

Made by `python -m benchmarks.serving_load {model} --write`, on {machine}, which
shared with the clients; {versions}.

{clients} clients on loopback request one row at a time, over one connection each, for {seconds:g} s:

{load}

*direct* is one process that calls the same signature with 64 rows in a loop, without a server. Targets:
{times} times the rate without batching, {share:.0%} of direct calls, and no failure.

{verdict}

*server* and *clients* are processor times per request, *direct* is that per image in a full batch. The rate
is at most the cores' time divided by the sum of the first two: a small model's server with batching is
limited by the request, its head, its JSON and two passes through the kernel, not by the model.

## LitServe

LitServe {peer} serves the same SavedModel with the same batch size, in the same run, with the code of
`benchmarks/litserve_peer.py`.

## Hostile requests

{hostile:,} generated requests of malformed JSON, wrong signatures, shapes and types, NaN, giant numbers and
bodies, and tricks in paths: {statuses}.
Statuses from 500 other than 503: {faults}. Memory went from {hostile_memory[0]:,} to
{hostile_memory[1]:,} MiB over their second half.

## Kill and restart

The server was killed by SIGKILL under load and restarted on its port; it was ready after {away:g} s. Of
the clients' requests {answered:,} were answered and {failed:,} failed, the slowest after {slowest:g} ms;
while no server listened, connections were refused at once; requests before the
model was loaded got errors at once ({unready}), as in TensorFlow Serving. None hung.

## Start

All {presets} presets with a SavedModel, four loaded at a time:

{start}
"""


def page(results: dict[str, Any]) -> str:
    """Return the page."""
    kill, hostile = results["kill"], results["hostile"]
    statuses, unready = (
        ", ".join(f"{n:,} of status {status}" for status, n in found["statuses"].items())
        for found in (hostile, kill)
    )
    return TEXT.format(
        **{key: results[key] for key in ("model", "machine", "clients", "seconds")},
        versions=", ".join(f"{name} {version}" for name, version in results["versions"].items()),
        load=_load(results),
        times=TIMES,
        share=SHARE,
        verdict=_verdict(results),
        peer=results["litserve"]["version"],
        hostile=sum(hostile["statuses"].values()),
        statuses=statuses,
        faults=hostile["faults"],
        hostile_memory=hostile["memory_mib"],
        away=kill["away_seconds"],
        answered=kill["answered"],
        failed=kill["failed"],
        slowest=kill["slowest_failure_ms"],
        unready=unready,
        presets=results["all_presets"]["count"],
        start=_start(results["all_presets"]),
    )


def _load(results: dict[str, Any]) -> str:
    header = (
        "signature",
        "server",
        "images/s",
        "p50, ms",
        "p99, ms",
        "failed",
        "MiB before, after",
    )
    servers = (
        ("batched", "tfgen serve"),
        ("alone", "the same, --no-batching"),
        ("litserve", "LitServe"),
    )
    rows = []
    for signature, direct in results["direct"].items():
        for key, name in servers:
            one = results[key][signature]
            memory = ", ".join(map(str, one["memory_mib"]))
            rate = f"{one['images_per_second']:,.0f}"
            failed = f"{one['failed']} of {one['requests']:,}"
            rows.append(
                (f"`{signature}`", name, rate, one["p50_ms"], one["p99_ms"], failed, memory)
            )
        rate = f"{direct['images_per_second']:,.0f}"
        rows.append((f"`{signature}`", "direct", rate, "-", "-", "-", "-"))
    return markdown.table(header, rows)


def _verdict(results: dict[str, Any]) -> str:
    header = ("signature", "the rate without batching", "the direct rate")
    header += ("server, us", "clients, us", "direct, us")
    rows = []
    for signature, direct in results["direct"].items():
        one = results["batched"][signature]
        times = one["images_per_second"] / results["alone"][signature]["images_per_second"]
        share = one["images_per_second"] / direct["images_per_second"]
        server, clients = one["cpu_us_per_request"]
        aims = f"{times:.2f} times{_met(times, TIMES)}", f"{share:.0%}{_met(share, SHARE)}"
        rows.append((f"`{signature}`", *aims, server, clients, direct["cpu_us_per_image"]))
    return markdown.table(header, rows)


def _met(value: float, aim: float) -> str:
    return "" if value >= aim else ", not met"


def _start(found: dict[str, Any]) -> str:
    rows = [
        (name, one["seconds"], f"{one['memory_mib']:,}")
        for name, one in found.items()
        if name != "count"
    ]
    return markdown.table(("loading", "seconds until ready", "MiB"), rows)
