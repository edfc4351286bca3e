"""Stratified subsets: which images are kept, and which keep their label."""

from typing import Any

import numpy as np

from tfgen.checks import check_seed


def stratified_subset(argument: str, labels: np.ndarray, share: float, seed: int) -> np.ndarray:
    """Sorted positions (m,) of a stratified share of the images.

    A share is a prefix of the `stratified_order` of a random draw, and the first of each class. So it
    has round(share * n) images, each class its share to within one, and a smaller share is a subset of
    a larger one.

    Args:
        argument: The name that an error gives to the share.
        labels: (n,); -1, unlabelled, counts as a class.
        share: In (0, 1].
        seed: Which alone decides the order.
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
    """A share is a number in [0, 1].

    Raises:
        TypeError: Another type.
        ValueError: Out of range.
    """
    if isinstance(share, bool) or not isinstance(share, int | float | np.floating | np.integer):
        raise TypeError(f"{argument} must be a number. Received: {argument}={share!r}")
    if not 0 <= share <= 1:
        raise ValueError(f"{argument} must lie in (0, 1]. Received: {argument}={share!r}")


def stratified_order(drawn: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """Positions in a drawn order (n,), moved so that each prefix is stratified by their labels (n,).

    The i-th drawn of the m_t images of class t stands at (i + 1/2) / m_t.
    """
    place = np.empty(len(labels))
    for t in np.unique(labels):
        members = drawn[labels[drawn] == t]
        place[members] = (np.arange(len(members)) + 0.5) / len(members)
    return drawn[np.argsort(place[drawn], kind="stable")]


def hide_labels(labels: np.ndarray, share: float, seed: int) -> np.ndarray:
    """Labels (n,) of which a stratified share is kept and the rest is -1; 0 hides all."""
    check_share("labelled", share)
    hidden = np.full_like(labels, -1)
    if share == 0:
        return hidden
    kept = stratified_subset("labelled", labels, share, seed)
    hidden[kept] = labels[kept]
    return hidden
