"""Other outputs of a network: its logits before the sigmoid, or the features of a layer beside them."""

from collections.abc import Sequence
from typing import Any

import keras


def before_sigmoid(network: keras.Model) -> keras.Model:
    """Return the network up to the logits of its images, which keep log-likelihoods finite.

    Args:
        network: Functional model whose first output, the images, is that of a sigmoid `Activation` layer.

    Returns:
        Functional model that shares its layers; further outputs stay as they are.

    Raises:
        ValueError: The images are not the output of such a layer.
    """
    images, *others = keras.tree.flatten(network.outputs)
    last = images._keras_history.operation
    activation = getattr(last, "activation", None)
    if not isinstance(last, keras.layers.Activation) or activation is not keras.activations.sigmoid:
        raise ValueError(
            "theta must end in keras.layers.Activation('sigmoid'), so that its logits can be read. "
            f"Received: last layer={last!r}"
        )
    return keras.Model(network.inputs, [last.input, *others] if others else last.input)


def with_features(network: keras.Model, layer: int) -> keras.Model:
    """Return the network with the output of one of its layers beside its own.

    Args:
        network: Functional model of one output.
        layer: Index among `network.layers`; -2 is the layer before the logits of a discriminator.

    Returns:
        Functional model that shares its layers, inputs -> {"logits", "features"}.

    Raises:
        ValueError: There is no such layer.
    """
    depth = len(network.layers)
    if not -depth <= layer < depth:
        raise ValueError(
            f"layer must be an index among the {depth} layers of {network.name}. "
            f"Received: layer={layer}"
        )
    features = network.layers[layer].output
    return keras.Model(network.inputs, {"logits": network.output, "features": features})


def arrange_inputs(network: keras.Model, inputs: Sequence[Any]) -> Any:
    """Arrange inputs in the structure that a network was built with: a tensor, list, tuple or dictionary.

    Args:
        network: Built Functional model.
        inputs: Inputs in the order of `network.inputs`.
    """
    if isinstance(network, keras.Sequential):
        return inputs[0]
    return keras.tree.pack_sequence_as(network.input, list(inputs))
