"""Table 1 as plain data: the parts and graph of each model in the paper's view.

p is a distribution over x with parameters theta, q a distribution over z (eta), y (phi) or t (omega).
Every model has generation and inference, marked [G] and [I] in the paper's Table 1.
"""

import dataclasses
from collections.abc import Iterable

from tfgen.paper import graphs
from tfgen.paper.graphs import GENERATIVE, INFERENCE


@dataclasses.dataclass(frozen=True)
class Part:
    """One conditional distribution of a model.

    Attributes:
        process: GENERATIVE or INFERENCE, Table 1's [G] and [I]; "" if the model lacks the part.
        symbol: "q_phi(y|x)"; ^r is the reversed distribution, ^(r) either of the two.
        description: Its role in the model.
    """

    process: str
    symbol: str
    description: str


@dataclasses.dataclass(frozen=True)
class Row:
    """A model's row of Table 1.

    Attributes:
        name: Name in the paper.
        equations: Equations or sections of the paper.
        x, y, z, t: Meanings of the variables; "" if the model has no such variable.
        generator: Distribution over x.
        discriminator: Distribution over y.
        inference: Distribution over z.
        learned: Parameters that ascend an objective, by player.
        fixed: Distributions that are given.
        degenerate: Part of the paper's view that is constant in the model.
        divergence: Divergence that theta's (and eta's) step minimizes.
        direction: Side of the divergence that p_theta is on, and its consequence.
        arcs: Graphical model.
        transfers: "importance weighting" and "adversary activation", if a part of the model admits them.
    """

    name: str
    equations: str
    x: str
    y: str
    z: str
    generator: Part
    discriminator: Part
    inference: Part
    learned: tuple[str, ...]
    fixed: tuple[str, ...]
    degenerate: tuple[str, ...]
    divergence: str
    direction: str
    arcs: tuple[graphs.Arc, ...]
    t: str = ""
    transfers: tuple[str, ...] = ()


IMPORTANCE_WEIGHTING, ADVERSARY_ACTIVATION = "importance weighting", "adversary activation"

_MISSES = "theta on the left: p_theta settles on large modes of the posterior and misses others"
_COVERS = "theta on the right: p_theta covers every mode of p_data and what lies between"
_BOTH = "theta on both sides: each divergence makes up for what the other neglects"
_NO_INFERENCE = Part("", "", "none: z is encapsulated in p_theta(x|y)")
_LEARNED_DISCRIMINATOR = Part(GENERATIVE, "q_phi^(r)(y|x)", "discriminator: real or generated")
_PERFECT_DISCRIMINATOR = Part(
    INFERENCE, "q_*^r(y|x)", "perfect discriminator: real images weigh 1, generated ones 0"
)
_DECODER = Part(GENERATIVE, "p_theta(x|z,y)", "generator of Eq. 13: explicit likelihood at y=0")
_ENCODER = Part(INFERENCE, "q_eta(z|x,y)", "inference net at y=0")

_ADA = Row(
    name="ADA",
    equations="Eq. 1-3, 18-19",
    x="feature",
    y="1 = source, 0 = target domain",
    z="image of either domain",
    t="class label, known in the source domain only",
    generator=Part(INFERENCE, "p_theta(x|y)", "features: x = G_theta(z), z ~ p(z|y)"),
    discriminator=Part(GENERATIVE, "q_phi^(r)(y|x)", "domain discriminator"),
    inference=_NO_INFERENCE,
    learned=("theta: p_theta(x|y), both domains", "phi: q_phi(y|x)", "omega: f_omega(t|x)"),
    fixed=("p(z|y)", "p(y) uniform"),
    degenerate=(),
    divergence="E_p(y) KL(p_theta(x|y) || q^r(x|y)) - JSD(p_theta(x|0) || p_theta(x|1))",
    direction="theta on the left, in both domains",
    arcs=graphs.ADA,
    transfers=(IMPORTANCE_WEIGHTING,),
)
_GAN = Row(
    name="GAN",
    equations="Eq. 3-8",
    x="image, real or generated",
    y="1 = real, 0 = generated",
    z="code vector",
    generator=Part(INFERENCE, "p_theta(x|y)", "p_data at y=1; x = G_theta(z), z ~ p(z) at y=0"),
    discriminator=_LEARNED_DISCRIMINATOR,
    inference=_NO_INFERENCE,
    learned=("theta: p_theta(x|0)", "phi: q_phi(y|x)"),
    fixed=("p_theta(x|1) = p_data(x)", "p(z)", "p(y) uniform"),
    degenerate=("code space of real images",),
    divergence="E_p(y) KL(p_theta(x|y) || q^r(x|y)) - JSD(p_theta(x|0) || p_theta(x|1))",
    direction=_MISSES,
    arcs=graphs.GAN,
    transfers=(IMPORTANCE_WEIGHTING,),
)
_CGAN = dataclasses.replace(
    _GAN,
    name="CGAN",
    equations="Eq. 3-8 given t; section 5.1",
    t="class label, given to both players as a part of z",
    generator=Part(INFERENCE, "p_theta(x|t,y)", "p_data(x|t) at y=1; x = G_theta(z, t) at y=0"),
    discriminator=Part(GENERATIVE, "q_phi^(r)(y|x,t)", "discriminator of pairs (x, t)"),
    learned=("theta: p_theta(x|t,0)", "phi: q_phi(y|x,t)"),
    fixed=("p_theta(x|t,1) = p_data(x|t)", "p(t)", "p(z)", "p(y) uniform"),
    divergence="E_p(y) KL(p_theta(x,t|y) || q^r(x,t|y)) - JSD(p_theta(x,t|0) || p_theta(x,t|1))",
    arcs=graphs.CGAN,
)
_INFOGAN = Row(
    name="InfoGAN",
    equations="Eq. 9-10",
    x=_GAN.x,
    y=_GAN.y,
    z="code vector; a part c of it is recovered",
    generator=_GAN.generator,
    discriminator=_LEARNED_DISCRIMINATOR,
    inference=Part(GENERATIVE, "q_eta(z|x,y)", "inference net of generated images (y=0)"),
    learned=(*_GAN.learned, "eta: q_eta(z|x,0)"),
    fixed=(*_GAN.fixed, "q_eta(z|x,1)"),
    degenerate=_GAN.degenerate,
    divergence="E_p(y) KL(p_theta(x|y) || q^r(x|z,y)) - JSD(p_theta(x|0) || p_theta(x|1))",
    direction=_MISSES,
    arcs=graphs.INFOGAN,
    transfers=(IMPORTANCE_WEIGHTING,),
)


def _importance_weighted(row, sample="x_i", density="p_theta", unweighted=""):
    """Return the row under Eq. 36-43, with k samples; other terms of its divergence stay."""
    return dataclasses.replace(
        row,
        name=f"IW{row.name}",
        equations=f"Eq. 15-16, 35-43; {row.equations}",
        divergence=f"log q(y) - E log 1/k sum_i q^r(y|{sample}) {density}0({sample})"
        f" / {density}({sample}|y), without the second term of Eq. 41{unweighted};"
        f" k=1: the {row.name}'s",
        transfers=(),
    )


_VAE = Row(
    name="VAE",
    equations="Eq. 11-13, 33-34",
    x="image, real or generated",
    y="1 = real, 0 = generated; known, since the discriminator is perfect",
    z="code vector",
    generator=_DECODER,
    discriminator=_PERFECT_DISCRIMINATOR,
    inference=_ENCODER,
    learned=("theta: p_theta(x|z,0)", "eta: q_eta(z|x,0)"),
    fixed=("p_theta(x|z,1) = p_data(x)", "q_eta(z|x,1)", "p(z)", "p(y) uniform"),
    degenerate=("q_*(y|x), which blocks generated images out of the objective",),
    divergence="KL(q_eta(z|x,y) q_*^r(y|x) || p_theta(x|z,y) p(z|y) p(y)), the unnormalized joint",
    direction=_COVERS,
    arcs=graphs.VAE,
    transfers=(ADVERSARY_ACTIVATION,),
)
_CVAE = dataclasses.replace(
    _VAE,
    name="CVAE",
    equations="Eq. 11-13 given t; section 5.2",
    t="class label, given to theta and eta",
    generator=Part(GENERATIVE, "p_theta(x|z,t,y)", "generator: explicit likelihood at y=0"),
    inference=Part(INFERENCE, "q_eta(z|x,t,y)", "inference net at y=0"),
    learned=("theta: p_theta(x|z,t,0)", "eta: q_eta(z|x,t,0)"),
    fixed=("p_theta(x|z,t,1) = p_data(x|t)", "q_eta(z|x,t,1)", "p(t)", "p(z)", "p(y) uniform"),
    divergence="KL(q_eta(z|x,t,y) q_*^r(y|x) || p_theta(x|z,t,y) p(z|y) p(y)), unnormalized",
    arcs=(*graphs.LABELLED_AUTOENCODER, *graphs.PERFECT),
)
_SVAE = dataclasses.replace(
    _CVAE,
    name="SVAE",
    equations="section 5.2; M2 of Kingma et al. (2014)",
    t="class label, latent where it is not given",
    learned=(*_CVAE.learned, "omega: q_omega(t|x)"),
    divergence="KL(q_eta(z|x,t,y) q_omega(t|x) q_*^r(y|x) || p_theta(x|z,t,y) p(t) p(z|y) p(y)),"
    " unnormalized; a labelled image has its t in place of q_omega",
    arcs=(*_CVAE.arcs, *graphs.CLASSIFIER),
)


def _activated(row, symbol="q_phi^(r)(y|x)", arcs=graphs.ACTIVATED):
    """Return the row under Eq. 17: a learned discriminator in place of the perfect one."""
    return dataclasses.replace(
        row,
        name=f"AA-{row.name}",
        equations=f"Eq. 17, 44-46; {row.equations}",
        y="1 = real, 0 = generated",
        discriminator=Part(INFERENCE, symbol, "discriminator: q^r(0|x) weighs every image"),
        learned=(*row.learned, f"phi: {symbol.replace('^(r)', '')}"),
        degenerate=(),
        divergence=row.divergence.replace("q_*^r(y|x)", symbol.replace("^(r)", "^r")),
        arcs=(*(arc for arc in row.arcs if arc not in graphs.PERFECT), *arcs),
        transfers=(),
    )


_VAE_GAN = Row(
    name="VAE/GAN",
    equations="appendix F; Larsen et al. (2015)",
    x="image: real, generated or reconstructed",
    y="1 = real, 0 = generated or reconstructed",
    z="code vector",
    generator=Part(GENERATIVE, "p_theta(x|z,y)", "decoder, judged by a layer of phi"),
    discriminator=_LEARNED_DISCRIMINATOR,
    inference=_ENCODER,
    learned=("theta: p_theta(x|z,0)", "phi: q_phi(y|x)", "eta: q_eta(z|x,0)"),
    fixed=("p_theta(x|z,1) = p_data(x)", "p(z)", "p(y) uniform"),
    degenerate=(),
    divergence="the VAE's, with p_theta(D_l(x)|z,0) as likelihood, + the GAN's: sharper images",
    direction=_BOTH,
    arcs=(*graphs.AUTOENCODER, *graphs.GAN),
    transfers=(IMPORTANCE_WEIGHTING, ADVERSARY_ACTIVATION),
)
_IWVAE_GAN = _importance_weighted(
    _VAE_GAN, unweighted=", + the VAE's, with p_theta(D_l(x)|z,0) as likelihood"
)
_CODED = "E_pdata[log p_theta(x|z) + log q^r(0|G(z))], z ~ q_eta(z|x)"
_GAN_VAE = Row(
    name="GAN/VAE",
    equations="appendix F; Che et al. (2017a)",
    x="image: real, generated or reconstructed",
    y="1 = real, 0 = generated; a reconstruction only ascends log q^r(0|x)",
    z="code vector",
    generator=Part(INFERENCE, "p_theta(x|y)", "generator, of inferred codes too"),
    discriminator=_LEARNED_DISCRIMINATOR,
    inference=Part(INFERENCE, "q_eta(z|x,y)", "encoder: z ~ q_eta(z|x), x ~ p_data"),
    learned=("theta: p_theta(x|0)", "phi: q_phi(y|x)", "eta: q_eta(z|x,0)"),
    fixed=("p_theta(x|1) = p_data(x)", "p(z)", "p(y) uniform"),
    degenerate=(),
    divergence=f"the GAN's - {_CODED}: fewer missed modes",
    direction=_BOTH,
    arcs=(*graphs.GAN, *graphs.AUTOENCODER),
    transfers=(IMPORTANCE_WEIGHTING,),
)


def _part_activated(row):
    """Return the row under Eq. 17 for a model whose GAN has the discriminator for the VAE's part."""
    return dataclasses.replace(
        row,
        name=f"AA-{row.name}",
        equations=f"Eq. 17, 44-46; {row.equations}",
        divergence=f"{row.divergence}; q^r(0|x) weighs real and generated images in the VAE's",
        transfers=(),
    )


_AAE = Row(
    name="AAE",
    equations="Eq. 29-32",
    x="image",
    y="1 = code of the prior, 0 = code of an image",
    z="code vector",
    generator=Part(GENERATIVE, "p_theta(x|z,y)", "decoder of inferred codes (y=0)"),
    discriminator=Part(GENERATIVE, "q_phi^(r)(y|z)", "discriminator of codes"),
    inference=Part(INFERENCE, "q_eta(z|y)", "p(z) at y=1; z = E_eta(x), x ~ p_data at y=0"),
    learned=("theta: p_theta(x|z,0)", "phi: q_phi(y|z)", "eta: q_eta(z|0)"),
    fixed=("q_eta(z|1) = p(z)", "p_theta(x|z,1)", "p_data", "p(y) uniform"),
    degenerate=("image space of the prior's codes",),
    divergence="E_p(y) KL(q_eta(z|y) || q^r(z|x,y)) - JSD(q_eta(z|0) || q_eta(z|1))",
    direction="eta on the left, over codes; theta covers p_data by its likelihood",
    arcs=graphs.AAE,
    transfers=(IMPORTANCE_WEIGHTING,),
)
_CYCLEGAN = Row(
    name="CycleGAN",
    equations="appendix D: Eq. 31 from x to z, Eq. 9 from z to x",
    x="image of domain A",
    y="1 = real, 0 = translated, in either domain",
    z="image of domain B",
    generator=Part(INFERENCE, "p_theta(x|y)", "p(x) at y=1; x = G_theta(z) at y=0"),
    discriminator=Part(GENERATIVE, "q_phi^(r)(y|x), q_phi^(r)(y|z)", "one a domain"),
    inference=Part(INFERENCE, "q_eta(z|y)", "p(z) at y=1; z = E_eta(x) at y=0"),
    learned=("theta: p_theta(x|0)", "phi: q_phi(y|x), q_phi(y|z)", "eta: q_eta(z|0)"),
    fixed=("p_theta(x|1), the data of x", "q_eta(z|1), the data of z", "p(y) uniform"),
    degenerate=(),
    divergence="the sum of AAE's and InfoGAN's; Laplace likelihoods of both reconstructions",
    direction="theta on the left over x, eta on the left over z",
    arcs=(*graphs.INFOGAN, *graphs.AAE),
    transfers=(IMPORTANCE_WEIGHTING,),
)

_ROWS = (
    _ADA,
    _importance_weighted(_ADA),
    _GAN,
    _importance_weighted(_GAN),
    _CGAN,
    _importance_weighted(_CGAN, "x_i,t_i"),
    _INFOGAN,
    _importance_weighted(_INFOGAN, unweighted=", - lambda E log q_eta(z|x,y)"),
    _AAE,
    _importance_weighted(_AAE, "z_i", "q_eta", unweighted=", - E log p_theta(x|z,y)"),
    Row(
        name="PM",
        equations="appendix D; Schmidhuber (1992)",
        x="image",
        y="unit z_i of the code, to be predicted from the others",
        z="binary code",
        generator=Part(GENERATIVE, "p_theta(x|z)", "decoder"),
        discriminator=Part(GENERATIVE, "P_phi(z_i|z_-i)", "one predictor a unit"),
        inference=Part(INFERENCE, "q_eta(z)", "z = E_eta(x), x ~ p_data"),
        learned=("theta: p_theta(x|z)", "phi: P_phi(z_i|z_-i)", "eta: q_eta(z)"),
        fixed=("p_data",),
        degenerate=("the indicator y, whose place each unit takes in turn",),
        divergence="beta sum_i E log P_phi(z_i|z_-i) - E log p_theta(x|z)",
        direction="eta against phi, without a reversed q; theta covers p_data by its likelihood",
        arcs=graphs.PM,
    ),
    _CYCLEGAN,
    _importance_weighted(
        _CYCLEGAN, unweighted=", and the same of z_i; + the Laplace likelihoods' part"
    ),
    _VAE,
    _activated(_VAE),
    _CVAE,
    _activated(_CVAE, "q_phi^(r)(y|x,t)", graphs.CONDITIONAL_ACTIVATED),
    _SVAE,
    _activated(_SVAE),
    _VAE_GAN,
    _IWVAE_GAN,
    _part_activated(_VAE_GAN),
    _part_activated(_IWVAE_GAN),
    _GAN_VAE,
    _importance_weighted(_GAN_VAE, unweighted=f", - {_CODED}"),
    Row(
        name="wake",
        equations="Eq. 14; section 3.5",
        x="image of the data",
        y="",
        z="h, the layers' states; h = z: the VAE's step of theta",
        generator=Part(GENERATIVE, "p_theta(x,z)", "generative net"),
        discriminator=Part("", "", "none"),
        inference=Part(INFERENCE, "q_lambda(z|x)", "recognition net"),
        learned=("theta: p_theta(x,z)",),
        fixed=("q_lambda(z|x)", "p_data"),
        degenerate=(),
        divergence="KL(p_data(x) q_lambda(z|x) || p_theta(x,z))",
        direction=_COVERS,
        arcs=graphs.WAKE,
    ),
    Row(
        name="sleep",
        equations="Eq. 14; section 3.5",
        x="image that the generative net dreams",
        y="",
        z="h, the layers' states; h = y: the GAN's step of phi",
        generator=Part(INFERENCE, "p_theta(x,z)", "generative net"),
        discriminator=Part("", "", "none; q_lambda is one if h = y"),
        inference=Part(GENERATIVE, "q_lambda(z|x)", "recognition net"),
        learned=("lambda: q_lambda(z|x)",),
        fixed=("p_theta(x,z)",),
        degenerate=(),
        divergence="KL(p_theta(x,z) || p_theta(x) q_lambda(z|x))",
        direction="lambda on the right: q_lambda covers every state that may have made x",
        arcs=graphs.SLEEP,
    ),
)

ROWS = {row.name: row for row in _ROWS}


def find_rows(keys: str | Iterable[str] | None) -> list[Row]:
    """Return the rows of a model's `table_row`: a key of `ROWS`, several of them, or None."""
    return [ROWS[key] for key in ([keys] if isinstance(keys, str) else keys or [])]


def facts(row: Row) -> list[tuple[str, str]]:
    """Return a row as [(heading, text)] in the order of Table 1, without parts that the model lacks."""
    parts = (row.generator, row.discriminator, row.inference)
    lines = [
        ("x", row.x),
        ("y", row.y),
        ("z", row.z),
        ("t", row.t),
        ("generates", _symbols(parts, GENERATIVE)),
        ("infers", _symbols(parts, INFERENCE)),
        ("learned", "; ".join(row.learned)),
        ("fixed", "; ".join(row.fixed)),
        ("degenerate", "; ".join(row.degenerate)),
        ("minimizes", row.divergence),
        ("direction", row.direction),
        ("can take", "; ".join(row.transfers)),
    ]
    return [(heading, text) for heading, text in lines if text]


def _symbols(parts, process):
    return "; ".join(f"{p.symbol}, {p.description}" for p in parts if p.process == process)
