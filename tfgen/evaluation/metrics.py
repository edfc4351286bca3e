"""Scores of generative models as formulas on plain NumPy arrays.

Arrays of probabilities are (n, K), of features (n, d). Everything is computed in float64.
The intervals of `tfgen.evaluation.intervals` can be called from here, too.
"""

import dataclasses
from typing import NamedTuple

import numpy as np
from scipy import linalg, optimize, special
from sklearn.metrics import pairwise_distances_chunked
from sklearn.metrics.cluster import contingency_matrix

from tfgen.evaluation.intervals import Interval as Interval
from tfgen.evaluation.intervals import jackknife_interval as jackknife_interval
from tfgen.evaluation.intervals import mean_interval as mean_interval
from tfgen.evaluation.intervals import proportion_interval as proportion_interval
from tfgen.evaluation.intervals import redrawn_interval as redrawn_interval

_BLOCK_BYTES = 32 * 2**20  # of one block of a pairwise matrix


class PrecisionRecall(NamedTuple):
    """Shares in [0, 1]: precision of the fakes, and recall of the reals."""

    precision: float
    recall: float


def inception_score(probabilities: np.ndarray) -> float:
    """exp E_x KL(p(t|x) || p(t)), the inception score (Salimans et al. 2016).

    p(t) is the mean of the rows p(t|x), logarithms are natural and 0 log 0 = 0. The score is 1 for
    identical rows and K for one-hot rows spread evenly over K classes.

    Args:
        probabilities: (n, K), a classifier's distribution over K classes for each of n images.

    Raises:
        ValueError: A row is not a distribution (sum within 1e-3 of 1).

    Source: Salimans et al., *Improved Techniques for Training GANs*, NeurIPS 2016.
    """
    conditional = distributions(probabilities)
    marginal = conditional.mean(axis=0)
    return float(np.exp(special.rel_entr(conditional, marginal).sum(axis=1).mean()))


def frechet_distance(
    mean1: np.ndarray, cov1: np.ndarray, mean2: np.ndarray, cov2: np.ndarray
) -> float:
    """|m1 - m2|^2 + Tr(C1 + C2 - 2 (C1 C2)^(1/2)), the Frechet distance of two Gaussians.

    The trace of (C1 C2)^(1/2) is the sum of the singular values of C1^(1/2) C2^(1/2). Unlike a
    square root of the product, or of its eigenvalues, that keeps full precision for singular
    covariances, such as those of fewer images than features.

    Between moments of finite samples the distance is biased upwards (Chong & Forsyth 2020): compare
    only values of equal sample sizes.

    Args:
        mean1, mean2: (d,).
        cov1, cov2: (d, d), symmetric and positive semi-definite; they may be singular.

    Raises:
        ValueError: Shapes disagree, or a covariance is not symmetric positive semi-definite.

    Source: Dowson & Landau, *The Frechet distance between multivariate normal distributions*,
        1982; Heusel et al., *GANs Trained by a Two Time-Scale Update Rule*, NeurIPS 2017.
    """
    mean1, cov1 = _gaussian(mean1, cov1, "1")
    mean2, cov2 = _gaussian(mean2, cov2, "2")
    if mean1.shape != mean2.shape:
        raise ValueError(
            "Both Gaussians must have the same dimension. "
            f"Received: mean1.shape={mean1.shape}, mean2.shape={mean2.shape}"
        )
    root1, root2 = _symmetric_root(cov1, "cov1"), _symmetric_root(cov2, "cov2")
    overlap = np.sum(linalg.svdvals(root1 @ root2))
    distance = np.sum((mean1 - mean2) ** 2) + np.trace(cov1) + np.trace(cov2) - 2.0 * overlap
    return float(max(distance, 0.0))


def kernel_distance(x: np.ndarray, y: np.ndarray) -> float:
    """E k(x,x') + E k(y,y') - 2 E k(x,y), the squared MMD with KID's kernel k = (x.y / d + 1)^3.

    Each expectation is the mean over the pairs of rows (i, j) with i != j. Leaving the pairs
    (i, i) out of the first two makes the estimate unbiased; leaving them out of the third as well
    keeps it so, and for equally many rows gives the U-statistic of Gretton et al. (2012, Eq. 4).
    Of the usual unbiased estimators only this one is 0 for a set against itself (row for row). An
    unbiased estimate can be negative; it is not clipped.

    Args:
        x, y: (n, d) and (m, d) independent feature samples, at least 2 rows each.

    Source: Binkowski et al., *Demystifying MMD GANs*, ICLR 2018.
    """
    x, y = _samples(x, y, least=2)
    return _kernel_mean(x, x) + _kernel_mean(y, y) - 2.0 * _kernel_mean(x, y)


def precision_recall(real: np.ndarray, fake: np.ndarray, k: int = 3) -> PrecisionRecall:
    """Shares of fakes on the reals' manifold and of reals on the fakes' (Kynkaanniemi et al. 2019).

    A set's manifold is the union of closed balls around its rows, each with the distance of the k-th
    nearest other row as radius. Recall rises with the number of fakes, precision with that of reals, so
    pass equally many of both. A set against itself gives (1, 1).

    Args:
        real, fake: (n, d) and (m, d) features, more than k rows each.
        k: Rank >= 1 of the neighbor that defines a ball's radius.

    Source: Kynkaanniemi et al., *Improved Precision and Recall Metric for Assessing Generative
        Models*, NeurIPS 2019.
    """
    if k < 1:
        raise ValueError(f"k must be at least 1. Received: k={k}")
    real, fake = _samples(real, fake, least=k + 1, names=("real", "fake"))
    return PrecisionRecall(
        precision=_coverage(fake, real, _squared_radii(real, k)),
        recall=_coverage(real, fake, _squared_radii(fake, k)),
    )


def accuracy(probabilities: np.ndarray, labels: np.ndarray) -> float:
    """E_i [ argmax_t p(t|x_i) = t_i ], the share of images classified as their label.

    Args:
        probabilities: (n, K).
        labels: (n,) integers in [0, K).
    """
    probabilities = _rows(probabilities, "probabilities")
    labels = np.asarray(labels)
    classes = probabilities.shape[1]
    if labels.shape != probabilities.shape[:1]:
        raise ValueError(
            "There must be one label for each row of probabilities. "
            f"Received: labels.shape={labels.shape}, probabilities.shape={probabilities.shape}"
        )
    if not np.issubdtype(labels.dtype, np.integer):
        raise TypeError(f"Labels must be integers. Received: labels.dtype={labels.dtype}")
    if labels.min() < 0 or labels.max() >= classes:
        raise ValueError(
            f"Labels must lie in [0, {classes}). "
            f"Received: labels from {labels.min()} to {labels.max()}"
        )
    return float(np.mean(probabilities.argmax(axis=1) == labels))


def clustering_accuracy(clusters: np.ndarray, labels: np.ndarray) -> float:
    """max_m E_i [ m(c_i) = t_i ] over one-to-one maps m of clusters to classes.

    If there are more clusters than classes, or fewer, some are not mapped. The map is the best for these
    very images, so even clusters independent of the classes score a little above chance.

    Args:
        clusters: (n,) integers.
        labels: (n,) integers.

    Source: Yang, Xu, Nie, Yan & Zhuang, *Image Clustering Using Local Discriminant Models and
        Global Integration*, 2010; Kuhn, *The Hungarian Method for the Assignment Problem*, 1955.
    """
    clusters, labels = np.asarray(clusters), np.asarray(labels)
    if clusters.ndim != 1 or clusters.shape != labels.shape or not len(labels):
        raise ValueError(
            "There must be one label for each image's cluster, and at least one. "
            f"Received: clusters.shape={clusters.shape}, labels.shape={labels.shape}"
        )
    for name, values in (("clusters", clusters), ("labels", labels)):
        if not np.issubdtype(values.dtype, np.integer):
            raise TypeError(f"{name} must be integers. Received: {name}.dtype={values.dtype}")
    counts = contingency_matrix(labels, clusters)  # (classes, clusters) that occur
    return float(counts[optimize.linear_sum_assignment(counts, maximize=True)].sum() / len(labels))


@dataclasses.dataclass(frozen=True)
class Moments:
    """Count, mean and scatter sum_i (x_i - mean)(x_i - mean)^T of rows; `+` joins two sets of rows.

    Moments of a stream are the sum of the moments of its batches, at a memory of O(d^2):

        moments = Moments.of(first)
        for batch in rest:
            moments += Moments.of(batch)

    Source: Chan, Golub & LeVeque, *Updating Formulas and a Pairwise Algorithm for Computing
        Sample Variances*, 1979.
    """

    count: int
    mean: np.ndarray  # (d,)
    scatter: np.ndarray  # (d, d)

    @classmethod
    def of(cls, rows: np.ndarray) -> "Moments":
        """Return the moments of one batch of rows (n, d)."""
        rows = _rows(rows, "rows")
        mean = rows.mean(axis=0)
        centered = rows - mean
        return cls(len(rows), mean, centered.T @ centered)

    def __add__(self, other: "Moments") -> "Moments":
        count = self.count + other.count
        shift = other.mean - self.mean
        mean = self.mean + shift * (other.count / count)
        between = np.outer(shift, shift) * (self.count * other.count / count)
        return Moments(count, mean, self.scatter + other.scatter + between)

    @property
    def covariance(self) -> np.ndarray:
        """(d, d), unbiased: scatter / (count - 1)."""
        if self.count < 2:
            raise ValueError(f"A covariance needs at least 2 rows. Received: count={self.count}")
        return self.scatter / (self.count - 1)


def kernel_distance_interval(
    x: np.ndarray, y: np.ndarray, splits: int = 20, level: float = 0.95
) -> Interval:
    """Return kernel_distance(x, y) with Student's interval from its values on disjoint splits of both.

    The splits' values are independent and unbiased, so their spread bounds the error of the whole
    sample's value. The interval is conservative, most near distance 0: there the error falls with 1/n,
    so the whole sample's is smaller than that of a mean of splits by a factor sqrt(splits).

    Args:
        x, y: (n, d) and (m, d) features, rows in random order.
        splits: Largest number of splits; there are fewer if a split would hold less than 2 rows of x or y.
        level: Level of the interval.
    """
    x, y = _samples(x, y, least=4)
    splits = min(splits, len(x) // 2, len(y) // 2)
    pairs = zip(np.array_split(x, splits), np.array_split(y, splits), strict=True)
    spread = mean_interval([kernel_distance(*pair) for pair in pairs], level)
    value, half = kernel_distance(x, y), spread.high - spread.value
    return Interval(value, value - half, value + half)


def _kernel_mean(x: np.ndarray, y: np.ndarray) -> float:
    """Return the mean of (x_i.y_j / d + 1)^3 over the pairs i != j."""
    size = x.shape[1]
    rows = max(1, _BLOCK_BYTES // y[:, 0].nbytes)
    blocks = (x[start : start + rows] @ y.T for start in range(0, len(x), rows))
    total = sum(_cubic(block, size).sum() for block in blocks)
    shared = min(len(x), len(y))
    diagonal = _cubic(np.einsum("id,id->i", x[:shared], y[:shared]), size).sum()
    return float((total - diagonal) / (len(x) * len(y) - shared))


def _cubic(products: np.ndarray, size: int) -> np.ndarray:
    base = products / size + 1.0
    return base * base * base


def _squared_radii(rows: np.ndarray, k: int) -> np.ndarray:
    """Return (n,) squared distances of rows to their k-th nearest other row."""
    # Index k of the sorted distances: index 0 is the row's distance of 0 to itself.
    return np.concatenate(
        [np.partition(block, k, axis=1)[:, k] for block in _squared_distances(rows, rows)]
    )


def _coverage(points: np.ndarray, centers: np.ndarray, squared_radii: np.ndarray) -> float:
    """Return the share of the points that lie in one of the balls."""
    inside = [(block <= squared_radii).any(axis=1) for block in _squared_distances(points, centers)]
    return float(np.concatenate(inside).mean())


def _squared_distances(x: np.ndarray, y: np.ndarray):
    # "sqeuclidean" is SciPy's, which sums squared differences, so equal rows are at distance 0
    # exactly. scikit-learn's own "euclidean" expands the square and leaves rounding errors there.
    megabytes = _BLOCK_BYTES // 2**20
    return pairwise_distances_chunked(x, y, metric="sqeuclidean", working_memory=megabytes)


def _symmetric_root(covariance: np.ndarray, name: str) -> np.ndarray:
    values, vectors = linalg.eigh(covariance)
    if values[0] < -1e-6 * max(values[-1], 1e-12):
        raise ValueError(
            "A covariance must be positive semi-definite. "
            f"Received: {name} with eigenvalues from {values[0]:g} to {values[-1]:g}"
        )
    return (vectors * np.sqrt(np.maximum(values, 0.0))) @ vectors.T


def _gaussian(mean, covariance, suffix: str) -> tuple[np.ndarray, np.ndarray]:
    mean, covariance = np.asarray(mean, np.float64), np.asarray(covariance, np.float64)
    if mean.ndim != 1 or covariance.shape != mean.shape * 2:
        raise ValueError(
            "A Gaussian must have a mean (d,) and a covariance (d, d). Received: "
            f"mean{suffix}.shape={mean.shape}, cov{suffix}.shape={covariance.shape}"
        )
    if not (np.isfinite(mean).all() and np.isfinite(covariance).all()):
        raise ValueError(
            f"Moments must be finite. Received: NaN or infinity in mean{suffix} or cov{suffix}"
        )
    asymmetry = np.abs(covariance - covariance.T).max()
    if asymmetry > 1e-6 * np.abs(covariance).max():
        raise ValueError(
            "A covariance must be symmetric. "
            f"Received: cov{suffix} with max |C - C^T| = {asymmetry:g}"
        )
    return mean, covariance


def _rows(values, name: str, least: int = 1) -> np.ndarray:
    values = np.asarray(values, np.float64)
    if values.ndim != 2 or len(values) < least or values.shape[1] < 1:
        raise ValueError(
            f"`{name}` must have rank 2 and at least {least} row(s). "
            f"Received: {name}.shape={values.shape}"
        )
    if not np.isfinite(values).all():
        raise ValueError(
            f"`{name}` must be finite. "
            f"Received: {np.count_nonzero(~np.isfinite(values))} NaN or infinite entries"
        )
    return values


def _samples(x, y, least: int, names=("x", "y")) -> tuple[np.ndarray, np.ndarray]:
    x, y = _rows(x, names[0], least), _rows(y, names[1], least)
    if x.shape[1] != y.shape[1]:
        raise ValueError(
            "Both samples must have the same number of features. "
            f"Received: {names[0]}.shape={x.shape}, {names[1]}.shape={y.shape}"
        )
    return x, y


def distributions(probabilities: np.ndarray) -> np.ndarray:
    """Return probabilities (n, K) as float64.

    Raises:
        ValueError: A row is no distribution over the K classes, or there is none.
    """
    probabilities = _rows(probabilities, "probabilities")
    off = np.abs(probabilities.sum(axis=1) - 1.0)
    if probabilities.min() < 0.0 or off.max() > 1e-3:
        raise ValueError(
            "Every row must be a distribution: entries >= 0 that sum to 1 within 1e-3. Received: "
            f"probabilities with minimum {probabilities.min():g} and a row whose sum is "
            f"{off.max():g} away from 1"
        )
    return probabilities
