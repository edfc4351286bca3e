"""The R1 penalty on phi's objective, which is not in the paper; other objectives do not change."""

from typing import Any

import tensorflow as tf

from tfgen import checks
from tfgen.objectives import r1_penalty


def check_r1(model: Any, r1: float, r1_interval: int) -> None:
    """Check that weight and interval are in range, and that r1 is 0 without a discriminator of images.

    Raises:
        TypeError: The weight or the interval is not a number.
        ValueError: A value is out of range, or phi reads no images, or images of two domains.
    """
    checks.check_not_negative(r1=r1)
    checks.check_positive(r1_interval=r1_interval)
    phi = model.players.get("phi")
    shapes = [] if phi is None else [tuple(value.shape[1:]) for value in phi.inputs]
    if r1 and [shape for shape in shapes if len(shape) == 3] != [model.image_shape]:
        raise ValueError(
            "r1 must be 0 unless phi reads images of one domain. "
            f"Received: r1={r1} for {model.name}"
        )


def subtract_r1(
    model: Any,
    objectives: dict[str, tf.Tensor],
    images: tf.Tensor,
    labels: tf.Tensor | None,
) -> dict[str, tf.Tensor]:
    """Subtract r1 E_pdata[1/2 |grad_x l(x)|^2] from phi's objective in every r1_interval-th step.

    The penalty is multiplied by r1_interval there ("lazy" regularization).  l is the discriminator as it
    is served, with moving statistics and without augmentation: replicas may not exchange statistics within
    a condition.

    Args:
        model: Model with the weight r1 > 0 and `r1_interval`.
        objectives: {player: scalar}.
        images: (b, h, w, c) x ~ p_data.
        labels: (b,) int32, or None if phi does not read labels.

    Returns:
        The objectives, with the penalty subtracted from phi's.

    Source: Mescheder et al. (2018); Karras et al. (2020).
    """

    def penalties():
        return r1_penalty(lambda x: model.logits(x, labels), images)

    due = model.steps % model.r1_interval == 0
    terms = tf.cond(due, penalties, lambda: tf.zeros(tf.shape(images)[0]))
    penalty = model.r1 * model.r1_interval * model.mean(terms)
    return {**objectives, "phi": objectives["phi"] - penalty}
