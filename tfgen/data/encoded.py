"""Decode pictures within a graph to a model's images, as `tfgen.data` reads a folder of them."""

import tensorflow as tf

from tfgen.data import pictures


@tf.function(autograph=False)  # an export stores it once for all endpoints that call it
def images(contents: tf.Tensor, shape: tuple[int, int, int]) -> tf.Tensor:
    """Return images in [0, 1] of PNG or JPEG files of any size, equal to those that `tfgen.data` reads.

    They are resized and converted to the channels by `tfgen.data.pictures`, with transparency on white and
    16 bits cut to their high byte.  Unlike `tfgen.data`, TensorFlow's decoder ignores EXIF orientations.

    Args:
        contents: (b,) strings, one file each.
        shape: (h, w, c) of the images, c = 1 or 3.

    Returns:
        (b, h, w, c) float32, multiples of 1/255.
    """

    def read(content):
        # It decodes PNG too, and is the only decoder with a choice of cosine transform; Pillow's is chosen.
        pixels = tf.io.decode_jpeg(content, channels=0, dct_method="INTEGER_ACCURATE")
        kinds = [lambda depth=depth: _read(pixels, depth, shape) for depth in (1, 2, 3, 4)]
        return tf.switch_case(tf.shape(pixels)[-1] - 1, kinds)

    pixels = tf.map_fn(read, contents, fn_output_signature=tf.TensorSpec(shape, tf.uint8))
    return tf.cast(pixels, tf.float32) / 255.0


def _read(image, depth, shape):
    image = tf.ensure_shape(image, (None, None, depth))[None]
    image = pictures.opaque(image) if depth in (2, 4) else image
    height, width, channels = shape
    if height == width:
        return pictures.pixels(image, pictures.Geometry(height, channels))[0]
    colors = pictures.fit_geometry(tf.cast(image, tf.float32), pictures.Geometry(channels=channels))
    resized = tf.image.resize(colors, (height, width), method="bilinear", antialias=True)
    return tf.cast(tf.round(resized[0]), tf.uint8)
