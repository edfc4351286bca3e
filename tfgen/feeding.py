"""The gate that all images and labels pass on their way into a model, and what they become there."""

import keras
import numpy as np
import tensorflow as tf

BATCH = 32  # Keras' default


def unpack(data) -> tuple:
    """(images, labels) of what a step is given: images alone, or a pair; labels may be None."""
    x, y, _ = keras.utils.unpack_x_y_sample_weight(data)
    data = x if y is None else (x, y)
    if isinstance(data, tuple | list):
        return (*data, None)[:2]
    return data, None


def pipeline(model, x, y, arguments: dict) -> tuple:
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
        images, labels = _first_batch(x)
        model.check_batch(images, labels)
        _check_batch_size(model, len(images))
        return x, None, {**arguments, "shuffle": False}  # the data set's own order
    if not isinstance(x, np.ndarray | tf.Tensor | tuple | list):
        raise TypeError(f"fit takes arrays or a tf.data.Dataset. Received: x={type(x).__name__}")
    images, labels = unpack(x if y is None else (x, y))
    model.check_batch(images, labels)
    arguments = dict(arguments)
    arrays = [np.asarray(part) for part in (images, labels) if part is not None]
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
    return unpack(batch)


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


def labelled_share(dataset) -> float:
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
