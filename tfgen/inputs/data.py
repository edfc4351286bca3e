"""What a model may be given: images, labels, the arguments of `fit` and `sample`."""

import keras
import numpy as np
import tensorflow as tf

MOST_SAMPLES = 1_000_000
BATCH = 32  # Keras' default


def unpack(data):
    """(images, labels) of what a model is given: images alone, or a pair; labels may be None."""
    if isinstance(data, (tuple, list)):
        return (*data, None)[:2]
    return data, None


def check_images(images, shape):
    """Images are floating-point, finite, in [0, 1], of the model's shape, and at least one.

    Args:
        images: NumPy array or tensor, (b, h, w, c).
        shape: (h, w, c) of the model.

    Raises:
        TypeError: another dtype.
        ValueError: another shape, no image, NaN, or values outside [0, 1].
    """
    _check_image_spec(images.shape, images.dtype, shape)
    images = np.asarray(images)
    if not len(images):
        raise ValueError("There must be at least one image. Received: 0 images")
    low, high = float(images.min()), float(images.max())
    if not (np.isfinite(low) and np.isfinite(high)):
        raise ValueError(f"images must be finite. Received: smallest={low}, largest={high}")
    if low < 0 or high > 1:
        raise ValueError(
            "images must lie in [0, 1]; divide 8-bit values by 255. "
            f"Received: smallest={low}, largest={high}"
        )


def _check_image_spec(received, dtype, shape):
    if not tf.as_dtype(dtype).is_floating:
        raise TypeError(
            "images must be floating-point values in [0, 1]; divide 8-bit values by 255. "
            f"Received: dtype={tf.as_dtype(dtype).name}"
        )
    received = tuple(received)
    fits = len(received) == 4 and all(
        size is None or size == expected for size, expected in zip(received[1:], shape, strict=True)
    )
    if not fits:
        expected = ", ".join(map(str, shape))
        raise ValueError(f"images must have shape (n, {expected}). Received: shape={received}")


def check_labels(labels, count, num_classes, unlabelled=False):
    """Labels are integers, one an image, in [0, num_classes), or -1 where a model takes unlabelled images.

    Raises:
        TypeError: labels are not integers.
        ValueError: labels are missing, of another number than the images, or out of range.
    """
    lowest = -1 if unlabelled else 0
    rule = f"labels must be integers from {lowest} to {num_classes - 1}, one an image"
    if labels is None:
        raise ValueError(f"{rule}. Received: labels=None")
    labels = np.asarray(labels)
    if not np.issubdtype(labels.dtype, np.integer):
        raise TypeError(f"{rule}. Received: dtype={labels.dtype}")
    if labels.shape != (count,):
        raise ValueError(f"{rule}. Received: shape={labels.shape} for {count} images")
    if labels.min() < lowest or labels.max() >= num_classes:
        raise ValueError(f"{rule}. Received: labels from {labels.min()} to {labels.max()}")


def labelled_share(dataset):
    """The share of the images that have a label.

    Args:
        dataset: tf.data.Dataset of batches (images, labels).

    Raises:
        ValueError: no image has a label, or the data set has no end.
    """
    if dataset.cardinality() == tf.data.INFINITE_CARDINALITY:
        raise ValueError(
            "The share of labelled images must be that of a finite data set. "
            f"Received: {dataset!r}, which repeats without end"
        )
    counts = [
        (len(labels), int(tf.reduce_sum(tf.cast(labels >= 0, "int32")))) for _, labels in dataset
    ]
    images, labelled = map(sum, zip(*counts, strict=True))
    if not labelled:
        raise ValueError(
            f"At least one image must have a label. Received: {images} images, all labelled -1"
        )
    return labelled / images


def sample_labels(model, n, seed, labels):
    """The labels to sample with: those given, or arange(n) % num_classes, or None without classes."""
    if isinstance(n, bool) or not isinstance(n, (int, np.integer)):
        raise TypeError(f"n must be an int. Received: n={n!r}")
    if not 1 <= n <= MOST_SAMPLES:
        raise ValueError(f"n must be from 1 to {MOST_SAMPLES:,}. Received: n={n}")
    if isinstance(seed, bool) or not isinstance(seed, (int, np.integer)):
        raise TypeError(f"seed must be an int. Received: seed={seed!r}")
    if not -(2**31) <= seed < 2**31:
        raise ValueError(f"seed must fit 32 bits. Received: seed={seed}")
    if not model.conditional:
        if labels is not None:
            raise ValueError(f"{model.name} draws without labels. Received: labels={labels!r}")
        return None
    if labels is None:
        return np.arange(n, dtype="int32") % model.num_classes
    check_labels(labels, n, model.num_classes)
    return np.asarray(labels, "int32")


def pipeline(model, x, y, arguments):
    """What `fit` trains on, checked: arrays become a `tfgen.data` pipeline, tf.data is looked into.

    Args:
        model: a Unified model; `model.check_batch` states its rules.
        x, y, arguments: of `fit`.

    Returns:
        x, y and arguments for `keras.Model.fit`.

    Raises:
        ValueError, TypeError: the data break a rule.
    """
    for name in ("sample_weight", "class_weight"):
        if arguments.get(name) is not None:
            raise ValueError(f"Objectives weigh examples themselves. Received: {name} is not None")
    if isinstance(x, tf.data.Dataset):
        if y is not None:
            raise ValueError("A tf.data.Dataset holds its labels. Received: y is not None")
        batch = _first_batch(x)
        model.check_batch(batch)
        _check_batch_size(model, len(unpack(batch)[0]))
        return x, None, {**arguments, "shuffle": False}  # the data set's own order
    if not isinstance(x, (np.ndarray, tf.Tensor, tuple, list)):
        raise TypeError(f"fit takes arrays or a tf.data.Dataset. Received: x={type(x).__name__}")
    data = x if y is None else (x, y)
    model.check_batch(data)
    arguments = dict(arguments)
    arrays = [np.asarray(part) for part in unpack(data) if part is not None]
    batch_size = arguments.pop("batch_size", None) or BATCH
    share = arguments.pop("validation_split", 0.0)
    if share and arguments.get("validation_data") is None:
        arrays, held_out = zip(*[_split(array, share) for array in arrays], strict=True)
        size = arguments.pop("validation_batch_size", None) or batch_size
        arguments["validation_data"] = model.from_arrays(*held_out, batch_size=size, shuffle=False)
    _check_batch_size(model, min(batch_size, max(map(len, arrays))))
    shuffle = arguments.pop("shuffle", True)
    batches = model.from_arrays(*arrays, batch_size=batch_size, seed=model.seed, shuffle=shuffle)
    return batches, None, {**arguments, "shuffle": False}


def _first_batch(dataset):
    batch = next(iter(dataset.take(1)), None)
    if batch is None:
        raise ValueError("The data set must hold at least one batch. Received: an empty data set")
    x, y, _ = keras.utils.unpack_x_y_sample_weight(batch)
    return x if y is None else (x, y)


def _check_batch_size(model, batch_size):
    replicas = model.distribute_strategy.num_replicas_in_sync
    if batch_size % replicas:
        raise ValueError(
            "batch_size must be a multiple of the number of replicas. "
            f"Received: batch_size={batch_size}, replicas={replicas}"
        )


def _split(array, share):
    """An array without its last share, and that, held out as Keras' validation_split does."""
    if not 0 < share < 1:
        raise ValueError(f"validation_split must lie in [0, 1). Received: validation_split={share}")
    count = int(len(array) * (1 - share))
    if not 0 < count < len(array):
        raise ValueError(
            "validation_split must leave at least one image on either side. "
            f"Received: validation_split={share} of {len(array)} images"
        )
    return array[:count], array[count:]
