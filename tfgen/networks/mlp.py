"""Networks of dense layers, for small images and for codes, and predictors of a code's units."""

import math

import keras

from tfgen.layers import ChannelScale, LeaveOneOut
from tfgen.networks.layout import SLOPE
from tfgen.networks.posterior import posterior, with_labels


def mlp_encoder(
    shape: tuple[int, ...],
    latent_dim: int = 50,
    hidden: int = 500,
    num_classes: int | None = None,
    activation: str | None = "softplus",
    layers: int = 1,
) -> keras.Model:
    """Inference net of dense layers, as in Kingma et al. (2014): q_eta(z|x) or q_eta(z|x, t).

    Args:
        shape: (height, width, channels) of the images.
        latent_dim: Length of z.
        hidden: Number of units of each hidden layer.
        num_classes: If given, class labels t are a second input, read by one more hidden layer.
        activation: Activation of the hidden layers that read only the image.
        layers: Number of those layers.

    Returns:
        Functional model, see `encoder`.
    """
    images = keras.Input(shape, name="images")
    features = keras.layers.Flatten()(images)
    for _ in range(layers):
        features = keras.layers.Dense(hidden, activation=activation)(features)
    return posterior(images, features, latent_dim, num_classes, hidden)


def mlp_generator(
    shape: tuple[int, ...],
    latent_dim: int = 50,
    hidden: int = 500,
    num_classes: int | None = None,
    activation: str | None = "softplus",
    scaled: bool = False,
) -> keras.Model:
    """Decoder of two hidden layers, as in Kingma et al. (2014): Bernoulli means from z or (z, t).

    Args:
        shape: (height, width, channels) of the images.
        latent_dim: Length of z.
        hidden: Number of units of each hidden layer.
        num_classes: If given, class labels t are a second input.
        activation: Activation of the hidden layers.
        scaled: See `generator`.

    Returns:
        Functional model, see `generator`.
    """
    latents = keras.Input((latent_dim,), name="latents")
    inputs, x = with_labels(latents, latents, num_classes)
    for _ in range(2):
        x = keras.layers.Dense(hidden, activation=activation)(x)
    x = keras.layers.Reshape(shape)(keras.layers.Dense(math.prod(shape))(x))
    images = keras.layers.Activation("sigmoid", dtype="float32", name="images")(x)
    outputs = [images, ChannelScale(name="scale")(images)] if scaled else images
    return keras.Model(inputs, outputs, name="generator")


def mlp_classifier(shape: tuple[int, ...], num_classes: int, hidden: int = 500) -> keras.Model:
    """Classifier of one hidden layer, as in Kingma et al. (2014): logits of q_omega(t|x).

    Args:
        shape: (height, width, channels) of the images.
        num_classes: Number of classes.
        hidden: Number of units of the hidden layer.

    Returns:
        Functional model, see `classifier`.
    """
    images = keras.Input(shape, name="images")
    x = keras.layers.Dense(hidden, activation="softplus")(keras.layers.Flatten()(images))
    logits = keras.layers.Dense(num_classes, dtype="float32", name="logits")(x)
    return keras.Model(images, logits, name="classifier")


def mlp_discriminator(shape: tuple[int, ...], hidden: int = 500, layers: int = 2) -> keras.Model:
    """Discriminator of dense layers, of codes (Makhzani et al. 2015) or of small images.

    Args:
        shape: Shape of one input: (d,) for codes, (height, width, channels) for images.
        hidden: Number of units of each hidden layer.
        layers: Number of hidden layers.

    Returns:
        Functional model: inputs (b, *shape) -> logits (b, 1), float32.
    """
    inputs = keras.Input(shape, name="latents" if len(shape) == 1 else "images")
    x = keras.layers.Flatten()(inputs)
    for _ in range(layers):
        x = keras.layers.LeakyReLU(negative_slope=SLOPE)(keras.layers.Dense(hidden)(x))
    logits = keras.layers.Dense(1, dtype="float32", name="logits")(x)
    return keras.Model(inputs, logits, name="discriminator")


def predictors(size: int, hidden: int = 64) -> keras.Model:
    """One predictor per unit of a binary code, P_phi(z_i|z_-i) (Schmidhuber 1992), of one hidden layer.

    Args:
        size: Number of units, at least 2.
        hidden: Number of hidden units of each predictor.

    Returns:
        Functional model: codes (b, size) -> logits (b, size), float32; the i-th logit does not depend
        on the i-th unit.
    """
    codes = keras.Input((size,), name="latents")
    x = LeaveOneOut()(codes)  # (b, size, size - 1)
    # Small weights: Keras initializes all predictors as one layer, and confident random predictors would
    # drive the encoder's units to constants before they had learned anything.
    x = keras.layers.EinsumDense("bim,imh->bih", (size, hidden), bias_axes="ih")(x)
    x = keras.layers.LeakyReLU(negative_slope=SLOPE)(x)
    logits = keras.layers.EinsumDense("bih,ih->bi", (size,), bias_axes="i", dtype="float32")(x)
    return keras.Model(codes, logits, name="predictors")
