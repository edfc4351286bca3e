"""Sigmoid belief networks (Neal 1992): chains of stochastic binary layers, as Functional Keras models.

A chain x = h_0, h_1 .. h_L has one network for either direction, whose outputs are what each layer is
given the next: upwards q_lambda(h_l|h_l-1), downwards p_theta(h_l-1|h_l) and the prior p_theta(h_L).
Each output reads one input alone, so that a network is the list of its `conditionals`: all at once they
give the log-probability of known states, one after the other they draw states.

Source: Neal (1992), Connectionist learning of belief networks.
"""

import math
from collections.abc import Sequence

import keras
import tensorflow as tf

from tfgen import distributions


@keras.saving.register_keras_serializable("tfgen")
class Prior(keras.layers.Layer):
    """The logits of a layer that has none above it: a bias for each of its units, whatever their states."""

    def build(self, shape: tuple[int | None, ...]) -> None:
        self.bias = self.add_weight(name="bias", shape=(shape[-1],), initializer="zeros")

    def call(self, states: keras.KerasTensor) -> keras.KerasTensor:
        return keras.ops.broadcast_to(self.bias, keras.ops.shape(states))

    def compute_output_shape(self, shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        return shape


def generative(shape: tuple[int, int, int], units: Sequence[int]) -> keras.Model:
    """Eq. 14, p_theta(x, h) = p(h_L) p(h_L-1|h_L) .. p(x|h_1), every conditional linear in its logits.

    Args:
        shape: (height, width, channels) of the images.
        units: Number of units of each of the layers h_1 .. h_L.

    Returns:
        Functional model: [h_1 .. h_L], (b, units) each -> [means of x (b, *shape) out of a sigmoid,
        logits of h_1 .. h_L], float32.

    Raises:
        ValueError: There is no layer, or one without units.
    """
    states = _states(units)
    pixels = keras.layers.Reshape(shape)(_logits(math.prod(shape))(states[0]))
    images = keras.layers.Activation("sigmoid", dtype="float32", name="images")(pixels)
    logits = [_logits(size)(above) for size, above in zip(units[:-1], states[1:], strict=True)]
    prior = Prior(dtype="float32")(states[-1])
    return keras.Model(states, [images, *logits, prior], name="generative")


def recognition(shape: tuple[int, int, int], units: Sequence[int]) -> keras.Model:
    """Eq. 14, q_lambda(h|x) = q(h_1|x) q(h_2|h_1) .. q(h_L|h_L-1), every conditional linear in its logits.

    Args:
        shape: (height, width, channels) of the images.
        units: Number of units of each of the layers h_1 .. h_L.

    Returns:
        Functional model: [images (b, *shape), h_1 .. h_L-1] -> [logits of h_1 .. h_L], float32.

    Raises:
        ValueError: There is no layer, or one without units.
    """
    images = keras.Input(shape, name="images")
    states = _states(units)[:-1]
    below = [keras.layers.Flatten()(images), *states]
    logits = [_logits(size)(read) for size, read in zip(units, below, strict=True)]
    return keras.Model([images, *states], logits, name="recognition")


def conditionals(network: keras.Model) -> list[keras.Model]:
    """The parts of a chain's network, one an output: Functional models that share its layers.

    Output l reads input l alone; a generative network's last, the prior, reads the last input's size.

    Raises:
        ValueError: An output reads another input.
    """
    inputs = [*network.inputs, network.inputs[-1]]
    return [keras.Model(*ends) for ends in zip(inputs, network.outputs, strict=False)]


def sample_recognition(
    recognition: keras.Model, images: tf.Tensor, uniforms: list[tf.Tensor]
) -> list[tf.Tensor]:
    """h ~ q_lambda(h|x), from the bottom up.

    Args:
        recognition: Network as of `recognition`.
        images: (b, h, w, c).
        uniforms: [(b, units)] noise in [0, 1) of h_1 .. h_L.

    Returns:
        [(b, units)] states of h_1 .. h_L in {0, 1}; no gradient passes through them.
    """
    return _ancestral(conditionals(recognition), images, uniforms)


def sample_generative(generative: keras.Model, uniforms: list[tf.Tensor]) -> list[tf.Tensor]:
    """h ~ p_theta(h), or x, h ~ p_theta(x, h), from the top down.

    Args:
        generative: Network as of `generative`; for x, up to the logits of its images.
        uniforms: [(b, ...)] noise in [0, 1) of h_1 .. h_L, or of x, h_1 .. h_L.

    Returns:
        The states that there is noise for, in {0, 1}; no gradient passes through them.
    """
    downwards = conditionals(generative)[::-1]
    return _ancestral(downwards, uniforms[-1], uniforms[::-1])[::-1]


def _ancestral(conditionals, start, uniforms):
    """States drawn one after the other, each given the one before, as far as there is noise."""
    states = [start]
    for conditional, uniform in zip(conditionals, uniforms, strict=False):
        states.append(draw(conditional(states[-1]), uniform))
    return states[1:]


def draw(logits: tf.Tensor, uniform: tf.Tensor) -> tf.Tensor:
    """Bernoulli(sigmoid(logits)) by the noise's inverse: 1 where it lies below the mean."""
    logits = tf.cast(logits, tf.float32)  # of networks under any policy
    uniform = tf.reshape(uniform, tf.shape(logits))
    return tf.cast(uniform < tf.sigmoid(logits), logits.dtype)


def log_probability(states: list[tf.Tensor], logits: list[tf.Tensor]) -> tf.Tensor:
    """The chain rule, sum_l log Bernoulli(h_l; sigmoid(logits_l)), each summed over its units.

    Args:
        states: [(b, ...)] in {0, 1}; gray images are read as in `tfgen.distributions.bernoulli`.
        logits: [(b, ...)] of each.

    Returns:
        (b,) nats.
    """
    layers = zip(states, logits, strict=True)
    return tf.add_n(
        [
            distributions.bernoulli(tf.cast(given, tf.float32)).log_prob(state)
            for state, given in layers
        ]
    )


def _states(units):
    if not units or min(units) < 1:
        raise ValueError(
            f"units must be one or more sizes of at least 1. Received: units={units!r}"
        )
    return [keras.Input((size,), name=f"h{index}") for index, size in enumerate(units, start=1)]


def _logits(units):
    return keras.layers.Dense(units, dtype="float32")
