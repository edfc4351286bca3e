"""Predictability minimization against enumeration and hand computations, and the independence measured."""

import itertools

import keras
import numpy as np
import pytest
import tensorflow as tf
from models import build, digits

from tfgen import layers, networks
from tfgen.evaluation.context import EvaluationContext
from tfgen.evaluation.independence import code_entropy, code_independence, predictability
from tfgen.objectives import log_bernoulli
from zoo.models.pm import PM, binary

SHAPE, UNITS = (8, 8, 1), 5
CODES = np.array(list(itertools.product([0.0, 1.0], repeat=3)))  # all codes of three units


def pm(**arguments):
    """A small PM whose units lie well away from 1/2."""
    keras.utils.set_random_seed(1)
    model = PM.build_networks(
        SHAPE, None, width=4, units=UNITS, hidden=6, normalization=None, **arguments
    )
    for network in (model.theta, model.eta):
        for variable in network.trainable_variables:
            variable.assign(5 * variable)
    return model


def gradients(model, images, player):
    with tf.GradientTape() as tape:
        objective = model.objectives(images)[player]
    variables = model.players[player].trainable_variables
    return [gradient.numpy() for gradient in tape.gradient(objective, variables)]


def assert_all_close(values, expected, **tolerance):
    for value, other in zip(values, expected, strict=True):
        np.testing.assert_allclose(value, other, **tolerance)


class TestPredictors:
    def test_leave_one_out_by_hand(self):
        np.testing.assert_array_equal(
            layers.LeaveOneOut()(tf.constant([[1, 2, 3]])), [[[2, 3], [1, 3], [1, 2]]]
        )

    def test_no_predictor_sees_its_own_unit(self):
        """The Jacobian's diagonal is zero exactly, and nothing else of it is."""
        phi = networks.predictors(UNITS, hidden=6)
        codes = tf.random.stateless_uniform([3, UNITS], [1, 2])
        with tf.GradientTape() as tape:
            tape.watch(codes)
            logits = phi(codes)
        jacobian = tape.batch_jacobian(logits, codes).numpy()
        own = np.eye(UNITS, dtype=bool)
        np.testing.assert_array_equal(jacobian[:, own], 0)
        assert (np.abs(jacobian[:, ~own]).max(axis=0) > 0).all()

    def test_predictors_share_no_weight(self):
        """A step on one unit's log-probability leaves the others' logits as they were."""
        phi = networks.predictors(UNITS, hidden=6)
        codes = tf.random.stateless_uniform([4, UNITS], [1, 2])
        before = phi(codes).numpy()
        with tf.GradientTape() as tape:
            objective = tf.reduce_sum(log_bernoulli(phi(codes), codes)[:, 1])
        found = tape.gradient(objective, phi.trainable_variables)
        for variable, gradient in zip(phi.trainable_variables, found, strict=True):
            variable.assign_add(gradient)
        moved = np.abs(phi(codes).numpy() - before).max(axis=0)
        np.testing.assert_array_equal(moved > 0, np.arange(UNITS) == 1)

    def test_saved_and_loaded(self, tmp_path):
        phi = networks.predictors(UNITS, hidden=6)
        phi.save(tmp_path / "phi.keras")
        codes = tf.random.stateless_uniform([3, UNITS], [1, 2])
        loaded = keras.saving.load_model(tmp_path / "phi.keras")
        np.testing.assert_array_equal(loaded(codes), phi(codes))


class TestBestPredictors:
    """Enumerated: phi's objective in float64, the predictors being any function of the other units."""

    def objective(self, p, logits):
        """sum_i E_p log P(z_i|z_-i) of p (8,) over all codes, and logits (8, 3)."""
        terms = log_bernoulli(tf.constant(logits), tf.constant(CODES))
        return float(tf.reduce_sum(tf.constant(p)[:, None] * terms))

    def best_logits(self, p):
        """(8, 3), log p(z_i = 1|z_-i) / p(z_i = 0|z_-i)."""
        cube = np.log(p).reshape(2, 2, 2)
        ratios = [np.take(cube, [1, 1], i) - np.take(cube, [0, 0], i) for i in range(3)]
        return np.stack(ratios, axis=-1).reshape(8, 3)

    def test_on_independent_bits_their_loss_is_the_entropy(self):
        means = np.array([0.5, 0.2, 0.9])
        p = np.prod(np.where(CODES == 1, means, 1 - means), axis=1)
        entropies = -(means * np.log(means) + (1 - means) * np.log(1 - means))
        logits = self.best_logits(p)
        np.testing.assert_allclose(logits, np.tile(np.log(means / (1 - means)), (8, 1)), atol=1e-12)
        best = self.objective(p, logits)
        np.testing.assert_allclose(-best, entropies.sum(), rtol=1e-12)
        rng = np.random.default_rng(0)
        for _ in range(20):
            # Any other predictor: a function of the other two units.
            moved = [np.take(rng.normal(size=(2, 2, 2)), [0, 0], i).ravel() for i in range(3)]
            assert self.objective(p, logits + np.stack(moved, axis=-1)) < best

    def test_on_dependent_bits_it_is_the_conditional_entropy(self):
        p = np.random.default_rng(1).dirichlet(np.ones(8))
        joint, cube = -(p * np.log(p)).sum(), p.reshape(2, 2, 2)
        marginals = [cube.sum(axis=i).ravel() for i in range(3)]
        conditional = sum(joint + (q * np.log(q)).sum() for q in marginals)
        np.testing.assert_allclose(-self.objective(p, self.best_logits(p)), conditional, rtol=1e-12)

    def test_fair_independent_bits_are_the_encoders_best(self):
        """No p leaves the best predictors a larger loss than d log 2."""
        fair = np.full(8, 1 / 8)
        highest = -self.objective(fair, self.best_logits(fair))
        np.testing.assert_allclose(highest, 3 * np.log(2), rtol=1e-12)
        for p in np.random.default_rng(2).dirichlet(np.ones(8), size=20):
            assert -self.objective(p, self.best_logits(p)) < highest


class TestObjectives:
    images = tf.constant(digits(6)[0])

    def test_by_hand(self):
        model = pm(beta=0.7)
        codes = (model.eta(self.images).numpy() > 0.5).astype("float32")
        assert 0 < codes.mean() < 1
        p = 1 / (1 + np.exp(-model.phi(codes).numpy().astype("float64")))
        predictable = np.where(codes == 1, np.log(p), np.log(1 - p)).sum(axis=1).mean()
        means, x = model.decode(codes).numpy().astype("float64"), self.images.numpy()
        log_x = (x * np.log(means) + (1 - x) * np.log(1 - means)).sum(axis=(1, 2, 3)).mean()
        objectives = model.objectives(self.images)
        np.testing.assert_allclose(objectives["phi"], predictable, rtol=1e-5)
        np.testing.assert_allclose(objectives["eta"], log_x - 0.7 * predictable, rtol=1e-5)
        assert objectives["theta"] is objectives["eta"]

    def test_theta_ascends_the_reconstruction_alone(self):
        found = [gradients(pm(beta=beta), self.images, "theta") for beta in (0.0, 5.0)]
        assert_all_close(*found, rtol=1e-6)

    def test_phi_ascends_what_eta_descends(self):
        """Eta's gradient is the reconstruction's minus beta times that of phi's own objective."""
        model = pm(beta=0.7)
        with tf.GradientTape() as tape:
            predictability = model.objectives(self.images)["phi"]
        against = tape.gradient(predictability, model.eta.trainable_variables)
        assert max(np.abs(gradient).max() for gradient in against) > 1e-4
        alone = gradients(pm(beta=0.0), self.images, "eta")
        expected = [a - 0.7 * b for a, b in zip(alone, against, strict=True)]
        assert_all_close(gradients(model, self.images, "eta"), expected, rtol=1e-3, atol=1e-5)

    def test_either_player_alone_moves_the_predictability_its_way(self):
        for player, sign in (("phi", 1), ("eta", -1)):
            model = pm(beta=1e4)  # eta's reconstruction counts for nothing
            with tf.GradientTape() as tape:
                units = model.eta(self.images)
                terms = log_bernoulli(model.phi(units), units)  # uncut, so that a small step shows
                start = tf.reduce_sum(terms)
            variables = model.players[player].trainable_variables
            for variable, gradient in zip(variables, tape.gradient(start, variables), strict=True):
                variable.assign_add(sign * 1e-4 * gradient)
            units = model.eta(self.images)
            end = tf.reduce_sum(log_bernoulli(model.phi(units), units))
            assert sign * float(end - start) > 0

    def test_without_beta_it_is_an_autoencoder(self):
        model = pm(beta=0.0)
        before = gradients(model, self.images, "eta")
        for variable in model.phi.trainable_variables:
            variable.assign(variable + 1)
        assert_all_close(gradients(model, self.images, "eta"), before, rtol=1e-6)

    def test_units_are_cut_and_their_gradient_is_not(self):
        units = tf.constant([0.0, 0.3, 0.5, 0.500001, 1.0])
        with tf.GradientTape() as tape:
            tape.watch(units)
            cut = binary(units)
            total = tf.reduce_sum(cut * [1.0, 2, 3, 4, 5])
        np.testing.assert_array_equal(cut, [0, 0, 0, 1, 1])
        np.testing.assert_array_equal(tape.gradient(total, units), [1, 2, 3, 4, 5])


class TestUse:
    def test_codes_of_the_prior_are_fair_independent_coins(self):
        codes = pm().prior(4000, 3).numpy()
        assert set(np.unique(codes)) == {0.0, 1.0}
        assert np.abs(codes.mean(axis=0) - 0.5).max() < 4 * 0.5 / np.sqrt(4000)
        assert np.abs(np.corrcoef(codes.T) - np.eye(UNITS)).max() < 4 / np.sqrt(4000)

    def test_encode_gives_binary_codes_and_reconstruct_their_images(self):
        model, images = pm(), tf.constant(digits(4)[0])
        served = {name: function for name, (function, _) in model.endpoints().items()}
        latents = served["encode"](images=images)["latents"]
        np.testing.assert_array_equal(latents, model.eta(images) > 0.5)
        decoded = served["decode"](latents=latents)["images"]
        reconstructed = served["reconstruct"](images=images, seeds=tf.zeros(4, "int32"))["images"]
        np.testing.assert_array_equal(reconstructed, decoded)

    def test_rules(self):
        theta, eta, phi = (pm().players[name] for name in ("theta", "eta", "phi"))
        with pytest.raises(ValueError, match="beta must not be negative. Received: beta=-1.0"):
            PM(theta, eta, phi, beta=-1.0)
        with pytest.raises(ValueError, match=r"phi must read the codes that theta reads. Received"):
            PM(theta, eta, networks.predictors(UNITS + 1))
        with pytest.raises(ValueError, match=r"phi must predict every unit of the code. Received"):
            PM(theta, eta, networks.mlp_discriminator((UNITS,)))


class TestIndependence:
    def coins(self, count=4000, units=6):
        return np.random.default_rng(0).integers(0, 2, (count, units)).astype("float64")

    def test_entropy_by_hand(self):
        codes = np.array([[1, 0, 1], [1, 0, 0], [0, 0, 1], [0, 0, 1]])
        quarter = -(0.25 * np.log2(0.25) + 0.75 * np.log2(0.75))
        assert code_entropy(codes).value == pytest.approx(1 + 0 + quarter)

    def test_independent_units(self):
        codes = self.coins() * (np.random.default_rng(1).random(6) > 0.5)  # some are constant
        measured = predictability(codes)
        assert abs(measured.value) < 0.02
        assert predictability(self.coins(60)).value < 0.5  # few codes are no evidence

    def test_a_copied_unit_is_predicted_and_predicts(self):
        codes = self.coins()
        codes[:, 3] = 1 - codes[:, 0]
        measured = predictability(codes)
        assert measured.low <= measured.high
        assert measured.value == pytest.approx(2, abs=0.05)

    def test_dependence_without_correlation(self):
        """z_3 = z_1 xor z_2: any two of the three are independent, each is a function of both others."""
        codes = self.coins()
        codes[:, 2] = (codes[:, 0] + codes[:, 1]) % 2
        assert np.abs(np.corrcoef(codes.T) - np.eye(6)).max() < 0.06
        assert predictability(codes).value == pytest.approx(3, abs=0.1)

    def test_of_a_model(self):
        model = build("pm_digits")
        measured = code_independence(EvaluationContext(model, "digits", 100, None, 0))
        assert set(measured) == {"code_entropy", "predictability", "reconstruction_error"}
        assert 0 <= measured["code_entropy"].value <= model.latent_dim
        assert measured == code_independence(EvaluationContext(model, "digits", 100, None, 0))

    def test_other_codes_are_not_measured(self):
        assert (
            code_independence(EvaluationContext(build("vae_digits"), "digits", 100, None, 0)) == {}
        )
