"""The theory as a page: `README.md` and its figures, every number of it computed when it is written."""

from pathlib import Path

import numpy as np

from tfgen.drawing import plots
from tfgen.paper import graphs
from tfgen.paper.table import ROWS, facts
from tfgen.paper.theory import checks
from tfgen.paper.theory.mixtures import WEIGHTS, draw_figure_2, figure_2
from tfgen.saved_model import replaced_file

WORLDS = 1000
SIZES, WORLDS_OF_A_SIZE = (2, 3, 6, 10, 20, 50), 10_000
SAMPLES = (1, 2, 3, 5, 10, 20, 50, 100, 200)  # k
AUTOENCODERS = 20

NOT_RUN = "The models were not trained for this page (`--seeds 0`)."

_PAGE = """\
# The theory, computed

Hu, Yang, Salakhutdinov and Xing, *On Unifying Deep Generative Models* (ICLR 2018), claims that GANs
and VAEs are one kind of model: both minimise KL divergences between the same parts, with generation
and inference exchanged. This page checks what the paper states. The command

    {command}

computes all of it and writes it: no number below was typed. Except for the trained models at the end,
every expectation is a sum over a small world, in float64, and every gradient is exact: nothing is
sampled, so that a difference beyond rounding (about 1e-15) refutes a statement.

Symbols: x an image; y = 1 a real one, y = 0 a generated one, p(y) = 1/2; z a latent code, t a class
label. theta generates, `p_theta(x|0) = p_g` and `p_theta(x|1) = p_data`; phi discriminates,
`q_phi(1|x) = D(x)`; eta infers, `q_eta(z|x,y)`. `q^r(y|x) = q(1-y|x)` is the reversed discriminator:
phi ascends `E log q(y|x)` and theta ascends `E log q^r(y|x)`. p_theta0 is the mixture
`(p_g + p_data)/2`, held at the point where a derivative is taken.

| | |
|---|---|
| [One view](#one-view) | Table 1, Fig. 1 and 4 |
| [What a GAN minimises](#what-a-gan-minimises) | Lemma 1, Eq. 6-8, 10 |
| [One step](#one-step) | Fig. 2 |
| [A bound that fails](#a-bound-that-fails) | Eq. 20, 26 |
| [More samples](#more-samples) | Eq. 15, 36 |
| [What a VAE minimises](#what-a-vae-minimises) | Lemma 2, Eq. 11-13, 17 |
| [The same under exchange](#the-same-under-exchange) | Eq. 9, 14, 32, section 3.5 |
| [Missing modes, covering modes](#missing-modes-covering-modes) | trained models |
| [Where the paper fails](#where-the-paper-fails) | summary |

## One view

![Graphical models of ADA and GAN, InfoGAN and VAE](figure_1.png)

Fig. 1: solid arrows generate, dashed ones infer; a hollow head is a deterministic transformation, blue
the adversary, which takes turns with its reverse. Read from left to right: InfoGAN adds to the GAN an
inference net; the VAE is InfoGAN with every solid arrow dashed and every dashed one solid.

![Graphical models of InfoGAN and AAE](figure_4.png)

Fig. 4: the adversarial autoencoder is InfoGAN with x and z exchanged.

[Table 1](table_1.md) says the same in words for {rows} models: which parts generate and which infer,
what is learned, fixed or degenerate, which divergence is minimised and on which side of it theta
stands. `tfgen info MODEL` prints the row of a model, `tfgen info MODEL --figure FILE` draws its graph.

## What a GAN minimises

**Lemma 1 (Eq. 6).** Take D as given, any D, and see `q^r(x|y)`, proportional to `q^r(y|x) p_theta0(x)`,
as the posterior of x under the prior p_theta0. Then at theta = theta0 theta's loss has the gradient of a
KL divergence from p_theta to that posterior, less a Jensen-Shannon divergence:

    grad -E_p(y) E_p_theta(x|y) log q^r(y|x)
        =  grad [ E_p(y) KL(p_theta(x|y) || q^r(x|y)) - JSD(p_g || p_data) ].

**Eq. 8** puts the optimal D in it: `1/2 KL(p_g || p_data) - JSD(p_g || p_data)`. **Eq. 10** is Lemma 1 with
`q_eta(z|x,y)` beside `q^r(y|x)`, InfoGAN's. The sides of each, and how large the gradient itself is:

{gradients}

The last line is no claim of the paper: Eq. 8 needs the optimal D, and another D has another gradient.
p_theta stands on the left of the KL divergence, which therefore punishes p_g where the posterior is
small and forgives it where the posterior is large and p_g is not: modes are missed.

Where does it come to rest? For a p_g that is free on its support the gradient is, by hand,
`-1/2 p_g (log D - E_p_g log D)`: zero exactly where D is constant on the support of p_g.

{stationary}

With the optimal D, Eq. 8 thus vanishes only where p_g is proportional to p_data wherever p_g lives:
at p_data, and just as well at p_data without some of its modes. A GAN that misses a mode gets no
gradient towards it. p_g = p_data is no rest under a D that is not constant.

## One step

![One step of theta on a density with two modes](figure_2.png)

Fig. 2, computed: p_data has two modes of probability {weights}; D's logit is half that of the
optimal one. One step of theta down Lemma 1's gradient moves p_g towards the posterior q^r(x|y=0), which
lies between p_g and p_data. Share of probability right of the trough, where the smaller mode is:

{figure_2}

## A bound that fails

Section 3.2 argues that where the KL divergence of Lemma 1 is minimised the JSD decreases too, by

    Eq. 26:  JSD(p_g || p_data)  <=  E_p(y) KL(p_theta(x|y) || q^r(x|y)).

**This is false as stated.** Eq. 20 drops the normaliser `Z(y) = E_p_theta0(x) q^r(y|x)` of the posterior.
With it, `E log q^r(y|x) = -E KL + JSD + E_p(y) log Z(y)`, so that the bound holds if and only if

    E_p(y) E_p_theta(x|y) log q^r(y|x)  <=  E_p(y) log Z(y).

{worlds_of_a_size:,} random worlds of each size; theta, log p_data and D's logit are standard normal:

{failures}

The condition decides every one of these worlds under any D (last column: worlds where condition and
bound disagree). The smallest counter-example has two images, p_g = (3/4, 1/4), p_data = (1/4, 3/4)
and the optimal D with its answers exchanged, D = (3/4, 1/4). There q^r(x|y) is p_theta(x|y) itself:

{counter_example}

The bound does hold for the optimal D, where E KL is half the Jeffreys divergence
`KL(p_g || p_data) + KL(p_data || p_g)`, and a constant D makes it an equality. Adding `-E log Z` to its
right side makes it true and empty: since Z(0) + Z(1) = 1, that term alone is at least log 2 =
{log_2:.4f}, which no JSD exceeds. Lemma 1 itself is untouched: Z, an expectation over p_theta0, is held.

## More samples

Eq. 36 bounds `log q(y) := log Z(y)` by k samples, `L_k = E log 1/k sum_i w(x_i)`, with the density weights
`w(x) = q^r(y|x) p_theta0(x)/p_theta(x|y)`. L_1 is Eq. 15. IWGAN ascends L_k with D's odds in place of the
unknown p_data/p_g. By enumeration of all k-tuples, at y = 0, in a world of three images:

![L_k against k](bounds.png)

{tightening}

L_k rises with k. It reaches log Z only where p_g covers what p_data covers: otherwise its limit is the
logarithm of the integral of `q^r(y|x) p_theta0(x)` over the support of p_g, and no number of samples
makes up for a missed mode.

## What a VAE minimises

**Lemma 2 (Eq. 12-13).** The VAE's objective, Eq. 11, is a negative KL divergence with a perfect
discriminator q_* in it, which gives generated images no weight,

    E_p_theta0(x) [ -KL( q_eta(z|x,y) q_*^r(y|x) || p_theta(x|z,y) p(z|y) p(y) ) ],

up to a constant and the factor p(y) = 1/2. Here theta stands on the right: it must cover all of p_data,
and covers what lies between. With a learned D in place of q_* this is adversary activation, Eq. 17:
real and generated images weigh `q^r(0|x)`. Gradients of readings of Eq. 12 against those of the
objective, Eq. 11 or 17, over {autoencoders} random autoencoders; whether they agree to rounding:

{variational}

The second argument must be the unnormalised joint. Eq. 12's second line prints a posterior
`p_theta(z,y|x)`. Normalised over z and y it adds `E log p_theta(x)`, whose expected gradient is zero at
theta0 but not elsewhere; normalised over z alone it is another objective for theta even at theta0. For
eta all of them are the same.

## The same under exchange

Section 3.5 reads the wake phase of the wake-sleep algorithm as a VAE's step and its sleep phase as a
discriminator's; section 3 and the appendices read models as others with parts exchanged:

{correspondences}

## Missing modes, covering modes

{mixtures}

## Where the paper fails

* **Eq. 26 and 27** are false in general: the normaliser of Eq. 20 is dropped. Eq. 26 fails in
  {largest_rate:.0%} of the random worlds of {largest_rate_images} images and holds under the optimal D.
  That the JSD decreases with the KL divergence is thus not proved in general.
* **Eq. 8** is Lemma 1 under the optimal D. Its gradient vanishes at p_data, and also at p_data without
  some of its modes.
* **Eq. 12's second line** and Table 1's last row print a normalised posterior where Lemma 2 needs the
  unnormalised joint.
* **Eq. 36** tightens with k to log q(y) only if p_g misses nothing.
* **Eq. 33-34** say that the proof recovers Eq. 7; it is Eq. 11.
"""

_TABLE_1 = """\
# Table 1

What each model is in the paper's view. [G] generates, [I] infers; q^r is the reversed distribution,
q^(r) either of the two, q_* the perfect discriminator.

{overview}

{rows}
"""


def write(folder, command, mixtures=NOT_RUN):
    """Writes README.md, table_1.md and the figures into a folder, which is made if need be.

    Args:
        folder: where to.
        command: the command line that writes this page, to be shown on it.
        mixtures: Markdown of the section on trained models, whose files are in the folder.

    Returns:
        The path of README.md.

    Raises:
        ImportError: Matplotlib is not installed.
        OSError: a file cannot be written.
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


def page(command, tightening, mixtures):
    """README.md, in Markdown; arguments as in `write`, and `checks.tightening` as drawn."""
    failures = checks.bound_failures(SIZES, WORLDS_OF_A_SIZE)
    worst = max(failures, key=lambda size: size.rates["any"])
    return _PAGE.format(
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
        autoencoders=AUTOENCODERS,
        variational=_variational(checks.variational_gradients(AUTOENCODERS)),
        correspondences=_agreements(checks.correspondences()),
        mixtures=mixtures,
        largest_rate=worst.rates["any"],
        largest_rate_images=worst.images,
    )


def table_1():
    """Table 1 in Markdown: its parts side by side as the paper prints them, then every row in full."""
    parts = ("generator", "discriminator", "inference")
    overview = table(
        ("model", "p over x", "q over y", "q over z", "theta (and eta) minimise"),
        [
            (row.name, *(_role(getattr(row, part)) for part in parts), f"`{row.divergence}`")
            for row in ROWS.values()
        ],
    )
    rows = [
        f"## {row.name}\n\n{row.equations}\n\n{table(('', ''), facts(row))}"
        for row in ROWS.values()
    ]
    return _TABLE_1.format(overview=overview, rows="\n\n".join(rows))


def draw_bounds(worlds, path):
    """Eq. 36, L_k against k with its limit and log Z, to a PNG file.

    Args:
        worlds: `checks.tightening`.
        path: file to write.

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


def table(header, rows):
    """A Markdown table; `|` within a cell is escaped."""
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join(
        "| " + " | ".join(str(cell).replace("|", "\\|") for cell in line) + " |" for line in lines
    )


def _write(path, text):
    with replaced_file(path) as aside:
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
    header = ("images", *(f"{name} D: fails" for name in discriminators), "disagree")
    rows = [
        (size.images, *(f"{size.rates[name]:.1%}" for name in discriminators), size.exceptions)
        for size in found
    ]
    return table(header, rows)


def _counter_example(terms):
    rows = [
        ("JSD", terms.jsd),
        ("E KL", terms.kl),
        ("E log q^r(y|x)", terms.log_q),
        ("E log Z(y)", terms.log_normaliser),
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
