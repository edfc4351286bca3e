"""DCGAN's generator and discriminator, and the discriminator as classifier and as inference net."""

from collections.abc import Callable, Sequence

import keras

from tfgen.checks import check_integer
from tfgen.layers import ChannelScale, MixturePrior, Modulation, OneHot
from tfgen.networks.layout import SLOPE, Layout, head, start, trunk, up
from tfgen.networks.posterior import posterior, with_labels

PRIOR = "prior"  # the layer of theta that has a learned p(z)
MODULATIONS = (None, "latents", "labels", "both")
MODULATING = 32  # units of self-modulation's hidden layer


def generator(
    shape: tuple[int, int, int],
    latent_dim: int = 64,
    width: int = 64,
    num_classes: int | None = None,
    normalization: str | None = "batch",
    scaled: bool = False,
    mixture_prior: int | None = None,
    modulation: str | None = None,
) -> keras.Model:
    """DCGAN's generator G_theta(z) or, with classes, G_theta(z, t); also a VAE's means.

    Args:
        shape: (height, width, channels) of the images, square, 8 to 64 pixels.
        latent_dim: Length of z.
        width: Number of channels of the layer nearest the image; it doubles toward z.
        num_classes: If given, class labels t are a second input.
        normalization: "batch", "synchronized" (over replicas) or None.
        scaled: Whether a second output is the learned scale of each channel, for likelihoods with a scale.
        mixture_prior: Number of Gaussians of a learned prior p(z), the layer `PRIOR`; None for N(0, I).
        modulation: Condition that scales and shifts every normalized map, see `tfgen.layers.Modulation`:
            "latents" (Chen et al. 2019), "labels" (class-conditional batch normalization), "both" or None.

    Returns:
        Functional model: z (b, latent_dim) [, t (b,) int32] -> images (b, *shape) in [0, 1], or
        [images, scale (b, 1, 1, channels)].

    Raises:
        ValueError: An argument is out of range.
    """
    check_generator(num_classes, normalization, modulation)
    layout = Layout(shape, width, normalization)
    latents = codes = keras.Input((latent_dim,), name="latents")
    if mixture_prior is not None:
        check_integer("mixture_prior", mixture_prior, 1)
        codes = MixturePrior(mixture_prior, name=PRIOR)(latents)
    inputs, x = with_labels(latents, codes, num_classes)
    modulated = modulated_by(modulation, codes, inputs[1:], num_classes)
    *channels, top = layout.channels
    x = keras.layers.Dense(layout.base**2 * top, use_bias=not normalization, **start())(x)
    x = keras.layers.Reshape((layout.base, layout.base, top))(x)
    x = keras.layers.ReLU()(modulated(layout.normalize(x)))
    for filters in channels[::-1]:
        x = up(filters, use_bias=not normalization)(x)
        x = keras.layers.ReLU()(modulated(layout.normalize(x)))
    x = up(shape[-1])(x)
    x = keras.layers.Cropping2D(layout.frame)(x) if layout.frame else x
    images = keras.layers.Activation("sigmoid", dtype="float32", name="images")(x)
    outputs = [images, ChannelScale(name="scale")(images)] if scaled else images
    return keras.Model(inputs, outputs, name="generator")


def check_generator(
    num_classes: int | None, normalization: str | None, modulation: str | None
) -> None:
    """Check the normalization and the modulation of a generator.

    Raises:
        ValueError: A generator has no such normalization, or no classes to be modulated by.
    """
    if normalization == "spectral":
        raise ValueError(
            "Spectral normalization is for discriminators and encoders only. "
            f"Received: normalization={normalization!r}"
        )
    if modulation not in MODULATIONS or (modulation in ("labels", "both") and num_classes is None):
        raise ValueError(
            f"modulation must be one of {MODULATIONS}, and by labels where there are classes. "
            f"Received: modulation={modulation!r}, num_classes={num_classes}"
        )


def modulated_by(
    modulation: str | None,
    codes: keras.KerasTensor,
    labels: list[keras.KerasTensor],
    num_classes: int | None,
) -> Callable[[keras.KerasTensor], keras.KerasTensor]:
    """Return a function of maps that scales and shifts them by the condition that `modulation` names."""
    if modulation is None:
        return lambda maps: maps
    if modulation == "latents":
        return lambda maps: Modulation(MODULATING)([maps, codes])
    classes = OneHot(num_classes)(*labels)
    if modulation == "labels":
        return lambda maps: Modulation()([maps, classes])
    condition = keras.layers.Concatenate()([codes, classes])
    return lambda maps: Modulation(MODULATING)([maps, condition])


def discriminator(
    shape: tuple[int, int, int],
    width: int = 64,
    num_classes: int | None = None,
    normalization: str | None = "batch",
    augment: Sequence[str] = (),
    projection: bool = True,
) -> keras.Model:
    """DCGAN's discriminator l_phi(x) or, with classes, l_phi(x, t).

    Labels enter as Miyato & Koyama's (2018) inner product, l(x, t) = a.h(x) + b + v_t.h(x), or without
    projection beside the features in a hidden layer, l(x, t) = a.LeakyReLU(W h(x) + v_t) + b.

    Args:
        shape: (height, width, channels) of the images.
        width: Number of channels of the layer nearest the image; it doubles away from it.
        num_classes: If given, class labels t are a second input.
        normalization: "batch", "synchronized" (over replicas), "spectral" (of the kernels) or None.
        augment: Names of `tfgen.layers.augmentation.AUGMENTATIONS`, applied to all images in training.
        projection: Whether labels enter by the inner product.

    Returns:
        Functional model: images (b, *shape) in [0, 1] [, t (b,) int32] -> logits (b, 1), float32.

    Raises:
        ValueError: An argument is out of range.
    """
    layout = Layout(shape, width, normalization)
    images, features = trunk(shape, width, normalization, augment)
    return discriminate(images, features, num_classes, layout.linear, projection)


def discriminate(
    images: keras.KerasTensor,
    features: keras.KerasTensor,
    num_classes: int | None,
    linear: Callable[[keras.layers.Layer], keras.layers.Layer],
    projection: bool,
) -> keras.Model:
    """Return the discriminator l(x) or, with classes, l(x, t) from features of x, see `discriminator`.

    Args:
        images: Input x, (b, h, w, c).
        features: h(x), (b, d).
        num_classes: If given, class labels t are a second input.
        linear: Function of a layer that normalizes its kernel, or returns it as it is.
        projection: Whether labels enter by the inner product.

    Raises:
        ValueError: There is no projection and no label that could enter otherwise.
    """
    if num_classes is None and not projection:
        raise ValueError(
            "projection=False needs labels. Received: projection=False, num_classes=None"
        )
    top = linear(head(1, name="logits"))
    if num_classes is None:
        return keras.Model(images, top(features), name="discriminator")
    labels = keras.Input((), dtype="int32", name="labels")
    classes = OneHot(num_classes, dtype="float32")(labels)
    size = features.shape[-1]
    if projection:
        inner = keras.layers.Dot(axes=1, dtype="float32")
        directions = linear(head(size, use_bias=False))(classes)
        logits = keras.layers.Add(dtype="float32")([top(features), inner([features, directions])])
    else:
        joined = keras.layers.Concatenate(dtype="float32")([features, classes])
        hidden = keras.layers.LeakyReLU(negative_slope=SLOPE, dtype="float32")
        logits = top(hidden(linear(head(size))(joined)))
    return keras.Model([images, labels], logits, name="discriminator")


def classifier(
    shape: tuple[int, int, int],
    num_classes: int,
    width: int = 64,
    normalization: str | None = "batch",
) -> keras.Model:
    """DCGAN's discriminator with one logit per class, f_omega(t|x).

    Args:
        shape: (height, width, channels) of the images.
        num_classes: Number of classes.
        width: Number of channels of the layer nearest the image; it doubles away from it.
        normalization: "batch", "synchronized" (over replicas) or None.

    Returns:
        Functional model: images (b, *shape) in [0, 1] -> logits (b, num_classes), float32.

    Raises:
        ValueError: An argument is out of range.
    """
    images, features = trunk(shape, width, normalization)
    return keras.Model(images, head(num_classes, name="logits")(features), name="classifier")


def encoder(
    shape: tuple[int, int, int],
    latent_dim: int = 64,
    width: int = 64,
    num_classes: int | None = None,
    normalization: str | None = "batch",
) -> keras.Model:
    """DCGAN's discriminator as inference net, q_eta(z|x) or, with classes, q_eta(z|x, t).

    Labels are concatenated to the features after the convolutions, so that the bounds of all classes need
    one pass through the convolutions: with classes, the network consists of a layer "trunk", images ->
    features, and a layer "head", (features, labels) -> outputs.

    Args:
        shape: (height, width, channels) of the images.
        latent_dim: Length of z.
        width: Number of channels of the layer nearest the image; it doubles away from it.
        num_classes: If given, class labels t are a second input.
        normalization: "batch", "synchronized" (over replicas) or None.

    Returns:
        Functional model: images (b, *shape) in [0, 1] [, t (b,) int32] -> {"mean": (b, latent_dim),
        "scale": (b, latent_dim), positive}, float32.

    Raises:
        ValueError: An argument is out of range.
    """
    images, features = trunk(shape, width, normalization)
    return posterior(images, features, latent_dim, num_classes, hidden=4 * width)


def code_posterior(
    shape: tuple[int, int, int],
    num_categories: int,
    num_continuous: int,
    width: int = 64,
    normalization: str | None = "batch",
) -> keras.Model:
    """DCGAN's discriminator as InfoGAN's inference net, q_eta(c|x) of a code c.

    Args:
        shape: (height, width, channels) of the images.
        num_categories: Number of values of the categorical code.
        num_continuous: Number of continuous codes.
        width: Number of channels of the layer nearest the image; it doubles away from it.
        normalization: "batch", "synchronized" (over replicas) or None.

    Returns:
        Functional model: images (b, *shape) in [0, 1] -> {"logits": (b, num_categories), "mean": (b,
        num_continuous)}, float32.

    Raises:
        ValueError: An argument is out of range.
    """
    images, features = trunk(shape, width, normalization)
    logits = head(num_categories, name="logits")(features)
    mean = head(num_continuous, name="mean")(features)
    return keras.Model(images, {"logits": logits, "mean": mean}, name="encoder")


def code_encoder(
    shape: tuple[int, int, int],
    size: int,
    width: int = 64,
    normalization: str | None = "batch",
    activation: str | None = None,
) -> keras.Model:
    """DCGAN's discriminator as a deterministic inference net, z = E_eta(x).

    Args:
        shape: (height, width, channels) of the images.
        size: Length of the code.
        width: Number of channels of the layer nearest the image; it doubles away from it.
        normalization: "batch", "synchronized" (over replicas) or None.
        activation: Activation of the code's units, by default none.

    Returns:
        Functional model: images (b, *shape) in [0, 1] -> (b, size), float32.

    Raises:
        ValueError: An argument is out of range.
    """
    images, features = trunk(shape, width, normalization)
    head = keras.layers.Dense(size, activation, dtype="float32", name="codes", **start())
    return keras.Model(images, head(features), name="encoder")
