"""First layer that whitens patches of images, with filters computed from the training images."""

from collections.abc import Iterable
from typing import Any

import keras
import numpy as np
import tensorflow as tf

WINDOW = 2  # pixels a side of a patch


@keras.saving.register_keras_serializable("tfgen")
class PatchWhitening(keras.layers.Layer):
    """ZCA's rotated form of 2x2 patches, both signs: x -> [W(p - m), -W(p - m)] for every patch p of x.

        C = E (p - m)(p - m)^T = V diag(s) V^T;    W = diag(s + epsilon)^(-1/2) V^T

    The outputs over the patches that `adapt` saw are uncorrelated, with mean 0 and variance
    s/(s + epsilon).  Both signs are kept so that a following ReLU loses nothing.  W and m are
    non-trainable weights, so that a saved model holds them; they are zero until `adapt`.

    Args:
        epsilon: Constant added to the eigenvalues, in squared units of the inputs.

    Source: Jordan (2024), arXiv 2404.00498, section 3.2.
    """

    def __init__(self, epsilon: float = 5e-4, **kwargs: Any):
        super().__init__(**kwargs)
        self.epsilon = epsilon

    def build(self, shape: tuple[Any, ...]) -> None:
        channels = shape[-1]
        size = WINDOW**2 * channels
        state = {"initializer": "zeros", "trainable": False}
        self.kernel = self.add_weight(
            name="kernel", shape=(WINDOW, WINDOW, channels, 2 * size), **state
        )
        self.bias = self.add_weight(name="bias", shape=(2 * size,), **state)

    @property
    def adapted(self) -> bool:
        """Whether the filters have been computed."""
        return bool(np.any(self.kernel.numpy()))

    def adapt(self, batches: Iterable[tf.Tensor]) -> None:
        """Compute the filters from images, in one pass.

        Args:
            batches: Iterable of inputs of the layer, (b, h, w, c).
        """
        size = self.kernel.shape[-1] // 2
        count, total, products = 0, np.zeros(size), np.zeros((size, size))
        for images in batches:
            patches = _patches(images).numpy().astype(np.float64)
            count += len(patches)
            total += patches.sum(axis=0)
            products += patches.T @ patches
        mean = total / count
        values, vectors = np.linalg.eigh(products / count - np.outer(mean, mean))
        rows = vectors.T / np.sqrt(np.maximum(values, 0.0) + self.epsilon)[:, None]  # W
        rows = np.concatenate([rows, -rows])
        self.kernel.assign(rows.T.reshape(self.kernel.shape))
        self.bias.assign(-rows @ mean)

    def call(self, images: Any) -> tf.Tensor:
        kernel, bias = (tf.cast(weight, images.dtype) for weight in (self.kernel, self.bias))
        return tf.nn.bias_add(tf.nn.conv2d(images, kernel, 1, "VALID"), bias)

    def compute_output_shape(self, shape: tuple[Any, ...]) -> tuple[Any, ...]:
        batch, height, width, channels = shape
        return (batch, height - WINDOW + 1, width - WINDOW + 1, 2 * WINDOW**2 * channels)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "epsilon": self.epsilon}


def _patches(images):
    """Return all patches of the images, (n, WINDOW * WINDOW * c), in the layout of a filter."""
    window = [1, WINDOW, WINDOW, 1]
    patches = tf.image.extract_patches(images, window, [1, 1, 1, 1], [1, 1, 1, 1], "VALID")
    return tf.reshape(patches, [-1, patches.shape[-1]])
