"""Differentiable augmentations T(x), so that phi computes D(T(x)) of real and generated images.

Zhao et al. (2020): a discriminator of few images soon memorizes them; with T(x) for all x it discriminates
the push-forwards of p_data and p_g by T, and theta's gradient passes through T.
"""

from collections.abc import Sequence
from typing import Any

import keras
import tensorflow as tf

from tfgen import global_batch
from tfgen.layers.normalization import statistics_frozen

TRANSLATION = 1 / 8  # of a side
CUTOUT = 1 / 2  # of a side


def translate(images: tf.Tensor, uniforms: tf.Tensor) -> tf.Tensor:
    """Return images shifted by up to an eighth of a side, padded with zeros.

    Args:
        images: (b, h, w, c).
        uniforms: (b, 2) uniform on [0, 1), for rows and for columns.
    """
    selections = []
    for side, uniform in zip(images.shape[1:3], tf.unstack(uniforms, axis=1), strict=True):
        most = round(side * TRANSLATION)
        shift = tf.cast(tf.floor(uniform * (2 * most + 1)), tf.int32) - most
        # A product with rows of zeros and ones: gathering's gradient is slow.
        selections.append(tf.one_hot(tf.range(side) + shift[:, None], side, dtype=images.dtype))
    return tf.einsum("bij,bkl,bjlc->bikc", *selections, images, optimize="greedy")


def cut_out(images: tf.Tensor, uniforms: tf.Tensor) -> tf.Tensor:
    """Return images with a square of half a side set to zero, its center anywhere in the image.

    Args:
        images: (b, h, w, c).
        uniforms: (b, 2) uniform on [0, 1), for rows and for columns.
    """
    inside = []
    for side, uniform in zip(images.shape[1:3], tf.unstack(uniforms, axis=1), strict=True):
        length = round(side * CUTOUT)
        start = tf.cast(tf.floor(uniform * side), tf.int32) - length // 2
        place = tf.range(side) - start[:, None]
        inside.append((place >= 0) & (place < length))
    rows, columns = inside
    kept = ~(rows[:, :, None] & columns[:, None, :])
    return images * tf.cast(kept, images.dtype)[..., None]


def mirror(images: tf.Tensor, uniforms: tf.Tensor) -> tf.Tensor:
    """Return images, each flipped left to right with probability 1/2.

    Args:
        images: (b, h, w, c).
        uniforms: (b, 1) uniform on [0, 1).
    """
    return tf.where(uniforms[..., None, None] < 0.5, images, tf.reverse(images, axis=[2]))


AUGMENTATIONS = {  # and the columns of a row of uniform numbers that each reads
    "translation": (translate, slice(0, 2)),
    "cutout": (cut_out, slice(2, 4)),
    "flip": (mirror, slice(4, 5)),
}
COLUMNS = 5


@keras.saving.register_keras_serializable("tfgen")
class Augmentation(keras.layers.Layer):
    """T(x) in training, x otherwise: the first layer of a discriminator D'(x) = D(T(x)).

    T is drawn for every image and call, as a function of (seed, number of calls in training, index in the
    global batch); the number of calls is a non-trainable weight, so that a resumed run continues it.

    Args:
        names: Names in `AUGMENTATIONS`, in the order in which they are applied.
        seed: Seed of the draws.

    Raises:
        ValueError: `names` is one string, or a name is unknown.

    Source: Zhao et al. (2020), differentiable augmentation.
    """

    def __init__(self, names: Sequence[str], seed: int = 0, **kwargs: Any):
        super().__init__(**kwargs)
        if isinstance(names, str):
            raise ValueError(f"Augmentations must be a list of names. Received: {names!r}")
        if unknown := [name for name in names if name not in AUGMENTATIONS]:
            raise ValueError(
                f"Augmentations must be among {tuple(AUGMENTATIONS)}. Received: {unknown}"
            )
        self.names, self.seed = tuple(names), seed

    def build(self, shape: tuple[int | None, ...]) -> None:
        self.calls = self.add_weight(
            name="calls", shape=(), dtype="int64", initializer="zeros", trainable=False,
            aggregation="only_first_replica",
        )  # fmt: skip

    def call(self, images: Any, training: bool | None = None) -> tf.Tensor:
        if not training:
            return images
        uniforms = self._uniforms(images)
        if not statistics_frozen():
            self.calls.assign_add(1)
        for name in self.names:
            augment, columns = AUGMENTATIONS[name]
            images = augment(images, uniforms[:, columns])
        return images

    def _uniforms(self, images):
        """Draw uniform numbers for this replica's part of the global batch, (b, COLUMNS)."""
        seed = tf.random.fold_in(tf.constant([self.seed, 0], "int64"), self.calls)
        count, start = global_batch.place(images)
        rows = tf.random.stateless_uniform([count, COLUMNS], seed, alg="philox")
        return rows[start : start + tf.shape(images)[0]]

    def compute_output_shape(self, shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        return shape

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "names": self.names, "seed": self.seed}
