"""Residual network of the evaluators; feature net of domain adaptation, and a classifier on it."""

import math

import keras

from tfgen.layers import BatchNormalization, Conv2D
from tfgen.networks.layout import KERNEL, MOMENTUM
from tfgen.networks.mlp import mlp_classifier

GROUPS = 8  # of channels, where images are normalized one by one


def residual_network(
    shape: tuple[int, int, int], num_classes: int, width: int = 16, blocks: int = 2
) -> keras.Model:
    """Pre-activation residual network (He et al. 2016), the evaluators' f_omega(t|x).

    Three stages for pictures of 16 pixels and more, two for smaller ones; each later stage halves
    the size and doubles the channels.

    Args:
        shape: (height, width, channels) of the images.
        num_classes: Number of classes.
        width: Number of channels of the first stage.
        blocks: Number of residual blocks per stage.

    Returns:
        Functional model: images (b, *shape) in [0, 1] -> {"logits": (b, num_classes), "features":
        (b, d)}, float32; the features are the input of the last linear layer.
    """
    images = keras.Input(shape, name="images")
    x = keras.layers.Rescaling(2.0, offset=-1.0)(images)
    x = keras.layers.Conv2D(width, 3, padding="same", use_bias=False)(x)
    for stage in range(3 if min(shape[:2]) >= 16 else 2):
        for block in range(blocks):
            x = _residual_block(x, width * 2**stage, strides=2 if stage and not block else 1)
    x = keras.layers.ReLU()(BatchNormalization(momentum=MOMENTUM)(x))
    features = keras.layers.GlobalAveragePooling2D(dtype="float32", name="features")(x)
    logits = keras.layers.Dense(num_classes, dtype="float32", name="logits")(features)
    return keras.Model(images, {"logits": logits, "features": features}, name="residual_network")


def _residual_block(x, filters, strides):
    activated = keras.layers.ReLU()(BatchNormalization(momentum=MOMENTUM)(x))
    shortcut = x
    if strides > 1 or x.shape[-1] != filters:
        shortcut = Conv2D(filters, 1, strides=strides, use_bias=False)(activated)
    x = Conv2D(filters, 3, strides=strides, padding="same", use_bias=False)(activated)
    x = keras.layers.ReLU()(BatchNormalization(momentum=MOMENTUM)(x))
    x = Conv2D(filters, 3, padding="same", use_bias=False)(x)
    return keras.layers.Add()([x, shortcut])


def extractor(shape: tuple[int, int, int], width: int = 32) -> keras.Model:
    """Ganin et al.'s (2016) feature net for digits, G_theta(z): two 5x5 convolutions, each pooled.

    Group normalization (Wu & He 2018) treats each image on its own, since batches mix two domains.
    Convolutions are not padded, except for images of fewer than 16 pixels.

    Args:
        shape: (height, width, channels) of the images, at least 4 pixels.
        width: Number of channels of the first layer (32 and 48 in Ganin et al.'s two layers).

    Returns:
        Functional model: images (b, *shape) in [0, 1] -> features (b, d), float32.
    """
    images = keras.Input(shape, name="images")
    x = keras.layers.Rescaling(2.0, offset=-1.0)(images)
    padding = "valid" if min(shape[:2]) >= 16 else "same"
    for filters in (width, 3 * width // 2):
        x = keras.layers.Conv2D(filters, KERNEL, padding=padding)(x)
        x = keras.layers.GroupNormalization(math.gcd(filters, GROUPS))(x)
        x = keras.layers.MaxPooling2D()(keras.layers.ReLU()(x))
    features = keras.layers.Flatten(dtype="float32", name="features")(x)
    return keras.Model(images, features, name="extractor")


def pooled_classifier(
    shape: tuple[int, int, int], num_classes: int, width: int = 32, hidden: int = 100
) -> keras.Model:
    """Ganin et al.'s (2016) label predictor on their feature net, f_omega(t|x).

    From few labels it learns more than DCGAN's discriminator.

    Args:
        shape, width: See `extractor`.
        num_classes: Number of classes.
        hidden: Number of units of its dense layer.

    Returns:
        Functional model, see `tfgen.networks.classifier`.
    """
    features = extractor(shape, width)
    logits = mlp_classifier(features.output_shape[1:], num_classes, hidden)(features.output)
    return keras.Model(features.input, logits, name="classifier")
