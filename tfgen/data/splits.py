"""The syntax of TFDS for parts of a data set: "test", "train[:90%]", "train+test"."""

from collections.abc import Collection, Mapping

import numpy as np


def positions(split: str, sizes: Mapping[str, int]) -> list[tuple[str, slice]]:
    """Return (name, slice) of each part of a split.

    Args:
        split: Split in TFDS's syntax.
        sizes: Number of images in each split.

    Raises:
        ValueError: The split is unknown or a slice malformed.
        TypeError: `split` is not a string.
    """
    import tensorflow_datasets as tfds

    check_split(split)
    infos = tfds.core.SplitDict(
        [
            tfds.core.SplitInfo(name=s, shard_lengths=[n], num_bytes=0, filename_template=None)
            for s, n in sizes.items()
        ]
    )
    try:
        parts = tfds.core.ReadInstruction.from_spec(split).to_absolute(infos)
    except ValueError as error:
        raise split_error(split, sizes) from error
    return [(part.splitname, slice(part.from_, part.to)) for part in parts]


def check_split(split: str) -> None:
    if not isinstance(split, str):
        raise TypeError(f'split must be a string, as "train". Received: split={split!r}')


def split_error(split: str, known: Collection[str]) -> ValueError:
    """Return the error for a split that a data set does not have."""
    return ValueError(
        f'split must be, or slice as in "train[:90%]", one of {sorted(known)}, and not be empty. '
        f"Received: split={split!r}"
    )


def join_splits(split: str, arrays: Mapping[str, np.ndarray]) -> np.ndarray:
    """Return the rows of each array that belong to a split."""
    sizes = {name: len(rows) for name, rows in arrays.items()}
    return np.concatenate([arrays[name][rows] for name, rows in positions(split, sizes)])
