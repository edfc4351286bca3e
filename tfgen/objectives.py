"""The terms of the paper's objectives as pure functions of logits and log-probabilities.

Every function returns one number per example; a model takes their expectation over the global
batch.  Symbols are the paper's: x image, y in {0, 1} generated or real, z latent code, t class label.
"""

from collections.abc import Callable
from typing import Any

import tensorflow as tf

REAL, FAKE = 1, 0


def log_q(logits: tf.Tensor, y: int) -> tf.Tensor:
    """Eq. 3, log q_phi(y|x): the discriminator's log-probability that x is real (1) or generated (0).

    q_phi(y|x) = Bernoulli(y; sigmoid(l(x))), so log q(1|x) = -softplus(-l), log q(0|x) = -softplus(l).

    Args:
        logits: (b,) l(x).
        y: REAL or FAKE.

    Returns:
        (b,) nats.
    """
    return -tf.math.softplus(-logits if y == REAL else logits)


def reverse(logits: tf.Tensor) -> tf.Tensor:
    """Eq. 3, q^r(y|x) = q(1 - y|x): the reversed distribution, as its logit -l(x).

    The discriminator's and the generator's objectives differ only in this: phi ascends E log q(y|x),
    theta ascends E log q^r(y|x).

    Args:
        logits: (b,) l(x).

    Returns:
        (b,) -l(x).
    """
    return -logits


def importance_weights(logits: tf.Tensor, over: tf.Tensor | None = None) -> tf.Tensor:
    """Eq. 40-43, the normalized weights of IWGAN's k generated samples.

    w_i = q^r(0|x_i) p_theta0(x_i) / p_theta(x_i|0) is proportional to D/(1 - D) = exp(l(x_i)) when
    the discriminator's odds stand for p_data/p_g, so that

        w_i / sum_j w_j = softmax(l_1 .. l_k)_i,  with no gradient.

    Burda et al. (2015) weigh by the same self-normalized rule.  The second term of Eq. 41 is
    intractable; the paper drops it for every k, and so does this library.

    The update of Eq. 43 is the gradient of the saturating minimax objective E log(1 - D) on the
    minibatch, divided by its summed odds o = D/(1 - D):

        sum_i w_i grad log D_i  =  sum_i D_i grad l_i / sum_j o_j,    D grad l = -grad log(1 - D).

    The divisor undoes the saturation; compare Eide, Solberg & Kasen (2020), arXiv 2010.02035.

    Args:
        logits: (b,) l(x_i) of the samples to be weighted.
        over: (k,) logits of all samples that share the normalization, `logits` among them;
            by default `logits` themselves.

    Returns:
        (b,) weights; over all k samples they sum to 1.
    """
    over = tf.stop_gradient(logits if over is None else over)
    largest = tf.reduce_max(over)
    return tf.exp(tf.stop_gradient(logits) - largest) / tf.reduce_sum(tf.exp(over - largest))


def effective_sample_size(weights: tf.Tensor) -> tf.Tensor:
    """Kish's effective sample size, (sum w)^2 / sum w^2.

    It is k if all k weights are equal, so that IWGAN is GAN, and 1 if one sample has all the weight.

    Args:
        weights: (k,), not negative.

    Returns:
        Scalar from 1 to k.
    """
    return tf.reduce_sum(weights) ** 2 / tf.reduce_sum(weights**2)


def r1_penalty(logits: Callable[[tf.Tensor], tf.Tensor], images: tf.Tensor) -> tf.Tensor:
    """R1 of Mescheder et al. (2018), 1/2 |grad_x l(x)|^2 of real images, subtracted from phi's objective.

    Args:
        logits: Function of images (b, h, w, c) that returns l(x), (b,).
        images: (b, h, w, c) x ~ p_data.

    Returns:
        (b,).
    """
    with tf.GradientTape() as tape:
        tape.watch(images)
        total = tf.reduce_sum(logits(images))
    return tf.reduce_sum(tape.gradient(total, images) ** 2, axis=[1, 2, 3]) / 2


def activation_weights(logits: tf.Tensor, temperature: float = 1.0) -> tf.Tensor:
    """Eq. 17, w(x) = q^r(0|x) = sigmoid(l(x)/T): weights of adversary activation, larger for real images.

    Args:
        logits: (b,) l(x).
        temperature: T > 0; as T -> infinity every weight tends to 1/2.

    Returns:
        (b,) weights in (0, 1), with no gradient.

    Raises:
        ValueError: T is not positive.
    """
    if not temperature > 0:
        raise ValueError(f"temperature must be positive. Received: temperature={temperature}")
    return tf.stop_gradient(tf.sigmoid(logits / temperature))


def log_categorical(logits: tf.Tensor, labels: Any) -> tf.Tensor:
    """Eq. 18, log f_omega(t|x): the classifier's log-probability of each example's label.

    Args:
        logits: (b, num_classes).
        labels: (b,) int, in [0, num_classes).

    Returns:
        (b,) nats.
    """
    return -tf.nn.sparse_softmax_cross_entropy_with_logits(labels=labels, logits=logits)


def log_smoothed_categorical(logits: tf.Tensor, labels: Any, smoothing: float) -> tf.Tensor:
    """Eq. 18 with smoothed labels: E log f(t'|x), t' being t or, with probability s, any class.

        (1 - s) log f(t|x) + s/K sum_k log f(k|x)

    Args:
        logits: (b, K).
        labels: (b,) int, in [0, K).
        smoothing: s in [0, 1).

    Returns:
        (b,) nats.

    Source: Szegedy et al. (2016), section 7.
    """
    uniform = tf.reduce_mean(tf.nn.log_softmax(logits), axis=1)
    return (1 - smoothing) * log_categorical(logits, labels) + smoothing * uniform


def remove_smoothing(probabilities: tf.Tensor, smoothing: float) -> tf.Tensor:
    """Solve f = (1 - s) p + s/K for p(t|x), the probabilities without label smoothing.

    A classifier that learned smoothed labels returns f, whose entropy is at least that of the smoothing;
    scores need p.  Where f lies below s/K, p is 0 and the others are scaled to sum to 1.

    Args:
        probabilities: (b, K) f.
        smoothing: s in [0, 1).

    Returns:
        (b, K).
    """
    floor = smoothing / probabilities.shape[-1]
    raised = tf.maximum(probabilities - floor, 0.0)
    return raised / tf.reduce_sum(raised, axis=-1, keepdims=True)


def log_bernoulli(logits: tf.Tensor, values: tf.Tensor) -> tf.Tensor:
    """Appendix D, log P_phi(z_i|z_-i): the predictors' log-probability of each unit of a binary code.

    It is linear in z_i, so E log P depends only on the mean of z_i given the others.

    Args:
        logits: (b, d) of P(z_i = 1|z_-i).
        values: (b, d) z in {0, 1}.

    Returns:
        (b, d) nats.
    """
    return values * logits - tf.math.softplus(logits)


def log_laplace(images: tf.Tensor, means: tf.Tensor, weight: float) -> tf.Tensor:
    """Appendix D, log p_theta(x|z) of a Laplace likelihood; its negative is the cycle loss.

    Zhu et al. (2017) use lambda times the mean absolute error, a Laplace scale of pixels/lambda:

        log p(x|z) = -lambda / pixels |x - G(z)|_1 + const,   where the constant is left out.

    Args:
        images: (b, h, w, c) x.
        means: (b, h, w, c) G(z).
        weight: lambda >= 0.

    Returns:
        (b,) nats.
    """
    return -weight * tf.reduce_mean(tf.abs(images - means), axis=[1, 2, 3])


def evidence_bound(log_likelihood: tf.Tensor, divergence: tf.Tensor) -> tf.Tensor:
    """Eq. 11, E_q[log p_theta(x|z)] - KL(q_eta(z|x) || p(z)), by one draw of z and the closed-form KL.

    Args:
        log_likelihood: (b,) log p_theta(x|z), summed over pixels.
        divergence: (b,) KL.

    Returns:
        (b,) nats.
    """
    return log_likelihood - divergence


def importance_weighted_bound(log_weights: tf.Tensor) -> tf.Tensor:
    """Burda et al. (2015), log 1/k sum_i p(x, z_i)/q(z_i|x): between Eq. 11 and log p(x), rising with k.

    Args:
        log_weights: (b, k) log p(x, z_i) - log q(z_i|x).

    Returns:
        (b,) nats.
    """
    count = tf.cast(tf.shape(log_weights)[1], log_weights.dtype)
    return tf.reduce_logsumexp(log_weights, axis=1) - tf.math.log(count)


def enumerated_bound(bounds: tf.Tensor, log_probabilities: tf.Tensor) -> tf.Tensor:
    """Kingma et al. (2014), U(x) = sum_t q_omega(t|x) L(x, t) + H(q_omega(t|x)).

    Args:
        bounds: (b, num_classes) L(x, t) of every class.
        log_probabilities: (b, num_classes) log q_omega(t|x).

    Returns:
        (b,) nats.
    """
    terms = tf.exp(log_probabilities) * (bounds - log_probabilities)
    return tf.reduce_sum(terms, axis=1)
