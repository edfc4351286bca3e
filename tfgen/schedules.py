"""Learning rate schedules, by the names that recipes give them."""

import keras
import tensorflow as tf

DECAYS = (None, "cosine", "linear", "triangular")
RISE = 0.2  # share of the steps in which a triangular rate rises
PLATEAU = 2 / 3  # share of the steps before a linear decay


@keras.saving.register_keras_serializable("tfgen")
class PiecewiseLinear(keras.optimizers.schedules.LearningRateSchedule):
    """Piecewise linear rate through given points, constant before the first and after the last.

    Args:
        steps: Steps of the points, increasing.
        rates: Rates at the points.
    """

    def __init__(self, steps: list[float], rates: list[float]):
        self.steps = list(steps)
        self.rates = list(rates)

    def __call__(self, step: tf.Tensor | int) -> tf.Tensor:
        step = tf.cast(step, tf.float32)
        rate = tf.constant(self.rates[0], tf.float32)
        points = list(zip(self.steps, self.rates, strict=True))
        for (start, first), (end, last) in zip(points[:-1], points[1:], strict=True):
            share = tf.clip_by_value((step - start) / (end - start), 0.0, 1.0)
            rate = tf.where(step > start, first + share * (last - first), rate)
        return rate

    def get_config(self) -> dict:
        return {"steps": self.steps, "rates": self.rates}


def learning_rate(
    rate: float, decay: str | None, steps: int | None
) -> float | keras.optimizers.schedules.LearningRateSchedule:
    """Return the learning rate of a run, a number or a schedule, for Keras' optimizers.

    Args:
        rate: Highest rate.
        decay: None for a constant rate; "cosine" to fall to 0 along half a cosine; "linear" to stay for two
            thirds of the steps and then fall linearly to 0; "triangular" to rise linearly from 0 for a
            fifth of the steps and then fall linearly to 0.
        steps: Number of steps of the whole run; not needed without decay.

    Raises:
        ValueError: The decay is unknown, or given without `steps`.
    """
    if decay not in DECAYS:
        raise ValueError(f"decay must be one of {DECAYS}. Received: decay={decay!r}")
    if decay is None:
        return rate
    if steps is None:
        raise ValueError(
            f"A decay needs the number of steps. Received: decay={decay!r}, steps=None"
        )
    if decay == "cosine":
        return keras.optimizers.schedules.CosineDecay(rate, steps)
    if decay == "linear":
        return PiecewiseLinear([PLATEAU * steps, steps], [rate, 0.0])
    return PiecewiseLinear([0.0, RISE * steps, steps], [0.0, rate, 0.0])
