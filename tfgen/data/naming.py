"""What the name of a data set stands for, decided in one place and without TensorFlow where it can be."""

import os
from pathlib import Path

DIGITS = ("digits", "digits_negative")
_PATHS = (".", "/", "~")  # first letters


def is_folder(name: str | os.PathLike) -> bool:
    """Return whether a name stands for a folder of pictures.

    A path does, as `Path("mnist")` or "./mnist", and the name of a folder that no data set has: a
    folder "mnist" in the working directory does not take the place of MNIST.
    """
    if isinstance(name, os.PathLike) or name.startswith(_PATHS):
        return True
    return os.path.isdir(name) and name not in DIGITS and not _known_to_tfds(name)


def absolute(name: str | os.PathLike) -> str:
    """Return a folder's path from the root, or else the name itself."""
    return str(Path(name).expanduser().resolve()) if is_folder(name) else str(name)


def _known_to_tfds(name):
    import tensorflow_datasets as tfds  # only where a folder of this name is here

    import tfgen.data.builders  # noqa: F401  registers usps and mnist_m

    try:
        tfds.builder_cls(name)
    except (tfds.core.DatasetNotFoundError, ValueError):
        return False
    return True
