"""Building blocks of DCGAN's networks: the layout of their layers, and the layers."""

import math
from collections.abc import Sequence
from typing import Any

import keras

from tfgen.layers import (
    Augmentation,
    BatchNormalization,
    Conv2D,
    Conv2DTranspose,
    SpectralNormalization,
)

KERNEL = 5
SLOPE = 0.2
MOMENTUM = 0.9  # of running statistics: Keras' 0.99 lags behind in data sets of few batches
NORMALIZATIONS = ("batch", "synchronized", "instance", "spectral", None)
CENTERING = ("batch", "synchronized", "instance")  # a bias before them is lost


class Layout:
    """Number and widths of the strided layers between the images and the smallest map."""

    def __init__(self, shape: tuple[int, int, int], width: int, normalization: str | None):
        if len(shape) != 3 or shape[0] != shape[1] or not 8 <= shape[0] <= 64:
            raise ValueError(
                f"shape must be (size, size, channels) with 8 <= size <= 64. Received: shape={shape}"
            )
        if width < 1:
            raise ValueError(f"width must be at least 1. Received: width={width}")
        if normalization not in NORMALIZATIONS:
            raise ValueError(
                f"normalization must be one of {NORMALIZATIONS}. "
                f"Received: normalization={normalization!r}"
            )
        size = shape[0]
        depth = math.ceil(math.log2(size)) - (1 if size <= 16 else 2)
        self.base = 2 if size <= 16 else 4
        missing = self.base * 2**depth - size
        border = (missing // 2, missing - missing // 2)
        self.frame = (border, border) if missing else None
        self.channels = [width * 2**level for level in range(depth)]
        self._normalization = normalization
        self.biased = normalization not in CENTERING

    def linear(self, layer: int) -> keras.KerasTensor:
        """Return the layer, with spectral normalization if the layout has it."""
        return SpectralNormalization(layer) if self._normalization == "spectral" else layer

    def normalize(self, x: keras.KerasTensor) -> keras.KerasTensor:
        if self._normalization in ("spectral", None):
            return x
        if self._normalization == "instance":
            return keras.layers.GroupNormalization(groups=-1, epsilon=1e-5)(x)
        return BatchNormalization(
            momentum=MOMENTUM, epsilon=1e-5, synchronized=self._normalization == "synchronized"
        )(x)


def trunk(
    shape: tuple[int, int, int], width: int, normalization: str | None, augment: Sequence[str] = ()
) -> tuple[keras.KerasTensor, keras.KerasTensor]:
    layout = Layout(shape, width, normalization)
    images = keras.Input(shape, name="images")
    x = Augmentation(augment)(images) if augment else images
    x = keras.layers.ZeroPadding2D(layout.frame)(x) if layout.frame else x
    x = keras.layers.Rescaling(2.0, offset=-1.0)(x)
    for level, filters in enumerate(layout.channels):
        x = layout.linear(down(filters, use_bias=layout.biased or not level))(x)
        x = layout.normalize(x) if level else x
        x = keras.layers.LeakyReLU(negative_slope=SLOPE)(x)
    return images, keras.layers.Flatten()(x)


def start() -> dict[str, Any]:
    return {"kernel_initializer": keras.initializers.RandomNormal(0.0, 0.02)}


def down(filters: int, use_bias: bool) -> keras.layers.Layer:
    return Conv2D(filters, KERNEL, strides=2, padding="same", use_bias=use_bias, **start())


def same(filters: int, kernel: int, use_bias: bool = True) -> keras.layers.Layer:
    return Conv2D(filters, kernel, padding="same", use_bias=use_bias, **start())


def up(filters: int, use_bias: bool = True) -> keras.layers.Layer:
    return Conv2DTranspose(filters, KERNEL, strides=2, padding="same", use_bias=use_bias, **start())


def head(units: int, use_bias: bool = True, name: str | None = None) -> keras.layers.Layer:
    return keras.layers.Dense(units, use_bias=use_bias, dtype="float32", name=name, **start())
