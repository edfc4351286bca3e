"""Selected images of a split and the geometry they are brought to, before any image is read."""

import dataclasses
import os
from typing import Any

import numpy as np
import tensorflow as tf

from tfgen.checks import check_flags
from tfgen.data.named import find
from tfgen.data.pictures import Geometry
from tfgen.data.pipeline import Fetch, fetch_batches, memory_fetch
from tfgen.data.sources import SplitReader
from tfgen.data.subsets import check_share, hide_labels, stratified_subset


@dataclasses.dataclass(frozen=True)
class Selection:
    """Selected images of a split.

    Attributes:
        reader: Reader of the split.
        geometry: Size and channels that images are brought to.
        kept: Positions (m,) in the split, or None for all.
        hidden: Labels int32 (m,), some of them -1, in place of those read; None for the labels read.
    """

    reader: SplitReader
    geometry: Geometry
    kept: np.ndarray | None = None
    hidden: np.ndarray | None = None

    def __len__(self):
        return len(self.reader) if self.kept is None else len(self.kept)

    @property
    def labels(self) -> np.ndarray:
        """int32 (m,)."""
        return self.reader.labels[self.positions] if self.hidden is None else self.hidden

    @property
    def positions(self) -> np.ndarray:
        return np.arange(len(self.reader)) if self.kept is None else self.kept

    def array(self) -> np.ndarray:
        """Return the images, uint8 (m, h, w, c)."""
        return self.reader.array(self.positions, self.geometry)

    def only(self, chosen: np.ndarray) -> "Selection":
        """Return the selection of images at positions (k,) of this selection."""
        return dataclasses.replace(self, kept=self.positions[chosen], hidden=self.labels[chosen])

    def fetch(
        self, *, stream: bool = False, cached: bool = False
    ) -> tuple[Fetch, tuple[int, int, int]]:
        """Return a function that reads images and labels by position, and the shape of an image.

        Args:
            stream: Whether to read them when needed, instead of all of them into memory now.
            cached: See `tfgen.data.load`.
        """
        if not stream:
            images = self.array()
            return memory_fetch(images, self.labels), images.shape[1:]
        read, shape = self.reader.stream(self.geometry, cached)

        def fetch(indices):
            images, labels = read(indices if self.kept is None else tf.gather(self.kept, indices))
            return images, labels if self.hidden is None else tf.gather(self.hidden, indices)

        return fetch, shape

    def batches(
        self, batch_size: int, seed: int, *, stream: bool, cached: bool = False, **options: Any
    ) -> tf.data.Dataset:
        """Return batches, see `tfgen.data.batches`."""
        fetch, _ = self.fetch(stream=stream, cached=cached)
        return fetch_batches(len(self), fetch, batch_size, seed, **options)


def select(
    name: str | os.PathLike,
    split: str = "train",
    fraction: float = 1.0,
    labelled: float = 1.0,
    seed: int = 0,
    *,
    stream: bool = False,
    **geometry: Any,
) -> Selection:
    """Return the selection of images that `tfgen.data.arrays` describes."""
    brought_to = Geometry(**geometry)
    check_flags(stream=stream)
    check_share("fraction", fraction)
    check_share("labelled", labelled)
    reader = find(name).read_split(split, stream)
    if not len(reader):
        raise ValueError(f"The split must hold images. Received: name={name!r}, split={split!r}")
    # A share of a stream needs a pass over its labels; all of it needs none.
    if stream and fraction == labelled == 1:
        return Selection(reader, brought_to)
    kept = stratified_subset("fraction", reader.labels, fraction, seed)
    hidden = hide_labels(reader.labels[kept], labelled, seed)
    return Selection(reader, brought_to, kept, hidden)
