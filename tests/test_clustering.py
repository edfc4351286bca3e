"""Accuracy of clusters under the best one-to-one assignment to classes."""

import numpy as np
import pytest

from tfgen.evaluation import metrics


def test_by_hand():
    """Cluster 5 is class 1 (3 images) and cluster 7 class 0 (1): greedy matching is beaten."""
    clusters, labels = [5, 5, 5, 5, 5, 7, 7, 7], [0, 0, 1, 1, 1, 1, 1, 0]
    assert metrics.clustering_accuracy(clusters, labels) == 4 / 8


def test_greedy_matching_is_not_the_best():
    """Counts [[5, 4], [4, 0]]: 5 + 0 against 4 + 4."""
    labels = [0] * 5 + [0] * 4 + [1] * 4
    clusters = [0] * 5 + [1] * 4 + [0] * 4
    assert metrics.clustering_accuracy(clusters, labels) == pytest.approx(8 / 13)


def test_does_not_depend_on_names():
    rng = np.random.default_rng(0)
    labels = rng.integers(0, 10, 50)
    assert metrics.clustering_accuracy(rng.permutation(10)[labels], labels) == 1.0


@pytest.mark.parametrize(
    ("clusters", "labels", "expected"),
    [([3, 3, 3, 3], [0, 0, 1, 2], 0.5), ([0, 1, 2, 3], [1, 1, 1, 0], 0.5)],
    ids=["fewer clusters", "fewer classes"],
)
def test_partners_may_be_missing(clusters, labels, expected):
    assert metrics.clustering_accuracy(clusters, labels) == expected


@pytest.mark.parametrize(
    ("clusters", "labels", "error", "message"),
    [
        ([0], [0, 1], ValueError, "one label for each image's cluster"),
        ([], [], ValueError, "at least one"),
        ([0.5], [0], TypeError, "clusters must be integers"),
        ([0], [0.5], TypeError, "labels must be integers"),
    ],
)
def test_refuses_other_input(clusters, labels, error, message):
    with pytest.raises(error, match=message):
        metrics.clustering_accuracy(clusters, labels)
