"""A pool of past images, which a discriminator is shown in place of new ones."""

from typing import Any

import keras
import tensorflow as tf


class ImagePool(keras.layers.Layer):
    """Past images, each of which takes a new one's place with probability 1/2 (Shrivastava et al. 2017).

    Every new image is given another slot of the pool, at random.  An empty slot keeps it; a full one
    keeps it and gives up its own image instead, or neither, by the toss of a coin.  The images beyond
    the pool's size pass.

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
        """Images (b, h, w, c) in exchange for new ones, by a stateless seed (2,)."""
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
