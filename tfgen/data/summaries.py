"""Printable summary of a data set, to be read before anything is trained."""

import collections
import dataclasses
import os
from collections.abc import Iterable

from tfgen.data.decoding import Header
from tfgen.data.folders import Folder
from tfgen.data.layout import Member, require_class_folders
from tfgen.data.named import find
from tfgen.data.sources import Info

_MOST_CLASSES = 20  # that are listed, each on a line
_MOST_SIZES = 5


@dataclasses.dataclass(frozen=True)
class Summary:
    """Summary of a data set; `str` gives its printed form.

    Attributes:
        name: Name or path of the data set.
        splits: {split: number of images}.
        class_names: Names of class 0, 1, ...; empty for pictures without labels.
        classes: {split: number of images of each class}; empty if unknown before images are read.
        sizes: {(height, width, channels): number of pictures} as viewers show them, most frequent first;
            empty if pictures were not opened.
        passed_over: {reason: number of files and folders}.
        notes: Decisions about the splits, one sentence each.
    """

    name: str
    splits: dict[str, int]
    class_names: tuple[str, ...]
    classes: dict[str, tuple[int, ...]] = dataclasses.field(default_factory=dict)
    sizes: dict[tuple[int, int, int], int] = dataclasses.field(default_factory=dict)
    passed_over: dict[str, int] = dataclasses.field(default_factory=dict)
    notes: tuple[str, ...] = ()

    def __str__(self):
        splits = ", ".join(f"{split} {count:,}" for split, count in self.splits.items())
        lines = [f"data: {self.name}", f"images: {splits or 'known once it is downloaded'}"]
        lines += self._class_lines()
        if self.sizes:
            lines.append(f"sizes: {_shorten(map(_size, self.sizes.items()), _MOST_SIZES)}")
        if self.passed_over:
            passed_over = (f"{count} {reason}" for reason, count in self.passed_over.items())
            lines.append(f"passed over: {', '.join(passed_over)}")
        return "\n".join([*lines, *(f"note: {note}" for note in self.notes)])

    def _class_lines(self) -> list[str]:
        if not self.class_names:
            return ["classes: none, the pictures are unlabelled"]
        lines = [f"classes: {len(self.class_names)}"]
        if not self.classes:
            return [f"{lines[0]} ({_shorten(self.class_names, _MOST_CLASSES)})"]
        for label, name in enumerate(self.class_names[:_MOST_CLASSES]):
            counts = (f"{split} {counts[label]:,}" for split, counts in self.classes.items())
            lines.append(f"  {label}: {name} ({', '.join(counts)})")
        if (more := len(self.class_names) - _MOST_CLASSES) > 0:
            lines.append(f"  and {more} more")
        return lines


def summary(
    name: str | os.PathLike, *, size: int | None = None, channels: int | None = None
) -> Summary:
    """Return splits, classes and sizes of a data set, and the files skipped.

    Args:
        name: See `tfgen.data.arrays`.
        size, channels: Size and channels to bring images to. With both given no picture is opened, and the
            sizes of a folder's pictures stay unknown.

    Raises:
        FileNotFoundError, TypeError, ValueError: See `tfgen.data.info`.
    """
    source = find(name)
    if not isinstance(source, Folder):
        height, width, channels = source.shape()
        sizes = {}
        if height is not None and width is not None:
            sizes = {(height, width, channels): sum(source.splits.values())}
        return Summary(source.name, source.splits, source.class_names, sizes=sizes)
    found = source.layout
    classes = {split: _counts(part, source.num_classes) for split, part in found.splits.items()}
    sizes = {} if size and channels else _sizes(source.headers.values())
    return Summary(
        source.name,
        source.splits,
        source.class_names,
        classes if source.class_names else {},
        sizes,
        found.passed_over,
        (*found.notes, *_absences(source.class_names, classes)),
    )


def require_classes(info: Info, learner: str) -> None:
    """Raise if a data set has no classes for a model that learns from labels.

    Args:
        info: Summary of the data set.
        learner: Name of the model or recipe, for the error.

    Raises:
        ValueError: The data set has no classes.
    """
    require_class_folders(info.name, info.class_names, sum(info.splits.values()), learner)


def _counts(members: Iterable[Member], num_classes: int) -> tuple[int, ...]:
    counts = collections.Counter(member.label for member in members)
    return tuple(counts[label] for label in range(num_classes))


def _absences(class_names, classes) -> list[str]:
    return [
        f"class {name!r} has no pictures in split {split!r}"
        for split, counts in classes.items()
        for name, count in zip(class_names, counts, strict=True)
        if not count
    ]


def _sizes(headers: Iterable[Header]) -> dict[tuple[int, int, int], int]:
    shapes = ((height, width, channels) for height, width, channels in headers)
    return dict(collections.Counter(shapes).most_common())


def _size(item) -> str:
    (height, width, channels), count = item
    return f"{height} x {width} {'gray' if channels == 1 else 'RGB'} ({count:,})"


def _shorten(items, most) -> str:
    items = list(items)
    more = f" and {len(items) - most} more" if len(items) > most else ""
    return ", ".join(items[:most]) + more
