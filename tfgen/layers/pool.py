"""A pool of past images, which a discriminator sees in place of new ones."""

from typing import Any

import keras
import tensorflow as tf


class ImagePool(keras.layers.Layer):
    """Pool of past images, which replace new ones with probability 1/2 (Shrivastava et al. 2017).

    Each new image draws a slot of the pool, no two the same.  An empty slot stores a copy of it; a full
    slot, with probability 1/2, exchanges its image for the new one.  Images beyond the pool's size stay.

    Args:
        size: Number of slots.
        shape: (h, w, c) of the images.
    """

    def __init__(self, size: int, shape: tuple[int, ...], **kwargs: Any):
        super().__init__(dtype="float32", **kwargs)
        state = {"initializer": "zeros", "trainable": False, "aggregation": "only_first_replica"}
        self.images = self.add_weight(name="images", shape=(size, *shape), **state)
        self.full = self.add_weight(name="full", shape=(size,), dtype="int32", **state)

    def call(self, images: tf.Tensor, seed: tf.Tensor) -> tf.Tensor:
        """Return images (b, h, w, c), some exchanged for past ones, by a stateless seed (2,)."""
        size = self.full.shape[0]
        slots = tf.random.experimental.stateless_shuffle(tf.range(size), seed)
        slots = slots[: tf.shape(images)[0]]  # (min(b, size),)
        new, rest = images[: tf.size(slots)], images[tf.size(slots) :]
        old, full = tf.gather(self.images, slots), tf.gather(self.full, slots) == 1
        coin = tf.random.stateless_uniform(tf.shape(slots), seed, alg="philox") < 0.5
        given = tf.where((full & coin)[:, None, None, None], old, new)
        kept = tf.where((full & ~coin)[:, None, None, None], old, new)
        for state, value in ((self.images, kept), (self.full, tf.ones_like(slots))):
            state.assign(tf.tensor_scatter_nd_update(state.value, slots[:, None], value))
        return tf.concat([given, rest], axis=0)
