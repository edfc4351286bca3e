"""Checks of players' outputs on noise before training: heads must have the range that objectives assume.

A generator that ends in a tanh, a discriminator that ends in a sigmoid (which would be applied twice) or in
a ReLU (which could call no image generated), and a scale that can be negative all train, save and serve
without an error, and every number is wrong.
"""

import contextlib
import contextvars
import functools
import math
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import keras
import numpy as np

from tfgen.networks.views import arrange_inputs

ROWS = 4  # of noise
REDRAWN_SCALE = 3.0  # deviation of redrawn weights, in units of 1/sqrt(fan-in)
SATURATING_SCALES = (1e4, 1e2)  # of large weights; the first without overflow is taken
MOST_DRAWS = 24  # of large weights: an end of either sign keeps to one in 1 of 2^24 networks

_trusted = contextvars.ContextVar("heads_are_trusted", default=False)


@contextlib.contextmanager
def skip_trials() -> Iterator[None]:
    """Skip the checks within it: networks of a file or a copy passed them when they were new."""
    token = _trusted.set(True)
    try:
        yield
    finally:
        _trusted.reset(token)


def try_out(rules: Mapping[str, Callable], players: Mapping[str, keras.Model]) -> None:
    """Check every player's outputs on noise against its rule.

    Outputs are computed with the player's own weights and with newly drawn ones, to show the head's range.

    Args:
        rules: {player: one of this module's rules}; players without a rule are not checked.
        players: {player: network}.

    Raises:
        ValueError: An output breaks its rule.
    """
    if _trusted.get():
        return
    for name, network in players.items():
        if name in rules:
            rules[name](name, Trials(network))


class Trials:
    """A network's outputs on noise.

    Args:
        network: Built Functional model.
    """

    def __init__(self, network: keras.Model):
        self._network, self._rng = network, np.random.default_rng(0)
        noise = [_noise(end, self._rng) for end in network.inputs]
        self._inputs = arrange_inputs(network, noise)
        self._fixed = [variable.value for variable in network.non_trainable_variables]
        self._own = [variable.value for variable in network.trainable_variables]

    @functools.cached_property
    def own(self) -> Any:
        """Outputs with the network's own weights, as float32 in the structure of its outputs."""
        return self._outputs(self._own)

    @functools.cached_property
    def several(self) -> list:
        """Outputs with its own weights and with two newly drawn ones."""
        return [self.own, self.redrawn(), self.redrawn()]

    def redrawn(self, scale: float = REDRAWN_SCALE) -> Any:
        """Outputs with newly drawn weights of standard deviation `scale`/sqrt(fan-in)."""
        return self._outputs([_weights(value.shape, scale, self._rng) for value in self._own])

    def _outputs(self, weights):
        found, _ = self._network.stateless_call(weights, self._fixed, self._inputs, training=False)
        return keras.tree.map_structure(lambda value: np.asarray(value, np.float32), found)


def images(name: str, trials: Trials) -> None:
    """Check that the first output lies in [0, 1]."""
    low, high = _range([keras.tree.flatten(outputs)[0] for outputs in trials.several])
    if low < 0 or high > 1:
        raise ValueError(
            f"{name} must give images in [0, 1]: end it in a sigmoid. "
            f"Received: values from {low:.3g} to {high:.3g} on noise"
        )


def scaled_images(name: str, trials: Trials) -> None:
    """Check that images lie in [0, 1], and that a second output, their scale, is positive."""
    images(name, trials)
    _positive(name, [outputs[1:] for outputs in map(keras.tree.flatten, trials.several)])


def logit(name: str, trials: Trials) -> None:
    """Check that every output is one number per image, of any size and sign."""
    for outputs in keras.tree.flatten(trials.own):
        if outputs.size != ROWS:
            raise ValueError(
                f"{name} must give one logit per image, (b, 1). "
                f"Received: outputs of shape (b, {', '.join(map(str, outputs.shape[1:]))})"
            )
    logits(name, trials)


def logits(name: str, trials: Trials) -> None:
    """Check that every output, or the one named "logits", can have any size and sign.

    An output is bounded if it stays between two values for arbitrarily large weights, and one-sided if no
    weights bring it below -1, or none above 1.
    """
    small = [_logits_of(outputs) for outputs in (trials.own, trials.redrawn())]
    large, scale = _large(trials)
    for index in range(len(large[0])):
        reach = _reach([values[index] for values in small])
        if not np.isfinite(large[0][index]).all():
            continue  # half precision overflowed, which a bounded output does not
        if _is_saturated(large[0][index], reach):
            values = [values[index] for values in (*small, *large)]
            raise ValueError(_NO_LOGITS.format(name, *_range(values)))
        while not _has_either_sign(large, index) and len(large) < MOST_DRAWS:
            large.append(_logits_of(trials.redrawn(scale)))
        low, high = _range([values[index] for values in large])
        if low >= -1 or high <= 1:
            raise ValueError(_NO_LOGITS.format(name, low, high))


_NO_LOGITS = (
    "{} must give logits of any size and sign, without a sigmoid, softmax, tanh or ReLU at its end. "
    "Received: values from {:.3g} to {:.3g} on noise, whatever its weights"
)


def _logits_of(outputs) -> list[np.ndarray]:
    return keras.tree.flatten(outputs["logits"] if isinstance(outputs, dict) else outputs)


def _large(trials):
    """Return the list of outputs with large weights, and the scale of these weights."""
    for scale in SATURATING_SCALES:
        found = _logits_of(trials.redrawn(scale))
        if all(np.isfinite(values).all() for values in found):
            break
    return [found], scale


def _reach(arrays):
    low, high = _range(arrays)
    return max(-low, high)


def _is_saturated(values, reach):
    """Whether all values are at one of two bounds that small weights nearly reach."""
    low, high = values.min(), values.max()
    inner = np.minimum(values - low, high - values).max()
    return max(-low, high) < 10 * max(reach, 0.1) and inner <= 0.01 * (high - low)


def _has_either_sign(draws, index):
    low, high = _range([values[index] for values in draws])
    return low < -1 and high > 1


def posterior(name: str, trials: Trials) -> None:
    """Check that the output "scale" is positive."""
    _positive(name, [outputs["scale"] for outputs in trials.several])


def _positive(name, trials):
    own, _ = _range(keras.tree.flatten(trials[0]))
    low, _ = _range(keras.tree.flatten(trials))
    if own <= 0 or low < 0:  # redrawn weights may underflow to 0
        raise ValueError(
            f"{name} must give a positive scale: end it in a softplus. "
            f"Received: scale of {min(own, low):.3g} on noise"
        )


def _noise(end, rng):
    shape = (ROWS, *(size or 1 for size in end.shape[1:]))
    if "int" in end.dtype:
        return np.zeros(shape, end.dtype)
    return (rng.random(shape) if len(shape) == 4 else rng.normal(size=shape)).astype(np.float32)


def _weights(shape, scale, rng):
    fan_in = math.prod(shape[:-1]) if len(shape) > 1 else 1
    return (rng.normal(size=shape) * scale / math.sqrt(fan_in)).astype(np.float32)


def _range(arrays):
    values = np.concatenate([np.ravel(array) for array in arrays]) if arrays else np.ones(1)
    finite = values[np.isfinite(values)]
    return (finite.min(), finite.max()) if len(finite) else (math.inf, math.inf)
