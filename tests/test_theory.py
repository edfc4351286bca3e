"""The paper's statements, held exactly on enumerable worlds in float64."""

import dataclasses
import itertools

import numpy as np
import pytest
import tensorflow as tf
from numpy.testing import assert_allclose

from tfgen import theory
from tfgen.objectives import FAKE, REAL, activation_weights, importance_weights
from tfgen.theory import Autoencoder, CodeWorld, World, gradients

EXACT = {"rtol": 0, "atol": 1e-12}
LEMMA = {"rtol": 0, "atol": 1e-8}


def softmax(logits, axis=-1):
    exponentials = np.exp(logits - np.max(logits, axis, keepdims=True))
    return exponentials / exponentials.sum(axis, keepdims=True)


def sigmoid(logits):
    return 1 / (1 + np.exp(-logits))


@pytest.fixture(scope="module")
def worlds():
    return World.random(seed=0, worlds=500, images=7)


@pytest.fixture
def world(worlds):
    return World(worlds.theta[3], worlds.data[3], worlds.logits[3])


def test_divergences_by_hand():
    p, q = np.array([0.5, 0.5, 0.0]), np.array([0.25, 0.25, 0.5])
    assert_allclose(theory.kl(p, q), np.log(2), **EXACT)
    assert np.isposinf(theory.kl(q, p))
    assert_allclose(theory.jsd(np.array([1.0, 0.0]), np.array([0.0, 1.0])), np.log(2), **EXACT)


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


def test_equation_20_with_its_normaliser(worlds):
    terms = theory.bound(worlds)
    assert_allclose(terms.log_q, -terms.kl + terms.jsd + terms.log_normaliser, **EXACT)
    assert np.abs(terms.log_normaliser).min() > 0.5  # what the paper drops is never small


def test_the_bound_holds_if_and_only_if_log_q_is_below_log_z(worlds):
    terms = theory.bound(worlds)
    np.testing.assert_array_equal(terms.jsd <= terms.kl, terms.log_q <= terms.log_normaliser)


@pytest.mark.parametrize("images", [6, 8, 10, 15, 20])
def test_the_bound_fails_in_a_tenth_to_a_quarter_of_worlds(images):
    rate = theory.bound_failure_rate(World.random(seed=images, worlds=10_000, images=images))
    assert 0.1 < rate < 0.25


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


def test_the_normaliser_makes_the_bound_true_and_empty(worlds):
    """Z(0) + Z(1) = 1, so -E log Z alone is at least log 2, which no JSD exceeds."""
    terms = theory.bound(worlds)
    assert (terms.jsd <= terms.kl - terms.log_normaliser).all()
    assert (-terms.log_normaliser >= np.log(2) - 1e-12).all()
    z = np.exp([[theory.log_marginal(_world(worlds, i), y) for y in (FAKE, REAL)] for i in (0, 1)])
    assert_allclose(z.sum(axis=1), 1, **EXACT)


def _world(worlds, index):
    return World(worlds.theta[index], worlds.data[index], worlds.logits[index])


# Eq. 15, 36


def small(world, images=3):
    """The world cut down to its first images."""
    data = world.data[:images] / world.data[:images].sum()
    return World(world.theta[:images], data, world.logits[:images])


@pytest.mark.parametrize("y", [FAKE, REAL])
def test_tuple_bound_equals_the_sum_over_all_tuples(world, y):
    p, weights = theory.density_weights(small(world), y)
    by_hand = sum(
        np.prod(p[list(drawn)]) * np.log(np.mean(weights[list(drawn)]))
        for drawn in itertools.product(range(3), repeat=4)
    )
    assert_allclose(theory.tuple_bound(small(world), y, 4), by_hand, **EXACT)


@pytest.mark.parametrize("y", [FAKE, REAL])
def test_one_sample_is_equation_15(world, y):
    p, log_z = world.conditionals[y], theory.log_marginal(world, y)
    reversed_q = sigmoid(world.logits if y == FAKE else -world.logits)
    posterior = reversed_q * np.mean(world.conditionals, axis=0) / np.exp(log_z)
    assert_allclose(theory.tuple_bound(world, y, 1), -theory.kl(p, posterior) + log_z, **EXACT)


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("y", [FAKE, REAL])
def test_tuple_bound_rises_to_its_limit(seed, y):
    world = _world(World.random(seed=seed, worlds=1, images=3), 0)
    bounds = [theory.tuple_bound(world, y, k) for k in (1, 2, 3, 5, 10, 30, 100, 300)]
    assert (np.diff(bounds) > 0).all()
    limit = theory.bound_limit(world, y)
    p, weights = theory.density_weights(world, y)
    variance = p @ (weights / np.exp(limit) - 1) ** 2
    assert 0 < limit - bounds[-1] < variance / 300  # about variance / 2k for large k
    assert_allclose(limit, theory.log_marginal(world, y), **EXACT)


def test_no_number_of_samples_makes_up_for_a_missed_image(world):
    missing = small(world)
    missing = dataclasses.replace(missing, theta=np.array([-np.inf, *missing.theta[1:]]))
    limit, log_z = theory.bound_limit(missing, FAKE), theory.log_marginal(missing, FAKE)
    lost = sigmoid(missing.logits[0]) * missing.data[0] / 2  # q^r(0|x) p_theta0(x) of that image
    assert_allclose(np.exp(log_z) - np.exp(limit), lost, **EXACT)
    assert lost > 1e-3
    assert theory.tuple_bound(missing, FAKE, 300) < limit
    assert_allclose(theory.bound_limit(missing, REAL), theory.log_marginal(missing, REAL), **EXACT)


def test_iwgan_weights_are_the_density_weights_of_the_optimal_discriminator(world):
    """Eq. 40: with the discriminator's odds exact, the normalised weights are softmax(l)."""
    optimal = world.with_optimal_discriminator()
    _, weights = theory.density_weights(optimal, FAKE)
    assert_allclose(weights / weights.sum(), importance_weights(tf.constant(optimal.logits)))
    _, weights = theory.density_weights(world, FAKE)
    differences = weights / weights.sum() - importance_weights(tf.constant(world.logits))
    assert np.abs(differences).max() > 0.01


# Lemma 2


@pytest.fixture
def autoencoder():
    return Autoencoder.random(seed=5, codes=3, images=5)


def vae(world):
    """Eq. 11 over p_data, half of it as in Lemma 2."""

    def objective(theta, eta):
        return tf.reduce_sum(world.data * theory.evidence_bound(theta, eta, world.prior)) / 2

    return objective


def test_evidence_bound_by_hand(autoencoder):
    inference, likelihood = softmax(autoencoder.eta), softmax(autoencoder.theta)
    by_hand = [
        sum(
            inference[x, z] * np.log(likelihood[z, x] * autoencoder.prior[z] / inference[x, z])
            for z in range(3)
        )
        for x in range(5)
    ]
    bounds = theory.evidence_bound(autoencoder.theta, autoencoder.eta, autoencoder.prior)
    assert_allclose(bounds, by_hand, **EXACT)
    assert (bounds.numpy() < np.log(autoencoder.prior @ likelihood)).all()


def test_lemma_2_has_the_vaes_gradients(autoencoder):
    perfect = theory.perfect_discriminator(images=5)

    def objectives(theta, eta):
        joint = theory.joint_objective(autoencoder, perfect, theta, eta)
        return vae(autoencoder)(theta, eta), joint

    expected, found = gradients(objectives, autoencoder.theta, autoencoder.eta)
    for gradient, other in zip(expected, found, strict=True):
        assert np.abs(gradient).max() > 1e-2
        assert_allclose(other, gradient, **EXACT)


def test_lemma_2_differs_from_the_vae_by_a_constant(autoencoder):
    rng = np.random.default_rng(6)
    perfect = theory.perfect_discriminator(images=5)
    points = [(rng.normal(size=(3, 5)), rng.normal(size=(5, 3))) for _ in range(4)]
    differences = [
        theory.joint_objective(autoencoder, perfect, *point) - vae(autoencoder)(*point)
        for point in points
    ]
    assert_allclose(differences, differences[0], **EXACT)


def normalised(world, theta, eta):
    """Gradients (theta, eta) under the joint, p_theta(z, y|x) and p_theta(z|x, y) p(y) in turn."""
    perfect = theory.perfect_discriminator(images=5)

    def objectives(theta, eta):
        return [
            objective(world, perfect, theta, eta)
            for objective in (
                theory.joint_objective,
                theory.posterior_objective,
                theory.code_posterior_objective,
            )
        ]

    return gradients(objectives, theta, eta)


def test_a_posterior_over_codes_keeps_etas_gradient_and_changes_thetas(autoencoder):
    joint, _, posterior = normalised(autoencoder, autoencoder.theta, autoencoder.eta)
    assert_allclose(posterior[1], joint[1], **EXACT)
    assert np.abs(posterior[0] - joint[0]).max() > 1e-2


def test_the_posterior_as_printed_changes_thetas_gradient_away_from_theta0(autoencoder):
    """At theta0 the normaliser's gradient is an expected score, which is zero."""
    joint, posterior, _ = normalised(autoencoder, autoencoder.theta, autoencoder.eta)
    for gradient, other in zip(joint, posterior, strict=True):
        assert_allclose(other, gradient, **EXACT)
    elsewhere = np.random.default_rng(11).normal(size=(3, 5))
    joint, posterior, _ = normalised(autoencoder, elsewhere, autoencoder.eta)
    assert_allclose(posterior[1], joint[1], **EXACT)
    assert np.abs(posterior[0] - joint[0]).max() > 1e-2


def test_the_normalised_objective_is_a_negative_kl(autoencoder):
    """By enumeration of p_theta(z, y|x), for a learned discriminator; it is never positive."""
    logits = np.random.default_rng(7).normal(size=5)
    learned = theory.learned_discriminator(logits)
    found = theory.posterior_objective(autoencoder, learned, autoencoder.theta, autoencoder.eta)

    likelihood = softmax(autoencoder.theta)
    joint = np.empty((2, 3, 5))  # p_theta(x|z,y) p(z|y) p(y)
    joint[FAKE] = 0.5 * autoencoder.prior[:, None] * likelihood
    joint[REAL] = 0.5 * autoencoder.prior[:, None] * autoencoder.data
    inferred = np.empty((2, 3, 5))  # q_eta(z|x,y) q^r(y|x)
    inferred[FAKE] = softmax(autoencoder.eta).T * sigmoid(logits)
    inferred[REAL] = autoencoder.prior[:, None] * sigmoid(-logits)
    divergence = np.sum(inferred * np.log(inferred / (joint / joint.sum(axis=(0, 1)))), axis=(0, 1))
    mixture = (autoencoder.prior @ likelihood + autoencoder.data) / 2
    assert_allclose(found, -mixture @ divergence, **EXACT)
    assert found < 0


def test_equation_17_weighs_real_and_generated_images_by_the_reversed_discriminator(autoencoder):
    logits = np.random.default_rng(8).normal(size=5)
    learned = theory.learned_discriminator(logits)
    weights = activation_weights(tf.constant(logits))
    generated = autoencoder.prior @ softmax(autoencoder.theta)

    def objectives(theta, eta):
        bounds = theory.evidence_bound(theta, eta, autoencoder.prior)
        weighted = tf.reduce_sum((autoencoder.data + generated) * weights * bounds) / 2
        return weighted, theory.joint_objective(autoencoder, learned, theta, eta)

    expected, found = gradients(objectives, autoencoder.theta, autoencoder.eta)
    for gradient, other in zip(expected, found, strict=True):
        assert_allclose(other, gradient, **EXACT)


# Wake-sleep


@pytest.fixture
def machine():
    """Three hidden and three visible binary units, and p_data over the visible states."""
    normal = np.random.default_rng(9).normal
    generative = normal(size=3), normal(size=(3, 3)), normal(size=3)
    recognition = normal(size=(3, 3)), normal(size=3)
    return generative, recognition, softmax(normal(size=8))


def bernoulli(state, logits):
    return np.prod(np.where(np.array(state) == 1, sigmoid(logits), sigmoid(-logits)))


def pairs():
    """(index of x, x, index of h, h) of all states."""
    for (i, x), (j, h) in itertools.product(enumerate(theory.states(3)), repeat=2):
        yield i, x, j, h


def test_tables_are_the_machines_probabilities(machine):
    (hidden_bias, weights, visible_bias), (back, bias), _ = machine
    joint = np.exp(theory.generative_table(hidden_bias, weights, visible_bias))
    inferred = np.exp(theory.recognition_table(back, bias))
    assert joint.shape == inferred.shape == (8, 8)
    for i, x, j, h in pairs():
        visible = bernoulli(x, h @ weights + visible_bias)
        assert_allclose(joint[i, j], bernoulli(h, hidden_bias) * visible, **EXACT)
        assert_allclose(inferred[i, j], bernoulli(h, x @ back + bias), **EXACT)
    assert_allclose(joint.sum(), 1, **EXACT)
    assert_allclose(inferred.sum(axis=1), 1, **EXACT)


def test_wake_phase_equals_enumeration_and_the_delta_rule(machine):
    (hidden_bias, weights, visible_bias), (back, bias), data = machine
    log_recognition = theory.recognition_table(back, bias)

    def objective(*generative):
        return [theory.wake(data, log_recognition, theory.generative_table(*generative))]

    [found] = gradients(objective, *machine[0])
    value, by_hand = 0, [np.zeros(3), np.zeros((3, 3)), np.zeros(3)]
    for i, x, _, h in pairs():
        weight = data[i] * bernoulli(h, x @ back + bias)
        logits = h @ weights + visible_bias
        value += weight * np.log(bernoulli(h, hidden_bias) * bernoulli(x, logits))
        by_hand[0] += weight * (h - sigmoid(hidden_bias))
        by_hand[1] += weight * np.outer(h, x - sigmoid(logits))
        by_hand[2] += weight * (x - sigmoid(logits))
    assert_allclose(objective(*machine[0])[0], value, **EXACT)
    for gradient, rule in zip(found, by_hand, strict=True):
        assert_allclose(gradient, rule, **EXACT)


def test_sleep_phase_equals_enumeration_and_the_delta_rule(machine):
    (hidden_bias, weights, visible_bias), (back, bias), _ = machine
    log_generative = theory.generative_table(*machine[0])

    def objective(*recognition):
        return [theory.sleep(log_generative, theory.recognition_table(*recognition))]

    [found] = gradients(objective, *machine[1])
    value, by_hand = 0, [np.zeros((3, 3)), np.zeros(3)]
    for _, x, _, h in pairs():
        weight = bernoulli(h, hidden_bias) * bernoulli(x, h @ weights + visible_bias)
        value += weight * np.log(bernoulli(h, x @ back + bias))
        by_hand[0] += weight * np.outer(x, h - sigmoid(x @ back + bias))
        by_hand[1] += weight * (h - sigmoid(x @ back + bias))
    assert_allclose(objective(*machine[1])[0], value, **EXACT)
    for gradient, rule in zip(found, by_hand, strict=True):
        assert_allclose(gradient, rule, **EXACT)


def test_each_phase_takes_the_other_net_as_given(machine):
    generative, recognition, data = machine

    def phases(*parameters):
        joint = theory.generative_table(*parameters[:3])
        inferred = theory.recognition_table(*parameters[3:])
        return theory.wake(data, inferred, joint), theory.sleep(joint, inferred)

    wake, sleep = gradients(phases, *generative, *recognition)
    assert not any(gradient.any() for gradient in (*wake[3:], *sleep[:3]))
    assert all(gradient.any() for gradient in (*wake[:3], *sleep[3:]))


def test_sleep_descends_the_divergence_that_table_1_states(machine):
    """KL(p_theta(x, h) || p_theta(x) q_lambda(h|x)): the phases' divergences run opposite ways."""
    joint = np.exp(theory.generative_table(*machine[0]))

    def objectives(*recognition):
        log_q = theory.recognition_table(*recognition)
        reached = joint.sum(axis=1, keepdims=True) * tf.exp(log_q)
        divergence = tf.reduce_sum(joint * (np.log(joint) - tf.math.log(reached)))
        return theory.sleep(np.log(joint), log_q), divergence

    ascent, descent = gradients(objectives, *machine[1])
    for up, down in zip(ascent, descent, strict=True):
        assert_allclose(up, -down, **EXACT)


def test_wake_with_codes_is_the_vaes_theta_gradient(autoencoder):
    """Section 3.5: h = z, lambda = eta."""

    def objectives(theta, eta):
        log_joint = tf.transpose(tf.nn.log_softmax(theta)) + np.log(autoencoder.prior)
        wake = theory.wake(autoencoder.data, tf.nn.log_softmax(eta), log_joint)
        return wake, 2 * vae(autoencoder)(theta, eta)

    wake, full = gradients(objectives, autoencoder.theta, autoencoder.eta)
    assert np.abs(wake[0]).max() > 1e-2
    assert_allclose(wake[0], full[0], **EXACT)
    assert not wake[1].any()
    assert full[1].any()


def test_sleep_with_the_real_fake_indicator_is_the_gans_phi_objective(world):
    """Section 3.5: h = y, lambda = phi."""
    log_joint = np.log(np.transpose(world.conditionals) / 2)  # (x, y)

    def objectives(logits):
        log_q = tf.stack([-tf.math.softplus(logits), -tf.math.softplus(-logits)], axis=1)
        return theory.sleep(log_joint, log_q), theory.gan(*world.conditionals, logits)["phi"]

    sleep, phi = objectives(tf.constant(world.logits))
    assert_allclose(sleep, phi, **EXACT)
    [[sleep], [phi]] = gradients(objectives, world.logits)
    assert np.abs(phi).max() > 1e-2
    assert_allclose(sleep, phi, **EXACT)


# The family as swaps


@pytest.fixture
def tables():
    """p(z) and p_data over 3 codes and 4 images, logits of both conditionals, l(x) and l(z)."""
    normal = np.random.default_rng(10).normal
    prior, data = softmax(normal(size=3)), softmax(normal(size=4))
    return prior, data, normal(size=(3, 4)), normal(size=(4, 3)), normal(size=4), normal(size=3)


def test_gan_by_hand():
    """p_g = (3/4, 1/4), p_data = (1/4, 3/4), D = (1/4, 3/4)."""
    generated, data = np.array([0.75, 0.25]), np.array([0.25, 0.75])
    objectives = theory.gan(generated, data, tf.constant([-np.log(3.0), np.log(3.0)], tf.float64))
    assert_allclose(objectives["phi"], 0.25 * np.log(0.25) + 0.75 * np.log(0.75), **EXACT)
    assert_allclose(objectives["theta"], 0.75 * np.log(0.25) + 0.25 * np.log(0.75), **EXACT)


def test_infogan_without_recovery_is_the_gan(tables):
    prior, data, theta, eta, logits, _ = tables
    log_inference = np.transpose(np.log(softmax(eta)))
    infogan = theory.infogan(prior, softmax(theta), data, log_inference, logits, weight=0.0)
    gan = theory.gan(prior @ softmax(theta), data, logits)
    for player in ("phi", "theta"):
        assert_allclose(infogan[player], gan[player], **EXACT)


def test_aae_is_infogan_with_images_and_codes_exchanged(tables):
    """Eq. 32 and its theta, eta objective written out, values and gradients."""
    prior, data, theta, eta, _, logits = tables

    def swapped(theta, eta, logits):
        log_decoder = tf.transpose(tf.nn.log_softmax(theta))
        objectives = theory.aae(data, tf.nn.softmax(eta), prior, log_decoder, logits)
        return objectives["phi"], objectives["theta"]

    def equation_32(theta, eta, logits):
        log_real, log_inferred = -tf.math.softplus(-logits), -tf.math.softplus(logits)
        encoder, log_decoder = tf.nn.softmax(eta), tf.nn.log_softmax(theta)
        phi, reconstruction = 0.5 * tf.reduce_sum(prior * log_real), 0.0
        for x, z in itertools.product(range(4), range(3)):
            inferred = data[x] * encoder[x, z]
            phi += 0.5 * inferred * log_inferred[z]
            reconstruction += inferred * (log_decoder[z, x] + log_real[z])
        return phi, reconstruction

    parameters = theta, eta, logits
    assert_allclose(swapped(*parameters), equation_32(*map(tf.constant, parameters)), **EXACT)
    for found, expected in zip(
        gradients(swapped, *parameters), gradients(equation_32, *parameters), strict=True
    ):
        for gradient, other in zip(found, expected, strict=True):
            assert_allclose(gradient, other, **EXACT)


def test_ada_between_prior_and_data_is_the_gan(tables):
    """Codes for y = 0; images, whose feature is the image itself, for y = 1."""
    prior, data, theta, _, logits, _ = tables
    domains = np.zeros((2, 7))
    domains[FAKE, :3], domains[REAL, 3:] = prior, data

    def players(theta, logits):
        generator = tf.nn.softmax(theta)
        ada = theory.ada(domains, tf.concat([generator, np.eye(4)], axis=0), logits)
        gan = theory.gan(tf.linalg.matvec(generator, prior, transpose_a=True), data, logits)
        return ada["phi"], gan["phi"], ada["theta"], gan["theta"]

    ada_phi, gan_phi, ada_theta, gan_theta = gradients(players, theta, logits)
    assert_allclose(ada_phi[1], gan_phi[1], **EXACT)
    assert_allclose(ada_theta[0], gan_theta[0], **EXACT)
    assert np.abs(gan_phi[1]).max() > 1e-2
    assert np.abs(gan_theta[0]).max() > 1e-2
    values = players(*map(tf.constant, (theta, logits)))
    assert_allclose(values[0], values[1], **EXACT)
    constant = data @ np.log(sigmoid(-logits))  # E_pdata log(1 - D), which theta does not reach
    assert_allclose(values[2] - values[3], constant, **EXACT)


def test_ada_moves_the_source_domain_too(tables):
    """Two ordinary domains: the label flip of Eq. 2 in both."""
    _, _, theta, _, logits, _ = tables
    domains = np.array([[1.0, 0.0, 0.0], [0.0, 1.0, 0.0]])
    [[gradient]] = gradients(
        lambda theta: [theory.ada(domains, tf.nn.softmax(theta), logits)["theta"]], theta
    )
    assert gradient[0].any()
    assert gradient[1].any()
    assert not gradient[2].any()


# Fig. 2


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
    covering = moments(step, step.data)  # of the Gaussian that minimises KL(p_data || p_g)
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


def test_every_export_resolves():
    assert len(set(theory.__all__)) == len(theory.__all__)
    assert all(hasattr(theory, name) for name in theory.__all__)
