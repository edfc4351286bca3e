"""`tfgen reproduce`: Tables 2 to 4 over paired seeds."""

from pathlib import Path

import click

import tfgen
from tfgen.quiet import quietly
from zoo.cli.options import NewPath
from zoo.cli.printing import print_table
from zoo.studies.reproduce import plan as planning
from zoo.studies.reproduce.cells import SCALES, TABLES


@click.command()
@click.argument("table", type=click.Choice(list(TABLES)))
@click.option(
    "--seeds", type=click.IntRange(1, 100), help="Number of seeds per cell; by default as planned."
)
@click.option(
    "--cell",
    "names",
    multiple=True,
    help="Cell of the table, may be repeated; by default all cells.",
)
@click.option(
    "--scale", type=click.Choice(SCALES), default=SCALES[0], show_default=True,
    help="Network widths: here for minutes on a processor, or the paper's.",
)  # fmt: skip
@click.option(
    "--out", type=NewPath(), default="runs/reproduce", show_default=True,
    help="Folder of runs and records.",
)  # fmt: skip
@click.option("--resume", is_flag=True, help="Continue the runs and records in --out.")
@click.option(
    "--plan", is_flag=True, help="Only print the cells and their hours, from a timed step."
)
def reproduce(
    table: str,
    seeds: int,
    names: tuple[str, ...],
    scale: str,
    out: Path,
    resume: bool,
    plan: bool,
) -> None:
    """Reproduce a table of the paper over paired seeds.

    Each run has its own process; the numbers of all records are printed. A run that fails is left out, and
    the others go on. With --resume a killed run continues where it stopped. Records are in
    OUT/records/CELL.jsonl; those of another machine are added as OUT/records/CELL.MACHINE.jsonl.
    """
    _check_folder(out, resume or plan)
    with quietly():
        import tensorflow  # noqa: F401
    cells = planning.choose_cells(table, names, scale)
    absent = {cell.name: planning.missing(cell) for cell in cells}
    present = [cell for cell in cells if absent[cell.name] is None]
    runs = list(planning.pending_runs(present, seeds, scale, out))
    if plan:
        _print_plan(cells, absent, runs)
        return
    for cell in cells:
        if absent[cell.name]:
            click.echo(f"{cell.name} is not run: {absent[cell.name]}", err=True)
    if not present:
        raise click.ClickException("A cell must have an evaluator. Received: none that has one")
    for name in planning.to_download([run.cell for run in runs]):
        tfgen.data.arrays(name, "test")
    from zoo.studies.reproduce import page

    failed = []
    for number, run in enumerate(runs, 1):
        click.echo(f"{number} of {len(runs)}: {run}", err=True)
        if not planning.execute(run, scale, out):
            failed.append(run)
    click.echo(page.numbers(table, out / "records", scale, [cell.name for cell in cells]))
    if failed:
        listed = "; ".join(map(str, failed))
        raise click.ClickException(
            f"Every run must end with a record; --resume tries again. Received: failed: {listed}"
        )


def _check_folder(out: Path, may_exist: bool) -> None:
    if not may_exist and out.exists() and any(out.iterdir()):
        raise FileExistsError(
            "The folder of new runs must be new or empty; --resume continues the runs in it. "
            f"Received: out={str(out)!r}"
        )


def _print_plan(cells, absent, runs):
    from zoo.studies.reproduce import timing

    measured = timing.hours(runs)
    rows = []
    for cell in cells:
        if absent[cell.name]:
            rows.append((cell.name, f"not run here: no evaluator of {cell.data}", "", "", ""))
        for arm in cell.arms:
            count, steps, hours = measured.get((cell.name, arm), (0, 0, 0.0))
            if count:
                rows.append((cell.name, arm, count, f"{steps:,}", f"{hours:.2f}"))
    print_table(("cell", "arm", "runs", "steps a run", "hours"), rows)
    total = sum(hours for _, _, hours in measured.values())
    for name in planning.to_download([run.cell for run in runs]):
        click.echo(f"{name} is not on disk: its first run downloads it")
    click.echo(f"{len(runs)} runs, {total:.1f} hours of training, without their scores")
