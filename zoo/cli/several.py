"""`tfgen train --seeds` and `tfgen compare`: runs of several seeds, and comparisons of arms."""

import os
from pathlib import Path
from typing import Any

import click

from tfgen.quiet import quietly
from zoo.cli.options import EVALUATOR, JSON, SAMPLES, Folder
from zoo.cli.printing import print_json, print_table
from zoo.cli.stopping import resumable


def train(words: list[str], seeds: tuple[int, ...], out: Path, resume: bool) -> None:
    """Train with every seed, each in its own process, and print the results of the last epochs.

    Args:
        words: Arguments of `tfgen train` except seeds, folder and --resume.
        seeds: Seed of each run.
        out: Folder of the runs.
        resume: Whether to continue the runs in `out`.

    Raises:
        FileExistsError: `out` is not empty, and `resume` is False.
    """
    if not resume and out.exists() and any(out.iterdir()):
        raise FileExistsError(
            "The folder of new runs must be new or empty; --resume continues the runs in it. "
            f"Received: out={str(out)!r}"
        )
    listed = ",".join(map(str, seeds))
    with resumable(out, "seed_*/run.json", [*words, "--seeds", listed]):
        with quietly():
            from zoo.preset import several
        several.execute(words, out, seeds)
    found = several.last_epochs(out, seeds)
    names = list(found[seeds[0]])
    rows = [(seed, *(_number(scores[name]) for name in names)) for seed, scores in found.items()]
    columns = [several.mean_row([scores[n] for scores in found.values()]) for n in names]
    rows += [
        (label, *(_number(column[place]) for column in columns))
        for place, label in enumerate(("mean", "95 % low", "95 % high"))
    ]
    print_table(("seed", *names), rows)


@click.command()
@click.argument(
    "runs", nargs=-1, required=True, metavar="RUN...", type=Folder()
)  # fmt: skip
@SAMPLES
@EVALUATOR
@JSON
def compare(runs: Any, samples: int, evaluator: str | None, as_json: bool) -> Any:
    """Compare recipes in each metric, paired by seed.

    A RUN is the folder of a run or of `tfgen train --seeds`; runs of one recipe make an arm, and each arm
    is compared with the first. A model is scored once, see scores.json in its run's folder. The table shows
    means, the mean difference with its 95 % t interval and, from 6 seeds on, p of the exact Wilcoxon
    signed-rank test, raw and adjusted by Holm for the tests of the table.
    """
    with quietly():
        from zoo.preset import several
    arms = several.arms(runs)
    seeds = several.shared_seeds(arms)
    numbers = {
        arm.name: {seed: several.scores(arm.runs[seed], samples, evaluator) for seed in seeds}
        for arm in arms
    }
    found = several.compare_arms(arms, numbers)
    if as_json:
        print_json([row.to_dict() for row in found])
        return
    common = os.path.commonpath([Path(arm.name).absolute().parent for arm in arms])
    name_of = {arm.name: os.path.relpath(arm.name, common) for arm in arms}
    base = name_of[arms[0].name]
    click.echo(f"base: {base}; {len(seeds)} seeds: {', '.join(map(str, seeds))}")
    header = ("metric", "arm", "mean", "base", "difference (95 %)", "p", "p, Holm")
    print_table(header, [_row(row, name_of[row.arm]) for row in found])


def _row(row, arm):
    found = row.differences
    difference = f"{found.mean:+.3g} ({found.low:+.3g} to {found.high:+.3g})"
    means = (_number(row.arm_mean), _number(row.base_mean))
    return (row.metric, arm, *means, difference, _number(found.p), _number(row.adjusted))


def _number(value):
    return "-" if value is None else f"{value:.4g}"
