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
        p: p-value of the exact two-sided Wilcoxon signed-rank test, None below `FEWEST` pairs.
    """

    count: int
    mean: float
    low: float
    high: float
    deviation: float
    positive: int
    p: float | None


def compare(arm: Sequence[float], base: Sequence[float]) -> Paired:
    """Compare two arms, paired by seed.

    Args:
        arm: (n,) numbers of one arm.
        base: (n,) numbers of the other arm, of the same seeds in the same order.

    Raises:
        ValueError: The arms have different lengths, or are empty.
    """
    if len(arm) != len(base) or not len(arm):
        raise ValueError(
            f"Arms must have the same seeds, at least one. Received: {len(arm)} and {len(base)}"
        )
    differences = np.asarray(arm, float) - np.asarray(base, float)
    count, mean = len(differences), float(differences.mean())
    deviation = float(differences.std(ddof=1)) if count > 1 else np.nan
    half = stats.t.ppf((1 + LEVEL) / 2, count - 1) * deviation / np.sqrt(count)
    p = _wilcoxon(differences) if count >= FEWEST else None
    positive = int((differences > 0).sum())
    return Paired(count, mean, float(mean - half), float(mean + half), deviation, positive, p)


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
    direction = "better" if (found.mean > 0) == higher_is_better else "worse"
    # Six seeds have p >= .031, which Holm doubles for two claims: no sign that there is no difference.
    return (
        direction if adjusted < SIGNIFICANT else f"{direction} before Holm's correction, not after"
    )


def _wilcoxon(differences):
    """Return p of the distribution of the positive ranks' sum over all sign patterns, with ties or without.

    SciPy's exact test has no ties, and its enumeration takes minutes from 20 pairs on.
    """
    rounded = np.round(differences, _DECIMALS)
    rounded = rounded[rounded != 0]
    ranks = np.rint(2 * stats.rankdata(np.abs(rounded))).astype(int)  # twice the midranks are whole
    shares = np.ones(1)  # of the sign patterns, by twice their sum of positive ranks
    for rank in ranks:
        shares = (np.pad(shares, (0, rank)) + np.pad(shares, (rank, 0))) / 2
    found = ranks[rounded > 0].sum()
    return min(1.0, 2 * float(min(shares[: found + 1].sum(), shares[found:].sum())))
