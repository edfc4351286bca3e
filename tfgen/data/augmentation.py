"""Random shifts and flips of images, as functions of (seed, epoch, index of the image)."""

import tensorflow as tf

FLIPS = (None, "random", "alternating")
_SHIFT, _FLIP = 1, 2  # streams of noise


def check(shift: int, flip: str | None) -> None:
    """Check the options of `augment`.

    Raises:
        ValueError: shift is negative or not an integer, or flip is not one of `FLIPS`.
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
    """Return the images shifted and mirrored, each by draws from (seed, epoch, its index).

    Args:
        images: (b, h, w, c).
        indices: (b,) indices of the images in the data set.
        count: Number of images in the data set.
        seed: Seed of the noise, an integer.
        epoch: int64 scalar.
        shift: Largest shift in pixels in either direction; the image is padded by reflection.
        flip: Rule of mirroring, left to right. "random" tosses a coin for each image and epoch.
            "alternating" tosses a coin for each image in epoch 0 and then alternates from epoch to epoch
            (Jordan 2024, arXiv 2404.00498, section 3.6).

    Returns:
        (b, h, w, c) of the images' dtype.
    """
    if flip is not None:
        mirrored = _flips(indices, count, seed, epoch, flip)[:, None, None, None]
        images = tf.where(mirrored, tf.reverse(images, axis=[2]), images)
    if shift:
        images = _apply_shifts(images, _shifts(indices, count, seed, epoch, shift), shift)
    return images


def _flips(indices, count, seed, epoch, flip):
    """Return whether each image is mirrored, (b,) bool."""
    drawn_in = epoch if flip == "random" else tf.zeros_like(epoch)
    coins = _draws(count, 2, seed, drawn_in, _FLIP)[:, 0]
    turns = tf.cast(epoch % 2, tf.int32) if flip == "alternating" else 0
    return (tf.gather(coins, indices) + turns) % 2 == 1


def _shifts(indices, count, seed, epoch, shift):
    """Draw the rows and columns to shift by, (b, 2) in [0, 2 shift]; `shift` itself means no shift."""
    return tf.gather(_draws(count, 2 * shift + 1, seed, epoch, _SHIFT), indices)


def _draws(count, values, seed, epoch, stream):
    """Draw two integers in [0, values) for each image of the data set, (count, 2)."""
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
