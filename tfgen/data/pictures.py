"""Bring pixels of any size to one uint8 array: resizing, cropping, padding, gray <-> RGB, in TensorFlow.

`fit_geometry` is the only definition; it can be traced into a graph with unknown heights and widths.
"""

import dataclasses
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import tensorflow as tf

from tfgen.checks import check_flags, check_integer

MOST_SIDE = 16_384  # pixels
_CHUNK = 1024  # images converted at once, so that float32 copies stay small


@dataclasses.dataclass(frozen=True)
class Geometry:
    """Size and channels that images are brought to.

    Attributes:
        size: Height and width; None keeps those of the images, which must then agree.
        channels: 1 or 3; None keeps those of the images.
        pad: Whether to pad the centered image with zeros instead of resizing it.
        crop: Whether to resize the largest centered square, which keeps the aspect ratio, instead of the
            whole image.
    """

    size: int | None = None
    channels: int | None = None
    pad: bool = False
    crop: bool = False

    def __post_init__(self):
        check_flags(pad=self.pad, crop=self.crop)
        if self.size is not None:
            check_integer("size", self.size, 1, MOST_SIDE)
        if self.channels is not None:
            check_integer("channels", self.channels, 0)
        for name in ("pad", "crop"):
            if self.size is None and getattr(self, name):
                raise ValueError(
                    f"{name}=True {name}s to size, which must be given. Received: size=None"
                )
        if self.pad and self.crop:
            raise ValueError("Images are padded or cropped. Received: pad=True, crop=True")
        if self.channels not in (None, 1, 3):
            raise ValueError(f"channels must be 1 or 3. Received: channels={self.channels!r}")

    def check(self, shapes: Iterable[tuple[int, int, int]]) -> None:
        """Check that images of these shapes (h, w, c) can be brought to it.

        Raises:
            ValueError: They cannot.
        """
        shapes = sorted(set(shapes))
        if self.size is None and len({shape[:2] for shape in shapes}) > 1:
            raise ValueError(
                "Images of different sizes need size=, to be resized, cropped or padded to. "
                f"Received: shapes from {shapes[0]} to {shapes[-1]}"
            )
        largest = max(max(shape[:2]) for shape in shapes)
        if self.pad and self.size is not None and self.size < largest:
            raise ValueError(
                f"Padding needs a size of at least the largest side, {largest}. "
                f"Received: size={self.size}"
            )
        if self.channels is not None and not {shape[2] for shape in shapes} <= {1, 3}:
            raise ValueError(
                f"Only images of 1 or 3 channels can be converted. Received: shape={shapes[0]}"
            )

    def shape(self, height: Any, width: Any, channels: int) -> tuple[Any, Any, int]:
        """Return the shape of an image of this height, width and number of channels, brought to it."""
        return self.size or height, self.size or width, self.channels or channels


def to_array(
    images: Sequence[np.ndarray],
    size: int | None,
    channels: int | None,
    pad: bool,
    crop: bool = False,
) -> np.ndarray:
    """Bring images uint8 (h, w, c) to one uint8 array (n, size, size, channels); None keeps."""
    geometry = Geometry(size, channels, pad, crop)
    shapes = np.array([image.shape for image in images])
    geometry.check(map(tuple, shapes.tolist()))
    result = np.empty((len(images), *geometry.shape(*shapes[0].tolist())), dtype=np.uint8)
    for shape in np.unique(shapes, axis=0):
        same = np.flatnonzero((shapes == shape).all(axis=1))
        for start in range(0, len(same), _CHUNK):
            chunk = same[start : start + _CHUNK]
            result[chunk] = pixels(np.stack([images[i] for i in chunk]), geometry)
    return result


def convert(images: np.ndarray, size: int, channels: int) -> np.ndarray:
    """Bring images (n, h, w, c), floats in [0, 1], to a size and channels, as `to_array` does pixels."""
    brought = fit_geometry(tf.constant(images, tf.float32), Geometry(size, channels))
    return np.clip(brought.numpy(), 0.0, 1.0)  # interpolation may round beyond


def pixels(images: np.ndarray, geometry: Geometry) -> tf.Tensor:
    """Bring images uint8 (n, h, w, c) to a geometry, rounded to uint8."""
    _, height, width, depth = images.shape
    same_size = geometry.size is None or height == width == geometry.size
    if same_size and geometry.channels in (None, depth):
        return images
    return tf.cast(tf.round(fit_geometry(tf.cast(images, tf.float32), geometry)), tf.uint8)


def fit_geometry(images: tf.Tensor, geometry: Geometry) -> tf.Tensor:
    """Bring images float32 (n, h, w, c) to a geometry, without rounding.

    Resizing is bilinear and antialiased. EXIF orientations are not known here: TensorFlow's decoders
    ignore them, and `tfgen.data.decoding` turns the picture.

    Args:
        images: Images; in a graph heights and widths may be unknown, channels must be known.
        geometry: Size and channels of the result.
    """
    _, height, width, depth = images.shape
    size, channels = geometry.size, geometry.channels
    if channels == 1 and depth == 3:
        images = tf.image.rgb_to_grayscale(images)
    if size is not None and not height == width == size:
        if geometry.crop:
            images = _crop_square(images)
        images = _pad(images, size) if geometry.pad else _resize(images, size)
    if channels == 3 and depth == 1:
        images = tf.image.grayscale_to_rgb(images)
    return images


def opaque(images: tf.Tensor) -> tf.Tensor:
    """Composite pixels uint8 (..., c + 1), the last channel alpha, on white, as `decoding.opaque`."""
    wide = tf.cast(images, tf.int32)
    color, alpha = wide[..., :-1], wide[..., -1:]
    return tf.cast((color * alpha + 255 * (255 - alpha) + 127) // 255, tf.uint8)


def _crop_square(images):
    height, width = tf.shape(images)[1], tf.shape(images)[2]
    side = tf.minimum(height, width)
    top, left = (height - side) // 2, (width - side) // 2
    return tf.image.crop_to_bounding_box(images, top, left, side, side)


def _resize(images, size):
    return tf.image.resize(images, (size, size), method="bilinear", antialias=True)


def _pad(images, size):
    height, width = tf.shape(images)[1], tf.shape(images)[2]
    return tf.image.pad_to_bounding_box(
        images, (size - height) // 2, (size - width) // 2, size, size
    )
