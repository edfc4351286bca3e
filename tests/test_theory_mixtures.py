"""Fig. 2 computed: the posterior between p_g and p_data, and the mode that a step misses."""

import numpy as np
import pytest
from enumeration import EXACT, LEMMA
from numpy.testing import assert_allclose

from tfgen.paper import theory


@pytest.fixture(scope="module")
def step():
    return theory.figure_2()


def moments(step, density):
    weights = density / density.sum()
    mean = weights @ step.x
    return mean, np.sqrt(weights @ (step.x - mean) ** 2)


def divergence(step, density, other):
    return float(theory.jsd(density / density.sum(), other / other.sum()))


def test_figure_2_holds_densities(step):
    for density in (step.data, step.generated, step.posterior, step.updated):
        assert_allclose(density.sum() * (step.x[1] - step.x[0]), 1, rtol=1e-12)
    assert ((step.discriminator >= 0) & (step.discriminator <= 1)).all()
    assert_allclose(moments(step, step.generated), (-2.5, 1.0), rtol=1e-3)


def test_the_posterior_lies_between_the_generator_and_the_data(step):
    between = divergence(step, step.generated, step.data)
    assert divergence(step, step.posterior, step.data) < between
    assert divergence(step, step.posterior, step.generated) < between
    means = [moments(step, d)[0] for d in (step.generated, step.posterior, step.data)]
    assert means == sorted(means)


def test_the_posteriors_ends_are_the_mixture_and_the_data():
    constant, optimal = (theory.figure_2(sharpness=sharpness) for sharpness in (0.0, 1.0))
    assert_allclose(constant.posterior, (constant.generated + constant.data) / 2, **EXACT)
    assert_allclose(optimal.posterior, optimal.data, **EXACT)
    assert_allclose(constant.updated, constant.generated, **LEMMA)  # nothing to learn from it


def test_one_step_brings_the_generator_nearer_and_misses_the_smaller_mode(step):
    before, after = (divergence(step, p, step.data) for p in (step.generated, step.updated))
    assert after < before
    assert step.smaller_mode(step.data) > 0.3
    assert step.smaller_mode(step.posterior) > 0.3
    assert step.smaller_mode(step.updated) < 0.001


def test_further_steps_settle_on_the_larger_mode():
    """Maximum likelihood, the other direction, would spread the Gaussian over both."""
    step = theory.figure_2()
    for _ in range(40):
        step = theory.figure_2(theta=step.theta)
    mean, deviation = moments(step, step.updated)
    assert_allclose((mean, deviation), (-1.0, 0.7), atol=0.01)
    assert step.smaller_mode(step.updated) < 0.001
    covering = moments(step, step.data)  # of the Gaussian that minimizes KL(p_data || p_g)
    spread = np.exp(-0.5 * ((step.x - covering[0]) / covering[1]) ** 2)
    assert step.smaller_mode(spread / spread.sum() / (step.x[1] - step.x[0])) > 0.3


@pytest.mark.parametrize(
    ("argument", "value"), [("sharpness", 1.5), ("sharpness", -0.1), ("rate", 0.0)]
)
def test_figure_2_refuses_what_is_out_of_range(argument, value):
    with pytest.raises(ValueError, match=f"Received: {argument}={value}"):
        theory.figure_2(**{argument: value})


def test_figure_2_is_drawn(tmp_path):
    pytest.importorskip("matplotlib")
    path = theory.draw_figure_2(tmp_path / "figure_2.png")
    assert path.read_bytes().startswith(b"\x89PNG")
