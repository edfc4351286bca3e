"""Statistics of paired seeds, by hand."""

import math

import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy import stats

from tfgen.evaluation import paired


def test_the_t_interval_by_hand():
    """Differences 1, 2, 3: mean 2, deviation 1, t of .975 and 2 degrees 4.302653."""
    found = paired.compare([2, 4, 6], [1, 2, 3])
    half = 4.302652729696 / math.sqrt(3)
    assert_allclose([found.mean, found.deviation], [2, 1])
    assert_allclose([found.low, found.high], [2 - half, 2 + half])
    assert (found.count, found.positive, found.p) == (3, 3, None)


@pytest.mark.parametrize(
    ("differences", "p"),
    [
        ([1, 2, 3, 4, 5, 6], 2 / 64),  # one sign pattern of 64 at either end
        ([-1, 2, 3, 4, 5, 6], 4 / 64),  # W = 1: patterns {} and {1}
        ([-3, 2, 1, 4, 5, 6], 10 / 64),  # W = 3: patterns {}, {1}, {2}, {3}, {1, 2}
        ([1, 1, 1, 1, 1, 1], 2 / 64),  # ties
        ([0, 1, 2, 3, 4, 5, 6], 2 / 64),  # a zero is left out
        ([0, 0, 0, 0, 0, 0], 1.0),
        ([0.3 - 0.2, 0.2 - 0.1, 0.1, 0.1, 0.1, -0.1], 14 / 64),  # ties but for rounding; W = 3.5
        ([1] * 10 + [2] * 10, 2 / 2**20),
    ],
)
def test_the_wilcoxon_test_is_exact(differences, p):
    assert_allclose(paired.compare(differences, np.zeros(len(differences))).p, p)


@pytest.mark.parametrize("count", [6, 13, 20])
def test_without_ties_p_is_that_of_scipy(count):
    differences = np.random.default_rng(count).normal(0.3, 1, count)
    expected = stats.wilcoxon(differences, method="exact").pvalue
    assert_allclose(paired.compare(differences, np.zeros(count)).p, expected)


def test_five_pairs_are_too_few_for_a_test():
    found = paired.compare([1, 2, 3, 4, 5], np.zeros(5))
    assert found.p is None
    assert paired.verdict(found, None) == "too few seeds (5 of at least 6)"


def test_holm_by_hand():
    """Sorted .01, .02, .03, .5 times 4, 3, 2, 1 is .04, .06, .06, .5, made monotone."""
    assert_allclose(paired.holm([0.03, 0.01, 0.5, 0.02]), [0.06, 0.04, 0.5, 0.06])
    assert_allclose(paired.holm([0.6, 0.7]), [1.0, 1.0])
    assert paired.holm([]) == []


def test_verdicts_say_the_direction():
    up = paired.compare([1, 2, 3, 4, 5, 6], np.zeros(6))
    assert paired.verdict(up, 0.04) == "better"
    assert paired.verdict(up, 0.04, higher_is_better=False) == "worse"
    assert paired.verdict(up, 0.05) == "better before Holm's correction, not after"
    one_far_off = paired.compare([1e-3] * 15 + [-1], np.zeros(16))
    assert one_far_off.p < paired.SIGNIFICANT
    assert "in one direction, their mean in the other" in paired.verdict(one_far_off, 0.01)
    unclear = paired.compare([1, 2, 3, 4, 5, -6], np.zeros(6))
    assert paired.verdict(unclear, 1.0) == "no difference found"


@pytest.mark.parametrize("number", [math.nan, math.inf])
def test_numbers_that_are_not_finite_are_refused(number):
    with pytest.raises(ValueError, match=f"finite. Received: {number} and 0 as pair 1"):
        paired.compare([1, number, 2], [0, 0, 0])


def test_arms_of_unequal_length_are_no_pairs():
    with pytest.raises(ValueError, match="same seeds, at least one. Received: 2 and 1"):
        paired.compare([1, 2], [1])
