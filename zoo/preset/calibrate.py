"""Calibrate a discriminator for serving, where moving statistics replace those of the batch.

In training, real and generated images are normalized separately, each by the statistics of its own batch.
In serving they share phi's moving averages, and a shift of a few hundredths of a standard deviation per
channel adds up to a dozen logits: all images, real or generated, are classified alike.
"""

from typing import Any

import keras
import numpy as np
import tensorflow as tf

import tfgen
from tfgen import endpoints
from tfgen.objectives import FAKE, REAL, log_q

IMAGES = 16_384  # generated ones, and at most as many real ones
BATCH = 64  # of either
STEPS, RATE = 1200, 2e-4
SEED = 2**20  # of the generated ones; not one that samples are scored by


def calibrate(model: Any, data: dict) -> bool:
    """Train only phi on its objective, Eq. 4, with the moving statistics that it is served with.

        1/2 E_pdata[log q(1|x)] + 1/2 E_pg[log q(0|x)]

    The moving statistics are first set to means over batches of training images and samples, half of each;
    theta does not change.  Test images are not read.

    Args:
        model: Released model; unchanged unless it has a batch-normalized phi on images.
        data: Data of its recipe.

    Returns:
        Whether phi was calibrated.
    """
    if "discriminate" not in model.endpoints() or not _normalizers(model.phi):
        return False
    real = images(model, data, "train", IMAGES)
    generated = samples(model, IMAGES, SEED)
    _estimate_statistics(model, real, generated)
    _ascend(model, real, generated)
    return True


def images(model: Any, data: dict, split: str, count: int) -> tuple[np.ndarray, np.ndarray | None]:
    """Return images (n, h, w, c) of a recipe's data for phi, drawn by seed 0, and labels or None."""
    geometry = {key: data[key] for key in ("size", "channels", "pad") if key in data}
    pixels, labels = tfgen.data.arrays(data["name"], split, **geometry)
    chosen = np.random.default_rng(0).permutation(len(pixels))[:count]
    return _read(model, pixels[chosen].astype(np.float32) / 255.0, labels[chosen])


def samples(model: Any, count: int, seed: int) -> tuple[np.ndarray, np.ndarray | None]:
    """Return `count` samples for phi, with all classes in turn, and their labels or None."""
    labels = np.arange(count, dtype=np.int32) % (model.num_classes or 1)
    asked = labels if model.conditional else None
    return _read(model, model.sample(count, seed=seed, labels=asked), labels)


def accuracy(model: Any, data: dict, count: int = 500) -> dict[str, float]:
    """Return the share of test images that `discriminate` calls real, and of samples, generated."""
    real = _logits(model, *images(model, data, "test", count))
    generated = _logits(model, *samples(model, count, SEED + 1))
    return {"real": float((real > 0).mean()), "generated": float((generated < 0).mean())}


def _read(model, given, labels):
    pixels = np.asarray(endpoints.binary(model, given))
    return pixels, labels if len(model.phi.inputs) == 2 else None


def _rows(part, index):
    pixels, labels = part
    return tf.constant(pixels[index]), None if labels is None else tf.constant(labels[index])


def _logits(model, *part):
    starts = range(0, len(part[0]), BATCH)
    return np.concatenate([model.logits(*_rows(part, slice(i, i + BATCH))) for i in starts])


def _normalizers(network):
    kind = keras.layers.BatchNormalization
    return [layer for layer in network._flatten_layers() if isinstance(layer, kind)]


def _estimate_statistics(model, real, generated):
    normalizers = _normalizers(model.phi)
    momenta = [layer.momentum for layer in normalizers]
    for index, start in enumerate(range(0, len(real[0]) - BATCH + 1, BATCH)):
        rows = slice(start, start + BATCH)
        halves = zip(_rows(real, rows), _rows(generated, rows), strict=True)
        mixed = [None if half is None else tf.concat([half, other], 0) for half, other in halves]
        for layer in normalizers:
            layer.momentum = index / (index + 1)  # the mean over all batches
        model.logits(*mixed, training=True)
    for layer, momentum in zip(normalizers, momenta, strict=True):
        layer.momentum = momentum


def _ascend(model, real, generated):
    optimizer = keras.optimizers.Adam(RATE, beta_1=0.5)
    variables = model.phi.trainable_variables

    @tf.function
    def step(real, generated):
        with tf.GradientTape() as tape:
            terms = log_q(model.logits(*real), REAL), log_q(model.logits(*generated), FAKE)
            loss = -sum(map(tf.reduce_mean, terms)) / 2
        optimizer.apply(tape.gradient(loss, variables), variables)

    rng = np.random.default_rng(0)
    for _ in range(STEPS):
        step(*[_rows(part, rng.integers(0, len(part[0]), BATCH)) for part in (real, generated)])
