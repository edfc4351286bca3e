"""Players tried once on noise before anything is trained: heads must give what objectives read.

A tanh at a generator's end, a sigmoid at a discriminator's (it would be applied twice) or a scale that
can be negative train, save and serve without a word, and every number is wrong.
"""

import contextlib
import contextvars
import math
from collections.abc import Callable, Iterator, Mapping

import keras
import numpy as np

ROWS = 4  # of noise
REDRAWN_SCALE = 3.0  # deviations of weights drawn anew, in units of 1/sqrt(fan-in)

_trusted = contextvars.ContextVar("heads_are_trusted", default=False)


@contextlib.contextmanager
def skip_trials() -> Iterator[None]:
    """Within it no head is tried: networks of a file or a copy were, when they were new."""
    token = _trusted.set(True)
    try:
        yield
    finally:
        _trusted.reset(token)


def try_out(rules: Mapping[str, Callable], players: Mapping[str, keras.Model]) -> None:
    """Hold every player's outputs on noise against its rule.

    They are those of its own weights and of weights drawn anew, so that a head shows its range.

    Args:
        rules: {player: one of this module's rules}; players without one are not tried.
        players: {player: network}.

    Raises:
        ValueError: an output breaks its rule.
    """
    if _trusted.get():
        return
    for name, network in players.items():
        if name in rules:
            rules[name](name, _trials(network))


def images(name: str, trials: list) -> None:
    """The first output lies in [0, 1]."""
    low, high = _range([keras.tree.flatten(outputs)[0] for outputs in trials])
    if low < 0 or high > 1:
        raise ValueError(
            f"{name} must give images in [0, 1]: end it in a sigmoid. "
            f"Received: values from {low:.3g} to {high:.3g} on noise"
        )


def scaled_images(name: str, trials: list) -> None:
    """Images in [0, 1] and, if there is a second output, their positive scale."""
    images(name, trials)
    _positive(name, [outputs[1:] for outputs in map(keras.tree.flatten, trials)])


def logit(name: str, trials: list) -> None:
    """Every output is one number per image, of any size and sign."""
    for outputs in keras.tree.flatten(trials):
        if outputs.size != ROWS:
            raise ValueError(
                f"{name} must give one logit per image, (b, 1). "
                f"Received: outputs of shape (b, {', '.join(map(str, outputs.shape[1:]))})"
            )
    logits(name, trials)


def logits(name: str, trials: list) -> None:
    """The output, or the one named "logits", is of any size and sign."""
    given = [outputs["logits"] if isinstance(outputs, dict) else outputs for outputs in trials]
    values = keras.tree.flatten(given)
    low, high = _range(values)
    overflowed = not all(np.isfinite(value).all() for value in values)  # of half precision
    if low >= -1 and high <= 1 and not overflowed:
        raise ValueError(
            f"{name} must give logits, without a sigmoid, softmax or tanh at its end. "
            f"Received: values from {low:.3g} to {high:.3g} on noise, whatever its weights"
        )


def posterior(name: str, trials: list) -> None:
    """The output "scale" is positive."""
    _positive(name, [outputs["scale"] for outputs in trials])


def _positive(name, trials):
    own, _ = _range(keras.tree.flatten(trials[0]))
    low, _ = _range(keras.tree.flatten(trials))
    if own <= 0 or low < 0:  # weights drawn anew may underflow to 0
        raise ValueError(
            f"{name} must give a positive scale: end it in a softplus. "
            f"Received: scale of {min(own, low):.3g} on noise"
        )


def _trials(network):
    """The outputs, NumPy float32, on noise: with the network's own weights and with two others."""
    rng = np.random.default_rng(0)
    noise = [_noise(end, rng) for end in network.inputs]
    single = isinstance(network, keras.Sequential)
    inputs = noise[0] if single else keras.tree.pack_sequence_as(network.input, noise)
    fixed = [variable.value for variable in network.non_trainable_variables]
    own = [variable.value for variable in network.trainable_variables]
    redrawn = [[_weights(value.shape, rng) for value in own] for _ in range(2)]
    trials = [
        network.stateless_call(weights, fixed, inputs, training=False)[0]
        for weights in (own, *redrawn)
    ]
    return keras.tree.map_structure(lambda value: np.asarray(value, np.float32), trials)


def _noise(end, rng):
    shape = (ROWS, *(size or 1 for size in end.shape[1:]))
    if "int" in end.dtype:
        return np.zeros(shape, end.dtype)
    return (rng.random(shape) if len(shape) == 4 else rng.normal(size=shape)).astype(np.float32)


def _weights(shape, rng):
    fan_in = math.prod(shape[:-1]) if len(shape) > 1 else 1
    return (rng.normal(size=shape) * REDRAWN_SCALE / math.sqrt(fan_in)).astype(np.float32)


def _range(arrays):
    values = np.concatenate([np.ravel(array) for array in arrays]) if arrays else np.ones(1)
    finite = values[np.isfinite(values)]
    return (finite.min(), finite.max()) if len(finite) else (math.inf, math.inf)
