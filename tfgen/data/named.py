"""Find a data set by its name: scikit-learn's digits, TensorFlow Datasets, folders of pictures.

TFDS and scikit-learn are imported where they are used.
"""

import difflib
import os

import numpy as np

from tfgen.data.folders import Folder
from tfgen.data.naming import DIGITS, is_folder
from tfgen.data.prepared import Prepared
from tfgen.data.sources import InMemory, Source, SplitReader
from tfgen.data.splits import check_split, join_splits


def find(name: str | os.PathLike) -> Source:
    """Return the source of "digits", a TFDS name or a folder; `tfgen.data.naming` says which it is.

    Raises:
        FileNotFoundError: The path is not a folder.
        ValueError: The name is none of the three.
        TypeError: The name is neither a string nor a path.
    """
    if not isinstance(name, str | os.PathLike):
        raise TypeError(f"A data set's name is a string or a path. Received: name={name!r}")
    if "\0" in os.fspath(name):
        raise ValueError(f"A data set's name must hold no NUL character. Received: name={name!r}")
    if is_folder(name):
        return Folder(name)
    name = os.fspath(name)
    if name in DIGITS:
        return Digits(name, negative=name == "digits_negative")

    import tensorflow_datasets as tfds

    import tfgen.data.builders  # noqa: F401  registers usps and mnist_m

    data_dir = os.environ.get("TFDS_DATA_DIR") or None  # TFDS itself reads it only once, at import
    try:
        builder = tfds.builder(name, data_dir=data_dir)
    except (tfds.core.DatasetNotFoundError, ValueError, AssertionError) as error:
        known = [*DIGITS, *tfds.list_builders(with_community_datasets=False)]
        nearest = ", ".join(map(repr, difflib.get_close_matches(name, known)))
        raise ValueError(
            'A data set must be "digits", a name that TFDS knows or a folder of pictures'
            f"{f' (near this one: {nearest})' if nearest else ''}. Received: name={name!r}"
        ) from error
    return Prepared(name, builder)


class Digits(Source):
    """scikit-learn's digits in two fixed splits."""

    def __init__(self, name: str = "digits", negative: bool = False):
        from sklearn.datasets import load_digits
        from sklearn.model_selection import train_test_split

        pixels, labels = load_digits(return_X_y=True)
        grays = np.rint(np.reshape(pixels, (-1, 8, 8, 1)) * (255 / 16)).astype(
            np.uint8
        )  # stored as 0..16
        self.name = name
        self.class_names = tuple(map(str, range(10)))
        self._images = 255 - grays if negative else grays
        self._labels = np.asarray(labels, np.int32)
        parts = train_test_split(
            np.arange(len(grays)), test_size=360, stratify=self._labels, random_state=0
        )
        train, test = map(np.sort, parts)
        self._members: dict[str, np.ndarray] = {"train": train, "test": test}
        self.splits = {split: len(chosen) for split, chosen in self._members.items()}

    def shape(self) -> tuple[int | None, int | None, int]:
        return self._images.shape[1:]

    def read_split(self, split: str, stream: bool = False) -> SplitReader:
        check_split(split)
        chosen = join_splits(split, self._members)
        return InMemory(self._images[chosen], self._labels[chosen])
