"""`tfgen serve`: presets and other SavedModels behind TensorFlow Serving's interface."""

import contextlib
import dataclasses
import hashlib
from pathlib import Path
from typing import Any

import click

import tfgen
import zoo
from tfgen import home
from tfgen.quiet import quietly
from tfgen.serving.limits import Batching, Limits
from zoo.cli.loading import load_model
from zoo.cli.options import TRUSTED, NewPath

LIMITS, BATCHING = Limits(), Batching()
LOOPBACK = ("127.0.0.1", "::1", "localhost")
MEBIBYTE = 2**20


def _integer(least, most=2**31 - 1):
    return click.IntRange(least, most)


def _option(name, kind, default, text):
    return click.option(name, type=kind, default=default, show_default=True, help=text)


@click.command()
@click.argument("models", nargs=-1, required=True, metavar="[NAME=]MODEL...")
@TRUSTED
@_option(
    "--host",
    str,
    "127.0.0.1",
    "Address to listen on; any but the default opens the server to other machines.",
)
@_option("--port", _integer(0, 65535), 8501, "HTTP port, 0 for any free port.")
@_option("--grpc-port", _integer(0, 65535), 8500, "gRPC port, 0 for any free port.")
@_option("--versions", str, "latest:1", "Versions to serve: all, latest:N or N,M.")
@click.option(
    "--label", "labels", multiple=True, metavar="NAME:LABEL=VERSION", help="Label of a version."
)
@click.option("--lazy", is_flag=True, help="Load a model on its first request.")
@_option("--poll", click.FloatRange(0.01), 1.0, "Seconds between searches for new versions.")
@click.option(
    "--token",
    envvar="TFGEN_TOKEN",
    show_envvar=True,
    help="Bearer token that every request must have.",
)
@_option(
    "--max-body", _integer(1, 4096), LIMITS.body // MEBIBYTE, "Largest body of a request, in MiB."
)
@_option(
    "--max-reply",
    _integer(1, 1024),
    LIMITS.reply // MEBIBYTE,
    "Largest tensors of a reply, in MiB.",
)
@_option("--max-rows", _integer(1), LIMITS.rows, "Largest number of rows per request.")
@_option(
    "--max-pixels", _integer(1), LIMITS.pixels, "Largest number of pixels of a request's pictures."
)
@_option("--concurrency", _integer(1), LIMITS.concurrency, "Number of requests computed at a time.")
@_option(
    "--queue", _integer(0), LIMITS.queue, "Number of waiting requests; further ones get status 503."
)
@_option("--connections", _integer(1), LIMITS.connections, "Open connections.")
@_option(
    "--timeout", click.FloatRange(0.001), LIMITS.seconds, "Time limit of a request, in seconds."
)
@click.option(
    "--no-batching",
    is_flag=True,
    help="Compute each request on its own, for models that mix the rows of a batch.",
)
@_option(
    "--batch-rows",
    _integer(1),
    BATCHING.rows,
    "Largest number of rows per call, of several requests.",
)
@_option(
    "--batch-wait",
    _integer(0),
    BATCHING.microseconds,
    "Longest wait of a row for others, in microseconds.",
)
@click.option(
    "--write-config",
    type=NewPath(),
    metavar="DIR",
    help="Do not serve; write configurations for TensorFlow Serving, Kubernetes and KServe.",
)
def serve(
    models: tuple[str, ...],
    host: str,
    port: int,
    grpc_port: int | None,
    versions: Any,
    labels: tuple[str, ...],
    lazy: bool,
    poll: float,
    token: str | None,
    write_config: Path | None,
    **bounds: Any,
) -> None:
    """Serve models over HTTP and gRPC, as TensorFlow Serving does.

    The address has a page for browsers. A MODEL is a preset, a .keras file, a SavedModel folder or a folder
    of its numbered versions. New versions are served when they appear. On SIGTERM the server answers all
    accepted requests and ends.
    """
    paths = [_locate(model) for model in models]
    with quietly(), _missing_extra():
        from tfgen import serving
        from tfgen.serving import manifests

        policy = serving.Policy.parse(versions)
    named = _labels(labels, [name for name, _ in paths])
    sources = [serving.Source(name, path, policy, named[name]) for name, path in paths]
    limits, batching = _bounds(bounds)
    if write_config is not None:
        return click.echo("\n".join(map(str, manifests.write(sources, write_config, batching))))
    service = serving.service(sources, limits, batching, lazy)
    server = serving.Server(service, host, port, grpc_port, token, poll)
    if host not in LOOPBACK and token is None:
        click.echo(f"Without --token, anyone who reaches {host} can use this server.", err=True)
    server.run(lambda: _announce(server))


def _bounds(options):
    limits = Limits(
        body=options["max_body"] * MEBIBYTE,
        reply=options["max_reply"] * MEBIBYTE,
        rows=options["max_rows"],
        pixels=options["max_pixels"],
        concurrency=options["concurrency"],
        queue=options["queue"],
        seconds=options["timeout"],
        connections=options["connections"],
    )
    batching = dataclasses.replace(
        BATCHING,
        enabled=not options["no_batching"],
        rows=options["batch_rows"],
        microseconds=options["batch_wait"],
    )
    return limits, batching


def _locate(model):
    """Return name and folder of `[NAME=]MODEL`."""
    name, separator, place = model.partition("=")
    if not separator or Path(model).exists():
        name, place = "", model
    path = Path(place) if _has_versions(Path(place)) else zoo.locate(place)
    whole = (path if _has_versions(path) else _export_file(path)).resolve()
    return name or (whole.parent.name if whole.name.isdecimal() else whole.name), whole


def _export_file(path):
    """Export a preset without a SavedModel, or a .keras file, once; return the folder."""
    weights = path / "model.keras" if path.is_dir() else path
    with open(weights, "rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    folder = home.folder() / "served" / digest[:16] / path.stem
    if not _has_versions(folder):
        model = load_model(path)  # quietly, as looking up `tfgen.export` would not be
        tfgen.export(model, folder / "1")
    return folder


def _has_versions(path):
    if (path / "saved_model.pb").is_file():
        return True
    return path.is_dir() and any(p.name.isdecimal() and p.is_dir() for p in path.iterdir())


def _labels(texts, names):
    """Return {name: ((label, version), ...)} from NAME:LABEL=VERSION."""
    found: dict[str, tuple] = dict.fromkeys(names, ())
    for text in texts:
        name, _, rest = text.partition(":")
        label, _, version = rest.partition("=")
        if name not in found or not label or not (version.isascii() and version.isdecimal()):
            raise ValueError(f"A label is given as NAME:LABEL=VERSION. Received: label={text!r}")
        found[name] += ((label, int(version)),)
    return found


def _announce(server):
    """Print the address of the page and an example request in one line."""
    from tfgen.serving import samples, signatures

    models = server.service.registry.models
    ready = [name for name, model in models.items() if model.available()]
    names = ", ".join(models) if len(models) < 4 else f"{len(models)} models"
    line = f"{names} at {server.address}"
    if ready:
        with server.service.registry.use(ready[0]) as servable:
            default = servable.signatures.get(signatures.DEFAULT)
        line += f"   try: {samples.curl(server.address, ready[0], default)}"
    click.echo(line)


@contextlib.contextmanager
def _missing_extra():
    """Name the extra that installs a missing package."""
    try:
        yield
    except ImportError as error:
        raise ImportError(
            f"tfgen serve needs the package {error.name}, of the extra `serve`"
        ) from error
