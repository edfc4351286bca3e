"""`python -m benchmarks.cost`: cost of a run on several GPUs, by a model, not by measurement.

A step of R devices on a global batch of B images takes

    T(R) = overhead + max(B/R operations/rate + exchange(R), B/(machines(R) reading))
    exchange(R) = 2 (R - 1)/R 4 parameters/bandwidth(R) + 2 ceil(log2 R) exchanges latency(R)

seconds: in a ring every gradient, of four bytes, passes each device twice, and small exchanges go up and
down a tree.  Each field of `Assumptions` is an option of the command, and `--gpus 4` asks for other numbers
of GPUs than 1, 8 and 64.
"""

import dataclasses
import math
from collections.abc import Sequence
from pathlib import Path

import click

from tfgen.markdown import table

HERE = Path(__file__).parent
DEVICES = (1, 8, 64)
GRADIENT = 4  # bytes
HOUR = 3600  # seconds
DIVISORS = ("images", "batch", "rate", "devices", "reading", "inside", "between")


def _assumption(default: float, words: str) -> float:
    return dataclasses.field(default=default, metadata={"words": words})


@dataclasses.dataclass(frozen=True)
class Assumptions:
    """Assumptions of the model; the metadata of each field describe it."""

    images: float = _assumption(1e7, "images that the run trains on")
    batch: int = _assumption(1024, "images in a global batch, the same on any number of GPUs")
    operations: float = _assumption(0.0, "floating-point operations per image of a step")
    parameters: int = _assumption(0, "trained weights")
    rate: float = _assumption(1e13, "operations per second that a GPU sustains")
    overhead: float = _assumption(
        5e-3, "seconds per step for any number of images, such as kernel launches"
    )
    devices: int = _assumption(8, "GPUs in a machine")
    reading: float = _assumption(2e4, "images per second that a machine reads and decodes")
    inside: float = _assumption(1e11, "bytes per second between GPUs of a machine")
    between: float = _assumption(1e10, "bytes per second between GPUs of several machines")
    inside_latency: float = _assumption(1e-5, "seconds of a hop within a machine")
    between_latency: float = _assumption(3e-5, "seconds of a hop between machines")
    exchanges: int = _assumption(25, "exchanges per step: 22 of synchronized normalization, and 3")
    price: float = _assumption(2.0, "price of a GPU for an hour")

    def __post_init__(self) -> None:
        for name, value in dataclasses.asdict(self).items():
            if not value >= 0 or (value == 0 and name in DIVISORS):
                raise ValueError(f"An assumption must be positive. Received: {name}={value}")


@dataclasses.dataclass(frozen=True)
class Cost:
    """Cost of a run: milliseconds per step and where they go, hours, price, speed relative to R devices."""

    milliseconds: float
    longest: str
    hours: float
    price: float
    efficiency: float


def exchange_seconds(assumed: Assumptions, devices: int) -> float:
    """Return seconds per step for the exchange of sizes, gradients and metrics."""
    within = devices <= assumed.devices
    bandwidth = assumed.inside if within else assumed.between
    latency = assumed.inside_latency if within else assumed.between_latency
    gradients = 2 * (devices - 1) / devices * GRADIENT * assumed.parameters
    hops = 2 * math.ceil(math.log2(devices))
    return gradients / bandwidth + hops * assumed.exchanges * latency


def step_seconds(assumed: Assumptions, devices: int) -> float:
    """Return T(R) in seconds.

    Raises:
        ValueError: The global batch leaves a device without images.
    """
    if not 1 <= devices <= assumed.batch:
        raise ValueError(
            "devices must be at least 1 and at most the images of a global batch. "
            f"Received: devices={devices}, batch={assumed.batch}"
        )
    part = part_seconds(assumed, devices)
    return part["overhead"] + max(part["computing"] + part["exchange"], part["reading"])


def part_seconds(assumed: Assumptions, devices: int) -> dict[str, float]:
    """Return seconds of each part of a step; reading goes on beside computing and exchange."""
    machines = math.ceil(devices / assumed.devices)
    return {
        "overhead": assumed.overhead,
        "computing": assumed.batch / devices * assumed.operations / assumed.rate,
        "exchange": exchange_seconds(assumed, devices),
        "reading": assumed.batch / (machines * assumed.reading),
    }


def cost(assumed: Assumptions, devices: int) -> Cost:
    """Return the cost of the run on a number of devices."""
    seconds = step_seconds(assumed, devices)
    hours = assumed.images / assumed.batch * seconds / HOUR
    efficiency = step_seconds(assumed, 1) / (devices * seconds)
    parts = part_seconds(assumed, devices)
    longest = max(parts, key=parts.__getitem__)
    return Cost(1000 * seconds, longest, hours, hours * devices * assumed.price, efficiency)


def reference() -> dict[str, float]:
    """Return operations per image and number of weights of a DCGAN of width 64 at 64 x 64 x 3."""
    from benchmarks import operations
    from tfgen import networks

    theta = networks.generator((64, 64, 3), 128, 64)
    phi = networks.discriminator((64, 64, 3), 64)
    weights = [w for network in (theta, phi) for w in network.trainable_variables]
    return {
        "operations": operations.gan_step(theta, phi),
        "parameters": sum(math.prod(w.shape) for w in weights),
    }


def _row(devices, found):
    numbers = f"{found.hours:.2f}", f"{found.price:.2f}", f"{found.efficiency:.2f}"
    return devices, f"{found.milliseconds:.1f}", found.longest, *numbers


def page(assumed: Assumptions, gpus: Sequence[int] = DEVICES) -> str:
    """COST.md, with a row for each number of GPUs."""
    rows = [_row(devices, cost(assumed, devices)) for devices in gpus]
    *others, last = map(str, gpus)
    title = f"{', '.join(others)} and {last}" if others else last
    fields = [
        (f"`{_option(field)}`", f"{getattr(assumed, field.name):.4g}", field.metadata["words"])
        for field in dataclasses.fields(assumed)
    ]
    return f"""# Cost of a run on {title} GPUs

Computed by the model in `benchmarks/cost.py`, not measured: a run on several GPUs, or the speed of one, was
not run. The networks are a GAN's of width 64 at 64 x 64 x 3, {assumed.operations / 1e9:.2f} GFLOP per image
of a step. The global batch is the same on any number of GPUs, so that the run is the same; a larger one
would use many GPUs better. *Longest* is the part of a step that takes most time; reading goes on beside the
others. Efficiency is the speed relative to as many single GPUs.

{table(("GPUs", "milliseconds per step", "longest", "hours", "price", "efficiency"), rows)}

`python -m benchmarks.cost` prints this page, with `--gpus 4` for another number of GPUs; options change
these assumptions:

{table(("assumption", "value", "meaning"), fields)}
"""


def _option(field):
    return f"--{field.name.replace('_', '-')}"


def _options(command):
    for field in reversed(dataclasses.fields(Assumptions)):
        add = click.option(
            _option(field), field.name, type=field.type, help=f"{field.metadata['words']}."
        )
        command = add(command)
    return command


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@_options
@click.option(
    "--gpus",
    type=click.IntRange(1),
    multiple=True,
    help="Number of GPUs; may be repeated. By default 1, 8 and 64.",
)
@click.option("--write", is_flag=True, help="Write COST.md, too.")
def main(write, gpus, **changed):
    """Print the cost of a run under the model's assumptions, or under changed ones."""
    changed = {name: value for name, value in changed.items() if value is not None}
    try:
        text = page(Assumptions(**{**reference(), **changed}), gpus or DEVICES)
    except ValueError as error:
        raise click.ClickException(str(error)) from error
    click.echo(text)
    if write:
        (HERE / "COST.md").write_text(text)


if __name__ == "__main__":
    main()
