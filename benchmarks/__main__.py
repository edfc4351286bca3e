"""`python -m benchmarks`: measure, then write results.json and RESULTS.md."""

import datetime
import importlib
import json
from pathlib import Path

import click

from benchmarks import machine, report
from benchmarks.timing import FULL, QUICK

HERE = Path(__file__).parent
BENCHMARKS = ("training_step", "profile", "vae_step", "serving", "utilization", "layers")


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.argument("names", nargs=-1, type=click.Choice(BENCHMARKS))
@click.option("--quick", is_flag=True, help="Run few short rounds and only print them, as a check.")
@click.option("--render", is_flag=True, help="Measure nothing, only write RESULTS.md.")
def main(names, quick, render):
    """Measure the benchmarks NAMES, by default all, in alternating blocks.

    The other benchmarks' results are kept, unless they were measured on another machine.
    """
    results = {} if quick else read()
    for name in () if render else names or BENCHMARKS:
        results = update(results, name, QUICK if quick else FULL)
        if not quick:
            (HERE / "results.json").write_text(report.as_json(results))
    text = report.render(results)
    click.echo(text)
    if not quick:
        (HERE / "RESULTS.md").write_text(text)


def read():
    """Return the contents of results.json, or an empty result."""
    path = HERE / "results.json"
    return json.loads(path.read_text()) if path.is_file() else {}


def update(results, name, effort):
    """Measure the benchmark `name`; return the updated results."""
    click.echo(f"{name} ...", err=True)
    here = machine.describe()
    others = results["benchmarks"] if results.get("machine") == here else {}
    found = importlib.import_module(f"benchmarks.{name}").measure(effort)
    for peer, reason in found.get("skipped", {}).items():
        click.echo(f"{peer} skipped: {reason}", err=True)
    dated = {"date": datetime.date.today().isoformat(), **found}
    return {"machine": here, "benchmarks": {**others, name: dated}}


if __name__ == "__main__":
    main()
