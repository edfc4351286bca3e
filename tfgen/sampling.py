"""Prior and decoder of a model as graphs for any number of rows, each traced once."""

from typing import Any

import numpy as np
import tensorflow as tf

from tfgen import progress

BATCH = 256  # images that are decoded at a time


class Graphs:
    """p(z) and G_theta(z [, t]) of a model as graphs.

    They never use XLA, which has other random streams and other rounding.

    Args:
        model: Model with `prior`, `decode` and `latent_dim`.
    """

    def __init__(self, model: Any):
        scalar = tf.TensorSpec((), tf.int32)
        read = [tf.TensorSpec((None, model.latent_dim), tf.float32)]
        read += [tf.TensorSpec((None,), tf.int32)] if model.conditional else []
        self._shape = model.image_shape
        self.prior = tf.function(model.prior, input_signature=[scalar, scalar], jit_compile=False)
        self.decode = tf.function(model.decode, input_signature=read, jit_compile=False)

    def images(self, latents: tf.Tensor, labels: np.ndarray | None = None) -> np.ndarray:
        """Return the images of latents, `BATCH` at a time.

        Args:
            latents: (n, d).
            labels: (n,) int32 of a conditional model.

        Returns:
            float32 (n, h, w, c).
        """
        images = np.empty((len(latents), *self._shape), np.float32)
        for start in progress.track(range(0, len(latents), BATCH), "sampling"):
            rows = slice(start, start + BATCH)
            chunk = [latents[rows]] if labels is None else [latents[rows], labels[rows]]
            images[rows] = self.decode(*chunk)
        return images
