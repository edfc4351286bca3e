"""Score the pictures of one folder against those of another."""

import functools
import operator
import os
from collections.abc import Iterator

import numpy as np

from tfgen.data.named import find
from tfgen.data.naming import is_folder
from tfgen.data.selection import Selection, select
from tfgen.evaluation.evaluator import REFERENCE_FEATURES, Evaluator, Reference, load_evaluator
from tfgen.evaluation.samples import NEIGHBORS, Observations, observations, quality, spans


def compare(
    samples: str | os.PathLike,
    against: str | os.PathLike,
    evaluator: str | os.PathLike | Evaluator,
    seed: int = 0,
    *,
    pad: bool = False,
    crop: bool = False,
) -> dict[str, dict[str, float]]:
    """Score the pictures of a folder against those of another.

    Both are brought to the evaluator's size and channels, a batch at a time, and labels are not read. The
    metrics are those of `tfgen.evaluate` for a model with `sample`, with `against` as the real test set:
    `inception_score`, `inception_score_real`, `inception_score_ratio`, `fid`, `kid`, `precision`, `recall`.

    Args:
        samples, against: Folders of pictures, with all their splits, or names of data sets, with their
            split "test".
        evaluator: An `Evaluator` or the path of its folder.
        seed: Seed of the division of pictures into the groups that give the intervals.
        pad, crop: Whether to pad or crop pictures to the evaluator's size, see `tfgen.data.arrays`.

    Returns:
        {metric: {"value": float, "low": float, "high": float}}.

    Raises:
        FileNotFoundError: A folder is missing, or holds no evaluator.
        ValueError: A folder holds fewer than 4 pictures, or an unreadable one.
    """
    if not isinstance(evaluator, Evaluator):
        evaluator = load_evaluator(evaluator)
    height, _, channels = evaluator.image_shape
    geometry = {"size": height, "channels": channels, "pad": pad, "crop": crop}
    seen = [_observe(name, evaluator, seed, geometry) for name in (samples, against)]
    measured = quality(_reference(seen[1]), seen[0])
    return {name: interval._asdict() for name, interval in measured.items()}


def _observe(name, evaluator, seed, geometry) -> Observations:
    selection = select(name, _all_of(name), stream=True, **geometry)
    if len(selection) <= NEIGHBORS:
        raise ValueError(
            f"A folder to score needs at least {NEIGHBORS + 1} pictures. "
            f"Received: {len(selection)} in {str(name)!r}"
        )
    parts = spans(len(selection))
    return observations(evaluator, parts, _batches(selection, parts, seed))


def _all_of(name) -> str:
    """Select every split of a folder, or the split "test" of a named data set."""
    splits = find(name).splits
    return "+".join(splits) if is_folder(name) else "test"


def _batches(selection: Selection, parts, seed) -> Iterator[np.ndarray]:
    """Yield images float32 (b, h, w, c) in [0, 1], in a random order."""
    read, _ = selection.reader.stream(selection.geometry)
    order = np.random.default_rng(seed).permutation(len(selection))
    for _, start, stop in parts:
        images, _ = read(order[start:stop])
        yield images.numpy() / np.float32(255)


def _reference(seen: Observations) -> Reference:
    whole = functools.reduce(operator.add, seen.moments)
    return Reference(
        count=whole.count,
        inception_score=seen.inception_score,
        accuracy=None,
        mean=whole.mean,
        covariance=whole.covariance,
        features=seen.features[:REFERENCE_FEATURES],
    )
