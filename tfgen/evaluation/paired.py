"""Statistics of paired seeds: the t interval, the exact Wilcoxon test, Holm's correction."""

import dataclasses
from collections.abc import Sequence

import numpy as np
from scipy import stats

LEVEL = 0.95
FEWEST = 6  # pairs: with 5 the exact two-sided test cannot fall below 1/16
SIGNIFICANT = 0.05
_DECIMALS = 12  # of differences: beyond, equal ones differ by their rounding


@dataclasses.dataclass(frozen=True)
class Paired:
    """Differences arm - base over seeds.

    Attributes:
        count: Number of pairs.
        mean: Mean of the differences.
        low: Lower end of the t interval of level `LEVEL`; NaN for one pair.
        high: Upper end of that interval.
        deviation: Standard deviation of the differences; NaN for one pair.
        positive: Number of pairs in which the arm has the larger number.
        rank_sum: Sum of the signed ranks of the differences, of which the Wilcoxon test is.
        p: p-value of the exact two-sided Wilcoxon signed-rank test, None below `FEWEST` pairs.
    """

    count: int
    mean: float
    low: float
    high: float
    deviation: float
    positive: int
    rank_sum: float
    p: float | None


def compare(arm: Sequence[float], base: Sequence[float]) -> Paired:
    """Compare two arms, paired by seed.

    Args:
        arm: (n,) numbers of one arm.
        base: (n,) numbers of the other arm, of the same seeds in the same order.

    Raises:
        ValueError: The arms have different lengths, are empty, or have numbers that are not finite.
    """
    if len(arm) != len(base) or not len(arm):
        raise ValueError(
            f"Arms must have the same seeds, at least one. Received: {len(arm)} and {len(base)}"
        )
    differences = np.asarray(arm, float) - np.asarray(base, float)
    if not np.isfinite(differences).all():
        pair = int(np.argmin(np.isfinite(differences)))
        raise ValueError(
            f"Numbers must be finite. Received: {arm[pair]} and {base[pair]} as pair {pair}"
        )
    count, mean = len(differences), float(differences.mean())
    deviation = float(differences.std(ddof=1)) if count > 1 else np.nan
    half = stats.t.ppf((1 + LEVEL) / 2, count - 1) * deviation / np.sqrt(count)
    signed = _signed_ranks(differences)
    p = _wilcoxon(signed) if count >= FEWEST else None
    positive = int((differences > 0).sum())
    low, high, rank_sum = float(mean - half), float(mean + half), signed.sum() / 2
    return Paired(count, mean, low, high, deviation, positive, float(rank_sum), p)


def holm(values: Sequence[float]) -> list[float]:
    """Return Holm's (1979) p-values, adjusted for a family of tests, in the order given.

    The i-th smallest of m values is multiplied by m - i + 1, then adjusted values are made
    non-decreasing and at most 1.
    """
    order = np.argsort(values)
    scaled = np.asarray(values, float)[order] * np.arange(len(values), 0, -1)
    adjusted = np.empty(len(values))
    adjusted[order] = np.minimum(np.maximum.accumulate(scaled), 1)
    return adjusted.tolist()


def verdict(found: Paired, adjusted: float | None, higher_is_better: bool = True) -> str:
    """Return the verdict of a comparison in words.

    Args:
        found: Comparison of the arm with its base.
        adjusted: Holm's p-value, None for too few pairs.
        higher_is_better: Whether higher values of the metric are better.
    """
    if adjusted is None:
        return f"too few seeds ({found.count} of at least {FEWEST})"
    assert found.p is not None
    if found.p >= SIGNIFICANT:
        return "no difference found"
    if found.mean * found.rank_sum <= 0:
        return "most seeds differ in one direction, their mean in the other"
    direction = "better" if (found.rank_sum > 0) == higher_is_better else "worse"
    # Six seeds have p >= .031, which Holm multiplies beside weaker claims: not a sign of no difference.
    return (
        direction if adjusted < SIGNIFICANT else f"{direction} before Holm's correction, not after"
    )


def _signed_ranks(differences):
    """Return twice the signed midranks, which are whole, of the differences that are not 0."""
    rounded = np.round(differences, _DECIMALS)
    rounded = rounded[rounded != 0]
    return (np.sign(rounded) * np.rint(2 * stats.rankdata(np.abs(rounded)))).astype(int)


def _wilcoxon(signed):
    """Return p of the distribution of the positive ranks' sum over all sign patterns, with ties or without.

    SciPy's exact test has no ties, and its enumeration takes minutes from 20 pairs on.
    """
    shares = np.ones(1)  # of the sign patterns, by twice their sum of positive ranks
    for rank in np.abs(signed):
        shares = (np.pad(shares, (0, rank)) + np.pad(shares, (rank, 0))) / 2
    found = signed[signed > 0].sum()
    return min(1.0, 2 * float(min(shares[: found + 1].sum(), shares[found:].sum())))
