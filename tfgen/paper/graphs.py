"""The graphical models of Fig. 1 and 4 as plain data, and as drawings.

Solid arrows generate, dashed ones infer.  The VAE's graph is InfoGAN's with the two exchanged, the
adversarial autoencoder's is InfoGAN's with x and z exchanged.
"""

import collections
import dataclasses
import math
import re
from collections.abc import Sequence
from pathlib import Path

GENERATIVE, INFERENCE = "generative", "inference"


@dataclasses.dataclass(frozen=True)
class Arc:
    """An arrow of Fig. 1 or 4.

    Attributes:
        source, target: "x", "y", "z" or "t".
        process: GENERATIVE (solid) or INFERENCE (dashed).
        symbol: Distribution of the target given its sources; ^r is the reversed distribution, ^(r)
            either of the two.
        implicit: Whether a deterministic transformation defines the distribution (a hollow head).
        adversarial: Whether q and its reverse q^r take turns (blue).
    """

    source: str
    target: str
    process: str
    symbol: str
    implicit: bool = False
    adversarial: bool = False


GAN = (
    Arc("z", "x", INFERENCE, "p_theta(x|y)", implicit=True),
    Arc("y", "x", INFERENCE, "p_theta(x|y)", implicit=True),
    Arc("x", "y", GENERATIVE, "q_phi^(r)(y|x)", adversarial=True),
)
CGAN = (
    Arc("z", "x", INFERENCE, "p_theta(x|t,y)", implicit=True),
    Arc("y", "x", INFERENCE, "p_theta(x|t,y)", implicit=True),
    Arc("t", "x", INFERENCE, "p_theta(x|t,y)", implicit=True),
    Arc("x", "y", GENERATIVE, "q_phi^(r)(y|x,t)", adversarial=True),
    Arc("t", "y", GENERATIVE, "q_phi^(r)(y|x,t)", adversarial=True),
)
ADA = (*GAN, Arc("x", "t", GENERATIVE, "f_omega(t|x)"))
INFOGAN = (
    *GAN,
    Arc("x", "z", GENERATIVE, "q_eta(z|x,y)"),
    Arc("y", "z", GENERATIVE, "q_eta(z|x,y)"),
)
AAE = (
    Arc("x", "z", INFERENCE, "q_eta(z|y)", implicit=True),
    Arc("y", "z", INFERENCE, "q_eta(z|y)", implicit=True),
    Arc("z", "y", GENERATIVE, "q_phi^(r)(y|z)", adversarial=True),
    Arc("z", "x", GENERATIVE, "p_theta(x|z,y)"),
    Arc("y", "x", GENERATIVE, "p_theta(x|z,y)"),
)
PM = (
    Arc("x", "z", INFERENCE, "q_eta(z)", implicit=True),
    Arc("z", "y", GENERATIVE, "P_phi(z_i|z_-i)", adversarial=True),
    Arc("z", "x", GENERATIVE, "p_theta(x|z)"),
)
AUTOENCODER = (
    Arc("z", "x", GENERATIVE, "p_theta(x|z,y)"),
    Arc("y", "x", GENERATIVE, "p_theta(x|z,y)"),
    Arc("x", "z", INFERENCE, "q_eta(z|x,y)"),
    Arc("y", "z", INFERENCE, "q_eta(z|x,y)"),
)
LABELLED_AUTOENCODER = (
    *(Arc(source, "x", GENERATIVE, "p_theta(x|z,t,y)") for source in ("z", "t", "y")),
    *(Arc(source, "z", INFERENCE, "q_eta(z|x,t,y)") for source in ("x", "t", "y")),
)
PERFECT = (Arc("x", "y", INFERENCE, "q_*^r(y|x)"),)
ACTIVATED = (Arc("x", "y", INFERENCE, "q_phi^(r)(y|x)", adversarial=True),)
CONDITIONAL_ACTIVATED = tuple(
    Arc(source, "y", INFERENCE, "q_phi^(r)(y|x,t)", adversarial=True) for source in ("x", "t")
)
CLASSIFIER = (Arc("x", "t", INFERENCE, "q_omega(t|x)"),)
VAE = (*AUTOENCODER, *PERFECT)
WAKE = (
    Arc("z", "x", GENERATIVE, "p_theta(x,z)"),
    Arc("x", "z", INFERENCE, "q_lambda(z|x)"),
)
SLEEP = (
    Arc("z", "x", INFERENCE, "p_theta(x,z)"),
    Arc("x", "z", GENERATIVE, "q_lambda(z|x)"),
)

_PLACES = {"z": (0.0, 1.1), "y": (1.4, 1.1), "x": (0.7, 0.0), "t": (2.1, 0.0)}
_RADIUS = 0.11
_APART = 0.35  # least distance of two labels
_BEND = 0.18  # curvature of an arrow, so that two opposite ones stay apart


def draw_figure_1(path: str | Path) -> str | Path:
    """Draw Fig. 1c-e: the graphical models of ADA and GAN, of InfoGAN and of the VAE, to a PNG file."""
    return draw({"ADA, GAN (Eq. 3)": GAN, "InfoGAN (Eq. 9)": INFOGAN, "VAE (Eq. 12)": VAE}, path)


def draw_figure_4(path: str | Path) -> str | Path:
    """Draw Fig. 4: InfoGAN, and the adversarial autoencoder with x and z exchanged, to a PNG file."""
    return draw({"InfoGAN (Eq. 9)": INFOGAN, "AAE (Eq. 31)": AAE}, path)


def draw(graphs: dict[str, Sequence[Arc]], path: str | Path) -> str | Path:
    """Draw graphical models side by side into a PNG file.

    A model that joins two others, such as CycleGAN or VAE/GAN, is most legible as their two graphs.

    Args:
        graphs: {title: tuple of arcs}.
        path: File to write.

    Returns:
        The path written.

    Raises:
        ImportError: Matplotlib is not installed.
        OSError: The file cannot be written.
    """
    from tfgen.drawing import plots

    figure, panels = plots.axes(len(graphs), size=(4.2, 3.6))
    for axes, (title, arcs) in zip(panels, graphs.items(), strict=True):
        axes.set_title(title)
        _draw_nodes(axes, {end for arc in arcs for end in (arc.source, arc.target)})
        _draw_arcs(axes, arcs)
    return plots.save(figure, path)


def _draw_nodes(axes, names):
    from matplotlib.patches import Circle

    for name in names:
        axes.add_patch(Circle(_PLACES[name], _RADIUS, facecolor="white", edgecolor="black"))
        axes.text(*_PLACES[name], f"${name}$", ha="center", va="center", fontsize=14)
    right = max(_PLACES[name][0] for name in names)
    axes.set(xlim=(-0.5, right + 0.5), ylim=(-0.3, 1.5), aspect="equal")
    axes.set_axis_off()


def _draw_arcs(axes, arcs):
    """Draw arrows, and one label per distribution beside its first arrow, or where there is room."""
    from matplotlib.patches import FancyArrowPatch

    places, between = collections.defaultdict(list), collections.Counter()
    for arc in arcs:
        start, end = _PLACES[arc.source], _PLACES[arc.target]
        between[start, end] += 1
        bend = _BEND * (2 * between[start, end] - 1)  # a second arrow goes round the first
        color = "tab:blue" if arc.adversarial else "black"
        arrow = FancyArrowPatch(
            start,
            end,
            connectionstyle=f"arc3,rad={bend}",
            arrowstyle="-|>",
            mutation_scale=18,
            shrinkA=18,
            shrinkB=18,
            linestyle="--" if arc.process == INFERENCE else "-",
            edgecolor=color,
            facecolor="white" if arc.implicit else color,
        )
        axes.add_patch(arrow)
        places[arc.symbol, color].append(_beside(start, end, bend))
    taken = []
    for (symbol, color), sides in sorted(places.items(), key=lambda pair: len(pair[1])):
        candidates = [point for side in zip(*sides, strict=True) for point in side]
        free = (p for p in candidates if all(math.dist(p, other) > _APART for other in taken))
        taken.append(next(free, candidates[0]))
        axes.text(*taken[-1], mathtext(symbol), color=color, ha="center", va="center")


def _beside(start, end, bend, margin=0.2):
    """Return the points at a margin from the middle of a bent arrow, on its outer and inner side."""
    (x0, y0), (x1, y1) = start, end
    sides = (bend / 2 + side / math.dist(start, end) for side in (margin, -margin))  # of its chord
    return [((x0 + x1) / 2 + d * (y1 - y0), (y0 + y1) / 2 + d * (x0 - x1)) for d in sides]


def mathtext(symbol: str) -> str:
    """Return Matplotlib's mathematical text of a symbol such as "q_phi^(r)(y|x)"."""
    greek = re.sub(r"_(theta|phi|eta|omega|lambda)", r"_\\\1", symbol)
    return f"${greek.replace('^(r)', '^{(r)}').replace('_-i', '_{-i}')}$"
