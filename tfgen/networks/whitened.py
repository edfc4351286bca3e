"""Evaluator of color pictures: whitened patches, then pooled residual blocks."""

from collections.abc import Sequence

import keras

from tfgen.layers import BatchNormalization, PatchWhitening

MOMENTUM = 0.8  # of running statistics: training is a few thousand steps long
LOGIT_SCALE = 1 / 3


def whitened_network(
    shape: tuple[int, int, int], num_classes: int, widths: Sequence[int] = (48, 128, 192)
) -> keras.Model:
    """Jordan's (2024) network for CIFAR-10 with residual blocks, f_omega(t|x).

    A frozen layer whitens 2x2 patches.  Then each block has a 3x3 convolution whose map is pooled, and two
    more convolutions with a shortcut around them; the feature is the maximum over positions.  ReLU replaces
    GELU, which takes a fifth of a step on a CPU.

    Args:
        shape: (height, width, channels) of the images; every block halves the map, rounding down.
        num_classes: Number of classes.
        widths: Number of channels of each block.

    Returns:
        Functional model: images (b, *shape) in [0, 1] -> {"logits": (b, num_classes), "features":
        (b, widths[-1])}, float32.  `PatchWhitening.adapt` must see training images first.

    Raises:
        ValueError: The images are too small for so many blocks.

    Source: Jordan (2024), arXiv 2404.00498; He et al. (2016).
    """
    if min(shape[:2]) - 1 < 2 ** len(widths):
        raise ValueError(
            "Images must have more than 2^blocks pixels per side. "
            f"Received: shape={shape}, widths={tuple(widths)}"
        )
    images = keras.Input(shape, name="images")
    x = keras.layers.Rescaling(2.0, offset=-1.0, name="scaled")(images)
    x = keras.layers.ReLU()(PatchWhitening(name="whitening")(x))
    for filters in widths:
        x = _convolution(filters)(x)
        x = keras.layers.ReLU()(_normalize(keras.layers.MaxPooling2D()(x)))
        inner = keras.layers.ReLU()(_normalize(_convolution(filters)(x)))
        inner = _normalize(_convolution(filters)(inner))
        x = keras.layers.ReLU()(keras.layers.Add()([x, inner]))
    features = keras.layers.GlobalMaxPooling2D(dtype="float32", name="features")(x)
    logits = keras.layers.Dense(num_classes, use_bias=False, dtype="float32")(features)
    logits = keras.layers.Rescaling(LOGIT_SCALE, dtype="float32", name="logits")(logits)
    return keras.Model(images, {"logits": logits, "features": features}, name="whitened_network")


def _convolution(filters):
    return keras.layers.Conv2D(filters, 3, padding="same", use_bias=False)


def _normalize(x):
    return BatchNormalization(momentum=MOMENTUM)(x)
