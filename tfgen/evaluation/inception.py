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
        network: A `.keras` file, or the folder of a SavedModel with a signature of one input.

    Raises:
        FileNotFoundError: `network` is neither.
    """
    path = os.fspath(network)
    if os.path.isfile(path):
        loaded = keras.saving.load_model(path, compile=False)
        size, call = loaded.input_shape[1:3], loaded
    elif os.path.isfile(os.path.join(path, "saved_model.pb")):
        size, call = _signature(tf.saved_model.load(path))
    else:
        raise FileNotFoundError(
            "network must be a .keras file or the folder of a SavedModel. "
            f"Received: network={path!r}"
        )
    size = [side or SIZE for side in size]

    @tf.function(reduce_retracing=True)
    def read(images):
        scaled = tf.image.convert_image_dtype(images, tf.float32)
        colored = scaled if images.shape[-1] == 3 else tf.image.grayscale_to_rgb(scaled)
        outputs = call(tf.image.resize(colored, size) * 2 - 1)
        return tf.reshape(outputs, [tf.shape(images)[0], -1])

    return lambda images: read(tf.constant(images)).numpy()


def _signature(module):
    """Return height and width that a SavedModel reads, and its function of images."""
    signature = module.signatures["serving_default"]
    [(name, images)] = signature.structured_input_signature[1].items()
    names = list(signature.structured_outputs)
    output = POOL if POOL in names else names[0]

    def call(scaled):
        return module.signatures["serving_default"](**{name: scaled})[output]

    return images.shape[1:3], call


def _moments(read, images) -> Moments:
    batches = [images[start : start + BATCH] for start in range(0, len(images), BATCH)]
    total = Moments.of(read(batches[0]))
    for batch in batches[1:]:
        total += Moments.of(read(batch))
    return total
