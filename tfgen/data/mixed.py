"""Batches of two domains, of which one has labels: what domain adaptation learns from."""

import math
import operator

import numpy as np
import tensorflow as tf

from tfgen.data.pipeline import in_epochs, unpaired_positions


def mixed_batches(source, labels, target, batch_size: int, seed: int = 0) -> tf.data.Dataset:
    """One half of each batch is of the source domain, the other of the target with label -1.

    An epoch goes once through the larger domain and cycles the smaller one.

    Args:
      source, target: uint8 (n, h, w, c), (m, h, w, c).
      labels: int32 (n,) of the source.
      batch_size: images in a batch, an even number; the last one holds the rest.
      seed: of both orders, an integer.

    Returns:
      A finite dataset of (images float32 (b, h, w, c) in [0, 1], labels int32 (b,)), with the counter
      `dataset.epoch` that `tfgen.data.batches` describes.

    Raises:
      ValueError: the domains' images differ in shape, or batch_size is odd or not positive.
    """
    batch_size, seed = operator.index(batch_size), operator.index(seed)
    if batch_size < 2 or batch_size % 2:
        raise ValueError(
            f"batch_size must be even, half of each domain. Received: batch_size={batch_size}"
        )
    if source.shape[1:] != target.shape[1:]:
        raise ValueError(
            "Both domains need images of one shape; size= and channels= bring them to it. "
            f"Received: source={source.shape[1:]}, target={target.shape[1:]}"
        )
    sizes, half = (len(source), len(target)), batch_size // 2
    with tf.device("CPU:0"):  # where tf.data runs
        counter = tf.Variable(0, dtype=tf.int64, trainable=False, name="epoch")
        images = tf.constant(np.concatenate([source, target]))
        labels = tf.constant(np.concatenate([labels, np.full(len(target), -1, labels.dtype)]))

    def gather(in_source, in_target):
        chosen = tf.concat([in_source, in_target + sizes[0]], axis=0)
        return tf.cast(tf.gather(images, chosen), tf.float32) / 255.0, tf.gather(labels, chosen)

    positions = unpaired_positions(sizes, half, seed)
    return in_epochs(positions, gather, counter, math.ceil(max(sizes) / half))
