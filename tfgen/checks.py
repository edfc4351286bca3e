"""Rules on networks, data and arguments, checked before anything is trained, drawn or written.

Every message states the rule, then the value received.  A rule of a single model is in its file.
"""

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:  # imported where they are used: rules on numbers hold without them
    import keras

MOST_SAMPLES = 1_000_000


def check_backend() -> None:
    """Check that Keras runs on TensorFlow, whose tape and datasets the training step uses.

    Raises:
        ImportError: Keras has another backend.
    """
    import keras

    if keras.backend.backend() != "tensorflow":
        raise ImportError(
            "Models train with Keras' TensorFlow backend; set KERAS_BACKEND=tensorflow. "
            f"Received: backend={keras.backend.backend()!r}"
        )


# Numbers.


def check_integer(name: str, value: Any, low: int, high: int | None = None) -> None:
    """Check that the value is an int, not a bool, from `low` to `high`, or at least `low`.

    Raises:
        TypeError: The value has another type.
        ValueError: The value is out of range.
    """
    if isinstance(value, bool) or not isinstance(value, int | np.integer):
        raise TypeError(f"{name} must be an int. Received: {name}={value!r}")
    if value < low or (high is not None and value > high):
        expected = f"at least {low:,}" if high is None else f"from {low:,} to {high:,}"
        raise ValueError(f"{name} must be {expected}. Received: {name}={value}")


def check_flags(**values: Any) -> None:
    """Check that every value is True or False.

    Raises:
        TypeError: A value is neither.
    """
    for name, value in values.items():
        if not isinstance(value, bool | np.bool_):
            raise TypeError(f"{name} must be True or False. Received: {name}={value!r}")


def check_seed(seed: Any, lowest: int = 0) -> None:
    """Check that a seed is an int from 0 to 2^31 - 1, the range that Keras, NumPy and TensorFlow share.

    Args:
        seed: Seed of weights, order, noise or a choice.
        lowest: Smallest seed; -2^31 for samples, since a server takes any int32.

    Raises:
        TypeError: The seed has another type.
        ValueError: The seed is out of range.
    """
    check_integer("seed", seed, lowest, 2**31 - 1)


def check_positive(**values: Any) -> None:
    """Check that every value is a number above zero.

    Raises:
        TypeError: A value is no number.
        ValueError: A value is not above zero.
    """
    for name, value in values.items():
        _check_number(name, value)
        if not value > 0:
            raise ValueError(f"{name} must be positive. Received: {name}={value}")


def check_not_negative(**values: Any) -> None:
    """Check that every value is a number, zero or above.

    Raises:
        TypeError: A value is no number.
        ValueError: A value is below zero.
    """
    for name, value in values.items():
        _check_number(name, value)
        if not value >= 0:
            raise ValueError(f"{name} must not be negative. Received: {name}={value}")


def _check_number(name, value):
    if isinstance(value, bool) or not isinstance(value, int | float | np.number):
        raise TypeError(f"{name} must be a number. Received: {name}={value!r}")


# Images and labels.


def check_image_kind(
    dtype: Any, received: Iterable[int | None], shape: tuple[int, ...], name: str = "images"
) -> None:
    """Check that the dtype is floating-point and the shape, as far as it is known, (n, *shape).

    Args:
        dtype: Data type of NumPy or TensorFlow.
        received: Shape of the images; None stands for an unknown size.
        shape: (h, w, c) of the model.
        name: Name of the argument, for the message.

    Raises:
        TypeError: The dtype is another.
        ValueError: The shape is another.
    """
    import tensorflow as tf

    if not tf.as_dtype(dtype).is_floating:
        raise TypeError(
            f"{name} must be floating-point values in [0, 1]; divide 8-bit values by 255. "
            f"Received: dtype={tf.as_dtype(dtype).name}"
        )
    received = tuple(received)
    fits = len(received) == 4 and all(
        size is None or size == expected for size, expected in zip(received[1:], shape, strict=True)
    )
    if not fits:
        expected = ", ".join(map(str, shape))
        raise ValueError(f"{name} must have shape (n, {expected}). Received: shape={received}")


def check_images(images: Any, shape: tuple[int, ...], name: str = "images") -> None:
    """Check that images are floating-point, finite, in [0, 1], of the model's shape, and at least one.

    Args:
        images: NumPy array or tensor, (n, h, w, c).
        shape: (h, w, c) of the model.
        name: Name of the argument, for the message.

    Raises:
        TypeError: The dtype is not floating-point.
        ValueError: The shape is another, there is no image, or values are NaN or outside [0, 1].
    """
    check_image_kind(images.dtype, images.shape, shape, name)
    images = np.asarray(images)
    if not len(images):
        raise ValueError("There must be at least one image. Received: 0 images")
    _check_range(images, name)


def stored_images(images: Any) -> np.ndarray:
    """Return images (n, h, w, c) as data sets store them: uint8, or float32 in [0, 1].

    Raises:
        TypeError: The dtype is another.
        ValueError: The rank is another, there is no image, or floats are NaN or outside [0, 1].
    """
    images = np.asarray(images)
    if images.ndim != 4:
        raise ValueError(
            f"images must have shape (n, height, width, channels). Received: shape={images.shape}"
        )
    if not images.size:
        raise ValueError(f"images must not be empty. Received: shape={images.shape}")
    if images.dtype == np.uint8:
        return images
    if not np.issubdtype(images.dtype, np.floating):
        raise TypeError(
            f"images must be uint8, or floats in [0, 1]. Received: dtype={images.dtype}"
        )
    _check_range(images, "images")
    return images.astype(np.float32, copy=False)


def _check_range(images: np.ndarray, name: str) -> None:
    """Check that the values are finite and in [0, 1]."""
    low, high = float(images.min()), float(images.max())  # NaN if any value is
    if not (np.isfinite(low) and np.isfinite(high)):
        raise ValueError(f"{name} must be finite. Received: smallest={low}, largest={high}")
    if low < 0 or high > 1:
        remedy = "(images + 1) / 2" if low < 0 else "images / 255"
        raise ValueError(
            f"{name} must lie in [0, 1]; did you mean {remedy}? "
            f"Received: smallest={low}, largest={high}"
        )


def label_rule(num_classes: int, unlabelled: bool) -> str:
    """Return the rule of labels as text."""
    lowest = -1 if unlabelled else 0
    return f"labels must be integers from {lowest} to {num_classes - 1}, one per image"


def check_labels(labels: Any, count: int, num_classes: int, unlabelled: bool = False) -> None:
    """Check that labels are integers in [0, num_classes), one per image, or -1 if `unlabelled`.

    Any integer dtype and the shapes (n,) and (n, 1) are accepted.

    Args:
        labels: Array, or None if missing.
        count: Number of images.
        num_classes: Number of classes.
        unlabelled: Whether -1 may be given.

    Raises:
        TypeError: Labels are not integers.
        ValueError: Labels are missing, not as many as the images, or out of range.
    """
    lowest = -1 if unlabelled else 0
    rule = label_rule(num_classes, unlabelled)
    if labels is None:
        raise ValueError(f"{rule}. Received: labels=None")
    labels = np.asarray(labels)
    if not np.issubdtype(labels.dtype, np.integer):
        raise TypeError(f"{rule}. Received: dtype={labels.dtype}")
    if labels.shape not in {(count,), (count, 1)}:
        raise ValueError(f"{rule}. Received: shape={labels.shape} for {count} images")
    if len(labels) and (labels.min() < lowest or labels.max() >= num_classes):
        raise ValueError(f"{rule}. Received: labels from {labels.min()} to {labels.max()}")


def stored_labels(labels: Any, count: int) -> np.ndarray:
    """Return labels as data sets store them: int32, -1 = unlabelled; the number of classes is not checked.

    Raises:
        TypeError: Labels are not integers.
        ValueError: Labels are not as many as the images, or out of range.
    """
    labels = np.asarray(labels)
    if not np.issubdtype(labels.dtype, np.integer):
        raise TypeError(f"labels must be integers, -1 = unlabelled. Received: dtype={labels.dtype}")
    if labels.shape != (count,):
        raise ValueError(
            f"labels must be one for each of the {count} images. Received: shape={labels.shape}"
        )
    low, high = labels.min(), labels.max()
    if low < -1 or high > np.iinfo(np.int32).max:
        raise ValueError(
            "labels must be -1 (unlabelled) or a class, and fit 32 bits. "
            f"Received: labels from {low} to {high}"
        )
    return labels.astype(np.int32, copy=False)


def sample_labels(model: Any, n: int, seed: int, labels: Any) -> np.ndarray | None:
    """Return the labels to sample with: those given, else arange(n) % num_classes, or None without classes.

    Raises:
        ValueError, TypeError: n, seed or labels break a rule.
    """
    check_integer("n", n, 0, MOST_SAMPLES)
    check_seed(seed, lowest=-(2**31))
    if not model.conditional:
        if labels is not None:
            raise ValueError(f"{model.name} draws without labels. Received: labels={labels!r}")
        return None
    if labels is None or n == 0 == np.size(labels):
        return np.arange(n, dtype="int32") % model.num_classes
    check_labels(labels, n, model.num_classes)
    return np.asarray(labels, "int32").reshape(n)


# Networks.


def check_players(players: "Mapping[str, keras.Model]", average: float | None) -> None:
    """Check that players share no trainable variable and that `average` is None or a decay in (0, 1).

    Raises:
        TypeError: A player is not a built Keras model.
        ValueError: Players share a variable, a player's first input is its labels, or the average is
            out of range or given without a theta.
    """
    import keras

    owners = {}
    for name, network in players.items():
        if not isinstance(network, keras.Model) or not network.built:
            raise TypeError(f"{name} must be a built keras.Model. Received: {name}={network!r}")
        if len(network.inputs) > 1 and "int" in network.inputs[0].dtype:
            raise ValueError(
                "Labels must be a network's second input; inputs in a dictionary have the order of "
                f"their names. Received: {name} of {[end.name for end in network.inputs]}"
            )
        for variable in network.trainable_variables:
            if id(variable) in owners:
                raise ValueError(
                    "Players must not share a trainable variable. "
                    f"Received: {variable.path} in {owners[id(variable)]} and {name}"
                )
            owners[id(variable)] = name
    if average is not None and not ("theta" in players and 0 < average < 1):
        raise ValueError(
            "average must be None, or a decay between 0 and 1 in a model that has theta. "
            f"Received: average={average}, players={sorted(players)}"
        )


def check_networks(num_classes: int | None, theta: "keras.Model", phi: "keras.Model") -> None:
    """Check that phi reads theta's output, and that both have a second input exactly if there are classes.

    Raises:
        ValueError: Shapes or inputs do not fit.
    """
    check_features(theta, phi=phi)
    check_readers(num_classes, theta=theta, phi=phi)


def check_features(theta: "keras.Model", **readers: "keras.Model") -> None:
    """Check that every other network reads theta's output.

    Raises:
        ValueError: Shapes do not fit.
    """
    made = tuple(theta.output_shape[1:])
    for name, network in readers.items():
        read = tuple(network.inputs[0].shape[1:])
        if read != made:
            raise ValueError(
                f"{name} must read what theta makes. Received: theta={made}, {name}={read}"
            )


def check_readers(num_classes: int | None, **networks: "keras.Model") -> None:
    """Check that every network has a second input, for labels, exactly if there are classes.

    Raises:
        ValueError: A network has too few or too many inputs.
    """
    for name, network in networks.items():
        expected = 1 if num_classes is None else 2
        if len(network.inputs) != expected:
            raise ValueError(
                "Networks must have an input for labels exactly if num_classes is given. "
                f"Received: num_classes={num_classes}, {name} with {len(network.inputs)} inputs"
            )


def check_latents(theta: "keras.Model", eta: "keras.Model") -> None:
    """Check that eta, a Gaussian q_eta(z|x), infers latents of the length that theta reads.

    Raises:
        ValueError: Their latents differ in length.
    """
    drawn, inferred = theta.inputs[0].shape[-1], eta.output["mean"].shape[-1]
    if drawn != inferred:
        raise ValueError(
            f"eta must infer the latents that theta reads. Received: theta={drawn}, eta={inferred}"
        )


def check_code_discriminator(theta: "keras.Model", phi: "keras.Model") -> None:
    """Check that phi reads codes of the length that theta reads.

    Raises:
        ValueError: The codes differ in length.
    """
    decoded, judged = theta.inputs[0].shape[1:], phi.inputs[0].shape[1:]
    if tuple(decoded) != tuple(judged):
        raise ValueError(
            f"phi must read the codes that theta reads. Received: theta={decoded}, phi={judged}"
        )
