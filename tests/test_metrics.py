"""Exact values of the metrics, and the coverage of their intervals."""

import functools
import operator

import numpy as np
import pytest
from scipy import linalg

from tfgen.evaluation import metrics

# kernel_distance of N(0, 1) and N(1, 1): (xy + 1)^3 = sum_j binomial(3, j) x^j y^j, so it is
# sum_j binomial(3, j) (E x^j - E y^j)^2 with the moments 1, 0, 1, 0 and 1, 1, 2, 4.
_SHIFT_DISTANCE = 3.0 * 1.0 + 3.0 * 1.0 + 1.0 * 16.0


@pytest.fixture
def rng():
    return np.random.default_rng(0)


def _random_covariance(rng, size):
    factor = rng.normal(size=(size, size))
    return factor @ factor.T


class TestInceptionScore:
    def test_of_identical_rows_is_one(self, rng):
        rows = np.tile(rng.dirichlet(np.ones(10)), (1000, 1))
        assert abs(metrics.inception_score(rows) - 1.0) < 1e-12

    @pytest.mark.parametrize("classes", [2, 10, 1000])
    def test_of_uniform_one_hot_rows_is_the_number_of_classes(self, classes):
        assert metrics.inception_score(np.eye(classes)) == pytest.approx(classes, rel=1e-12)

    def test_by_hand(self):
        # p(t) = (1/2, 1/2); KL is log 2 for the first row, and for the second two
        # 1/4 log 1/2 + 3/4 log 3/2.
        rows = np.array([[1.0, 0.0], [0.25, 0.75], [0.25, 0.75]])
        divergence = 0.25 * np.log(0.5) + 0.75 * np.log(1.5)
        expected = np.exp((np.log(2.0) + 2 * divergence) / 3)
        assert metrics.inception_score(rows) == pytest.approx(expected, rel=1e-12)

    def test_does_not_depend_on_the_order_of_rows_or_classes(self, rng):
        rows = rng.dirichlet(np.ones(5), size=50)
        shuffled = rows[rng.permutation(50)][:, rng.permutation(5)]
        assert metrics.inception_score(shuffled) == pytest.approx(metrics.inception_score(rows))

    @pytest.mark.parametrize(
        ("rows", "message"),
        [
            ([0.5, 0.5], "rank 2"),
            (np.empty((0, 3)), "rank 2 and at least 1 row"),
            ([[0.5, np.nan]], "finite"),
            ([[0.5, 0.49]], "distribution"),
            ([[1.5, -0.5]], "distribution"),
        ],
    )
    def test_refuses_what_is_not_a_distribution(self, rows, message):
        with pytest.raises(ValueError, match=message):
            metrics.inception_score(rows)


class TestFrechetDistance:
    def test_of_one_dimensional_gaussians(self):
        # (m1 - m2)^2 + (s1 - s2)^2
        assert metrics.frechet_distance([1.0], [[4.0]], [4.0], [[0.25]]) == pytest.approx(11.25)

    def test_of_commuting_covariances(self, rng):
        mean1, mean2 = rng.normal(size=(2, 6))
        scale1, scale2 = rng.uniform(0.1, 3.0, size=(2, 6))
        basis = linalg.qr(rng.normal(size=(6, 6)))[0]
        cov1, cov2 = (basis * scale1**2) @ basis.T, (basis * scale2**2) @ basis.T
        expected = np.sum((mean1 - mean2) ** 2) + np.sum((scale1 - scale2) ** 2)
        assert metrics.frechet_distance(mean1, cov1, mean2, cov2) == pytest.approx(expected)

    def test_equals_the_closed_form_with_a_general_matrix_root(self, rng):
        mean1, mean2 = rng.normal(size=(2, 8))
        cov1, cov2 = _random_covariance(rng, 8), _random_covariance(rng, 8)
        root = linalg.sqrtm(cov1 @ cov2)
        expected = np.sum((mean1 - mean2) ** 2) + np.trace(cov1 + cov2 - 2.0 * root).real
        assert metrics.frechet_distance(mean1, cov1, mean2, cov2) == pytest.approx(expected)

    @pytest.mark.parametrize("rows", [5, 40, 500])  # 5 and 40 give singular covariances
    def test_of_a_set_against_itself_is_zero(self, rng, rows):
        moments = metrics.Moments.of(10.0 * rng.normal(size=(rows, 64)))
        gaussian = (moments.mean, moments.covariance)
        assert metrics.frechet_distance(*gaussian, *gaussian) == pytest.approx(0.0, abs=1e-8)

    def test_between_points_is_the_squared_distance_of_means(self):
        zero = np.zeros((2, 2))
        assert metrics.frechet_distance([0.0, 0.0], zero, [3.0, 4.0], zero) == 25.0

    @pytest.mark.parametrize(
        ("arguments", "message"),
        [
            (([0.0], np.eye(2), [0.0], np.eye(1)), r"mean \(d,\) and a covariance \(d, d\)"),
            (([0.0], np.eye(1), [0.0] * 2, np.eye(2)), "same dimension"),
            (([0.0] * 2, [[1.0, 0.5], [0.0, 1.0]], [0.0] * 2, np.eye(2)), "symmetric"),
            (([0.0] * 2, np.eye(2), [0.0] * 2, np.diag([1.0, -1.0])), "semi-definite"),
            (([np.nan], np.eye(1), [0.0], np.eye(1)), "finite"),
        ],
    )
    def test_refuses_what_is_not_a_pair_of_gaussians(self, arguments, message):
        with pytest.raises(ValueError, match=message):
            metrics.frechet_distance(*arguments)


class TestKernelDistance:
    def test_by_hand(self):
        # One feature: k = (xy + 1)^3. Pairs i != j: k(0,1) = 1; k(2,3) = 343; k(0,3) = 1,
        # k(1,2) = 27.
        distance = metrics.kernel_distance([[0.0], [1.0]], [[2.0], [3.0]])
        assert distance == pytest.approx(1.0 + 343.0 - 2.0 * 14.0)

    def test_of_a_set_against_itself_is_zero(self, rng):
        rows = rng.normal(size=(300, 16))
        assert metrics.kernel_distance(rows, rows.copy()) == pytest.approx(0.0, abs=1e-9)

    def test_is_unbiased_for_unequal_sizes(self, rng):
        estimates = [
            metrics.kernel_distance(rng.normal(size=(30, 1)), 1.0 + rng.normal(size=(70, 1)))
            for _ in range(3000)
        ]
        low, high = metrics.mean_interval(estimates, level=0.999)[1:]
        assert low < _SHIFT_DISTANCE < high
        assert high - low < 0.2 * _SHIFT_DISTANCE

    def test_does_not_depend_on_blocks(self, rng, monkeypatch):
        x, y = rng.normal(size=(50, 4)), rng.normal(size=(37, 4))
        whole = metrics.kernel_distance(x, y)
        monkeypatch.setattr(metrics, "_BLOCK_BYTES", 7 * 37 * 8)
        assert metrics.kernel_distance(x, y) == pytest.approx(whole, rel=1e-12)

    def test_refuses_single_rows_and_other_features(self):
        with pytest.raises(ValueError, match="at least 2 row"):
            metrics.kernel_distance(np.ones((1, 3)), np.ones((5, 3)))
        with pytest.raises(ValueError, match="same number of features"):
            metrics.kernel_distance(np.ones((5, 2)), np.ones((5, 3)))


class TestPrecisionRecall:
    def test_of_a_set_against_itself_is_one(self, rng):
        rows = rng.normal(size=(200, 8))
        assert metrics.precision_recall(rows, rows.copy()) == (1.0, 1.0)

    def test_of_repeated_rows_against_themselves_is_one(self, rng):
        rows = np.repeat(rng.normal(size=(20, 8)), 6, axis=0)  # every radius is 0
        assert metrics.precision_recall(rows, rows.copy()) == (1.0, 1.0)

    def test_of_distant_sets_is_zero(self, rng):
        rows = rng.normal(size=(50, 8))
        assert metrics.precision_recall(rows, rows + 1e3) == (0.0, 0.0)

    def test_by_hand(self):
        # k=1. Radii: reals 1, 1, 8; fakes 0.25, 0.25, 6.75 (0.5 to its neighbor is 6.75 off 7.25).
        real = np.array([[0.0], [1.0], [9.0]])
        fake = np.array([[0.25], [0.5], [-6.5]])
        # The fakes at 0.25 and 0.5 lie in the reals' balls, -6.5 in none. The fake at -6.5 has
        # radius 6.75 and reaches the real 0 (at 6.5), not 1 (at 7.5) or 9; 1 is 0.5 from 0.5.
        assert metrics.precision_recall(real, fake, k=1) == pytest.approx((2 / 3, 1 / 3))

    def test_a_generator_that_drops_a_mode_loses_recall_only(self, rng):
        real = np.concatenate([rng.normal(size=(300, 2)), 50.0 + rng.normal(size=(300, 2))])
        precision, recall = metrics.precision_recall(real, rng.normal(size=(600, 2)))
        assert precision > 0.9
        assert 0.4 < recall <= 0.5

    def test_refuses_too_few_rows(self):
        with pytest.raises(ValueError, match="`fake` .* at least 4 row"):
            metrics.precision_recall(np.ones((4, 2)), np.ones((3, 2)), k=3)
        with pytest.raises(ValueError, match="k must be at least 1"):
            metrics.precision_recall(np.ones((4, 2)), np.ones((4, 2)), k=0)


class TestAccuracy:
    def test_by_hand(self):
        probabilities = [[0.9, 0.1], [0.2, 0.8], [0.6, 0.4], [0.3, 0.7]]
        assert metrics.accuracy(probabilities, [0, 1, 1, 1]) == 0.75

    @pytest.mark.parametrize(
        ("labels", "error", "message"),
        [
            ([0], ValueError, "one label for each row"),
            ([0, 2], ValueError, r"in \[0, 2\)"),
            ([0, -1], ValueError, r"in \[0, 2\)"),
            ([0.0, 1.0], TypeError, "integers"),
        ],
    )
    def test_refuses_other_labels(self, labels, error, message):
        with pytest.raises(error, match=message):
            metrics.accuracy(np.eye(2), labels)


class TestMoments:
    @pytest.mark.parametrize("batch", [1, 7, 100])
    def test_of_a_stream_equal_those_of_the_whole(self, rng, batch):
        rows = 1e4 + rng.normal(size=(100, 5))  # a mean that cancels in naive sums of squares
        parts = [metrics.Moments.of(rows[i : i + batch]) for i in range(0, 100, batch)]
        moments = functools.reduce(operator.add, parts)
        assert moments.count == 100
        np.testing.assert_allclose(moments.mean, rows.mean(axis=0), rtol=1e-14)
        np.testing.assert_allclose(moments.covariance, np.cov(rows, rowvar=False), atol=1e-11)

    def test_accumulates_single_precision_in_double(self, rng):
        rows = rng.normal(1e3, 1.0, size=(1000, 3)).astype(np.float32)
        expected = np.cov(rows.astype(np.float64), rowvar=False)
        np.testing.assert_allclose(metrics.Moments.of(rows).covariance, expected, rtol=1e-10)

    def test_a_single_row_has_no_covariance(self):
        with pytest.raises(ValueError, match="at least 2 rows. Received: count=1"):
            _ = metrics.Moments.of(np.ones((1, 3))).covariance


class TestIntervals:
    def test_student_by_hand(self):
        # mean 2, s = 1, n = 3; t(.975, 2) = 4.302653
        value, low, high = metrics.mean_interval([1.0, 2.0, 3.0])
        half = 4.3026527 / np.sqrt(3.0)
        assert (value, low, high) == pytest.approx((2.0, 2.0 - half, 2.0 + half))

    def test_wilson_by_hand(self):
        # 8 of 10: center (p + z^2/2n) / (1 + z^2/n), half-width
        # z sqrt(p(1-p)/n + z^2/4n^2) / (1 + z^2/n)
        assert metrics.proportion_interval(0.8, 10) == pytest.approx((0.8, 0.490162, 0.943318))

    def test_wilson_stays_in_the_unit_interval(self):
        value, low, high = metrics.proportion_interval(1.0, 10_000)
        assert value == high == 1.0
        assert 0.999 < low < 1.0

    def test_jackknife_of_a_mean_is_student_of_the_groups_means(self, rng):
        groups = rng.normal(size=(20, 50))
        jackknife = metrics.jackknife_interval(groups, np.mean)
        assert jackknife == pytest.approx(metrics.mean_interval(groups.mean(axis=1)))

    def test_cover_the_truth_about_as_often_as_they_say(self, rng):
        """Over 200 samples a 95% interval should cover in 190 +- 3 (one sigma)."""
        mean = sum(_covers(metrics.mean_interval(rng.normal(size=12)), 0.0) for _ in range(200))
        shares = rng.binomial(60, 0.9, size=200) / 60
        share = sum(_covers(metrics.proportion_interval(s, 60), 0.9) for s in shares)
        assert 180 <= mean <= 200
        assert 180 <= share <= 200

    def test_of_the_inception_score_covers_the_score_of_a_large_sample(self, rng):
        truth = metrics.inception_score(rng.dirichlet(np.full(10, 0.1), size=200_000))

        def interval():
            rows = rng.dirichlet(np.full(10, 0.1), size=1000)
            return metrics.jackknife_interval(
                np.array_split(rows, 20), lambda parts: metrics.inception_score(np.vstack(parts))
            )

        assert 92 <= sum(_covers(interval(), truth) for _ in range(100)) <= 100

    def test_of_the_frechet_distance_covers_that_of_the_gaussians(self, rng):
        mean, covariance = np.full(2, 0.5), 2.0 * np.eye(2)
        truth = metrics.frechet_distance(mean, covariance, np.zeros(2), np.eye(2))

        def distance(parts):
            moments = functools.reduce(operator.add, parts)
            return metrics.frechet_distance(mean, covariance, moments.mean, moments.covariance)

        def interval():
            groups = rng.normal(size=(20, 100, 2))
            return metrics.jackknife_interval([metrics.Moments.of(g) for g in groups], distance)

        assert 88 <= sum(_covers(interval(), truth) for _ in range(100)) <= 100

    def test_of_the_kernel_distance_covers_the_truth(self, rng):
        def interval():
            x, y = rng.normal(size=(200, 1)), 1.0 + rng.normal(size=(400, 1))
            return metrics.kernel_distance_interval(x, y)

        assert 85 <= sum(_covers(interval(), _SHIFT_DISTANCE) for _ in range(100)) <= 100

    def test_of_the_kernel_distance_is_around_its_value(self, rng):
        x, y = rng.normal(size=(9, 3)), rng.normal(size=(40, 3))  # 9 rows leave 4 splits
        value, low, high = metrics.kernel_distance_interval(x, y)
        assert value == metrics.kernel_distance(x, y)
        assert low < value < high

    def test_widen_with_the_level(self, rng):
        values = rng.normal(size=50)
        narrow, wide = metrics.mean_interval(values, 0.5), metrics.mean_interval(values, 0.99)
        assert wide.low < narrow.low < narrow.high < wide.high

    @pytest.mark.parametrize(
        "call",
        [
            lambda: metrics.mean_interval([1.0]),
            lambda: metrics.mean_interval([1.0, np.inf]),
            lambda: metrics.mean_interval([1.0, 2.0], level=95),
            lambda: metrics.proportion_interval(1.2, 10),
            lambda: metrics.proportion_interval(0.5, 0),
            lambda: metrics.jackknife_interval([1.0], np.mean),
        ],
    )
    def test_refuse_bad_input(self, call):
        with pytest.raises(ValueError, match="Received: "):
            call()


def _covers(interval, truth):
    return interval.low <= truth <= interval.high


def test_a_redrawn_share_has_the_wider_of_two_intervals():
    """Draws .5, .4, .6 deviate by .1, times t = 4.302653; alike ones leave Wilson's interval."""
    value, low, high = metrics.redrawn_interval([0.5, 0.4, 0.6], 1000)
    np.testing.assert_allclose(
        [value, low, high], [0.5, 0.5 - 0.4302653, 0.5 + 0.4302653], rtol=1e-6
    )
    wilson = metrics.proportion_interval(0.5, 1000)
    assert metrics.redrawn_interval([0.5, 0.5, 0.5], 1000) == wilson
    assert metrics.redrawn_interval([0.5], 1000) == wilson
    assert metrics.redrawn_interval([0.9, 0.1], 10)[1:] == (0.0, 1.0)
