"""Where images come from: scikit-learn's digits, TensorFlow Datasets, folders of pictures.

A source knows its splits and classes before an image is read. A part of it is read whole, or in
any order, a batch at a time. TFDS, scikit-learn and Pillow are imported where they are used.
"""

import abc
import dataclasses
import difflib
import os

import numpy as np

from tfgen.data.pictures import Geometry, to_array
from tfgen.data.pipeline import Fetch, gathered
from tfgen.data.splits import check_split, joined


@dataclasses.dataclass(frozen=True)
class Info:
    """A data set before its images are read.

    Attributes:
      name: the name or path that was asked for.
      shape: (height, width, channels); None where images differ.
      num_classes: 0 for pictures without labels.
      splits: the number of images in each split.
      class_names: of class 0, 1, ...; empty for pictures without labels.
    """

    name: str
    shape: tuple[int | None, int | None, int]
    num_classes: int
    splits: dict[str, int]
    class_names: tuple[str, ...] = dataclasses.field(default=(), compare=False)


class Part(abc.ABC):
    """The images of a split, or of a slice or sum of them, in a fixed order.

    Attributes:
        labels: int32 (n,), -1 = unlabelled; read when they are asked for.
    """

    labels: np.ndarray

    @abc.abstractmethod
    def __len__(self) -> int: ...

    @abc.abstractmethod
    def array(self, kept: np.ndarray, geometry: Geometry) -> np.ndarray:
        """The images at the positions `kept` (m,), uint8 (m, h, w, c)."""

    @abc.abstractmethod
    def stream(
        self, geometry: Geometry, cached: bool = False
    ) -> tuple[Fetch, tuple[int, int, int]]:
        """A function that reads images and labels by their positions, and the shape of an image.

        The images are those of `array`.

        `cached` keeps on disk what is decoded from files of no record format.
        """


class Source(abc.ABC):
    """A data set by its name.

    Attributes:
        name, splits, class_names, num_classes: as in `Info`.
        on_disk: whether it can be read without a download.
    """

    name: str
    on_disk: bool = True
    splits: dict[str, int]
    class_names: tuple[str, ...]

    @property
    def num_classes(self) -> int:
        return len(self.class_names)

    @abc.abstractmethod
    def shape(self) -> tuple[int | None, int | None, int]:
        """(height, width, channels) of all images, None where they differ; may look at each."""

    @abc.abstractmethod
    def part(self, split: str, stream: bool = False) -> Part:
        """The images of a split in TFDS's syntax; `stream` if they are not to be read whole."""


def find(name: str | os.PathLike) -> Source:
    """The source for "digits", a TFDS name or a folder, in this order.

    Raises:
      FileNotFoundError: a path that is no folder.
      ValueError: a name that is none of the three.
      TypeError: neither a string nor a path.
    """
    from tfgen.data.folders import Folder

    if not isinstance(name, str | os.PathLike):
        raise TypeError(f"A data set's name is a string or a path. Received: name={name!r}")
    if "\0" in os.fspath(name):
        raise ValueError(f"A data set's name must hold no NUL character. Received: name={name!r}")
    if isinstance(name, os.PathLike) or name.startswith((".", "/", "~")):
        return Folder(name)
    if name == "digits":
        return Digits()
    if name == "digits_negative":
        return Digits(name, negative=True)

    import tensorflow_datasets as tfds

    import tfgen.data.builders  # noqa: F401  registers usps and mnist_m
    from tfgen.data.prepared import Prepared

    data_dir = os.environ.get("TFDS_DATA_DIR") or None  # TFDS itself reads it only once, at import
    try:
        builder = tfds.builder(name, data_dir=data_dir)
    except (tfds.core.DatasetNotFoundError, ValueError, AssertionError) as error:
        if os.path.isdir(name):
            return Folder(name)
        known = ["digits", "digits_negative", *tfds.list_builders(with_community_datasets=False)]
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

        digits = load_digits()
        greys = np.rint(digits.images[..., None] * (255 / 16)).astype(np.uint8)  # stored as 0..16
        self.name = name
        self.class_names = tuple(map(str, range(10)))
        self._images = 255 - greys if negative else greys
        self._labels = digits.target.astype(np.int32)
        parts = train_test_split(
            np.arange(len(greys)), test_size=360, stratify=self._labels, random_state=0
        )
        self._members = dict(zip(("train", "test"), map(np.sort, parts), strict=True))
        self.splits = {split: len(chosen) for split, chosen in self._members.items()}

    def shape(self):
        return self._images.shape[1:]

    def part(self, split, stream=False):
        check_split(split)
        chosen = joined(split, self._members)
        return InMemory(self._images[chosen], self._labels[chosen])


class InMemory(Part):
    """Images that are read already.

    Args:
        images: sequence of uint8 (h, w, c).
        labels: int32 (n,).
    """

    def __init__(self, images, labels: np.ndarray):
        self._images, self.labels = images, labels

    def __len__(self):
        return len(self.labels)

    def array(self, kept, geometry):
        return to_array([self._images[i] for i in kept], **dataclasses.asdict(geometry))

    def stream(self, geometry, cached=False):
        images = self.array(np.arange(len(self)), geometry)
        return gathered(images, self.labels), images.shape[1:]
