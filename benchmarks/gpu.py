"""DCGAN's training step on a GPU, by `python -m benchmarks.gpu`: writes gpu.json, and GPU.md made of it."""

import contextlib
import datetime
import json
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click

from benchmarks import report
from benchmarks.machine import versions
from benchmarks.timing import QUICK, Effort, Worker, alternate, ratio
from zoo.preset.provenance import machine

HERE = Path(__file__).parent
CASES = {f"batch {batch}": {"width": 64, "size": 32, "batch": batch} for batch in (64, 256)}
OURS = "benchmarks.contenders.gpu:gan_steps"
PEER = "benchmarks.contenders.pytorch_gpu:gan_steps"
MODES = {  # policy, jit_compile
    "float32": ("float32", False),
    "float32, XLA": ("float32", True),
    "bfloat16": ("mixed_bfloat16", False),
    "bfloat16, XLA": ("mixed_bfloat16", True),
}
STEPS = 16  # per unit of every contender
FULL = Effort(rounds=5, block=0.05)
CHECKS = {  # of tests/test_contract.py, by the first words of their names
    "one step": "every player moves by its own objective alone",
    "fits": "fits, validates and evaluates to finite numbers",
    "predicts": "predicts",
    "endpoints": "endpoints have the names, inputs, outputs and dtypes of all members",
    "samples": "the same seed gives the same images",
}


def tasks(cases: dict[str, dict]) -> dict[str, tuple[str, dict]]:
    """Return {contender: (target, arguments)}, each for a process."""
    found = {}
    for loop in ("tfgen", "keras"):
        for mode, (policy, jit_compile) in MODES.items():
            if loop == "keras" and policy != "float32":
                continue
            arguments = {"loop": loop, "cases": cases, "policy": policy, "jit_compile": jit_compile}
            found[f"{loop}, {mode}"] = (OURS, arguments)
    for bfloat16 in (False, True):
        for compiled in (False, True):
            name = f"pytorch, {'bfloat16' if bfloat16 else 'float32'}{', compiled' * compiled}"
            arguments = {"cases": cases, "bfloat16": bfloat16, "compiled": compiled}
            found[name] = (PEER, arguments)
    return found


def measure(
    effort: Effort, chosen: dict[str, tuple[str, dict]]
) -> Iterator[tuple[dict[str, Any], list[str]]]:
    """Measure tasks block by block in turn.

    Yields:
        For each case, {"case", "seconds": {contender: [of a step, one per round]}} and the names of
        the contenders that failed to start.
    """
    with contextlib.ExitStack() as stack:
        workers = {name: Worker(*task, "gpu") for name, task in chosen.items()}
        skipped = []
        for name, worker in workers.items():
            stack.callback(worker.close)
            try:
                worker.wait()
            except RuntimeError:
                skipped.append(name)
        for case in CASES:
            runs = {
                name + unit.removeprefix(case): (worker, unit)
                for name, worker in workers.items()
                if name not in skipped
                for unit in worker.units
                if f"{unit}, ".startswith(f"{case}, ")
            }
            seconds = alternate(runs, effort)
            steps = {name: [value / STEPS for value in found] for name, found in seconds.items()}
            yield {"case": case, "seconds": steps}, skipped


def describe() -> dict[str, Any]:
    """Return the card, the processor and the software."""
    query = ["nvidia-smi", "--query-gpu=name,driver_version", "--format=csv,noheader"]
    [card, *_] = subprocess.run(
        query, capture_output=True, text=True, check=True
    ).stdout.splitlines()
    card, _, driver = card.partition(", ")
    packages = versions(("tensorflow", "keras", "torch"))
    return {"card": card, "driver": driver, **machine(), "versions": packages}


TEXT = """\
# On a GPU

On one {card} (driver {driver}) beside {cores} cores; {software}.  {date}.

## The contract

`python -m pytest tests/test_contract.py` with `--xla no`, with `--xla no --policy mixed_bfloat16` and with
`--xla yes`, TF32 off.  A cell counts the members that passed, of those that were reached in the time
there was, of {members} in all.

{contract}
Under XLA a step is held against the same step without XLA.  {xla}

[`iwcgan_cifar10`](../saved_models/iwcgan_cifar10/README.md) was trained on such a card by
`tfgen train --bfloat16`; its page has epochs and minutes, in which XLA also compiled.

## DCGAN's step

"""
MEASURED = """\
Made by `python -m benchmarks.gpu` from `gpu.json`.  Every contender runs in its own process.  Blocks of
{steps} steps alternate, one process at work at a time, and each is waited for at its end.  Numbers are
medians, those in brackets the quartiles; a ratio is formed round by round.  In float32 all may multiply in
TF32, the frameworks' default for convolutions.  XLA is `jit_compile=True`; PyTorch is eager in two memory
formats, or both its networks go through `torch.compile`.  bfloat16 is Keras' policy `mixed_bfloat16`, and
autocast.

Width 64, 32 pixels, one gray channel, latents of 64, Adam; the networks and loops of
[RESULTS.md](RESULTS.md).  tfgen's and Keras' images come through their input pipeline from the host's
memory; PyTorch's lie on the card, which spares it the copy.

"""
NOT_RUN = """\
Not run: the time on the card ended before `python -m benchmarks.gpu` had measured its first case.
"""


def render(results: dict[str, Any]) -> str:
    """Return the text of GPU.md."""
    software = ", ".join(f"{name} {version}" for name, version in results["versions"].items())
    text = TEXT.format(
        **{
            **results,
            "software": software,
            "contract": _contract(results),
        }
    )
    if not results["records"]:
        return text + NOT_RUN
    tables = [_table(record["case"], record["seconds"]) + "\n" for record in results["records"]]
    skipped = results["skipped"]
    failed = [f"Failed to start: {'; '.join(skipped)}.\n"] if skipped else []
    return "".join([text, MEASURED.format(steps=STEPS), *tables, *failed])


def _contract(results: dict[str, Any]) -> str:
    """Return a table of the members that passed each check, by mode."""
    modes = results["contract"]
    rows = []
    for key, title in CHECKS.items():
        cells = (modes[mode].get(key) for mode in modes)
        rows.append((title, *("not run" if c is None else f"{c[0]} of {c[1]}" for c in cells)))
    return report.table(("check", *modes), rows)


def _table(case: str, seconds: dict[str, list[float]]) -> str:
    """Return a table of milliseconds, and of ratios to tfgen's fastest step."""
    best = min(
        (name for name in seconds if name.startswith("tfgen")),
        key=lambda n: sum(seconds[n]),
    )
    rows = [
        (name, report.milliseconds(found), report.factor(ratio(found, seconds[best])))
        for name, found in seconds.items()
    ]
    return report.table((case, "ms a step", f"/ {best}"), rows)


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--quick", is_flag=True, help="Few short rounds, printed only: a check, no result.")
@click.option("--render", "rendering", is_flag=True, help="Measure nothing, write GPU.md anew.")
def main(quick: bool, rendering: bool) -> None:
    """Measure all contenders in alternating blocks on the first GPU."""
    path = HERE / "gpu.json"
    results = json.loads(path.read_text())
    if not rendering:
        today = datetime.date.today().isoformat()
        results = {**results, **describe(), "date": today, "records": []}
        for record, skipped in measure(QUICK if quick else FULL, tasks(CASES)):
            results["records"].append(record)
            results["skipped"] = skipped
            click.echo(_table(record["case"], record["seconds"]))
            if not quick:  # after each case: time on a GPU may end
                path.write_text(json.dumps(results, indent=1) + "\n")
    if not quick:
        path.with_name("GPU.md").write_text(render(results))


if __name__ == "__main__":
    main()
