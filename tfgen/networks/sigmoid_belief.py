"""Sigmoid belief networks (Neal 1992): chains of stochastic binary layers, as Functional Keras models.

A chain x = h_0, h_1 .. h_L has one network per direction, whose outputs are the conditionals of each layer
given its neighbor: upwards q_lambda(h_l|h_l-1), downwards p_theta(h_l-1|h_l) and the prior p_theta(h_L).
Each output reads one input, so a network is a list of `conditionals`: evaluated together they give the
log-probability of known states, evaluated in order they draw states.

Source: Neal (1992), Connectionist learning of belief networks.
"""

import math
from collections.abc import Sequence

import keras
import tensorflow as tf

from tfgen import distributions


@keras.saving.register_keras_serializable("tfgen")
class Prior(keras.layers.Layer):
    """Logits of the top layer: a bias for each of its units, independent of their states."""

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
        Functional model: [h_1 .. h_L], (b, units) each -> [means of x (b, *shape) that end in a sigmoid,
        logits of h_1 .. h_L], float32.

    Raises:
        ValueError: There is no layer, or a layer without units.
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
        ValueError: There is no layer, or a layer without units.
    """
    images = keras.Input(shape, name="images")
    states = _states(units)[:-1]
    below = [keras.layers.Flatten()(images), *states]
    logits = [_logits(size)(read) for size, read in zip(units, below, strict=True)]
    return keras.Model([images, *states], logits, name="recognition")


def conditionals(network: keras.Model) -> list[keras.Model]:
    """Split a chain's network into one Functional model per output, which share its layers.

    Output l reads only input l; the last output of a generative network, the prior, reads only the size of
    the last input.

    Raises:
        ValueError: An output reads another input.
    """
    inputs = [*network.inputs, network.inputs[-1]]
    return [keras.Model(*ends) for ends in zip(inputs, network.outputs, strict=False)]


def sample_recognition(
    recognition: keras.Model, images: tf.Tensor, uniforms: list[tf.Tensor]
) -> list[tf.Tensor]:
    """Draw h ~ q_lambda(h|x), from the bottom up.

    Args:
        recognition: Network made by `recognition`.
        images: (b, h, w, c).
        uniforms: [(b, units)] noise in [0, 1) of h_1 .. h_L.

    Returns:
        [(b, units)] states of h_1 .. h_L in {0, 1}; no gradient passes through them.
    """
    return _ancestral(conditionals(recognition), images, uniforms)


def sample_generative(generative: keras.Model, uniforms: list[tf.Tensor]) -> list[tf.Tensor]:
    """Draw h ~ p_theta(h), or x, h ~ p_theta(x, h), from the top down.

    Args:
        generative: Network made by `generative`; to draw x, that network before its sigmoid.
        uniforms: [(b, ...)] noise in [0, 1) of h_1 .. h_L, or of x, h_1 .. h_L.

    Returns:
        States of the layers that have noise, in {0, 1}; no gradient passes through them.
    """
    downwards = conditionals(generative)[::-1]
    return _ancestral(downwards, uniforms[-1], uniforms[::-1])[::-1]


def _ancestral(conditionals, start, uniforms):
    """Draw states one after the other, each given the one before, as far as there is noise."""
    states = [start]
    for conditional, uniform in zip(conditionals, uniforms, strict=False):
        states.append(draw(conditional(states[-1]), uniform))
    return states[1:]


def draw(logits: tf.Tensor, uniform: tf.Tensor) -> tf.Tensor:
    """Draw Bernoulli(sigmoid(logits)): 1 where the uniform noise lies below the mean."""
    logits = tf.cast(logits, tf.float32)  # of networks under any policy
    uniform = tf.reshape(uniform, tf.shape(logits))
    return tf.cast(uniform < tf.sigmoid(logits), logits.dtype)


def log_probability(states: list[tf.Tensor], logits: list[tf.Tensor]) -> tf.Tensor:
    """Return sum_l log Bernoulli(h_l; sigmoid(logits_l)), each summed over its units (chain rule).

    Args:
        states: [(b, ...)] in {0, 1}; gray images are read as in `tfgen.distributions.bernoulli`.
        logits: [(b, ...)] logits of each.

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
