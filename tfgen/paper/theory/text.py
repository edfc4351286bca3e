"""Text of the page on the theory; `tfgen.paper.theory.report` fills in the numbers."""

PAGE = """\
# The theory, computed

Hu, Yang, Salakhutdinov and Xing, *On Unifying Deep Generative Models* (ICLR 2018), claims that GANs
and VAEs are one kind of model: both minimize KL divergences between the same parts, with generation
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
| [The divergence of a GAN](#the-divergence-of-a-gan) | Lemma 1, Eq. 6-8, 10 |
| [One step](#one-step) | Fig. 2 |
| [A bound and its condition](#a-bound-and-its-condition) | Eq. 20, 26 |
| [More samples](#more-samples) | Eq. 15, 36 |
| [The divergence of a VAE](#the-divergence-of-a-vae) | Lemma 2, Eq. 11-13, 17 |
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

[Table 1](table_1.md) states the same for {rows} models: which parts generate and which infer,
what is learned, fixed or degenerate, which divergence is minimized and on which side of it theta
stands. `tfgen info MODEL` prints a model's row, `tfgen info MODEL --figure FILE` draws its graph.

## The divergence of a GAN

**Lemma 1 (Eq. 6).** Take D as given, any D, and see `q^r(x|y)`, proportional to `q^r(y|x) p_theta0(x)`,
as the posterior of x under the prior p_theta0. Then at theta = theta0 theta's loss has the gradient of a
KL divergence from p_theta to that posterior, less a Jensen-Shannon divergence:

    grad -E_p(y) E_p_theta(x|y) log q^r(y|x)
        =  grad [ E_p(y) KL(p_theta(x|y) || q^r(x|y)) - JSD(p_g || p_data) ].

**Eq. 8** puts the optimal D in it: `1/2 KL(p_g || p_data) - JSD(p_g || p_data)`. **Eq. 10** is Lemma 1 with
`q_eta(z|x,y)` beside `q^r(y|x)`, InfoGAN's. The sides of each, and how large the gradient itself is:

{gradients}

The last line is not a claim of the paper: Eq. 8 needs the optimal D; another D has another gradient.
p_theta stands on the left of the KL divergence, which therefore punishes p_g where the posterior is
small and not where the posterior is large and p_g is small: modes are missed.

Where is it stationary? For a p_g that is free on its support the gradient is, by hand,
`-1/2 p_g (log D - E_p_g log D)`: zero exactly where D is constant on the support of p_g.

{stationary}

With the optimal D, Eq. 8 thus vanishes only where p_g is proportional to p_data wherever p_g lives:
at p_data, and also at p_data without some of its modes. A GAN that misses a mode gets no
gradient toward it. p_g = p_data is not stationary under a D that is not constant.

## One step

![One step of theta on a density with two modes](figure_2.png)

Fig. 2, computed: p_data has two modes of probability {weights}; D's logit is half that of the
optimal one. One step of theta down Lemma 1's gradient moves p_g toward the posterior q^r(x|y=0), which
lies between p_g and p_data. Share of probability right of the trough, where the smaller mode is:

{figure_2}

## A bound and its condition

Section 3.2 argues that where the KL divergence of Lemma 1 is minimized the JSD decreases too, by

    Eq. 26:  JSD(p_g || p_data)  <=  E_p(y) KL(p_theta(x|y) || q^r(x|y)).

**This holds for every discriminator that is no worse than a coin**, that is, whose own objective is

    L  =  1/2 E_p_data log D + 1/2 E_p_g log(1 - D)  >=  -log 2.

The paper states no condition, and without one Eq. 26 is false: D's that are worse than guessing break it.
The proof takes three lines. Eq. 20 drops the normalizer `Z(y) = E_p_theta0(x) q^r(y|x)` of the posterior;
with it, `E log q^r(y|x) = -E KL + JSD + E_p(y) log Z(y)`, so that the bound holds if and only if

    E_p(y) E_p_theta(x|y) log q^r(y|x)  <=  E_p(y) log Z(y).

Let m = (p_g + p_data)/2 and a = E_m log D(1-D). Since D(1-D) <= 1/4, a <= -2 log 2. Then

    E log q^r(y|x)  =  a - L                                   adding both objectives
                   <=  a + log 2                               L >= -log 2
                   <=  a/2                                     a <= -2 log 2
                   <=  1/2 log E_m D + 1/2 log E_m (1-D)       Jensen
                    =  E_p(y) log Z(y).

{worlds_of_a_size:,} random worlds of each size; theta, log p_data and D's logit are standard normal:

{failures}

No D that is no worse than a coin fails. The exact condition decides every one of these worlds under any D
(last column: worlds where condition and bound disagree). The smallest counter-example has two images,
p_g = (3/4, 1/4), p_data = (1/4, 3/4) and the optimal D with its answers exchanged, D = (3/4, 1/4). There
q^r(x|y) is p_theta(x|y) itself:

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

**IWGAN's update is the saturating minimax gradient, rescaled.** With `o = D/(1-D)` and Eq. 40's weights
`w_i = o_i / sum_j o_j`,

    sum_i w_i grad log D_i  =  sum_i D_i grad l_i / sum_j o_j  =  -grad sum_i log(1 - D_i) / sum_j o_j,

the gradient of Goodfellow et al.'s (2014) first objective for theta, E log(1-D), over the minibatch's
summed odds (the line *Eq. 43* of the table above, on minibatches of {minibatch} logits). The divisor undoes
the saturation for which section 2 of the paper sets that objective aside; the direction remains. Eide,
Solberg & Kasen (2020, arXiv 2010.02035) study the same direction at the size of the non-saturating gradient
and find it to miss fewer modes; Hjelm et al. (2017) weigh samples by the same odds for discrete images.
Whether it helps is measured by `tfgen reproduce table2`: GAN, IWGAN and the minimax control.

## The divergence of a VAE

**Lemma 2 (Eq. 12-13).** The VAE's objective, Eq. 11, is a negative KL divergence with a perfect
discriminator q_* in it, which gives generated images no weight,

    E_p_theta0(x) [ -KL( q_eta(z|x,y) q_*^r(y|x) || p_theta(x|z,y) p(z|y) p(y) ) ],

up to a constant and the factor p(y) = 1/2. Here theta stands on the right: it must cover all of p_data,
and covers what lies between. With a learned D in place of q_* this is adversary activation, Eq. 17:
real and generated images have the weight `q^r(0|x)`. Gradients of readings of Eq. 12 against those of the
objective, Eq. 11 or 17, over {autoencoders} random autoencoders; whether they agree to rounding:

{variational}

The second argument must be the unnormalized joint. Eq. 12's second line prints a posterior
`p_theta(z,y|x)`. Normalized over z and y it adds `E log p_theta(x)`, whose expected gradient is zero at
theta0 but not elsewhere; normalized over z alone it is another objective for theta even at theta0. For
eta they all agree.

## The same under exchange

Section 3.5 reads the wake phase of the wake-sleep algorithm as a VAE's step and its sleep phase as a
discriminator's; section 3 and the appendices read models as others with parts exchanged:

{correspondences}

## Missing modes, covering modes

{mixtures}

## Where the paper fails

* **Eq. 26 and 27** need a condition that is not stated: the normalizer of Eq. 20 is dropped. They hold for
  every D that is no worse than a coin, so that section 3.2's argument is safe where it is used, and fail
  in {largest_rate:.0%} of the random worlds of {largest_rate_images} images, whose D may be worse.
* **Eq. 43**, IWGAN's update, is the gradient of the minimax objective E log(1 - D) on the minibatch,
  divided by its summed odds: the objective that section 2 sets aside for its saturation, which the divisor
  undoes.
* **Eq. 8** is Lemma 1 under the optimal D. Its gradient vanishes at p_data, and also at p_data without
  some of its modes.
* **Eq. 12's second line** and Table 1's last row print a normalized posterior where Lemma 2 needs the
  unnormalized joint. At theta0, where the paper takes every gradient, the two agree.
* **Eq. 14** prints `log p_theta(x|h)` in the wake phase; a prior over h that is learned needs
  `log p_theta(x, h)`.
* **Eq. 10** leaves z free in its KL divergence; the expectation over z belongs to p_theta(x|y).
* **Table 3** has CVAE below VAE at 1 % and 100 %. A bound on `log p(x|t)` should lie about 2.30 nats, which
  is `-log p(t)`, above one on `log p(x)`: the CVAE's numbers fit a bound that contains `log p(t)`, which
  the paper does not say.
* **Eq. 36** tightens with k to log q(y) only if p_g misses nothing.
* **Eq. 33-34** say that the proof recovers Eq. 7; it is Eq. 11.
"""

TABLE_1 = """\
# Table 1

Each model in the paper's view. [G] generates, [I] infers; q^r is the reversed distribution,
q^(r) either of the two, q_* the perfect discriminator.

{overview}

{rows}
"""
