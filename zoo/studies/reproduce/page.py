"""`python -m zoo.studies.reproduce.page`: write Tables 2 to 4 and README's claims from the records."""

import textwrap
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np

from tfgen import markdown
from tfgen.evaluation import paired
from tfgen.evaluation.paired import Paired
from zoo.preset.provenance import in_words
from zoo.studies.reproduce import records
from zoo.studies.reproduce.cells import SCALES, SEMI_SUPERVISED, TABLES, Cell, cells
from zoo.studies.reproduce.notes import NOTES

ROOT = Path(__file__).resolve().parents[3]
PAGES = ROOT / "docs" / "studies"
RECORDS = PAGES / "records"

BEGIN, END = "<!-- claims -->\n", "\n<!-- /claims -->"
LOWER_IS_BETTER = ("fid",)
AVERAGE = "average_"  # prefix of the metrics of theta's moving average
_SHOWN = {  # metric -> decimals of a table
    "inception_score_ratio": 4,
    "average_inception_score_ratio": 4,
    "fid": 3,
    "average_fid": 3,
    "precision": 3,
    "average_precision": 3,
    "recall": 3,
    "average_recall": 3,
    "conditional_accuracy": 4,
    "average_conditional_accuracy": 4,
    "bound": 2,
    "accuracy": 4,
    "accuracy_binary": 4,
}

_HEAD = """\
# {title}

`tfgen reproduce {table}`; this page is made by `python -m zoo.studies.reproduce.page` from
[`records/`](records), one line per run.

{scale}

* Seeds are paired: seed s fixes the subset, its order, the noise and the starting weights of the players
  that the arms share (their hashes are compared before the first step). The arms of a seed were run on one
  machine class with one set of versions.
* float32, deterministic, equal steps (of a classifier alone its own number), a fixed schedule, no early
  stopping, the last epoch's weights.
* Generators are scored on 50,000 samples from theta and, in metrics with the prefix *average*, from its
  moving average; precision and recall on the first of them, as many as there are real images, at most
  2,000. Bounds are on the test set binarized once, each pixel a draw from Bernoulli(gray value).
* A difference is the mean over seeds with its 95 % t interval; p is of the exact Wilcoxon test (from
  {fewest} seeds on). Holm's p is over the claims of the cells that were run, on theta or on its average,
  and may rise as cells are added; six seeds have p >= .031, which passes only if all other claims have
  smaller p and pass. Supplements and other comparisons have uncorrected p.
{notes}
"""


def claims(
    table: str, folder: Path, scale: str, prefix: str = ""
) -> dict[str, tuple[Paired, float | None]]:
    """Return the claim of every cell with runs: its comparison, and Holm's p over claims with a p.

    A supplementary cell keeps its own p.

    Args:
        table: Name of the table.
        folder: Folder of the records.
        scale: Scale of the cells.
        prefix: `AVERAGE` for the claims on theta's moving average, another family of tests.
    """
    found = cells(scale)
    comparisons = {}
    for name, metric in TABLES[table].cells.items():
        seeds = of_scale(folder, name, scale)
        if pairs := _pairs(seeds, *found[name].claim, prefix + metric):
            comparisons[name] = paired.compare(*pairs)
    adjusted = {name: comparison.p for name, comparison in comparisons.items()}
    family = [
        name for name, p in adjusted.items() if p is not None and not found[name].supplementary
    ]
    adjusted |= zip(family, paired.holm([comparisons[name].p for name in family]), strict=True)
    return {name: (comparison, adjusted[name]) for name, comparison in comparisons.items()}


def of_scale(folder: Path, cell: str, scale: str) -> dict[int, dict[str, records.Record]]:
    """Return a cell's merged records of one scale."""
    read = records.read(folder, cell)
    return records.merge((r for r in read if r["scale"] == scale), cells(scale)[cell].claim)


def table(name: str, folder: Path, scale: str) -> str:
    """Return the page of a table of the paper, from the records in a folder, in Markdown."""
    head = _HEAD.format(
        title=TABLES[name].title,
        table=name,
        scale="Networks have the paper's widths." if scale == "paper" else _SMALL,
        fewest=paired.FEWEST,
        notes="\n".join(map(_item, NOTES[name])),
    )
    plot = f"![Differences of every claim, seed by seed]({file_name(name, scale)[:-3]}.png)\n"
    return "\n".join([head, plot, numbers(name, folder, scale, TABLES[name].cells)])


def numbers(name: str, folder: Path, scale: str, names: Iterable[str]) -> str:
    """Return the claims, scores and comparisons of a table's cells, from the records in a folder.

    Args:
        name: Name of the table.
        folder: Folder of the records.
        scale: Scale of the cells.
        names: Names of the cells; Holm's p is over all cells of the table.
    """
    found, metrics = cells(scale), TABLES[name].cells
    claimed = {prefix: claims(name, folder, scale, prefix) for prefix in ("", AVERAGE)}
    seeds = {cell: of_scale(folder, cell, scale) for cell in names}
    sections = [_section(found[cell], metrics[cell], runs) for cell, runs in seeds.items() if runs]
    summary = _summary({cell: metrics[cell] for cell in seeds}, found, claimed)
    return "\n".join([summary, *sections])


def _item(note):
    """Return a note as a wrapped item of a list."""
    return textwrap.fill(f"* {note}", 108, subsequent_indent="  ", break_on_hyphens=False)


_SMALL = (
    "Networks may be narrower and runs shorter than a preset's, as given with each cell: a claim is about\n"
    "a difference, and both arms share them."
)


def _summary(metrics, found, claimed):
    rows = []
    for cell, metric in metrics.items():
        arm, base = found[cell].claim
        title, claim = found[cell].title, f"{arm} > {base}"
        if cell not in claimed[""]:
            rows.append((title, claim, metric, 0, "", "", "not run here"))
        for prefix, families in claimed.items():
            if cell in families:
                comparison, adjusted = families[cell]
                p = "" if adjusted is None else f"{adjusted:.2g}"
                mean, verdict = (
                    difference(comparison, prefix + metric),
                    _verdict(metric, *families[cell]),
                )
                rows.append((title, claim, prefix + metric, comparison.count, mean, p, verdict))
    header = ("cell", "claim", "metric", "seeds", "difference", "Holm's p", "verdict")
    return markdown.table(header, rows) + "\n"


def _verdict(metric, comparison, adjusted):
    return paired.verdict(comparison, adjusted, metric not in LOWER_IS_BETTER)


def _section(cell: Cell, metric: str, seeds) -> str:
    metrics = [m for m in _SHOWN if any(m in r["scores"] for r in _all(seeds))]
    rows = []
    for arm in cell.arms:
        runs = [found[arm] for found in seeds.values() if arm in found]
        if not runs:
            rows.append((arm, 0, "not run here", *[""] * (len(metrics) + 1)))
            continue
        spreads = [_spread([r["scores"].get(m) for r in runs], _SHOWN[m]) for m in metrics]
        minutes = np.median([r["seconds"] for r in runs]) / 60
        rows.append((arm, len(runs), *spreads, f"{runs[0]['steps']:,}", f"{minutes:.1f}"))
    scores = markdown.table(["arm", "seeds", *metrics, "steps", "median minutes"], rows)
    rows = []
    for arm, base in (cell.claim, *cell.controls):
        if not any({arm, base} <= found.keys() for found in seeds.values()):
            rows.append((f"{arm} - {base}", metric, 0, "not run here", "", ""))
        for shown in metrics:
            if pairs := _pairs(seeds, arm, base, shown):
                found = paired.compare(*pairs)
                p = "" if found.p is None else f"{found.p:.2g}"
                share = f"{found.positive} of {found.count}"
                mean = difference(found, shown)
                rows.append((f"{arm} - {base}", shown, found.count, mean, share, p))
    header = ("comparison", "metric", "seeds", "difference", "larger in", "p")
    comparisons = markdown.table(header, rows)
    places = sorted({_machine(record) for record in _all(seeds)})
    parts = [_settings(seeds, cell), scores, comparisons, "; ".join(places) + "."]
    return "\n\n".join([f"\n## {cell.title}", *parts]) + "\n"


def _settings(seeds, cell):
    record = next(r for arm in cell.arms for r in _all(seeds) if r["arm"] == arm)
    recipe = record["recipe"]
    listed = {**recipe["data"], **recipe["build"], **recipe["training"]}
    written = ", ".join(f"{key} {value}" for key, value in listed.items() if value is not None)
    return f"{record['arm']}: {written}."


def difference(found: Paired, metric: str) -> str:
    """Return the mean difference and its interval, with their signs."""
    digits = _SHOWN[metric]
    if found.count == 1:
        return f"{found.mean:+.{digits}f}"
    return f"{found.mean:+.{digits}f} ({found.low:+.{digits}f} to {found.high:+.{digits}f})"


def _pairs(seeds, arm, base, metric) -> tuple[list[float], ...] | None:
    """Return the numbers of both arms for seeds that have both; None if no seed has."""
    both = [
        (found[arm]["scores"][metric], found[base]["scores"][metric])
        for found in seeds.values()
        if arm in found
        and base in found
        and metric in found[arm]["scores"]
        and metric in found[base]["scores"]
    ]
    return tuple(map(list, zip(*both, strict=True))) if both else None


def _all(seeds) -> Iterable[dict[str, Any]]:
    return (record for found in seeds.values() for record in found.values())


def _spread(values, digits):
    known = [value for value in values if value is not None]
    if not known:
        return "-"
    mean = f"{np.mean(known):.{digits}f}"
    return mean if len(known) == 1 else f"{mean} ± {np.std(known, ddof=1):.{digits}f}"


def _machine(record):
    machine, versions = record["machine"], record["versions"]
    return f"{in_words(machine)}, TensorFlow {versions['tensorflow']}"


CLAIMS = (  # table, cells, the claim in words, the paper's numbers
    ("table2", ("gan_digits", "gan_mnist", "gan_cifar10", "gan_svhn"),
     "IWGAN's samples score higher than GAN's",
     "share of real +.012 (MNIST), +.024 (SVHN), +.003 (CIFAR-10)"),
    ("table2", ("cgan_digits", "cgan_mnist", "cgan_svhn"), "IWCGAN keeps labels better than CGAN",
     "+.002 (MNIST), +.001 (SVHN)"),
    ("table3", ("vae_mnist_1pct", "vae_mnist_10pct", "vae_mnist"), "AA-VAE's bound, T = 5, is above VAE's",
     "+.74 (1 %), +1.44 (10 %), +.11 (100 %) nats"),
    ("table3", ("cvae_mnist_1pct", "cvae_mnist_10pct", "cvae_mnist"),
     "AA-CVAE's bound, T = 5, is above CVAE's", "+2.56, +1.00, +.41 nats"),
    ("table3", tuple(SEMI_SUPERVISED), "AA-SVAE's bound, T = 5, is above SVAE's",
     "+.61 (1 %), +.63 (10 %) nats"),
    ("table4", tuple(SEMI_SUPERVISED), "AA-SVAE classifies better than SVAE", "+.0013, +.0029"),
)  # fmt: skip


def claim_rows(folder: Path, link: str) -> str:
    """Return the paper's six claims in Markdown: paper, here, verdict, controls, page.

    Args:
        folder: Folder of the records.
        link: Relative path from the page that shows the claims to the folder of the tables' pages.
    """
    found = cells()
    rows = []
    for name, members, claim, paper in CLAIMS:
        claimed, averages = (claims(name, folder, "here", prefix) for prefix in ("", AVERAGE))
        here, verdicts, controls = [], [], []
        for cell in members:
            if cell not in claimed:
                continue
            comparison, adjusted = claimed[cell]
            metric, title = TABLES[name].cells[cell], found[cell].title
            seeds = of_scale(folder, cell, "here")
            gain = _gain(*found[cell].claim, metric, seeds)
            here.append(f"{title}: {gain}, n = {comparison.count}")
            words = _verdict(metric, comparison, adjusted)
            if cell in averages:
                words = f"{words} (theta's average: {_verdict(metric, *averages[cell])})"
            verdicts.append(f"{title}: {words}")
            if control := _control(found[cell], metric, seeds):
                controls.append(f"{title}, {control}")
        page = f"[{name}]({link}/{name}.md)" if claimed else f"`tfgen reproduce {name}`"
        known = (
            "; ".join(here) or "not run here",
            *("; ".join(v) or "-" for v in (verdicts, controls)),
        )
        rows.append((claim, paper, *known, page))
    header = ("claim", "paper", "here, paired seeds", "verdict", "against the control", "page")
    return markdown.table(header, rows)


def _gain(arm, base, metric, seeds):
    """Return the difference of two arms, of samples theta's and its average's; None without pairs."""
    average = AVERAGE + metric
    raw, averaged = (_pairs(seeds, arm, base, scored) for scored in (metric, average))
    if not raw:
        return None
    text = difference(paired.compare(*raw), metric)
    if not averaged:
        return text
    return f"theta {text}, its average {difference(paired.compare(*averaged), average)}"


def _control(cell, metric, seeds):
    """Return the gain over a cell's first control that was run and has the metric, or None."""
    for arm, control in cell.controls:
        if gain := _gain(arm, control, metric, seeds):
            gained = "over" if arm == cell.claim[0] else f"{arm} over"
            return f"{gained} {control}: {gain}"
    return None


def draw(name: str, folder: Path, scale: str, path: Path) -> None:
    """Draw every claim's differences, seed by seed, with mean and interval, to a PNG file."""
    from tfgen.drawing import plots

    found, claimed = cells(scale), claims(name, folder, scale)
    figure, panels = plots.axes(len(claimed), size=(2.2, 2.6))
    for axes, (cell, (comparison, _)) in zip(panels, claimed.items(), strict=True):
        metric = TABLES[name].cells[cell]
        pairs = _pairs(of_scale(folder, cell, scale), *found[cell].claim, metric)
        arm, base = pairs or ((), ())
        axes.axhline(0, color="0.7", linewidth=0.8)
        axes.plot(np.zeros(len(arm)), np.subtract(arm, base), "o", color="0.5", markersize=3)
        if comparison.count > 1:
            half = comparison.high - comparison.mean
            axes.errorbar([0.3], [comparison.mean], [half], fmt="o", color="tab:blue", capsize=3)
        title = textwrap.fill(found[cell].title, 18)
        axes.set(title=title, ylabel=f"difference of\n{metric}", xlim=(-0.3, 0.6), xticks=[])
        axes.title.set_fontsize(8)
    plots.save(figure, path)


def write() -> None:
    """Write pages and plots of all tables and scales with records, and README's rows."""
    for scale in SCALES:
        for name in TABLES:
            if claims(name, RECORDS, scale):
                path = PAGES / file_name(name, scale)
                path.write_text(table(name, RECORDS, scale))
                draw(name, RECORDS, scale, path.with_suffix(".png"))
    readme = ROOT / "README.md"
    head, rest = readme.read_text().split(BEGIN)
    rows = claim_rows(RECORDS, "docs/studies")
    readme.write_text(f"{head}{BEGIN}{rows}{END}{rest.split(END)[1]}")


def file_name(table: str, scale: str) -> str:
    """Return the file name of a table's page."""
    return f"{table}.md" if scale == SCALES[0] else f"{table}_{scale}.md"


if __name__ == "__main__":
    write()
