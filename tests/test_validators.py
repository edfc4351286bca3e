"""Label-free validators of domain adaptation on values that can be computed by hand."""

import numpy as np
import pytest

from tfgen.evaluation import validators

CERTAIN = np.eye(4)[[0, 1, 2, 3, 0, 1, 2, 3]]  # each class twice
ALIKE = np.full((8, 4), 0.25)


def test_importance_weights_move_the_accuracy_to_the_target():
    correct = [1, 0, 1]
    weights = np.array([1.0, 3.0, 4.0])  # p_target/p_source, up to a factor
    for factor in (1.0, 5.0):
        found = validators.importance_weighted_accuracy(correct, np.log(factor * weights))
        np.testing.assert_allclose(found, 5 / 8)
    np.testing.assert_allclose(
        validators.importance_weighted_accuracy(correct, np.zeros(3)), np.mean(correct)
    )


def test_information_is_the_mutual_information():
    np.testing.assert_allclose(validators.information_maximization(CERTAIN), np.log(4))
    np.testing.assert_allclose(validators.information_maximization(ALIKE), 0, atol=1e-12)
    half = np.array([[0.75, 0.25], [0.25, 0.75]])
    entropy = -(0.75 * np.log(0.75) + 0.25 * np.log(0.25))
    np.testing.assert_allclose(validators.information_maximization(half), np.log(2) - entropy)


def test_the_nuclear_norm_falls_with_uncertain_and_with_uniform_predictions():
    np.testing.assert_allclose(validators.batch_nuclear_norm(CERTAIN), 1.0)
    np.testing.assert_allclose(validators.batch_nuclear_norm(CERTAIN[:4]), 1.0)
    one_class = np.eye(4)[[0] * 8]
    np.testing.assert_allclose(validators.batch_nuclear_norm(one_class), 1 / 2)  # sqrt(8)/sqrt(32)
    np.testing.assert_allclose(validators.batch_nuclear_norm(ALIKE), 1 / 4)


def test_density_counts_the_neighbors_that_are_as_near_as_the_nearest():
    pairs = np.repeat(np.eye(4), 2, axis=0)  # one neighbor each, all others orthogonal
    np.testing.assert_allclose(
        validators.soft_neighborhood_density(5 * pairs, temperature=1e-3), 0, atol=1e-12
    )
    triples = np.repeat(np.eye(4), 3, axis=0)
    np.testing.assert_allclose(
        validators.soft_neighborhood_density(triples, temperature=1e-3), np.log(2)
    )
    weights = np.exp([2.0, 0.0, 0.0])  # at T = 1/2 the twin weighs e^2, the two others 1
    weights /= weights.sum()
    np.testing.assert_allclose(
        validators.soft_neighborhood_density(pairs[:4], temperature=0.5),
        -(weights * np.log(weights)).sum(),
    )


@pytest.mark.parametrize(
    ("validator", "arguments", "received"),
    [
        ("importance_weighted_accuracy", ([1, 0], [0.0]), r"shapes \(2,\), \(1,\)"),
        ("soft_neighborhood_density", (CERTAIN, 0.0), "temperature=0.0"),
        ("soft_neighborhood_density", (CERTAIN[:1],), "1 images"),
        ("batch_nuclear_norm", (CERTAIN[0],), r"probabilities.shape=\(4,\)"),
        ("soft_neighborhood_density", (np.full((2, 2), np.nan),), r"shape \(2, 2\)"),
        ("information_maximization", (np.full((2, 2), np.nan),), "4 NaN"),
        ("information_maximization", (10 * CERTAIN,), "probabilities with minimum 0"),
        ("batch_nuclear_norm", (CERTAIN - 0.25,), "probabilities with minimum -0.25"),
        (
            "importance_weighted_accuracy",
            ([1, 0], [0.0, np.nan]),
            "correct from 0.0 to 1.0, logits",
        ),
        ("importance_weighted_accuracy", ([1, 7], [0.0, 1.0]), "correct from 1.0 to 7.0, logits"),
    ],
)
def test_what_breaks_a_rule_is_refused(validator, arguments, received):
    with pytest.raises(ValueError, match=f"Received: {received}"):
        getattr(validators, validator)(*arguments)
