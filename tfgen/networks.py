"""Builders of the networks that play theta, phi, eta and omega: Functional Keras models.

Generators, discriminators and encoders follow DCGAN (Radford et al. 2015): 5x5 kernels at stride 2,
batch normalisation except at the image ends, weights from N(0, 0.02), LeakyReLU of slope 0.2 on the
way down and ReLU on the way up.  Pictures of 28 pixels are framed to 32, since three strided
layers learn far better than two.  The evaluators are pre-activation residual networks (He et al. 2016).

A saved model holds its networks' graphs, so that editing this file breaks no file saved before.
"""

import math

import keras

from tfgen.layers import (
    BatchNormalization,
    ChannelScale,
    Conv2D,
    Conv2DTranspose,
    LeaveOneOut,
    OneHot,
)

KERNEL = 5
SLOPE = 0.2
MOMENTUM = 0.9  # of running statistics: Keras' 0.99 lags behind in data sets of few batches
TRUNK, HEAD = "trunk", "head"  # parts of a conditional encoder
SMALLEST_SCALE = 1e-6  # of q_eta(z|x), so that its logarithm stays finite
GROUPS = 8  # of channels, where images are normalised one by one
NORMALISATIONS = ("batch", "synchronised", "instance", None)


def generator(
    shape, latent_dim=64, width=64, num_classes=None, normalisation="batch", scaled=False
):
    """DCGAN's generator G_theta(z) or, with classes, G_theta(z, t); also a VAE's means.

    Args:
        shape: (height, width, channels) of the images, square, 8 to 64 pixels.
        latent_dim: length of z.
        width: channels of the layer nearest the image; they double towards z.
        num_classes: if given, class labels t are a second input.
        normalisation: "batch", "synchronised" (over replicas) or None.
        scaled: a second output is the learned scale of each channel, for likelihoods that have one.

    Returns:
        Functional model: z (b, latent_dim) [, t (b,) int32] -> images (b, *shape) in [0, 1], or
        [images, scale (b, 1, 1, channels)].

    Raises:
        ValueError: an argument is out of range.
    """
    layout = _Layout(shape, width, normalisation)
    latents = keras.Input((latent_dim,), name="latents")
    inputs, x = _with_labels(latents, latents, num_classes)
    *channels, top = layout.channels
    x = keras.layers.Dense(layout.base**2 * top, use_bias=not normalisation, **_start())(x)
    x = keras.layers.Reshape((layout.base, layout.base, top))(x)
    x = keras.layers.ReLU()(layout.normalise(x))
    for filters in channels[::-1]:
        x = _up(filters, use_bias=not normalisation)(x)
        x = keras.layers.ReLU()(layout.normalise(x))
    x = _up(shape[-1])(x)
    x = keras.layers.Cropping2D(layout.frame)(x) if layout.frame else x
    images = keras.layers.Activation("sigmoid", dtype="float32", name="images")(x)
    outputs = [images, ChannelScale(name="scale")(images)] if scaled else images
    return keras.Model(inputs, outputs, name="generator")


def discriminator(shape, width=64, num_classes=None, normalisation="batch"):
    """DCGAN's discriminator l_phi(x) or, with classes, l_phi(x, t) by projection.

    Labels enter as Miyato & Koyama's (2018) inner product: l(x, t) = a.h(x) + b + v_t.h(x).

    Args:
        shape: (height, width, channels) of the images.
        width: channels of the layer nearest the image; they double away from it.
        num_classes: if given, class labels t are a second input.
        normalisation: "batch", "synchronised" (over replicas) or None.

    Returns:
        Functional model: images (b, *shape) in [0, 1] [, t (b,) int32] -> logits (b, 1), float32.

    Raises:
        ValueError: an argument is out of range.
    """
    images, features = _trunk(shape, width, normalisation)
    logits = _head(1, name="logits")(features)
    if num_classes is None:
        return keras.Model(images, logits, name="discriminator")
    labels = keras.Input((), dtype="int32", name="labels")
    directions = _head(features.shape[-1], use_bias=False)(
        OneHot(num_classes, dtype="float32")(labels)
    )
    projection = keras.layers.Dot(axes=1, dtype="float32")([features, directions])
    logits = keras.layers.Add(dtype="float32")([logits, projection])
    return keras.Model([images, labels], logits, name="discriminator")


def classifier(shape, num_classes, width=64, normalisation="batch"):
    """DCGAN's discriminator with one logit a class, f_omega(t|x).

    Args:
        shape: (height, width, channels) of the images.
        num_classes: number of classes.
        width: channels of the layer nearest the image; they double away from it.
        normalisation: "batch", "synchronised" (over replicas) or None.

    Returns:
        Functional model: images (b, *shape) in [0, 1] -> logits (b, num_classes), float32.

    Raises:
        ValueError: an argument is out of range.
    """
    images, features = _trunk(shape, width, normalisation)
    return keras.Model(images, _head(num_classes, name="logits")(features), name="classifier")


def encoder(shape, latent_dim=64, width=64, num_classes=None, normalisation="batch"):
    """DCGAN's discriminator as inference net, q_eta(z|x) or, with classes, q_eta(z|x, t).

    Labels join the features of the image behind the convolutions, so that the bounds of all classes
    need one pass through them: with classes, the network is its layer "trunk", images -> features,
    followed by its layer "head", (features, labels) -> outputs.

    Args:
        shape: (height, width, channels) of the images.
        latent_dim: length of z.
        width: channels of the layer nearest the image; they double away from it.
        num_classes: if given, class labels t are a second input.
        normalisation: "batch", "synchronised" (over replicas) or None.

    Returns:
        Functional model: images (b, *shape) in [0, 1] [, t (b,) int32] -> {"mean": (b, latent_dim),
        "scale": (b, latent_dim), positive}, float32.

    Raises:
        ValueError: an argument is out of range.
    """
    images, features = _trunk(shape, width, normalisation)
    return _posterior(images, features, latent_dim, num_classes, hidden=4 * width)


def code_posterior(shape, num_categories, num_continuous, width=64, normalisation="batch"):
    """DCGAN's discriminator as InfoGAN's inference net, q_eta(c|x) of a code c.

    Args:
        shape: (height, width, channels) of the images.
        num_categories: number of values of the categorical code.
        num_continuous: number of continuous codes.
        width: channels of the layer nearest the image; they double away from it.
        normalisation: "batch", "synchronised" (over replicas) or None.

    Returns:
        Functional model: images (b, *shape) in [0, 1] -> {"logits": (b, num_categories), "mean": (b,
        num_continuous)}, float32.

    Raises:
        ValueError: an argument is out of range.
    """
    images, features = _trunk(shape, width, normalisation)
    logits = _head(num_categories, name="logits")(features)
    mean = _head(num_continuous, name="mean")(features)
    return keras.Model(images, {"logits": logits, "mean": mean}, name="encoder")


def code_encoder(shape, size, width=64, normalisation="batch", activation=None):
    """DCGAN's discriminator as a deterministic inference net, z = E_eta(x).

    Args:
        shape: (height, width, channels) of the images.
        size: length of the code.
        width: channels of the layer nearest the image; they double away from it.
        normalisation: "batch", "synchronised" (over replicas) or None.
        activation: of the code's units, by default none.

    Returns:
        Functional model: images (b, *shape) in [0, 1] -> (b, size), float32.

    Raises:
        ValueError: an argument is out of range.
    """
    images, features = _trunk(shape, width, normalisation)
    head = keras.layers.Dense(size, activation, dtype="float32", name="codes", **_start())
    return keras.Model(images, head(features), name="encoder")


def predictors(size, hidden=64):
    """One predictor a unit of a binary code, P_phi(z_i|z_-i) (Schmidhuber 1992), of one hidden layer.

    Args:
        size: number of units, at least 2.
        hidden: hidden units of each predictor.

    Returns:
        Functional model: codes (b, size) -> logits (b, size), float32, of which the i-th does not
        depend on the i-th unit.
    """
    codes = keras.Input((size,), name="latents")
    x = LeaveOneOut()(codes)  # (b, size, size - 1)
    # Small weights, as Keras takes all predictors for one layer; confident random predictors would
    # drive the encoder's units to constants before they had learned anything.
    x = keras.layers.EinsumDense("bim,imh->bih", (size, hidden), bias_axes="ih")(x)
    x = keras.layers.LeakyReLU(negative_slope=SLOPE)(x)
    logits = keras.layers.EinsumDense("bih,ih->bi", (size,), bias_axes="i", dtype="float32")(x)
    return keras.Model(codes, logits, name="predictors")


def translator(shape_in, shape_out, width=16, blocks=3, normalisation="batch"):
    """Zhu et al.'s (2017) generator from one domain of images to another, scaled to small images.

    Half the size and twice the channels within, residual blocks there, and back.  Their instance
    normalisation takes as long as the convolutions on a CPU, batch normalisation a quarter of that.

    Args:
        shape_in: (height, width, channels) of the images read.
        shape_out: of the images made; it may differ in channels.
        width: channels of the layers nearest the images.
        blocks: residual blocks.
        normalisation: "batch", "synchronised" (over replicas), "instance" or None.

    Returns:
        Functional model: images (b, *shape_in) in [0, 1] -> images (b, *shape_out) in [0, 1].

    Raises:
        ValueError: an argument is out of range, or the sizes differ or are odd.
    """
    layout = _Layout(shape_in, width, normalisation)
    if tuple(shape_in[:2]) != tuple(shape_out[:2]) or shape_in[0] % 2:
        raise ValueError(
            "Both domains' images must have one even size. "
            f"Received: shape_in={shape_in}, shape_out={shape_out}"
        )
    images = keras.Input(shape_in, name="originals")
    biased = {"use_bias": not normalisation}
    x = keras.layers.Rescaling(2.0, offset=-1.0)(images)
    x = keras.layers.ReLU()(layout.normalise(_same(width, KERNEL, **biased)(x)))
    x = keras.layers.ReLU()(layout.normalise(_down(2 * width, **biased)(x)))
    for _ in range(blocks):
        inner = keras.layers.ReLU()(layout.normalise(_same(2 * width, 3, **biased)(x)))
        x = keras.layers.Add()([x, layout.normalise(_same(2 * width, 3, **biased)(inner))])
    x = keras.layers.ReLU()(layout.normalise(_up(width, **biased)(x)))
    x = _same(shape_out[-1], KERNEL)(x)
    translated = keras.layers.Activation("sigmoid", dtype="float32", name="images")(x)
    return keras.Model(images, translated, name="translator")


def patch_discriminators(shape_a, shape_b, width=16, normalisation="batch"):
    """PatchGAN discriminators (Isola et al. 2017) of two domains in one network, l(x) and l(z).

    A patch has 13 pixels.  An image's logit is the mean of its patches', so that q_phi(y|x) stays one
    Bernoulli an image.

    Args:
        shape_a, shape_b: (height, width, channels) of either domain's images.
        width: channels of the layer nearest the image; they double behind it.
        normalisation: "batch", "synchronised" (over replicas), "instance" or None.

    Returns:
        Functional model: [images of A, images of B] in [0, 1] -> [logits (b, 1), logits (b, 1)],
        float32; the two halves share nothing.

    Raises:
        ValueError: an argument is out of range.
    """
    inputs, logits = [], []
    for domain, shape in (("a", shape_a), ("b", shape_b)):
        layout = _Layout(shape, width, normalisation)
        images = keras.Input(shape, name=f"images_{domain}")
        x = keras.layers.Rescaling(2.0, offset=-1.0)(images)
        x = keras.layers.LeakyReLU(negative_slope=SLOPE)(_down(width, use_bias=True)(x))
        x = layout.normalise(_same(2 * width, 3, use_bias=not normalisation)(x))
        x = _same(1, 3)(keras.layers.LeakyReLU(negative_slope=SLOPE)(x))
        inputs.append(images)
        mean = keras.layers.GlobalAveragePooling2D(dtype="float32", name=f"logits_{domain}")
        logits.append(mean(x))
    return keras.Model(inputs, logits, name="discriminators")


def mlp_encoder(
    shape, latent_dim=50, hidden=500, num_classes=None, activation="softplus", layers=1
):
    """Inference net of dense layers, as in Kingma et al. (2014): q_eta(z|x) or q_eta(z|x, t).

    Args:
        shape: (height, width, channels) of the images.
        latent_dim: length of z.
        hidden: units of each hidden layer.
        num_classes: if given, class labels t are a second input of one more hidden layer.
        activation: of the hidden layers that read the image alone.
        layers: number of those layers.

    Returns:
        As `encoder`.
    """
    images = keras.Input(shape, name="images")
    features = keras.layers.Flatten()(images)
    for _ in range(layers):
        features = keras.layers.Dense(hidden, activation=activation)(features)
    return _posterior(images, features, latent_dim, num_classes, hidden)


def mlp_generator(
    shape, latent_dim=50, hidden=500, num_classes=None, activation="softplus", scaled=False
):
    """Decoder of two hidden layers, as in Kingma et al. (2014): Bernoulli means of z or of (z, t).

    Args:
        shape: (height, width, channels) of the images.
        latent_dim: length of z.
        hidden: units of either hidden layer.
        num_classes: if given, class labels t are a second input.
        activation: of the hidden layers.
        scaled: as in `generator`.

    Returns:
        As `generator`.
    """
    latents = keras.Input((latent_dim,), name="latents")
    inputs, x = _with_labels(latents, latents, num_classes)
    for _ in range(2):
        x = keras.layers.Dense(hidden, activation=activation)(x)
    x = keras.layers.Reshape(shape)(keras.layers.Dense(math.prod(shape))(x))
    images = keras.layers.Activation("sigmoid", dtype="float32", name="images")(x)
    outputs = [images, ChannelScale(name="scale")(images)] if scaled else images
    return keras.Model(inputs, outputs, name="generator")


def mlp_classifier(shape, num_classes, hidden=500):
    """Classifier of one hidden layer, as in Kingma et al. (2014): logits of q_omega(t|x).

    Args:
        shape: (height, width, channels) of the images.
        num_classes: number of classes.
        hidden: units of the hidden layer.

    Returns:
        As `classifier`.
    """
    images = keras.Input(shape, name="images")
    x = keras.layers.Dense(hidden, activation="softplus")(keras.layers.Flatten()(images))
    logits = keras.layers.Dense(num_classes, dtype="float32", name="logits")(x)
    return keras.Model(images, logits, name="classifier")


def mlp_discriminator(shape, hidden=500, layers=2):
    """Discriminator of dense layers, of codes (Makhzani et al. 2015) or of small images.

    Args:
        shape: of one input: (d,) for codes, (height, width, channels) for images.
        hidden: units of each hidden layer.
        layers: number of hidden layers.

    Returns:
        Functional model: inputs (b, *shape) -> logits (b, 1), float32.
    """
    inputs = keras.Input(shape, name="latents" if len(shape) == 1 else "images")
    x = keras.layers.Flatten()(inputs)
    for _ in range(layers):
        x = keras.layers.LeakyReLU(negative_slope=SLOPE)(keras.layers.Dense(hidden)(x))
    logits = keras.layers.Dense(1, dtype="float32", name="logits")(x)
    return keras.Model(inputs, logits, name="discriminator")


def before_sigmoid(network):
    """The same network up to the logits of its images, from which log-likelihoods stay finite.

    Args:
        network: Functional model whose images, its first output, come out of a sigmoid `Activation`
            layer.

    Returns:
        Functional model that shares its layers; further outputs stay as they are.

    Raises:
        ValueError: the images do not come out of such a layer.
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


def with_features(network, layer):
    """The same network with the output of one of its layers beside its own.

    Args:
        network: Functional model of one output.
        layer: index among `network.layers`; -2 is the layer before the logits of a discriminator.

    Returns:
        Functional model that shares its layers, inputs -> {"logits", "features"}.

    Raises:
        ValueError: there is no such layer.
    """
    depth = len(network.layers)
    if not -depth <= layer < depth:
        raise ValueError(
            f"layer must be an index among the {depth} layers of {network.name}. "
            f"Received: layer={layer}"
        )
    features = network.layers[layer].output
    return keras.Model(network.inputs, {"logits": network.output, "features": features})


def _posterior(images, features, latent_dim, num_classes, hidden):
    """q_eta(z|x), or q_eta(z|x, t) as a `TRUNK` of the image alone and a `HEAD` that reads the label."""
    if num_classes is None:
        return keras.Model(images, _normal(features, latent_dim), name="encoder")
    trunk = keras.Model(images, features, name=TRUNK)
    inputs, x = _with_labels(*[keras.Input(features.shape[1:], name="features")] * 2, num_classes)
    x = keras.layers.Dense(hidden, activation="softplus")(x)
    head = keras.Model(inputs, _normal(x, latent_dim), name=HEAD)
    images = keras.Input(images.shape[1:], name="images")
    labels = keras.Input((), dtype="int32", name="labels")
    return keras.Model([images, labels], head([trunk(images), labels]), name="encoder")


def _normal(x, latent_dim):
    mean = keras.layers.Dense(latent_dim, dtype="float32", name="mean")(x)
    scale = keras.layers.Dense(latent_dim, activation="softplus", dtype="float32")(x)
    scale = keras.layers.Rescaling(1.0, offset=SMALLEST_SCALE, dtype="float32", name="scale")(scale)
    return {"mean": mean, "scale": scale}


def _with_labels(first, features, num_classes):
    """The inputs of a network, and its features beside the one-hot label if there are classes."""
    if num_classes is None:
        return [first], features
    labels = keras.Input((), dtype="int32", name="labels")
    return [first, labels], keras.layers.Concatenate()([features, OneHot(num_classes)(labels)])


def extractor(shape, width=32):
    """Ganin et al.'s (2016) feature net for digits, G_theta(z): two 5x5 convolutions, each pooled.

    Normalised in groups of channels (Wu & He 2018), image by image: batches mix two domains.
    Convolutions lose their border, except in pictures of fewer than 16 pixels.

    Args:
        shape: (height, width, channels) of the images, at least 4 pixels.
        width: channels of the first layer (theirs are 32 and 48).

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


def residual_network(shape, num_classes, width=16, blocks=2):
    """Pre-activation residual network (He et al. 2016), the evaluators' f_omega(t|x).

    Three stages for pictures of 16 pixels and more, two for smaller ones; each later stage halves
    the size and doubles the channels.

    Args:
        shape: (height, width, channels) of the images.
        num_classes: number of classes.
        width: channels of the first stage.
        blocks: residual blocks a stage.

    Returns:
        Functional model: images (b, *shape) in [0, 1] -> {"logits": (b, num_classes), "features":
        (b, d)}, float32; the features are what the last linear layer reads.
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


class _Layout:
    """How many strided layers lie between the images and the smallest map, and how wide they are."""

    def __init__(self, shape, width, normalisation):
        if len(shape) != 3 or shape[0] != shape[1] or not 8 <= shape[0] <= 64:
            raise ValueError(
                f"shape must be (size, size, channels) with 8 <= size <= 64. Received: shape={shape}"
            )
        if width < 1:
            raise ValueError(f"width must be at least 1. Received: width={width}")
        if normalisation not in NORMALISATIONS:
            raise ValueError(
                f"normalisation must be one of {NORMALISATIONS}. "
                f"Received: normalisation={normalisation!r}"
            )
        size = shape[0]
        depth = math.ceil(math.log2(size)) - (1 if size <= 16 else 2)
        self.base = 2 if size <= 16 else 4
        missing = self.base * 2**depth - size
        border = (missing // 2, missing - missing // 2)
        self.frame = (border, border) if missing else None
        self.channels = [width * 2**level for level in range(depth)]
        self._normalisation = normalisation

    def normalise(self, x):
        if self._normalisation is None:
            return x
        if self._normalisation == "instance":
            return keras.layers.GroupNormalization(groups=-1, epsilon=1e-5)(x)
        return BatchNormalization(
            momentum=MOMENTUM, epsilon=1e-5, synchronized=self._normalisation == "synchronised"
        )(x)


def _trunk(shape, width, normalisation):
    layout = _Layout(shape, width, normalisation)
    images = keras.Input(shape, name="images")
    x = keras.layers.ZeroPadding2D(layout.frame)(images) if layout.frame else images
    x = keras.layers.Rescaling(2.0, offset=-1.0)(x)
    for level, filters in enumerate(layout.channels):
        x = _down(filters, use_bias=not (level and normalisation))(x)
        x = layout.normalise(x) if level else x
        x = keras.layers.LeakyReLU(negative_slope=SLOPE)(x)
    return images, keras.layers.Flatten()(x)


def _start():
    return {"kernel_initializer": keras.initializers.RandomNormal(0.0, 0.02)}


def _down(filters, use_bias):
    return Conv2D(filters, KERNEL, strides=2, padding="same", use_bias=use_bias, **_start())


def _same(filters, kernel, use_bias=True):
    return Conv2D(filters, kernel, padding="same", use_bias=use_bias, **_start())


def _up(filters, use_bias=True):
    return Conv2DTranspose(
        filters, KERNEL, strides=2, padding="same", use_bias=use_bias, **_start()
    )


def _head(units, use_bias=True, name=None):
    return keras.layers.Dense(units, use_bias=use_bias, dtype="float32", name=name, **_start())
