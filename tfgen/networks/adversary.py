"""Generator and discriminator by the options that recipes of all members share."""

import inspect
from collections.abc import Sequence
from typing import Any

import keras

from tfgen.networks.dcgan import discriminator, generator
from tfgen.networks.residual import residual_discriminator, residual_generator


def adversary(
    shape: tuple[int, int, int],
    width: int,
    num_classes: int | None = None,
    normalization: str | None = "batch",
    *,
    spectral: bool = False,
    augment: Sequence[str] = (),
    residual: bool = False,
    projection: bool = True,
) -> keras.Model:
    """Discriminator l_phi(x) or l_phi(x, t) of a member: DCGAN's, or a residual one.

    Args:
        shape, width, num_classes, normalization, augment, projection: See `tfgen.networks.discriminator`.
        spectral: Whether it has spectral normalization instead of `normalization`.
        residual: Whether it is `tfgen.networks.residual_discriminator`.

    Returns:
        Functional model: images (b, *shape) in [0, 1] [, t (b,) int32] -> logits (b, 1), float32.

    Raises:
        ValueError: An argument is out of range.
    """
    build = residual_discriminator if residual else discriminator
    kernels = "spectral" if spectral else normalization
    return build(shape, width, num_classes, kernels, augment, projection)


def optional_adversary(
    present: bool,
    shape: tuple[int, int, int],
    width: int,
    num_classes: int | None = None,
    normalization: str | None = "batch",
    **options: Any,
) -> keras.Model | None:
    """Return the `adversary` of a member that may have none, or None.

    Args:
        present: Whether the member has one.
        shape, width, num_classes, normalization: See `adversary`.
        options: Options of `adversary`, without which it has their default values.

    Raises:
        ValueError: An option is given, and there is no adversary to take it.
    """
    if present:
        return adversary(shape, width, num_classes, normalization, **options)
    defaults = inspect.signature(adversary).parameters
    if given := [n for n, value in options.items() if bool(value) != bool(defaults[n].default)]:
        raise ValueError(
            f"{', '.join(given)} of a discriminator need adversary=True. Received: adversary=False"
        )
    return None


def image_generator(
    shape: tuple[int, int, int],
    latent_dim: int,
    width: int,
    num_classes: int | None = None,
    normalization: str | None = "batch",
    *,
    modulation: str | None = None,
    residual: bool = False,
) -> keras.Model:
    """Generator G_theta(z) or G_theta(z, t) of a member without a likelihood: DCGAN's, or a residual one.

    Args:
        shape, latent_dim, width, num_classes, normalization, modulation: See `tfgen.networks.generator`.
        residual: Whether it is `tfgen.networks.residual_generator`.

    Returns:
        Functional model: z (b, latent_dim) [, t (b,) int32] -> images (b, *shape) in [0, 1].

    Raises:
        ValueError: An argument is out of range.
    """
    build = residual_generator if residual else generator
    return build(shape, latent_dim, width, num_classes, normalization, modulation=modulation)
