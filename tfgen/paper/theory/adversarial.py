"""Lemma 1 and its consequences (Eq. 6, 8, 10, 20, 26), on worlds with few images x.

The mixture p_theta0(x) = E_p(y) p_theta0(x|y) and the discriminator q_phi0 are held at the point
where a derivative is taken; p(y) is uniform.  Row 0 of a table over y is generated, row 1 real.
"""

import dataclasses
from typing import Any, NamedTuple, Self

import numpy as np
import tensorflow as tf

from tfgen.objectives import FAKE, REAL, log_q, reverse
from tfgen.paper.theory.tables import gradients, jsd, kl


@dataclasses.dataclass(frozen=True)
class World:
    """p_theta(x|0) = p_g = softmax(theta), p_theta(x|1) = p_data, q_phi(1|x) = sigmoid(l(x)).

    Attributes:
        theta: (..., n) logits of p_g; leading axes hold independent worlds, -inf an image that p_g
            cannot generate.
        data: (..., n) p_data.
        logits: (..., n) l(x), any discriminator.
    """

    theta: np.ndarray
    data: np.ndarray
    logits: np.ndarray

    @classmethod
    def random(cls, seed: int, worlds: int, images: Any) -> Self:
        """Draw independent worlds whose theta, log p_data (to a constant) and l are standard normal."""
        theta, log_data, logits = np.random.default_rng(seed).normal(size=(3, worlds, images))
        return cls(theta, _softmax(log_data), logits)

    @property
    def conditionals(self) -> tf.Tensor:
        """p_theta(x|y) at theta0, float64 tensor (2, ..., n)."""
        return conditionals(self.theta, self.data)

    def with_optimal_discriminator(self) -> Self:
        """Eq. 7: return the world with D = p_data/(p_g + p_data), that is l = log p_data/p_g."""
        return dataclasses.replace(self, logits=np.log(self.data) - np.log(_softmax(self.theta)))

    def with_constant_discriminator(self) -> Self:
        """Return the world with D = 1/2 everywhere."""
        return dataclasses.replace(self, logits=np.zeros_like(self.logits))

    def with_inverted_discriminator(self) -> Self:
        """Return the world with the optimal discriminator's answers exchanged: l = log p_g/p_data."""
        return dataclasses.replace(self, logits=-self.with_optimal_discriminator().logits)


@dataclasses.dataclass(frozen=True)
class CodeWorld:
    """A world of Eq. 9: q_eta(z|x, y) infers the code z that generated x.

    Attributes:
        theta: (..., m, n) logits of p_theta(x|z) at y = 0; m codes, n images.
        prior: (..., m) p(z) at y = 0.
        real: (..., m, n) p(z, x) at y = 1, fixed: p_data and a degenerate code space.
        logits: (..., n) l(x).
        inference: (2, ..., m, n) q_eta(z|x, y), which sums to 1 over m.
    """

    theta: np.ndarray
    prior: np.ndarray
    real: np.ndarray
    logits: np.ndarray
    inference: np.ndarray

    @classmethod
    def random(cls, seed: int, worlds: int, codes: Any, images: Any) -> Self:
        """Draw independent worlds whose tables have standard normal logits."""
        normal = np.random.default_rng(seed).normal
        table = (worlds, codes, images)
        return cls(
            theta=normal(size=table),
            prior=_softmax(normal(size=(worlds, codes))),
            real=_softmax(normal(size=(worlds, codes * images))).reshape(table),
            logits=normal(size=(worlds, images)),
            inference=_softmax(normal(size=(2, *table)), axis=-2),
        )

    def joint(self, theta: Any) -> tf.Tensor:
        """p_theta(z, x|y), float64 tensor (2, ..., m, n)."""
        return tf.stack([self.prior[..., None] * tf.nn.softmax(theta), self.real])


class Bound(NamedTuple):
    """The terms of Eq. 20 and 26 at theta = theta0, in nats; each (...), one per world."""

    jsd: Any  # JSD(p_theta(x|0) || p_theta(x|1)) = E_p(y) KL(p_theta(x|y) || p_theta0(x))
    kl: Any  # E_p(y) KL(p_theta(x|y) || q^r(x|y))
    log_q: Any  # E_p(y) E_p_theta(x|y) log q^r(y|x)
    log_normalizer: Any  # E_p(y) log Z(y)


def conditionals(theta: Any, data: Any) -> tf.Tensor:
    """Eq. 4, p_theta(x|y): row 0 is p_g = softmax(theta), row 1 is p_data; (2, ..., n)."""
    return tf.stack([tf.nn.softmax(theta), data])


def log_reverse(logits: Any) -> tf.Tensor:
    """Eq. 3, log q^r(y|x) for y = 0 and 1; (2, ..., n)."""
    logits = tf.convert_to_tensor(logits, tf.float64)
    return tf.stack([log_q(reverse(logits), y) for y in (FAKE, REAL)])


def mixture(p: Any) -> tf.Tensor:
    """Lemma 1's prior over images, p_theta0(x) = E_p(y) p_theta0(x|y), without gradient; (..., n)."""
    return tf.stop_gradient(tf.reduce_mean(p, axis=0))


def normalizer(p: Any, logits: Any) -> tf.Tensor:
    """Z(y) = E_p_theta0(x) q^r(y|x), which Eq. 20 drops; (2, ...)."""
    return tf.reduce_sum(tf.exp(log_reverse(logits)) * mixture(p), axis=-1)


def posterior(p: Any, logits: Any) -> tf.Tensor:
    """Lemma 1's q^r(x|y) = q^r(y|x) p_theta0(x) / Z(y); (2, ..., n)."""
    return tf.exp(log_reverse(logits)) * mixture(p) / normalizer(p, logits)[..., None]


def generator_loss(p: Any, logits: Any) -> tf.Tensor:
    """Eq. 6, left side: -E_p(y) E_p_theta(x|y) log q^r_phi0(y|x).

    Args:
        p: (2, ..., n) p_theta(x|y), a function of theta.
        logits: (..., n) l(x).

    Returns:
        (...) nats, one per world.
    """
    return -tf.reduce_mean(tf.reduce_sum(p * log_reverse(logits), axis=-1), axis=0)


def posterior_divergence(p: Any, logits: Any) -> tf.Tensor:
    """Eq. 6, first term: E_p(y) KL(p_theta(x|y) || q^r(x|y)); arguments as in `generator_loss`."""
    return tf.reduce_mean(kl(p, posterior(p, logits)), axis=0)


def variational_loss(p: Any, logits: Any) -> tf.Tensor:
    """Eq. 6, right side: E_p(y) KL(p_theta(x|y) || q^r(x|y)) - JSD(p_theta(x|0) || p_theta(x|1))."""
    return posterior_divergence(p, logits) - jsd(p[FAKE], p[REAL])


def lemma_1(world: Any) -> Any:
    """Eq. 6, both gradients at theta0, which the lemma states to be equal.

    Returns:
        (..., n) gradient of `generator_loss`, and that of `variational_loss`.
    """

    def sides(theta):
        p = conditionals(theta, world.data)
        return generator_loss(p, world.logits), variational_loss(p, world.logits)

    [left], [right] = gradients(sides, world.theta)
    return left, right


def optimal_gradient(world: Any) -> np.ndarray:
    """Eq. 8, right side: the gradient of 1/2 KL(p_g || p_data) - JSD(p_g || p_data); (..., n).

    Lemma 1 under the optimal discriminator of Eq. 7 (Arjovsky and Bottou, 2017).
    """

    def side(theta):
        p = conditionals(theta, world.data)
        return [kl(p[FAKE], p[REAL]) / 2 - jsd(p[FAKE], p[REAL])]

    [[gradient]] = gradients(side, world.theta)
    return gradient


def lemma_1_with_codes(world: Any) -> Any:
    """Eq. 10, both gradients at theta0: Lemma 1 with q_eta(z|x, y) beside q^r(y|x).

    With q^r(x|z, y) = q_eta0(z|x, y) q^r(y|x) p_theta0(x) / Z(z, y) the two sides are

        -E_p(y) E_p_theta(x, z|y) log q_eta0(z|x, y) q^r_phi0(y|x)
         E_p(y) E_p_theta(x, z|y) log p_theta(x|y)/q^r(x|z, y) - JSD(p_theta(x|0) || p_theta(x|1)).

    Eq. 10 writes the expectation over z as a part of p_theta(x|y).  With p_theta(x|z, y) in the
    numerator instead, the right side would gain half the mutual information of x and z at y = 0.

    Args:
        world: A `CodeWorld`.

    Returns:
        (..., m, n) left gradient, and right gradient.
    """
    log_recovery = np.log(world.inference) + log_reverse(world.logits)[..., None, :]

    def sides(theta):
        joint = world.joint(theta)
        p = tf.reduce_sum(joint, axis=-2)
        unnormalized = tf.exp(log_recovery) * mixture(p)[..., None, :]
        log_posterior = tf.math.log(unnormalized) - tf.math.log(
            tf.reduce_sum(unnormalized, axis=-1, keepdims=True)  # Z(z, y)
        )
        log_ratio = tf.math.log(p)[..., None, :] - log_posterior
        left, right = (
            tf.reduce_mean(tf.reduce_sum(joint * term, axis=[-2, -1]), axis=0)
            for term in (-log_recovery, log_ratio)
        )
        return left, right - jsd(p[FAKE], p[REAL])

    [left], [right] = gradients(sides, world.theta)
    return left, right


def bound(world: Any) -> Any:
    """Eq. 20 and 26, term by term.

    The paper's Eq. 20 lacks the normalizer of q^r(x|y).  With it,

        E log q^r(y|x) = -E KL(p_theta(x|y) || q^r(x|y)) + JSD + E_p(y) log Z(y),

    so Eq. 26, JSD <= E KL, holds if and only if E log q^r(y|x) <= E_p(y) log Z(y).  It is an
    equality for a constant discriminator, it holds for the optimal one, where E KL is half the
    Jeffreys divergence of p_g and p_data, and it fails for the exactly inverted one, where q^r(x|y)
    is p_theta(x|y) itself.  It holds for every discriminator that is no worse than a coin, see
    `coin_chain`.
    """
    p = world.conditionals
    return Bound(
        jsd=jsd(p[FAKE], p[REAL]).numpy(),
        kl=posterior_divergence(p, world.logits).numpy(),
        log_q=-generator_loss(p, world.logits).numpy(),
        log_normalizer=np.log(normalizer(p, world.logits)).mean(axis=0),
    )


def discriminator_objective(p: Any, logits: Any) -> tf.Tensor:
    """Eq. 3, phi's objective 1/2 E_pdata log D + 1/2 E_pg log(1 - D); -log 2 for a coin, D = 1/2.

    Args:
        p: (2, ..., n) p_theta(x|y).
        logits: (..., n) l(x).

    Returns:
        (...) nats, one per world.
    """
    logits = tf.convert_to_tensor(logits, tf.float64)
    log_probabilities = tf.stack([log_q(logits, y) for y in (FAKE, REAL)])
    return tf.reduce_mean(tf.reduce_sum(p * log_probabilities, axis=-1), axis=0)


def coin_chain(world: Any) -> Any:
    """Eq. 26 holds if phi's objective L is at least -log 2: return the terms of the proof, in nats.

    With m = (p_g + p_data)/2 and a = E_m log D(1 - D), which is at most -2 log 2 as D(1 - D) <= 1/4,

        E log q^r(y|x)  =  a - L  <=  a + log 2  <=  a/2
                        <=  1/2 log E_m D + 1/2 log E_m (1 - D)  =  E_p(y) log Z(y),

    the exact condition of `bound`.  The first inequality is L >= -log 2, the second the bound on a, the
    third Jensen's.

    Returns:
        (4, ...): E log q^r(y|x), a + log 2, a/2, E_p(y) log Z(y).
    """
    terms = bound(world)
    objective = discriminator_objective(world.conditionals, world.logits).numpy()
    a = terms.log_q + objective
    return np.stack([terms.log_q, a + np.log(2), a / 2, terms.log_normalizer])


def no_worse_than_a_coin(world: Any) -> Any:
    """Return whether phi's objective is at least -log 2, (...)."""
    objective = discriminator_objective(world.conditionals, world.logits)
    return objective.numpy() >= -np.log(2)


def bound_failure_rate(world: Any) -> float:
    """Eq. 26, the share of worlds in which the JSD exceeds E KL by more than rounding.

    It is about .25 for random worlds with 6 images, .11 with 20, .38 with 2.
    """
    terms = bound(world)
    return float(np.mean(terms.jsd > terms.kl + 1e-12))


def _softmax(logits, axis=-1):
    return tf.nn.softmax(tf.constant(logits, tf.float64), axis=axis).numpy()
