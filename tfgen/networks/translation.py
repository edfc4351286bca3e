"""CycleGAN's networks: translators between two domains of images, and discriminators of patches."""

import keras

from tfgen.networks.layout import KERNEL, SLOPE, Layout, down, same, up


def translator(
    shape_in: tuple[int, int, int],
    shape_out: tuple[int, int, int],
    width: int = 16,
    blocks: int = 3,
    normalization: str | None = "batch",
) -> keras.Model:
    """Zhu et al.'s (2017) generator from one domain of images to another, scaled to small images.

    A strided layer halves the size and doubles the channels, residual blocks follow, and a transposed layer
    restores the size.  Their instance normalization takes as long as the convolutions on a CPU, batch
    normalization a quarter of that.

    Args:
        shape_in: (height, width, channels) of the images read.
        shape_out: Shape of the images made; channels may differ.
        width: Number of channels of the layers nearest the images.
        blocks: Number of residual blocks.
        normalization: "batch", "synchronized" (over replicas), "instance" or None.

    Returns:
        Functional model: images (b, *shape_in) in [0, 1] -> images (b, *shape_out) in [0, 1].

    Raises:
        ValueError: An argument is out of range, or the sizes differ or are odd.
    """
    layout = Layout(shape_in, width, normalization)
    if tuple(shape_in[:2]) != tuple(shape_out[:2]) or shape_in[0] % 2:
        raise ValueError(
            "Both domains' images must have one even size. "
            f"Received: shape_in={shape_in}, shape_out={shape_out}"
        )
    images = keras.Input(shape_in, name="originals")
    biased = {"use_bias": not normalization}
    x = keras.layers.Rescaling(2.0, offset=-1.0)(images)
    x = keras.layers.ReLU()(layout.normalize(same(width, KERNEL, **biased)(x)))
    x = keras.layers.ReLU()(layout.normalize(down(2 * width, **biased)(x)))
    for _ in range(blocks):
        inner = keras.layers.ReLU()(layout.normalize(same(2 * width, 3, **biased)(x)))
        x = keras.layers.Add()([x, layout.normalize(same(2 * width, 3, **biased)(inner))])
    x = keras.layers.ReLU()(layout.normalize(up(width, **biased)(x)))
    x = same(shape_out[-1], KERNEL)(x)
    translated = keras.layers.Activation("sigmoid", dtype="float32", name="images")(x)
    return keras.Model(images, translated, name="translator")


def patch_discriminators(
    shape_a: tuple[int, int, int],
    shape_b: tuple[int, int, int],
    width: int = 16,
    normalization: str | None = "batch",
) -> keras.Model:
    """PatchGAN discriminators (Isola et al. 2017) of two domains in one network, l(x) and l(z).

    A patch is 13 pixels wide.  An image's logit is the mean over its patches, so that q_phi(y|x) is one
    Bernoulli per image.

    Args:
        shape_a, shape_b: (height, width, channels) of each domain's images.
        width: Number of channels of the layer nearest the image; it doubles after it.
        normalization: "batch", "synchronized" (over replicas), "instance" or None.

    Returns:
        Functional model: [images of A, images of B] in [0, 1] -> [logits (b, 1), logits (b, 1)],
        float32; the two halves share no layers.

    Raises:
        ValueError: An argument is out of range.
    """
    inputs, logits = [], []
    for domain, shape in (("a", shape_a), ("b", shape_b)):
        layout = Layout(shape, width, normalization)
        images = keras.Input(shape, name=f"images_{domain}")
        x = keras.layers.Rescaling(2.0, offset=-1.0)(images)
        x = keras.layers.LeakyReLU(negative_slope=SLOPE)(down(width, use_bias=True)(x))
        x = layout.normalize(same(2 * width, 3, use_bias=not normalization)(x))
        x = same(1, 3)(keras.layers.LeakyReLU(negative_slope=SLOPE)(x))
        inputs.append(images)
        mean = keras.layers.GlobalAveragePooling2D(dtype="float32", name=f"logits_{domain}")
        logits.append(mean(x))
    return keras.Model(inputs, logits, name="discriminators")
