"""Stratified subsets of images to keep, and of labels to keep."""

from typing import Any

import numpy as np

from tfgen.checks import check_seed


def stratified_subset(argument: str, labels: np.ndarray, share: float, seed: int) -> np.ndarray:
    """Return sorted positions (m,) of a stratified share of the images.

    A share is a prefix of the `stratified_order` of a random draw, and the first image of each class. It
    therefore has round(share * n) images, each class its share to within one image, and a smaller share
    is a subset of a larger one.

    Args:
        argument: Name of the share in errors.
        labels: (n,); -1, unlabelled, counts as a class.
        share: Share in (0, 1].
        seed: Seed that fixes the order.
    """
    check_share(argument, share)
    if not share > 0:
        raise ValueError(f"{argument} must lie in (0, 1]. Received: {argument}={share!r}")
    check_seed(seed)
    # RandomState: its stream is frozen, that of numpy.random.Generator may change with NumPy.
    drawn = np.random.RandomState(seed).permutation(len(labels))
    order = stratified_order(drawn, labels)
    first = [drawn[np.argmax(labels[drawn] == t)] for t in np.unique(labels)]
    return np.union1d(order[: round(share * len(labels))], first)


def check_share(argument: str, share: Any) -> None:
    """Check that a share is a number in [0, 1].

    Raises:
        TypeError: The share has another type.
        ValueError: The share is out of range.
    """
    if isinstance(share, bool) or not isinstance(share, int | float | np.floating | np.integer):
        raise TypeError(f"{argument} must be a number. Received: {argument}={share!r}")
    if not 0 <= share <= 1:
        raise ValueError(f"{argument} must lie in (0, 1]. Received: {argument}={share!r}")


def stratified_order(drawn: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """Return positions in a drawn order (n,), rearranged so that each prefix is stratified by labels (n,).

    The sort key of the i-th drawn of the m_t images of class t is (i + 1/2) / m_t.
    """
    place = np.empty(len(labels))
    for t in np.unique(labels):
        members = drawn[labels[drawn] == t]
        place[members] = (np.arange(len(members)) + 0.5) / len(members)
    return drawn[np.argsort(place[drawn], kind="stable")]


def hide_labels(labels: np.ndarray, share: float, seed: int) -> np.ndarray:
    """Return labels (n,) with a stratified share kept and the others replaced by -1."""
    check_share("labelled", share)
    hidden = np.full_like(labels, -1)
    if share == 0:
        return hidden
    kept = stratified_subset("labelled", labels, share, seed)
    hidden[kept] = labels[kept]
    return hidden
