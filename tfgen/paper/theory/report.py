"""The page on the theory: `README.md` and its figures, with all numbers computed when it is written."""

from pathlib import Path
from typing import Any

import numpy as np

from tfgen.atomic import replace_file
from tfgen.drawing import plots
from tfgen.markdown import table
from tfgen.paper import graphs
from tfgen.paper.table import ROWS, facts
from tfgen.paper.theory import checks, text
from tfgen.paper.theory.mixtures import WEIGHTS, draw_figure_2, figure_2

WORLDS = 1000
SIZES, WORLDS_OF_A_SIZE = (2, 3, 6, 10, 20, 50), 10_000
SAMPLES = (1, 2, 3, 5, 10, 20, 50, 100, 200)  # k
AUTOENCODERS = 20

NOT_RUN = "The models were not trained for this page (`--seeds 0`)."


def write(folder: Path, command: str, mixtures: str = NOT_RUN) -> Path:
    """Write README.md, table_1.md and the figures into a folder, made if needed.

    Args:
        folder: Folder to write to.
        command: Command line that writes this page, to show on it.
        mixtures: Markdown of the section on trained models, whose files are in the folder.

    Returns:
        Path of README.md.

    Raises:
        ImportError: Matplotlib is not installed.
        OSError: A file cannot be written.
    """
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    graphs.draw_figure_1(folder / "figure_1.png")
    draw_figure_2(folder / "figure_2.png")
    graphs.draw_figure_4(folder / "figure_4.png")
    worlds = checks.tightening(SAMPLES)
    draw_bounds(worlds, folder / "bounds.png")
    _write(folder / "table_1.md", table_1())
    return _write(folder / "README.md", page(command, worlds, mixtures))


def page(command: str, tightening: Any, mixtures: str) -> str:
    """Return README.md; arguments as in `write`, and the result of `checks.tightening` that was drawn."""
    failures = checks.bound_failures(SIZES, WORLDS_OF_A_SIZE)
    worst = max(failures, key=lambda size: size.rates["any"])
    return text.PAGE.format(
        command=command,
        rows=len(ROWS),
        gradients=_agreements(checks.generator_gradients(WORLDS)),
        stationary=_stationary(checks.stationary_points(WORLDS)),
        weights=" and ".join(map(str, WEIGHTS)),
        figure_2=_figure_2(figure_2()),
        worlds_of_a_size=WORLDS_OF_A_SIZE,
        failures=_failures(failures),
        counter_example=_counter_example(checks.counter_example()),
        log_2=np.log(2),
        tightening=_tightening(tightening),
        minibatch=checks.MINIBATCH,
        autoencoders=AUTOENCODERS,
        variational=_variational(checks.variational_gradients(AUTOENCODERS)),
        correspondences=_agreements(checks.correspondences()),
        mixtures=mixtures,
        largest_rate=worst.rates["any"],
        largest_rate_images=worst.images,
    )


def table_1() -> str:
    """Return Table 1 in Markdown: its parts side by side as in the paper, then every row in full."""
    parts = ("generator", "discriminator", "inference")
    overview = table(
        ("model", "p over x", "q over y", "q over z", "theta (and eta) minimize"),
        [
            (row.name, *(_role(getattr(row, part)) for part in parts), f"`{row.divergence}`")
            for row in ROWS.values()
        ],
    )
    rows = [
        f"## {row.name}\n\n{row.equations}\n\n{table(('', ''), facts(row))}"
        for row in ROWS.values()
    ]
    return text.TABLE_1.format(overview=overview, rows="\n\n".join(rows))


def draw_bounds(worlds: Any, path: Path) -> str | Path:
    """Draw Eq. 36, L_k against k with its limit and log Z, to a PNG file.

    Args:
        worlds: Result of `checks.tightening`.
        path: File to write.

    Returns:
        The path written.
    """
    figure, panels = plots.axes(2, size=(4.4, 3.0))
    titles = "$p_g$ covers every image", "$p_g$ misses an image of $p_{data}$"
    for axes, title, world in zip(panels, titles, worlds, strict=True):
        axes.plot(world.bounds.keys(), world.bounds.values(), "o-", label="$L_k$", markersize=3)
        axes.axhline(world.limit, color="black", linestyle="--", label="limit of $L_k$")
        axes.axhline(world.log_marginal, color="tab:red", linestyle=":", label=r"$\log Z(0)$")
        axes.set(title=title, xscale="log", xlabel="k", ylabel="nats")
        axes.legend(frameon=False)
    return plots.save(figure, path)


def _write(path, text):
    with replace_file(path) as aside:
        aside.write_text(text, encoding="utf-8")
    return path


def _role(part):
    return f"[{part.process[0].upper()}] `{part.symbol}`" if part.process else "-"


def _agreements(found):
    rows = [
        (statement, f"{one.worlds:,}", f"{one.error:.1e}", f"{one.size:.2g}")
        for statement, one in found.items()
    ]
    return table(("gradient", "worlds", "largest difference", "largest value"), rows)


def _stationary(found):
    rows = [(point, f"{gradient:.1e}") for point, gradient in found.items()]
    return table(("point", "largest gradient in any world"), rows)


def _figure_2(step):
    densities = {
        "p_data": step.data,
        "posterior q^r(x|y=0)": step.posterior,
        "p_g before": step.generated,
        "p_g after": step.updated,
    }
    rows = [(name, f"{step.smaller_mode(density):.2g}") for name, density in densities.items()]
    return table(("density", "smaller mode"), rows)


def _failures(found):
    discriminators = list(found[0].rates)
    coins = ("D no worse than a coin", "of these: fail")
    header = ("images", *coins, *(f"{name} D: fails" for name in discriminators), "disagree")
    rows = [
        (
            size.images,
            f"{size.coins:,}",
            size.failing_coins,
            *(f"{size.rates[name]:.1%}" for name in discriminators),
            size.exceptions,
        )
        for size in found
    ]
    return table(header, rows)


def _counter_example(terms):
    rows = [
        ("JSD", terms.jsd),
        ("E KL", terms.kl),
        ("E log q^r(y|x)", terms.log_q),
        ("E log Z(y)", terms.log_normalizer),
    ]
    return table(("term", "nats"), [(name, f"{value:z.4f}") for name, value in rows])


def _tightening(worlds):
    header = ("world", *(f"k = {k}" for k in worlds[0].bounds), "limit", "log Z(0)")
    names = ("p_g covers every image", "p_g misses an image")
    rows = [
        (name, *(f"{value:.4f}" for value in (*one.bounds.values(), one.limit, one.log_marginal)))
        for name, one in zip(names, worlds, strict=True)
    ]
    return table(header, rows)


def _variational(found):
    rows = {}
    for (reading, player), one in found.items():
        rows.setdefault(reading, {})[player] = one
    header = ("second argument of Eq. 12", "theta: difference", "eta: difference", "theta", "eta")
    return table(
        header,
        [
            (
                reading,
                *(f"{players[player].error:.1e}" for player in ("theta", "eta")),
                *(_verdict(players[player]) for player in ("theta", "eta")),
            )
            for reading, players in rows.items()
        ],
    )


def _verdict(one):
    return "agrees" if one.error < 1e-12 else "differs"
