"""Folders of pictures: read whole through the cache, or decoded a batch at a time."""

import concurrent.futures
import dataclasses
import functools
import os
from collections.abc import Callable, Iterator, Sequence

import numpy as np
import tensorflow as tf

from tfgen.data import cache
from tfgen.data.decoding import Header, decode, header
from tfgen.data.layout import Layout, Member, layout
from tfgen.data.pictures import Geometry, to_array
from tfgen.data.pipeline import Fetch
from tfgen.data.sources import Source, SplitReader
from tfgen.data.splits import positions

_CHUNK = 32  # pictures of any size that are held in memory at once
_CORES = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()


class Folder(Source):
    """A folder of pictures, in a layout of `tfgen.data.layout`.

    Attributes:
        layout: Splits and classes of the folder.
    """

    def __init__(self, name: str | os.PathLike):
        self.name = str(name)
        self.layout: Layout = layout(name)
        self.class_names = self.layout.class_names
        self.splits = {split: len(members) for split, members in self.layout.splits.items()}

    def shape(self) -> tuple[int | None, int | None, int]:
        headers = self.headers.values()
        heights, widths = ({getattr(h, side) for h in headers} for side in ("height", "width"))
        height, width = (sides.pop() if len(sides) == 1 else None for sides in (heights, widths))
        return height, width, self.channels()

    def channels(self) -> int:
        """1 if all pictures are gray, else 3."""
        return max(header.channels for header in self.headers.values())

    @functools.cached_property
    def headers(self) -> dict[os.PathLike, Header]:
        """Header of each picture of all splits."""
        paths = [member.path for members in self.layout.splits.values() for member in members]
        return dict(zip(paths, _pool().map(header, paths), strict=True))

    def read_split(self, split: str, stream: bool = False) -> SplitReader:
        members = self.layout.members()
        sizes = {name: len(part) for name, part in members.items()}
        chosen = [m for name, rows in positions(split, sizes) for m in members[name][rows]]
        return Pictures(self, chosen)


class Pictures(SplitReader):
    """Pictures of a folder."""

    def __init__(self, folder: Folder, members: Sequence[Member]):
        self._folder, self._members = folder, members
        self.labels = np.array([member.label for member in members], dtype=np.int32)
        self._rows: dict[Geometry, cache.Rows] = {}  # several streams may share them

    def __len__(self):
        return len(self._members)

    def array(self, kept: np.ndarray, geometry: Geometry) -> np.ndarray:
        paths = [self._members[i].path for i in kept]
        if geometry.channels is None:
            geometry = dataclasses.replace(geometry, channels=self._folder.channels())
        if geometry.size is None or geometry.pad:
            shapes = [self._folder.headers[path] for path in paths]
            channels = geometry.channels or self._folder.channels()
            geometry.check((height, width, channels) for height, width, _ in shapes)
        key = cache.key(self._folder.layout.root, paths, geometry)
        return cache.array(key, lambda: _decode_all(paths, geometry))

    def stream(
        self, geometry: Geometry, cached: bool = False
    ) -> tuple[Fetch, tuple[int, int, int]]:
        if geometry.size is None or geometry.channels is None:
            raise ValueError(
                "A stream does not open the pictures of a folder before it begins, so it needs size= "
                f"and channels=. Received: size={geometry.size}, channels={geometry.channels}"
            )
        shape = (geometry.size, geometry.size, geometry.channels)

        paths = [member.path for member in self._members]

        def read(indices) -> np.ndarray:
            chosen = [paths[i] for i in indices]
            return np.concatenate([np.empty((0, *shape), np.uint8), *_chunks(chosen, geometry)])

        rows: Callable[..., np.ndarray] = read
        if cached:
            rows = self._rows.setdefault(
                geometry,
                cache.Rows(
                    cache.key(self._folder.layout.root, paths, geometry), (len(self), *shape), read
                ),
            )

        def fetch(indices):
            images = tf.numpy_function(rows, [indices], tf.uint8, stateful=False)
            images.set_shape((*indices.shape, *shape))
            return images, tf.gather(tf.constant(self.labels), indices)

        return fetch, shape


def _decode_all(paths, geometry) -> np.ndarray:
    chunks = _chunks(paths, geometry)
    first = next(chunks)
    images = np.empty((len(paths), *first.shape[1:]), np.uint8)
    images[: len(first)] = first
    done = len(first)
    for chunk in chunks:
        images[done : done + len(chunk)] = chunk
        done += len(chunk)
    return images


def _chunks(paths, geometry: Geometry) -> Iterator[np.ndarray]:
    """Yield the pictures brought to a geometry, uint8 (b, h, w, c), a few at a time."""
    for start in range(0, len(paths), _CHUNK):
        chunk = paths[start : start + _CHUNK]
        images = list(_pool().map(decode, chunk))
        if geometry.pad:
            _check_fits(chunk, images, geometry.size)
        yield to_array(images, **dataclasses.asdict(geometry))


def _check_fits(paths, images, size):
    for path, image in zip(paths, images, strict=True):
        if max(image.shape[:2]) > size:
            raise ValueError(
                "Padding needs a size of at least the largest side. "
                f"Received: size={size}, and {str(path)!r} of {image.shape[0]} x {image.shape[1]}"
            )


@functools.cache
def _pool() -> concurrent.futures.ThreadPoolExecutor:
    """Return a pool of decoding threads; Pillow releases Python's lock while it decodes."""
    return concurrent.futures.ThreadPoolExecutor(_CORES, thread_name_prefix="tfgen-decode")
