"""Sources of images and readers of their splits, as `tfgen.data.named` finds them.

A source knows its splits and classes before an image is read. A reader gives a split whole, or a batch
at a time in any order.
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
        name: Name or path of the data set.
        shape: (height, width, channels); None where images differ.
        num_classes: Number of classes; 0 for pictures without labels.
        splits: Number of images in each split.
        class_names: Names of class 0, 1, ...; empty for pictures without labels.
    """

    name: str
    shape: tuple[int | None, int | None, int]
    num_classes: int
    splits: dict[str, int]
    class_names: tuple[str, ...] = dataclasses.field(default=(), compare=False)


class SplitReader(abc.ABC):
    """Reader of the images of a split, slice or sum of splits, in a fixed order.

    Attributes:
        labels: int32 (n,), -1 = unlabelled; read when first used.
    """

    labels: np.ndarray

    @abc.abstractmethod
    def __len__(self) -> int: ...

    @abc.abstractmethod
    def array(self, kept: np.ndarray, geometry: Geometry) -> np.ndarray:
        """Return the images at the positions `kept` (m,), uint8 (m, h, w, c)."""

    @abc.abstractmethod
    def stream(
        self, geometry: Geometry, cached: bool = False
    ) -> tuple[Fetch, tuple[int, int, int]]:
        """Return a function that reads images and labels by position, and the shape of an image.

        The images are those of `array`.

        `cached` keeps decoded pictures of a folder on disk.
        """


class Source(abc.ABC):
    """Data set found by its name.

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
        """(height, width, channels) of all images, None where they differ; may open every picture."""

    @abc.abstractmethod
    def read_split(self, split: str, stream: bool = False) -> SplitReader:
        """Return a reader of a split in TFDS's syntax; `stream` if it will not be read whole."""


class InMemory(SplitReader):
    """Reader of images in memory.

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
