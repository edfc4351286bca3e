"""Lemma 1 (Eq. 6, 8, 10) and the bound of Eq. 26, exactly on enumerable worlds in float64."""

import dataclasses

import numpy as np
import pytest
import tensorflow as tf
from enumeration import EXACT, LEMMA, one, random_worlds, sigmoid, softmax
from numpy.testing import assert_allclose

from tfgen.objectives import FAKE, REAL
from tfgen.paper import theory
from tfgen.paper.theory import CodeWorld, World, gradients


@pytest.fixture(scope="module")
def worlds():
    return random_worlds()


# Lemma 1


def test_lemma_1(worlds):
    left, right = theory.lemma_1(worlds)
    assert_allclose(left, right, **LEMMA)
    assert np.abs(left).max(axis=1).min() > 1e-3


def test_left_side_is_the_score_function_gradient(worlds):
    """-1/2 p_g (log D - E_pg log D): the derivative of a softmax, by hand."""
    p, log_d = softmax(worlds.theta), np.log(sigmoid(worlds.logits))
    by_hand = -0.5 * p * (log_d - np.sum(p * log_d, axis=1, keepdims=True))
    assert_allclose(theory.lemma_1(worlds)[0], by_hand, **EXACT)


def test_either_divergence_alone_is_not_the_gradient(worlds):
    """Lemma 1 needs both of its terms: with the optimal D the KL's gradient differs from the sum."""
    world = worlds.with_optimal_discriminator()

    def half_kl(theta):
        return [theory.kl(tf.nn.softmax(theta), world.data) / 2]

    [[kl_alone]] = gradients(half_kl, world.theta)
    assert np.abs(kl_alone - theory.lemma_1(world)[0]).max() > 1e-2


def test_lemma_1_under_the_optimal_discriminator_is_equation_8(worlds):
    world = worlds.with_optimal_discriminator()
    assert_allclose(theory.lemma_1(world)[0], theory.optimal_gradient(world), **LEMMA)


def test_equation_8_is_not_lemma_1_under_another_discriminator(worlds):
    assert np.abs(theory.lemma_1(worlds)[0] - theory.optimal_gradient(worlds)).max() > 1e-2


def test_a_constant_discriminator_stops_the_generator(worlds):
    for side in theory.lemma_1(worlds.with_constant_discriminator()):
        assert_allclose(side, 0, **EXACT)


def test_the_data_distribution_is_a_fixed_point_of_the_optimal_discriminator_only(worlds):
    matched = dataclasses.replace(worlds, theta=np.log(worlds.data))
    for side in theory.lemma_1(matched.with_optimal_discriminator()):
        assert_allclose(side, 0, **EXACT)
    assert np.abs(theory.lemma_1(matched)[0]).max(axis=1).min() > 1e-3


def test_lemma_1_with_codes():
    left, right = theory.lemma_1_with_codes(CodeWorld.random(seed=1, worlds=200, codes=4, images=5))
    assert_allclose(left, right, **LEMMA)
    assert np.abs(left).max(axis=(1, 2)).min() > 1e-3


def test_lemma_1_with_codes_needs_the_marginal_of_images():
    """p_theta(x|z) in the numerator adds half the mutual information, whose gradient is not zero."""
    world = CodeWorld.random(seed=2, worlds=50, codes=3, images=4)

    def half_information(theta):
        joint = world.joint(theta)[FAKE]
        marginal = tf.reduce_sum(joint, axis=-2, keepdims=True)
        ratio = tf.nn.log_softmax(theta) - tf.math.log(marginal)
        return [tf.reduce_sum(joint * ratio, axis=[-2, -1]) / 2]

    [[gained]] = gradients(half_information, world.theta)
    assert np.abs(gained).max() > 1e-2


def test_infogan_and_gan_ascend_lemma_1s_left_side():
    """Per player, theta's objective lacks the 1/2 of p(y)."""
    codes = CodeWorld.random(seed=3, worlds=1, codes=3, images=4)
    data, log_inference = codes.real[0].sum(axis=0), np.log(codes.inference[FAKE, 0])

    def theta_objectives(theta):
        generator = tf.nn.softmax(theta)
        tables = codes.prior[0], generator, data, log_inference, codes.logits[0]
        return [theory.infogan(*tables)["theta"]]

    [[ascent]] = gradients(theta_objectives, codes.theta[0])
    assert_allclose(ascent, -2 * theory.lemma_1_with_codes(codes)[0][0], **EXACT)

    world = World(codes.theta[0, 0], data, codes.logits[0])
    [[ascent]] = gradients(
        lambda theta: [theory.gan(tf.nn.softmax(theta), data, world.logits)["theta"]], world.theta
    )
    assert_allclose(ascent, -2 * theory.lemma_1(world)[0], **EXACT)


# Eq. 20 and 26


def test_equation_20_with_its_normalizer(worlds):
    terms = theory.bound(worlds)
    assert_allclose(terms.log_q, -terms.kl + terms.jsd + terms.log_normalizer, **EXACT)
    assert np.abs(terms.log_normalizer).min() > 0.5  # what the paper drops is never small


def test_the_bound_holds_if_and_only_if_log_q_is_below_log_z(worlds):
    terms = theory.bound(worlds)
    np.testing.assert_array_equal(terms.jsd <= terms.kl, terms.log_q <= terms.log_normalizer)


@pytest.mark.parametrize("images", [6, 8, 10, 15, 20])
def test_the_bound_fails_in_a_tenth_to_a_quarter_of_worlds(images):
    rate = theory.bound_failure_rate(World.random(seed=images, worlds=10_000, images=images))
    assert 0.1 < rate < 0.25


@pytest.mark.parametrize("images", [2, 3, 6, 10, 20, 50])
def test_the_bound_holds_for_every_discriminator_no_worse_than_a_coin(images):
    """Logits of four scales: small ones are often no worse than a coin, others break the bound."""
    world = World.random(seed=images, worlds=8_000, images=images)
    scales = np.repeat([0.1, 0.3, 1.0, 3.0], 2_000)[:, None]
    world = dataclasses.replace(world, logits=scales * world.logits)
    coin = theory.no_worse_than_a_coin(world)
    terms = theory.bound(world)
    assert coin.sum() > 500
    assert (terms.jsd <= terms.kl + 1e-12)[coin].all()
    assert (terms.jsd > terms.kl + 1e-12)[~coin].any()


def test_the_proof_of_the_coin_theorem_term_by_term():
    world = World.random(seed=4, worlds=5_000, images=5)
    log_q, with_log_2, half, log_z = theory.coin_chain(world)
    p = world.conditionals.numpy()
    d = sigmoid(world.logits)
    a = np.sum(p.mean(axis=0) * np.log(d * (1 - d)), axis=-1)
    assert_allclose(half, a / 2, **EXACT)
    assert_allclose(
        log_z, np.log(np.sum(p.mean(axis=0) * [[d], [1 - d]], axis=-1)).mean(axis=0)[0], **EXACT
    )
    assert a.max() <= -2 * np.log(2)
    assert (with_log_2 <= half).all()
    assert (half <= log_z).all()
    np.testing.assert_array_equal(log_q <= with_log_2, theory.no_worse_than_a_coin(world))


def test_a_coin_is_the_edge_of_the_condition(worlds):
    coin = worlds.with_constant_discriminator()
    objective = theory.discriminator_objective(coin.conditionals, coin.logits)
    assert_allclose(objective, -np.log(2), **EXACT)
    optimal = worlds.with_optimal_discriminator()
    assert theory.no_worse_than_a_coin(optimal).all()
    assert not theory.no_worse_than_a_coin(worlds.with_inverted_discriminator()).any()


def test_an_exactly_inverted_discriminator_breaks_the_bound(worlds):
    terms = theory.bound(worlds.with_inverted_discriminator())
    assert_allclose(terms.kl, 0, **EXACT)
    assert terms.jsd.min() > 1e-3
    assert theory.bound_failure_rate(worlds.with_inverted_discriminator()) == 1


def test_a_constant_discriminator_gives_equality(worlds):
    terms = theory.bound(worlds.with_constant_discriminator())
    assert_allclose(terms.jsd, terms.kl, **EXACT)


def test_the_optimal_discriminator_gives_half_the_jeffreys_divergence(worlds):
    world = worlds.with_optimal_discriminator()
    generated, data = world.conditionals
    jeffreys = theory.kl(generated, data) + theory.kl(data, generated)
    assert_allclose(theory.bound(world).kl, jeffreys / 2, **EXACT)
    assert theory.bound_failure_rate(world) == 0


def test_the_normalizer_makes_the_bound_true_and_empty(worlds):
    """Z(0) + Z(1) = 1, so -E log Z alone is at least log 2, which no JSD exceeds."""
    terms = theory.bound(worlds)
    assert (terms.jsd <= terms.kl - terms.log_normalizer).all()
    assert (-terms.log_normalizer >= np.log(2) - 1e-12).all()
    z = np.exp([[theory.log_marginal(one(worlds, i), y) for y in (FAKE, REAL)] for i in (0, 1)])
    assert_allclose(z.sum(axis=1), 1, **EXACT)
