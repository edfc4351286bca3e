"""The paper's lemmas, bounds and correspondences on worlds so small that every expectation is a sum.

    adversarial   Lemma 1 (Eq. 6, 8, 10) and the bound of Eq. 26, with the terms that the paper drops
    importance    L_k of Eq. 15 and 36 with exact density weights, and its limit
    variational   Lemma 2 (Eq. 11-13) and Eq. 17
    helmholtz     wake and sleep (Eq. 14) by enumeration
    family        GAN, InfoGAN, AAE and ADA as one function with exchanged arguments
    mixtures      Fig. 2 computed and drawn

All in float64, with derivatives by automatic differentiation.
"""

from tfgen.paper.theory.adversarial import (
    Bound,
    CodeWorld,
    World,
    bound,
    bound_failure_rate,
    coin_chain,
    discriminator_objective,
    lemma_1,
    lemma_1_with_codes,
    no_worse_than_a_coin,
    optimal_gradient,
)
from tfgen.paper.theory.family import aae, ada, gan, infogan
from tfgen.paper.theory.helmholtz import generative_table, recognition_table, sleep, states, wake
from tfgen.paper.theory.importance import (
    bound_limit,
    density_weights,
    iwgan_and_minimax,
    log_marginal,
    tuple_bound,
)
from tfgen.paper.theory.mixtures import draw_figure_2, figure_2
from tfgen.paper.theory.tables import gradients, jsd, kl
from tfgen.paper.theory.variational import (
    Autoencoder,
    code_posterior_objective,
    evidence_bound,
    joint_objective,
    learned_discriminator,
    perfect_discriminator,
    posterior_objective,
)

__all__ = [
    "Autoencoder",
    "Bound",
    "CodeWorld",
    "World",
    "aae",
    "ada",
    "bound",
    "bound_failure_rate",
    "bound_limit",
    "code_posterior_objective",
    "coin_chain",
    "density_weights",
    "discriminator_objective",
    "draw_figure_2",
    "evidence_bound",
    "figure_2",
    "gan",
    "generative_table",
    "gradients",
    "infogan",
    "iwgan_and_minimax",
    "joint_objective",
    "jsd",
    "kl",
    "learned_discriminator",
    "lemma_1",
    "lemma_1_with_codes",
    "log_marginal",
    "no_worse_than_a_coin",
    "optimal_gradient",
    "perfect_discriminator",
    "posterior_objective",
    "recognition_table",
    "sleep",
    "states",
    "tuple_bound",
    "wake",
]
