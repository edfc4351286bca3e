"""Sources of images and their parts, as `tfgen.data.named` finds them.

A source knows its splits and classes before an image is read. A part of it is read whole, or in
any order, a batch at a time.
"""

import abc
import dataclasses
from collections.abc import Sequence

import numpy as np

from tfgen.data.pictures import Geometry, to_array
from tfgen.data.pipeline import Fetch, memory_fetch


@dataclasses.dataclass(frozen=True)
class Info:
    """A data set before its images are read.

    Attributes:
        name: The name or path that was asked for.
        shape: (height, width, channels); None where images differ.
        num_classes: 0 for pictures without labels.
        splits: The number of images in each split.
        class_names: Names of class 0, 1, ...; empty for pictures without labels.
    """

    name: str
    shape: tuple[int | None, int | None, int]
    num_classes: int
    splits: dict[str, int]
    class_names: tuple[str, ...] = dataclasses.field(default=(), compare=False)


class SplitReader(abc.ABC):
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
        name, splits, class_names, num_classes: See `Info`.
        on_disk: Whether it can be read without a download.
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
    def read_split(self, split: str, stream: bool = False) -> SplitReader:
        """The images of a split in TFDS's syntax; `stream` if they are not to be read whole."""


class InMemory(SplitReader):
    """Images that are read already.

    Args:
        images: Sequence of uint8 (h, w, c).
        labels: int32 (n,).
    """

    def __init__(self, images: Sequence[np.ndarray] | np.ndarray, labels: np.ndarray):
        self._images, self.labels = images, labels

    def __len__(self):
        return len(self.labels)

    def array(self, kept: np.ndarray, geometry: Geometry) -> np.ndarray:
        return to_array([self._images[i] for i in kept], **dataclasses.asdict(geometry))

    def stream(
        self, geometry: Geometry, cached: bool = False
    ) -> tuple[Fetch, tuple[int, int, int]]:
        images = self.array(np.arange(len(self)), geometry)
        return memory_fetch(images, self.labels), images.shape[1:]
