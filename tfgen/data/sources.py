"""Where images come from: scikit-learn's digits, TensorFlow Datasets, folders of pictures.

Every source reads a split into uint8 images (h, w, c) and int32 labels (n,). TFDS, scikit-learn
and Pillow are imported where they are used.
"""

import dataclasses
import difflib
import os
import pathlib
from collections.abc import Callable, Sequence

import numpy as np

_READ_BATCH = 1024
_SPLIT_FOLDERS = {"train", "validation", "test"}


@dataclasses.dataclass(frozen=True)
class Info:
    """A data set before its images are read.

    Attributes:
      name: the name or path that was asked for.
      shape: (height, width, channels); None where images differ.
      num_classes: 0 for pictures without labels.
      splits: the number of images in each split.
    """

    name: str
    shape: tuple[int | None, int | None, int]
    num_classes: int
    splits: dict[str, int]


@dataclasses.dataclass(frozen=True)
class Source:
    """A data set: what is known of it, `read(split) -> (images, labels)`, and whether it is on disk."""

    info: Info
    read: Callable[[str], tuple[Sequence[np.ndarray], np.ndarray]]
    on_disk: bool = True


def find(name: str | os.PathLike) -> Source:
    """The source for "digits", a TFDS name or a folder, in this order.

    Raises:
      FileNotFoundError: a path that is no folder.
      ValueError: a name that is none of the three.
    """
    if isinstance(name, os.PathLike) or os.fspath(name).startswith((".", "/", "~")):
        return _folder(name)
    if name == "digits":
        return _digits()
    if name == "digits_negative":
        return _digits_negative()

    import tensorflow_datasets as tfds

    import tfgen.data.builders  # noqa: F401  registers usps and mnist_m

    data_dir = os.environ.get("TFDS_DATA_DIR") or None  # TFDS itself reads it only once, at import
    try:
        builder = tfds.builder(name, data_dir=data_dir)
    except (tfds.core.DatasetNotFoundError, ValueError) as error:
        if os.path.isdir(name):
            return _folder(name)
        known = ["digits", "digits_negative", *tfds.list_builders(with_community_datasets=False)]
        nearest = ", ".join(map(repr, difflib.get_close_matches(name, known)))
        raise ValueError(
            'A data set must be "digits", a name that TFDS knows or a folder of pictures'
            f"{f' (near this one: {nearest})' if nearest else ''}. Received: name={name!r}"
        ) from error
    return _tfds(name, builder)


# ---- TensorFlow Datasets -----------------------------------------------------------------------


def _tfds(name, builder) -> Source:
    image_key, label_key = _classification_keys(name, builder.info)
    features = builder.info.features
    shape = features[image_key].shape

    def read(split):
        _prepare(name, builder)
        try:
            dataset = builder.as_dataset(split=split, as_supervised=True)
        except ValueError as error:
            raise _split_error(split, builder.info.splits) from error
        images, labels = [], []
        # Images of several sizes cannot be stacked; one by one is three times slower.
        for batch in dataset.batch(1 if None in shape else _READ_BATCH).as_numpy_iterator():
            images.extend(batch[0])
            labels.extend(batch[1])
        return images, np.array(labels, dtype=np.int32)

    splits = {split: part.num_examples for split, part in builder.info.splits.items()}
    info = Info(name, shape, features[label_key].num_classes, splits)
    return Source(info, read, builder.is_prepared())


def _classification_keys(name, info) -> tuple[str, str]:
    import tensorflow_datasets as tfds

    keys = info.supervised_keys
    if keys and len(keys) == 2 and all(key in info.features for key in keys):
        image, label = (info.features[key] for key in keys)
        is_picture = isinstance(image, tfds.features.Image) and image.np_dtype == np.uint8
        if is_picture and isinstance(label, tfds.features.ClassLabel):
            return keys
    raise ValueError(
        "A data set of TFDS must hold 8-bit images and class labels as its supervised keys. "
        f"Received: name={name!r}, supervised_keys={keys!r}"
    )


def _prepare(name, builder):
    """Does nothing if the data set is on disk; downloads it if it is not."""
    from tensorflow_datasets.core.download import downloader

    downloader.MAX_RETRIES = 3  # TFDS's 10 keep somebody who is offline waiting for 3 minutes
    try:
        builder.download_and_prepare()
    except ImportError:  # TFDS's own message names the package that is missing
        raise
    except Exception as error:  # no common base: requests, TFDS, the file system, the generator
        raise FileNotFoundError(
            f"Data set {name!r} is not in {builder.data_path} and could not be downloaded: set "
            "TFDS_DATA_DIR to a folder that holds it. "
            f"Received: TFDS_DATA_DIR={os.environ.get('TFDS_DATA_DIR')!r}"
        ) from error


# ---- scikit-learn's digits ---------------------------------------------------------------------


def _digits(name="digits") -> Source:
    from sklearn.datasets import load_digits
    from sklearn.model_selection import train_test_split

    digits = load_digits()
    images = np.rint(digits.images[..., None] * (255 / 16)).astype(np.uint8)  # stored as 0..16
    labels = digits.target.astype(np.int32)
    parts = train_test_split(np.arange(len(labels)), test_size=360, stratify=labels, random_state=0)
    members = dict(zip(("train", "test"), map(np.sort, parts), strict=True))

    def read(split):
        chosen = _slice(split, members)
        return images[chosen], labels[chosen]

    splits = {split: len(chosen) for split, chosen in members.items()}
    return Source(Info(name, images.shape[1:], 10, splits), read)


def _digits_negative() -> Source:
    digits = _digits("digits_negative")

    def read(split):
        images, labels = digits.read(split)
        return 255 - images, labels

    return Source(digits.info, read)


# ---- folders of pictures -----------------------------------------------------------------------


def _folder(name) -> Source:
    root = pathlib.Path(name).expanduser()
    if not root.is_dir():
        raise FileNotFoundError(f"There must be a folder of pictures. Received: name={str(name)!r}")
    names = {folder.name for folder in _subfolders(root)}
    roots = {s: root / s for s in sorted(names)} if _is_splits(names) else {"train": root}
    classes = sorted({c.name for part in roots.values() for c in _subfolders(part)})
    members = {split: _labelled_files(part, classes) for split, part in roots.items()}
    files = [path for part in members.values() for path, _ in part]
    if not files:
        raise ValueError(f"A folder must hold pictures. Received: name={str(name)!r}")
    mode, height, width = _common_format(files)

    def read(split):
        chosen = _slice(split, members)
        images = [_decode(path, mode) for path, _ in chosen]
        return images, np.array([label for _, label in chosen], dtype=np.int32)

    splits = {split: len(part) for split, part in members.items()}
    shape = (height, width, 1 if mode == "L" else 3)
    return Source(Info(str(name), shape, len(classes), splits), read)


def _is_splits(names):
    return bool(names) and names <= _SPLIT_FOLDERS


def _subfolders(folder):
    return sorted(p for p in folder.iterdir() if p.is_dir() and not p.name.startswith("."))


def _pictures(folder):
    from PIL import Image

    readable = {s for s, kind in Image.registered_extensions().items() if kind in Image.OPEN}
    return sorted(p for p in folder.iterdir() if p.suffix.lower() in readable and p.is_file())


def _labelled_files(folder, classes) -> list[tuple[pathlib.Path, int]]:
    direct = [(path, -1) for path in _pictures(folder)]
    by_class = [(p, classes.index(c.name)) for c in _subfolders(folder) for p in _pictures(c)]
    if direct and by_class:
        raise ValueError(
            "A folder must hold either pictures or one sub-folder of pictures a class, not both. "
            f"Received: {str(direct[0][0])!r} beside {str(by_class[0][0].parent)!r}"
        )
    return direct or by_class


def _common_format(files) -> tuple[str, int | None, int | None]:
    """Pillow's mode ("L" if all pictures are grey, else "RGB"), and the height and width shared."""
    modes, heights, widths = set(), set(), set()
    for path in files:
        with _open(path) as picture:
            modes.add(picture.mode)
            heights.add(picture.height)
            widths.add(picture.width)
            if picture.mode.startswith(("I", "F")):
                raise ValueError(
                    "Pictures must have 8 bits a channel. "
                    f"Received: {str(path)!r} of mode {picture.mode!r}"
                )
    mode = "L" if modes <= {"1", "L", "LA"} else "RGB"
    height, width = (sides.pop() if len(sides) == 1 else None for sides in (heights, widths))
    return mode, height, width


def _open(path):
    from PIL import Image

    try:
        return Image.open(path)
    except OSError as error:
        raise ValueError(f"A picture must be readable. Received: {str(path)!r}") from error


def _decode(path, mode) -> np.ndarray:
    with _open(path) as picture:
        try:
            pixels = np.asarray(picture.convert(mode))
        except OSError as error:  # a truncated file is found out only here
            raise ValueError(f"A picture must be readable. Received: {str(path)!r}") from error
    return pixels[..., None] if mode == "L" else pixels


# ---- split syntax ------------------------------------------------------------------------------


def _slice(split: str, members: dict[str, Sequence]) -> Sequence:
    """What TFDS's syntax ("train[:90%]+test") takes from each split's members."""
    import tensorflow_datasets as tfds

    infos = tfds.core.SplitDict(
        [
            tfds.core.SplitInfo(name=s, shard_lengths=[len(m)], num_bytes=0, filename_template=None)
            for s, m in members.items()
        ]
    )
    try:
        parts = tfds.core.ReadInstruction.from_spec(split).to_absolute(infos)
    except ValueError as error:
        raise _split_error(split, members) from error
    return [item for p in parts for item in members[p.splitname][p.from_ : p.to]]


def _split_error(split, known) -> ValueError:
    return ValueError(
        f'split must be, or slice as in "train[:90%]", one of {sorted(known)}, and not be empty. '
        f"Received: split={split!r}"
    )
