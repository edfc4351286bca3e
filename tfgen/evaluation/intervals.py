"""Confidence intervals of means, shares and other statistics, by SciPy, in float64."""

import math
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike
from scipy import stats


class Interval(NamedTuple):
    """A number and the confidence interval (low, high) around it."""

    value: float
    low: float
    high: float


def mean_interval(values: ArrayLike, level: float = 0.95) -> Interval:
    """mean +- t s / sqrt(n), Student's interval of the mean of independent values (n,), n >= 2."""
    values = np.asarray(values, np.float64)
    if values.ndim != 1 or len(values) < 2 or not np.isfinite(values).all():
        raise ValueError(
            "An interval of a mean needs a vector of at least 2 finite values. "
            f"Received: values={values!r}"
        )
    return _student(
        values.mean(), values.std(ddof=1) / math.sqrt(len(values)), len(values) - 1, level
    )


def redrawn_interval(shares: Sequence[float], count: int, level: float = 0.95) -> Interval:
    """Return the first of several draws of a share, with the wider of two intervals around it.

    They are Wilson's interval, which takes the reference of the share as given, and the t interval of a
    single draw with the standard deviation of all draws.

    Args:
        shares: Share in [0, 1] of each draw.
        count: Number of images in a draw.
        level: Level of the interval.
    """
    value, low, high = proportion_interval(shares[0], count, level)
    if len(shares) > 1:
        half = stats.t.ppf((1 + level) / 2, len(shares) - 1) * np.std(shares, ddof=1)
        low, high = max(0.0, min(low, value - half)), min(1.0, max(high, value + half))
    return Interval(float(value), float(low), float(high))


def proportion_interval(share: float, count: int, level: float = 0.95) -> Interval:
    """Wilson's score interval of a probability, from the share of successes among count trials.

    Source: Wilson, *Probable Inference, the Law of Succession, and Statistical Inference*, 1927.
    """
    if count < 1 or not 0.0 <= share <= 1.0:
        raise ValueError(
            "A proportion needs a share in [0, 1] of at least 1 trial. "
            f"Received: share={share}, count={count}"
        )
    test = stats.binomtest(round(share * count), count)
    low, high = test.proportion_ci(_level(level), method="wilson")
    return Interval(float(share), float(low), float(high))


def jackknife_interval(
    groups: Sequence[Any], statistic: Callable[[list], float], level: float = 0.95
) -> Interval:
    """T +- t sqrt((G-1)/G sum_g (T_g - mean T_g)^2), the delete-a-group jackknife of a statistic.

    T is the statistic of all groups and T_g that of all but group g. For statistics that are
    smooth in the data's moments, like the inception score and the Frechet distance, the interval
    covers E[T] at this sample size; it does not remove the statistic's own bias.

    Args:
        groups: G >= 2 independent parts of one sample, about equally large.
        statistic: Function of a list of groups that returns a number.
        level: Level of the interval.

    Source: Efron, *The Jackknife, the Bootstrap and Other Resampling Plans*, 1982;
        Kott, *The Delete-a-Group Jackknife*, 2001.
    """
    groups = list(groups)
    if len(groups) < 2:
        raise ValueError(f"A jackknife needs at least 2 groups. Received: {len(groups)} groups")
    others = [statistic(groups[:g] + groups[g + 1 :]) for g in range(len(groups))]
    error = math.sqrt((len(groups) - 1) * np.var(others))
    return _student(statistic(groups), error, len(groups) - 1, level)


def _student(value: float, error: float, freedom: int, level: float) -> Interval:
    half = stats.t.ppf(0.5 + _level(level) / 2.0, freedom) * error
    return Interval(float(value), float(value - half), float(value + half))


def _level(level: float) -> float:
    if not 0.0 < level < 1.0:
        raise ValueError(f"A confidence level must lie between 0 and 1. Received: level={level}")
    return level
