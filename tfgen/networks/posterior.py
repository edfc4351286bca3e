"""q_eta(z|x) and q_eta(z|x, t) from the features of an image."""

import keras

from tfgen.layers import OneHot

TRUNK, HEAD = "trunk", "head"  # parts of a conditional encoder
SMALLEST_SCALE = 1e-6  # of q_eta(z|x), so that its logarithm stays finite


def posterior(
    images: keras.KerasTensor,
    features: keras.KerasTensor,
    latent_dim: int,
    num_classes: int | None,
    hidden: int,
) -> keras.Model:
    """Build q_eta(z|x), or q_eta(z|x, t) of a `TRUNK` that reads the image and a `HEAD` with the label."""
    if num_classes is None:
        return keras.Model(images, _normal(features, latent_dim), name="encoder")
    trunk = keras.Model(images, features, name=TRUNK)
    read = keras.Input(features.shape[1:], name="features")
    inputs, x = with_labels(read, read, num_classes)
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


def with_labels(
    first: keras.KerasTensor, features: keras.KerasTensor, num_classes: int | None
) -> tuple[list[keras.KerasTensor], keras.KerasTensor]:
    """Return the inputs of a network, and its features with the one-hot label if there are classes."""
    if num_classes is None:
        return [first], features
    labels = keras.Input((), dtype="int32", name="labels")
    return [first, labels], keras.layers.Concatenate()([features, OneHot(num_classes)(labels)])
