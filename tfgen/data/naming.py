"""Whether the name of a data set is a folder's; TensorFlow is imported only if that is needed."""

import os
from pathlib import Path

DIGITS = ("digits", "digits_negative")
_PATHS = (".", "/", "~")  # first letters


def is_folder(name: str | os.PathLike) -> bool:
    """Return whether a name is that of a folder of pictures.

    Paths are, such as `Path("mnist")` or "./mnist", and so are names of existing folders that are not names
    of data sets: a folder "mnist" in the working directory does not replace MNIST.
    """
    if isinstance(name, os.PathLike) or name.startswith(_PATHS):
        return True
    return os.path.isdir(name) and name not in DIGITS and not _known_to_tfds(name)


def absolute(name: str | os.PathLike) -> str:
    """Return the absolute path of a folder, or the name itself."""
    return str(Path(name).expanduser().resolve()) if is_folder(name) else str(name)


def _known_to_tfds(name):
    import tensorflow_datasets as tfds  # only if a folder has this name

    import tfgen.data.builders  # noqa: F401  registers usps and mnist_m

    try:
        tfds.builder_cls(name)
    except (tfds.core.DatasetNotFoundError, ValueError):
        return False
    return True
