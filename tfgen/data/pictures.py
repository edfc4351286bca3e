"""Pictures of any size to one uint8 array: resizing, padding, grey <-> RGB."""

from collections.abc import Sequence

import numpy as np
import tensorflow as tf

_CHUNK = 1024  # images converted at once, so that float32 copies stay small


def to_array(
    images: Sequence[np.ndarray], size: int | None, channels: int | None, pad: bool
) -> np.ndarray:
    """The images uint8 (h, w, c) as one uint8 array (n, size, size, channels); None keeps."""
    _check_geometry(images, size, channels, pad)
    shapes = np.array([image.shape for image in images])
    height, width, depth = shapes[0]
    result = np.empty(
        (len(images), size or height, size or width, channels or depth), dtype=np.uint8
    )
    for shape in np.unique(shapes, axis=0):
        same = np.flatnonzero((shapes == shape).all(axis=1))
        for start in range(0, len(same), _CHUNK):
            chunk = same[start : start + _CHUNK]
            result[chunk] = _convert(np.stack([images[i] for i in chunk]), size, channels, pad)
    return result


def converted(images: np.ndarray, size: int, channels: int) -> np.ndarray:
    """Images (n, h, w, c), floats in [0, 1], brought to a size and channels as `to_array` brings pixels."""
    shaped = _shaped(tf.constant(images, tf.float32), size, channels, pad=False)
    return np.clip(shaped.numpy(), 0.0, 1.0)  # interpolation may round beyond


def _convert(images, size, channels, pad):
    _, height, width, depth = images.shape
    if (size is None or height == width == size) and channels in (None, depth):
        return images
    shaped = _shaped(tf.cast(images, tf.float32), size, channels, pad)
    return tf.cast(tf.round(shaped), tf.uint8)


def _shaped(images, size, channels, pad):
    """The images, float32, with the size and the channels that are not None."""
    _, height, width, depth = images.shape
    if channels == 1 and depth == 3:
        images = tf.image.rgb_to_grayscale(images)
    if size is not None and not height == width == size:
        images = _pad(images, size) if pad else _resize(images, size)
    if channels == 3 and depth == 1:
        images = tf.image.grayscale_to_rgb(images)
    return images


def _resize(images, size):
    return tf.image.resize(images, (size, size), method="bilinear", antialias=True)


def _pad(images, size):
    height, width = images.shape[1:3]
    return tf.image.pad_to_bounding_box(
        images, (size - height) // 2, (size - width) // 2, size, size
    )


def _check_geometry(images, size, channels, pad):
    shapes = sorted({image.shape for image in images})
    if size is not None and size < 1:
        raise ValueError(f"size must be at least 1. Received: size={size}")
    if size is None and pad:
        raise ValueError("pad=True pads to size, which must be given. Received: size=None")
    if size is None and len(shapes) > 1:
        raise ValueError(
            "Images of different sizes need size=, to be resized or padded to. "
            f"Received: shapes from {shapes[0]} to {shapes[-1]}"
        )
    largest = max(max(shape[:2]) for shape in shapes)
    if pad and size < largest:
        raise ValueError(
            f"Padding needs a size of at least the largest side, {largest}. Received: size={size}"
        )
    if channels not in (None, 1, 3):
        raise ValueError(f"channels must be 1 or 3. Received: channels={channels!r}")
    if channels is not None and not {shape[2] for shape in shapes} <= {1, 3}:
        raise ValueError(
            f"Only images of 1 or 3 channels can be converted. Received: shape={shapes[0]}"
        )
