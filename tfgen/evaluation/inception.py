"""FID as in the literature: Frechet distance of the features of an Inception network on disk.

No preset has its weights, and they are not downloaded: name the file of a network, as
`keras.applications.InceptionV3(include_top=False, pooling="avg").save("inception.keras")` writes it, or
the folder of a SavedModel that returns `pool_3`.  Only distances by the same network compare; the
literature's are by TensorFlow-GAN's network of 2015.
"""

import os
from collections.abc import Callable
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from tfgen import data
from tfgen.checks import stored_images
from tfgen.evaluation.intervals import Interval, jackknife_interval
from tfgen.evaluation.metrics import Moments, frechet_distance

SIZE = 299  # pixels a side, where the network does not say
POOL = "pool_3"  # the output of a SavedModel that has several
BATCH = 50
GROUPS = 10  # parts of the samples, each left out once for the interval


def inception_fid(
    model: Any,
    name: str,
    network: str | os.PathLike,
    samples: int = 50_000,
    split: str = "train",
    seed: int = 0,
) -> Interval:
    """Return the Frechet distance of generated from real images, Heusel et al. (2017), with its interval.

    |m_1 - m_2|^2 + Tr(C_1 + C_2 - 2 (C_1 C_2)^(1/2)), with the moments of `features` of all images of the
    split and of `samples` generated ones.  On CIFAR-10 the literature has 50,000 of each.  The interval, of
    level .95, is a jackknife over parts of the generated images.

    Args:
        model: Has `sample(n, seed=)` -> (n, h, w, c) in [0, 1].
        name: Data set of the real images.
        network: See `features`.
        samples: Number of generated images, at least 4; below the number of features FID is mostly bias.
        split: Split of the real images.
        seed: Seed of the samples.

    Raises:
        ValueError: There are fewer than 4 samples, or the images have another shape than the model's.
        FileNotFoundError: There is no network or no data set.
    """
    if samples < 4:
        raise ValueError(f"samples must be at least 4. Received: samples={samples}")
    read = features(network)
    real, _ = data.arrays(name, split)
    generated = model.sample(samples, seed=seed)
    if real.shape[1:] != generated.shape[1:]:
        raise ValueError(
            "Real and generated images must have one shape. "
            f"Received: real={real.shape[1:]}, generated={generated.shape[1:]}"
        )
    reference = _moments(read, real)
    parts = np.array_split(generated, min(GROUPS, samples // 2))

    def distance(groups: list[Moments]) -> float:
        moments = sum(groups[1:], groups[0])
        return frechet_distance(
            moments.mean, moments.covariance, reference.mean, reference.covariance
        )

    return jackknife_interval([_moments(read, part) for part in parts], distance)


def features(network: str | os.PathLike) -> Callable[[np.ndarray], np.ndarray]:
    """Return a function of images (b, h, w, c), uint8 or floats in [0, 1], that returns features (b, d).

    Images become RGB on [-1, 1], bilinearly resized to the network's input.

    Args:
        network: A `.keras` file, or the folder of a SavedModel whose signature `serving_default` reads RGB
            images; of several outputs it takes `pool_3`.  Features are floats, (b, d) or (b, 1, 1, d).

    Raises:
        FileNotFoundError: `network` is neither.
        ValueError: The network reads anything but RGB images, or returns anything but such features.
    """
    path = os.fspath(network)
    if os.path.isfile(path):
        shape, call = _functional(keras.saving.load_model(path, compile=False))
    elif os.path.isfile(os.path.join(path, "saved_model.pb")):
        shape, call = _signature(tf.saved_model.load(path))
    else:
        raise FileNotFoundError(
            "network must be a .keras file or the folder of a SavedModel. "
            f"Received: network={path!r}"
        )
    if len(shape) != 4 or shape[-1] != 3:
        raise ValueError(f"network must read RGB images (b, h, w, 3). Received: {tuple(shape)}")
    size = [side or SIZE for side in shape[1:3]]

    @tf.function(reduce_retracing=True)
    def read(images):
        scaled = tf.image.convert_image_dtype(images, tf.float32)
        colored = scaled if images.shape[-1] == 3 else tf.image.grayscale_to_rgb(scaled)
        outputs = call(tf.image.resize(colored, size) * 2 - 1)
        pooled = outputs.shape.rank == 2 or (
            outputs.shape.rank == 4 and outputs.shape[1:3] == (1, 1)
        )
        if not (pooled and outputs.dtype.is_floating):
            raise ValueError(
                "Features must be floats (b, d) or (b, 1, 1, d), as pooled. "
                f"Received: {outputs.dtype.name}, shape {tuple(outputs.shape)}"
            )
        return tf.reshape(outputs, [tf.shape(images)[0], -1])

    return lambda images: read(tf.constant(stored_images(images))).numpy()


def _functional(model):
    """Return the input shape of a Keras model, and the model."""
    shapes = [x.shape for x in getattr(model, "inputs", None) or []]
    outputs = getattr(model, "outputs", None) or []
    if len(shapes) != 1 or len(outputs) != 1:
        raise ValueError(
            "network must be a Functional model of one input and one output. "
            f"Received: {type(model).__name__} of {len(shapes)} inputs and {len(outputs)} outputs"
        )
    return shapes[0], model


def _signature(module):
    """Return the input shape of a SavedModel's signature, and its function of images."""
    signature = module.signatures.get("serving_default")
    if signature is None:
        raise ValueError(
            "network must have the signature serving_default. "
            f"Received: {', '.join(module.signatures) or 'no signature'}"
        )
    inputs, names = signature.structured_input_signature[1], sorted(signature.structured_outputs)
    if len(inputs) != 1:
        raise ValueError(f"network must have one input. Received: {', '.join(inputs)}")
    if len(names) > 1 and POOL not in names:
        raise ValueError(f"Of several outputs one must be {POOL}. Received: {', '.join(names)}")
    [(name, images)] = inputs.items()
    output = POOL if POOL in names else names[0]

    def call(scaled):
        return signature(**{name: scaled})[output]

    call.module = module  # the function holds its variables by weak references alone
    return images.shape.as_list(), call


def _moments(read, images) -> Moments:
    batches = [images[start : start + BATCH] for start in range(0, len(images), BATCH)]
    total = Moments.of(read(batches[0]))
    for batch in batches[1:]:
        total += Moments.of(read(batch))
    return total
