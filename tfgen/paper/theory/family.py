"""The adversarial objectives as enumerated functions of tables, related by exchanging x and z.

Every function returns the objective of each player: {"phi": nats, "theta": nats}.  phi's objective has
the factors 1/2, theta's does not.
"""

from typing import Any

import tensorflow as tf

from tfgen.objectives import FAKE, REAL, log_q, reverse


def gan(generated: Any, data: Any, logits: Any) -> Any:
    """Eq. 3-5: phi: 1/2 E_pdata log D + 1/2 E_pg log(1 - D); theta: E_pg log q^r(0|x) = E_pg log D.

    Args:
        generated: (n,) p_g.
        data: (n,) p_data.
        logits: (n,) l(x).
    """
    return {
        "phi": (_expect(data, log_q(logits, REAL)) + _expect(generated, log_q(logits, FAKE))) / 2,
        "theta": _expect(generated, log_q(reverse(logits), FAKE)),
    }


def infogan(
    prior: Any, generator: Any, data: Any, log_inference: Any, logits: Any, weight: float = 1.0
) -> Any:
    """Eq. 9: the GAN objectives, plus weight * E_pg log q_eta(z|x) for theta and eta.

    Args:
        prior: (m,) p(z).
        generator: (m, n) p_theta(x|z); one-hot rows are a deterministic G_theta.
        data: (n,) p_data.
        log_inference: (m, n) log q_eta(z|x).
        logits: (n,) l(x).
        weight: lambda; 0 gives the GAN.
    """
    joint = prior[:, None] * generator
    objectives = gan(tf.reduce_sum(joint, axis=0), data, logits)
    recovery = _expect(joint, log_inference)
    return {"phi": objectives["phi"], "theta": objectives["theta"] + weight * recovery}


def aae(data: Any, encoder: Any, prior: Any, log_decoder: Any, logits: Any) -> Any:
    """Eq. 29-32: InfoGAN with x and z exchanged: phi reads codes and theta reconstructs images.

    Args:
        data: (n,) p_data.
        encoder: (n, m) q_eta(z|x); one-hot rows are a deterministic E_eta.
        prior: (m,) p(z).
        log_decoder: (n, m) log p_theta(x|z).
        logits: (m,) l(z).
    """
    return infogan(data, encoder, prior, log_decoder, logits)


def ada(domains: Any, extractor: Any, logits: Any) -> Any:
    """Eq. 1-2: phi tells source (y = 1) from target (y = 0) features, theta confuses both.

    phi: 1/2 E_src log D + 1/2 E_tgt log(1 - D); theta: E_src log(1 - D) + E_tgt log D.  With z the
    prior's codes at y = 0 and the data at y = 1, whose feature is the image itself, this is the
    GAN: theta does not act on the data, and its term there is a constant.

    Args:
        domains: (2, m) p(z|y).
        extractor: (m, n) p_theta(x|z); one-hot rows are a deterministic G_theta.
        logits: (n,) l(x) of the features.
    """
    target, source = (tf.reduce_sum(domains[y][:, None] * extractor, axis=0) for y in (FAKE, REAL))
    objectives = gan(target, source, logits)
    confusion = _expect(source, log_q(reverse(logits), REAL))
    return {"phi": objectives["phi"], "theta": objectives["theta"] + confusion}


def _expect(p, values):
    return tf.reduce_sum(p * values)
