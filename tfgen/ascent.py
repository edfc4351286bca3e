"""The second half of a training step: each player's own gradient, and the average of theta."""

from typing import Any

import keras
import tensorflow as tf


def gradients(
    tape: tf.GradientTape,
    objectives: dict[str, tf.Tensor],
    losses: Any,
    players: dict[str, keras.Model],
    variables: list[keras.Variable],
) -> list[tf.Tensor]:
    """Return the gradient of each variable, of its own player's loss only.

    Players that share one objective tensor share a backward pass.

    Args:
        tape: Persistent tape that recorded the losses.
        objectives: {player: scalar}.
        losses: {id of an objective: loss, the negative objective scaled as the optimizer asks}.
        players: {player: network}.
        variables: All trainable variables of the players, in the order of the result.
    """
    found = {}
    for key, loss in losses.items():
        own = [
            variable
            for name, objective in objectives.items()
            if id(objective) == key
            for variable in players[name].trainable_variables
        ]
        for variable, gradient in zip(own, tape.gradient(loss, own), strict=True):
            found[id(variable)] = tf.zeros_like(variable) if gradient is None else gradient
    return _after_all([found[id(variable)] for variable in variables])


def update_average(
    average: keras.Model, network: keras.Model, decay: float, steps: tf.Variable
) -> None:
    """Move the weights of an average toward the network's; early steps have a smaller decay.

    Args:
        average: Network of the same layers as `network`.
        network: Network that is averaged.
        decay: Decay after many steps; at step n it is at most (1 + n)/(10 + n).
        steps: Number n of training steps.
    """
    count = tf.cast(steps, tf.float32)
    decay = tf.minimum(decay, (1 + count) / (10 + count))
    for mean, value in zip(average.weights, network.weights, strict=True):
        mean.assign(mean + (1 - tf.cast(decay, mean.dtype)) * (value - mean))


def _after_all(gradients):
    """Return the gradients, each available only after all have been computed.

    A weight may be read for another player's gradient only, as wake reads q_lambda.  With one replica
    nothing but an all-reduce, an IdentityN of all gradients, orders that read before the weight's update;
    TensorFlow's graph optimizer removes it, and then the update may come first.
    """
    with tf.control_dependencies([tf.group(*gradients)]):
        return [tf.identity(gradient) for gradient in gradients]
