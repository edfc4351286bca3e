"""Random shifts and flips of images, as functions of (seed, epoch, index of the image)."""

import tensorflow as tf

FLIPS = (None, "random", "alternating")
_SHIFT, _FLIP = 1, 2  # streams of noise


def check(shift: int, flip: str | None) -> None:
    """Check the options of `augment`.

    Raises:
        ValueError: Shift is negative or no integer, or flip is none of `FLIPS`.
    """
    if isinstance(shift, bool) or not isinstance(shift, int) or shift < 0:
        raise ValueError(f"shift must be a number of pixels. Received: shift={shift!r}")
    if not isinstance(flip, str | None) or flip not in FLIPS:
        raise ValueError(f"flip must be one of {FLIPS}. Received: flip={flip!r}")


def augment(
    images: tf.Tensor,
    indices: tf.Tensor,
    count: int,
    seed: int,
    epoch: tf.Tensor,
    shift: int = 0,
    flip: str | None = None,
) -> tf.Tensor:
    """Return the images shifted and mirrored, each as (seed, epoch, its index) say.

    Args:
        images: (b, h, w, c).
        indices: (b,) of the images in the data set.
        count: Number of images in the data set.
        seed: Seed of the noise, an integer.
        epoch: int64 scalar.
        shift: Up to so many pixels in either direction; what comes in is the image reflected.
        flip: Left to right. "random": by a coin toss for each image and epoch. "alternating": by a coin
            toss for each image in epoch 0, and in every later epoch the other way than in the one before
            (Jordan 2024, arXiv 2404.00498, section 3.6).

    Returns:
        (b, h, w, c), of the images' dtype.
    """
    if flip is not None:
        mirrored = _flips(indices, count, seed, epoch, flip)[:, None, None, None]
        images = tf.where(mirrored, tf.reverse(images, axis=[2]), images)
    if shift:
        images = _apply_shifts(images, _shifts(indices, count, seed, epoch, shift), shift)
    return images


def _flips(indices, count, seed, epoch, flip):
    """Which images are mirrored, (b,) bool."""
    drawn_in = epoch if flip == "random" else tf.zeros_like(epoch)
    coins = _draws(count, 2, seed, drawn_in, _FLIP)[:, 0]
    turns = tf.cast(epoch % 2, tf.int32) if flip == "alternating" else 0
    return (tf.gather(coins, indices) + turns) % 2 == 1


def _shifts(indices, count, seed, epoch, shift):
    """Rows and columns that the images are moved by, (b, 2) from 0 to 2 shift, `shift` being none."""
    return tf.gather(_draws(count, 2 * shift + 1, seed, epoch, _SHIFT), indices)


def _draws(count, values, seed, epoch, stream):
    """Two integers in [0, values) for each image of the data set, (count, 2)."""
    noise_seed = tf.random.fold_in([seed, epoch], stream, alg="philox")
    return tf.random.stateless_uniform(
        [count, 2], noise_seed, 0, values, dtype=tf.int32, alg="philox"
    )


def _apply_shifts(images, offsets, shift):
    height, width = images.shape[1:3]
    margin = [shift, shift]
    framed = tf.pad(images, [[0, 0], margin, margin, [0, 0]], mode="REFLECT")
    rows = offsets[:, :1] + tf.range(height)
    columns = offsets[:, 1:] + tf.range(width)
    return tf.gather(tf.gather(framed, rows, axis=1, batch_dims=1), columns, axis=2, batch_dims=1)
