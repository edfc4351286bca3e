"""Residual generator and discriminator of small photographs, after Miyato et al. (2018), table 4."""

import math
from collections.abc import Callable, Sequence

import keras

from tfgen.layers import Augmentation, Conv2D
from tfgen.networks.dcgan import check_generator, discriminate, modulated_by
from tfgen.networks.layout import SLOPE, Layout
from tfgen.networks.posterior import with_labels

BASE = 4  # rows of the generator's smallest map
HALVINGS = 2  # of the discriminator, whose two last blocks keep their size
BLOCKS = 4  # of the discriminator

Map = keras.KerasTensor
Wrap = Callable[[keras.layers.Layer], keras.layers.Layer]


def residual_generator(
    shape: tuple[int, int, int],
    latent_dim: int = 128,
    width: int = 128,
    num_classes: int | None = None,
    normalization: str | None = "batch",
    modulation: str | None = None,
) -> keras.Model:
    """Residual generator G_theta(z) or, with classes, G_theta(z, t): blocks h + f(h) from a map of 4x4.

    Each block doubles the size of the map:

        f: normalize, ReLU, nearest neighbors at twice the size, 3x3, normalize, ReLU, 3x3

    Args:
        shape: (height, width, channels) of the images, square, 8, 16, 32 or 64 pixels.
        latent_dim: Length of z.
        width: Number of channels of every map.
        num_classes, normalization, modulation: See `tfgen.networks.generator`.

    Returns:
        Functional model: z (b, latent_dim) [, t (b,) int32] -> images (b, *shape) in [0, 1].

    Raises:
        ValueError: An argument is out of range.

    Source: Gulrajani et al. (2017); Miyato et al. (2018), table 4.
    """
    check_generator(num_classes, normalization, modulation)
    layout = _layout(shape, width, normalization)
    latents = keras.Input((latent_dim,), name="latents")
    inputs, codes = with_labels(latents, latents, num_classes)
    modulated = modulated_by(modulation, latents, inputs[1:], num_classes)

    def activated(x: Map) -> Map:
        return keras.layers.ReLU()(modulated(layout.normalize(x)))

    x = keras.layers.Dense(BASE**2 * width)(codes)
    x = keras.layers.Reshape((BASE, BASE, width))(x)
    for _ in range(round(math.log2(shape[0] / BASE))):
        x = _up(x, width, activated)
    x = Conv2D(shape[-1], 3, padding="same")(activated(x))
    images = keras.layers.Activation("sigmoid", dtype="float32", name="images")(x)
    return keras.Model(inputs, images, name="generator")


def residual_discriminator(
    shape: tuple[int, int, int],
    width: int = 128,
    num_classes: int | None = None,
    normalization: str | None = "spectral",
    augment: Sequence[str] = (),
    projection: bool = True,
) -> keras.Model:
    """Residual discriminator l_phi(x) or, with classes, l_phi(x, t): four blocks h + f(h).

    The first two blocks halve the size of the map:

        f: LeakyReLU, 3x3, LeakyReLU, 3x3, mean of 2x2 where the size is halved
        l: LeakyReLU, sum over the map, linear

    With ReLU all units of the last map can die, and the logits then stay 0.

    Args:
        shape: (height, width, channels) of the images, square, 8, 16, 32 or 64 pixels.
        width: Number of channels of every map.
        num_classes, augment, projection: See `tfgen.networks.discriminator`.
        normalization: "spectral" (of the kernels) or None.

    Returns:
        Functional model: images (b, *shape) in [0, 1] [, t (b,) int32] -> logits (b, 1), float32.

    Raises:
        ValueError: An argument is out of range.

    Source: Miyato et al. (2018), table 4; Miyato & Koyama (2018).
    """
    if normalization not in ("spectral", None):
        raise ValueError(
            "normalization of a residual discriminator must be 'spectral' (in recipes spectral=True) or "
            f"None. Received: normalization={normalization!r}"
        )
    layout = _layout(shape, width, normalization)
    images = keras.Input(shape, name="images")
    x = Augmentation(augment)(images) if augment else images
    x = keras.layers.Rescaling(2.0, offset=-1.0)(x)
    for block in range(BLOCKS):
        x = _down(x, width, layout.linear, first=not block, halved=block < HALVINGS)
    x = keras.layers.LeakyReLU(negative_slope=SLOPE)(x)
    pixels = math.prod(x.shape[1:3])
    features = keras.layers.GlobalAveragePooling2D(dtype="float32")(x)
    features = keras.layers.Rescaling(float(pixels), dtype="float32")(features)
    return discriminate(images, features, num_classes, layout.linear, projection)


def _layout(shape: tuple[int, int, int], width: int, normalization: str | None) -> Layout:
    layout = Layout(shape, width, normalization)
    if shape[0] < 2 * BASE or math.log2(shape[0]) % 1:
        raise ValueError(
            f"shape must have 8, 16, 32 or 64 pixels per side. Received: shape={shape}"
        )
    return layout


def _up(x: Map, width: int, activated: Callable[[Map], Map]) -> Map:
    """Return h at twice the size plus f(h)."""
    fresh = keras.layers.UpSampling2D()(activated(x))
    fresh = Conv2D(width, 3, padding="same")(fresh)
    fresh = Conv2D(width, 3, padding="same")(activated(fresh))
    return keras.layers.Add()([fresh, keras.layers.UpSampling2D()(x)])


def _down(x: Map, width: int, linear: Wrap, *, first: bool, halved: bool) -> Map:
    """Return h plus f(h); where the size is halved, h passes a mean and 1x1."""
    fresh = x if first else keras.layers.LeakyReLU(negative_slope=SLOPE)(x)
    fresh = linear(Conv2D(width, 3, padding="same"))(fresh)
    fresh = linear(Conv2D(width, 3, padding="same"))(
        keras.layers.LeakyReLU(negative_slope=SLOPE)(fresh)
    )
    if halved:
        fresh, x = keras.layers.AveragePooling2D(2)(fresh), keras.layers.AveragePooling2D(2)(x)
        x = linear(Conv2D(width, 1))(x)
    return keras.layers.Add()([fresh, x])
