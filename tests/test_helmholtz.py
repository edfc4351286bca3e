"""Wake-sleep (Eq. 14) against enumeration of machines of a few binary units, and its bounds likewise."""

import itertools

import keras
import numpy as np
import pytest
import tensorflow as tf
from models import build, digits

from tfgen import evaluation
from tfgen.evaluation import bounds, likelihood
from tfgen.evaluation.bounds import likelihood_bounds
from tfgen.networks import sigmoid_belief
from tfgen.paper import theory
from tfgen.paper.table import ROWS
from zoo.models.helmholtz import DREAMED, RECOGNIZED, Helmholtz

SHAPE = (1, 3, 1)  # three pixels
DEPTHS = pytest.mark.parametrize("units", [(3,), (3, 2), (2, 1, 2)], ids=str)


def machine(units, kind=Helmholtz):
    """Three pixels under layers of few units, with weights and biases from N(0, 1)."""
    model = kind.build_networks(SHAPE, None, units=units)
    rng = np.random.default_rng(9)
    for variable in model.trainable_variables:
        variable.assign(rng.normal(size=variable.shape))
    return model


def every_state(units):
    """Every joint state, a row each: images (n, 1, 3, 1) and [h_1 .. h_L]."""
    states = theory.states(3 + sum(units)).astype("float32")
    pixels, *layers = np.split(states, np.cumsum([3, *units])[:-1], axis=1)
    return pixels.reshape(-1, *SHAPE), [tf.constant(states) for states in layers]


def forcing(states):
    """Noise that draws these states whatever their means, which lie inside (0, 1)."""
    return np.concatenate([1 - np.reshape(state, (len(state), -1)) for state in states], axis=1)


def probabilities(model):
    """p_theta(x, h) and q_lambda(h|x) as tables (x, h), float64."""
    images, states = every_state(model.units)
    terms = model.log_joint(images, states), model.log_recognition(images, states)
    return [np.exp(term.numpy().astype(float)).reshape(8, -1) for term in terms]


def variables(network):
    """Weights and biases from the lowest layer up, last a prior's bias if there is one."""
    return [v for part in sigmoid_belief.conditionals(network) for v in part.trainable_variables]


# The distributions.


def sigmoid(logits):
    return 1 / (1 + np.exp(-logits))


def log_bernoulli(states, logits):
    means = sigmoid(logits)
    return np.log(np.where(states == 1, means, 1 - means)).sum(axis=1)


def test_log_probabilities_by_hand():
    model = machine((3, 2))
    images, (first, second) = every_state((3, 2))
    pixels = images.reshape(-1, 3)
    weights, bias, weights2, bias2, prior = (v.numpy() for v in variables(model.theta))
    log_joint = (
        log_bernoulli(pixels, first @ weights + bias)
        + log_bernoulli(first, second @ weights2 + bias2)
        + log_bernoulli(second, prior)
    )
    np.testing.assert_allclose(model.log_joint(images, [first, second]), log_joint, rtol=1e-4)
    weights, bias, weights2, bias2 = (v.numpy() for v in variables(model.eta))
    log_q = log_bernoulli(first, pixels @ weights + bias)
    log_q += log_bernoulli(second, first @ weights2 + bias2)
    np.testing.assert_allclose(model.log_recognition(images, [first, second]), log_q, rtol=1e-4)


@DEPTHS
def test_the_distributions_are_normalized(units):
    joint, recognized = probabilities(machine(units))
    np.testing.assert_allclose(joint.sum(), 1, rtol=1e-5)
    np.testing.assert_allclose(recognized.sum(axis=1), 1, rtol=1e-5)


def test_a_unit_is_1_for_its_means_share_of_the_noise():
    logits = tf.constant([[-3.0, 0.0, 0.3, 50.0, -50.0]])
    noise = (np.arange(1000, dtype="float32") + 0.5) / 1000
    shares = sigmoid_belief.draw(
        tf.repeat(logits, 1000, axis=0), np.repeat(noise[:, None], 5, axis=1)
    )
    np.testing.assert_allclose(np.mean(shares, axis=0), sigmoid(logits)[0], atol=5e-4)


def shares(*states):
    """Return the count of each joint state, in the order of `theory.states`."""
    states = np.concatenate([np.reshape(state, (len(state), -1)) for state in states], axis=1)
    codes = states.astype(int) @ (2 ** np.arange(states.shape[1])[::-1])
    return np.bincount(codes, minlength=2 ** states.shape[1]) / len(codes)


@DEPTHS
def test_states_are_drawn_as_often_as_they_are_probable(units):
    """Within 5 standard errors of 50,000 draws."""
    model, n = machine(units), 50_000

    def close(found, expected):
        assert (np.abs(found - expected) < 5 * np.sqrt(expected / n)).all()

    joint, recognized = probabilities(model)
    images, states = model.dream(tf.zeros([n, 1]))
    close(shares(images, *states), joint.ravel())
    image = np.float32([1, 0, 1]).reshape(1, *SHAPE)
    noise = model.bound_noise(n, 1, (1, 2))[:, 0]
    states = model.recognize(np.repeat(image, n, axis=0), noise)
    close(shares(*states), recognized[0b101])
    lowest = joint.sum(axis=0).reshape(2 ** units[0], -1).sum(axis=1)
    close(shares(model.prior(n, 4)), lowest)


# The objectives.


class Enumerated(Helmholtz):
    """E over all joint states: the noise forces each once, and `mean` weighs it by its share."""

    def uniform(self, examples, size, stream):
        images, states = every_state(self.units)
        return forcing({RECOGNIZED: states, DREAMED: [images, *states]}[stream])

    def mean(self, values):
        return tf.reduce_sum(values * self.share)


def played(model, share):
    """The objectives under these shares of the states, and {(objective, player): gradients}."""
    model.share = tf.constant(share.ravel(), tf.float32)
    images, _ = every_state(model.units)
    with tf.GradientTape(persistent=True) as tape:
        objectives = model.objectives(tf.constant(images))
    return objectives, {
        (name, player): tape.gradient(objective, variables(network))
        for name, objective in objectives.items()
        for player, network in model.players.items()
    }


@pytest.fixture
def enumerated():
    """A machine of 3 + 3 units, and its parameters in float64 in the order of `tfgen.paper.theory`."""
    model = machine((3,), Enumerated)
    weights, visible_bias, hidden_bias, *recognition = (
        tf.cast(variable, tf.float64)
        for network in model.players.values()
        for variable in variables(network)
    )
    return model, [hidden_bias, weights, visible_bias], recognition


DATA = np.random.default_rng(1).dirichlet(np.ones(8))  # p_data over three pixels


def test_wake_phase_equals_enumeration(enumerated):
    model, generative, recognition = enumerated
    log_q = theory.recognition_table(*recognition)
    with tf.GradientTape() as tape:
        tape.watch(generative)
        expected = theory.wake(DATA, log_q, theory.generative_table(*generative))
    hidden_bias, weights, visible_bias = tape.gradient(expected, generative)
    objectives, found = played(model, DATA[:, None] * np.exp(log_q))
    np.testing.assert_allclose(objectives["theta"], expected, rtol=1e-5)
    for gradient, exact in zip(
        found["theta", "theta"], [weights, visible_bias, hidden_bias], strict=True
    ):
        np.testing.assert_allclose(gradient, exact, rtol=1e-4, atol=1e-6)
    assert found["theta", "eta"] == [None, None]  # no gradient passes through the states


def test_sleep_phase_equals_enumeration(enumerated):
    model, generative, recognition = enumerated
    log_p = theory.generative_table(*generative)
    with tf.GradientTape() as tape:
        tape.watch(recognition)
        expected = theory.sleep(log_p, theory.recognition_table(*recognition))
    exact = tape.gradient(expected, recognition)
    objectives, found = played(model, np.exp(log_p))
    np.testing.assert_allclose(objectives["eta"], expected, rtol=1e-5)
    for gradient, value in zip(found["eta", "eta"], exact, strict=True):
        np.testing.assert_allclose(gradient, value, rtol=1e-4, atol=1e-6)
    assert found["eta", "theta"] == [None, None, None]


def test_the_metric_is_the_variational_bound(enumerated, monkeypatch):
    """E_q[log p(x, h) - log q(h|x)] of the images, independent of the dreams."""
    model, generative, recognition = enumerated
    log_p, log_q = theory.generative_table(*generative), theory.recognition_table(*recognition)
    weights = DATA[:, None] * np.exp(log_q)
    given = []
    monkeypatch.setattr(model.bound_tracker, "update_state", given.append)
    played(model, weights)
    [bounds] = given  # of every state; the metric is their mean
    expected = (weights * (log_p - log_q).numpy()).sum()
    np.testing.assert_allclose(weights.ravel() @ bounds.numpy(), expected, rtol=1e-5)


def test_a_machine_that_has_learned_stands_still():
    """Both expected gradients vanish where p_theta(x) = p_data(x) and q_lambda(h|x) = p_theta(h|x)."""
    model = machine((3,), Enumerated)
    weights, _, prior = variables(model.theta)
    back, bias = variables(model.eta)
    for variable in (weights, back):
        variable.assign(tf.zeros_like(variable))  # x and h are independent
    bias.assign(prior)
    joint, recognized = probabilities(model)
    np.testing.assert_allclose(joint, joint.sum(axis=1, keepdims=True) * recognized, rtol=1e-5)
    for gradient in itertools.chain(*(found for found in played(model, joint)[1].values())):
        if gradient is not None:
            np.testing.assert_allclose(gradient, np.zeros(gradient.shape), atol=1e-6)


# The bounds.


def exact_bounds(model, draws):
    """E[log 1/k sum_i p(x, h_i)/q(h_i|x)] of every x, by enumeration of all k-tuples of states."""
    _, recognized = probabilities(model)
    count = recognized.shape[1]
    tuples = np.array(list(itertools.product(range(count), repeat=draws)))  # (count^k, k)
    noise = forcing(every_state(model.units)[1])[:count]  # x is the slowest
    images = every_state(model.units)[0][::count]
    found = model.bound(
        np.repeat(images, len(tuples), axis=0), None, np.tile(noise[tuples], (8, 1, 1))
    )
    shares = recognized[:, tuples].prod(axis=2)  # (8, count^k)
    return (shares * found.numpy().reshape(8, -1)).sum(axis=1)


@pytest.mark.parametrize("units", [(3,), (2, 1)], ids=str)
def test_bounds_rise_with_the_draws_from_the_variational_one_toward_log_p(units):
    model = machine(units)
    joint, recognized = probabilities(model)
    variational = (recognized * np.log(joint / recognized)).sum(axis=1)
    rising = [exact_bounds(model, draws) for draws in (1, 2, 3)]
    np.testing.assert_allclose(rising[0], variational, rtol=1e-4)
    assert (np.diff(rising, axis=0) > 1e-3).all()
    assert (rising[-1] < np.log(joint.sum(axis=1))).all()


def test_the_bound_of_many_draws_is_log_p():
    """Within 5 standard errors, which the weights' variance gives by enumeration."""
    model, draws = machine((3, 2)), 5000
    images = every_state(())[0]
    joint, recognized = probabilities(model)
    evidence = joint.sum(axis=1)
    variance = (joint**2 / recognized).sum(axis=1) / evidence**2 - 1  # of w/p(x)
    tight = likelihood.importance_weighted_bound(model, images, importance_samples=draws)
    assert (np.abs(tight - np.log(evidence)) < 5 * np.sqrt(variance / draws)).all()


def test_single_draws_estimate_the_variational_bound():
    """2,000 of them for each image, within 5 standard errors."""
    model = machine((3, 2))
    images = np.repeat(every_state(())[0], 2000, axis=0)
    single = likelihood.variational_bound(model, images).reshape(8, -1)
    error = single.std(axis=1) / np.sqrt(2000)
    assert (np.abs(single.mean(axis=1) - exact_bounds(model, 1)) < 5 * error).all()


def test_evaluation_measures_what_needs_no_continuous_codes(monkeypatch):
    monkeypatch.setattr(bounds, "IMPORTANCE_SAMPLES", (4, 16))
    monkeypatch.setattr(bounds, "DECODED", 16 * 20)
    context = evaluation.EvaluationContext(build("helmholtz_digits"), "digits", 4, None, 0)
    scores = likelihood_bounds(context)
    tighter = {f"iw_bound_{draws}{of}" for draws in (4, 16) for of in ("", "_gain")}
    assert set(scores) == {"bound", *tighter}
    assert scores["bound"].value < scores["iw_bound_4"].value < scores["iw_bound_16"].value


# The model.


def test_it_learns_binarized_digits():
    images = likelihood.prepare_images("bernoulli", digits(1000)[0])
    model = build("helmholtz_digits", units=(32, 16))
    before = likelihood.variational_bound(model, images).mean()
    model.fit(images, batch_size=50, epochs=15, verbose=0)
    assert likelihood.variational_bound(model, images).mean() > before + 15


def test_endpoints_agree_with_each_other():
    model = build("helmholtz_digits")
    served = {name: function for name, (function, _) in model.endpoints().items()}
    images = tf.constant(likelihood.prepare_images("bernoulli", digits(5)[0]))
    seeds = tf.range(3, 8)
    noise = tf.concat([model.bound_noise(1, 1, (seed, 0)) for seed in seeds], axis=0)
    states = model.recognize(images, noise[:, 0])
    assert set(np.unique(states[0])) == {0, 1}
    expected = model.log_joint(images, states) - model.log_recognition(images, states)
    np.testing.assert_allclose(served["bound"](images, seeds)["bound"], expected, rtol=1e-5)
    decoded = served["decode"](states[0])["images"]
    np.testing.assert_array_equal(served["reconstruct"](images, seeds)["images"], decoded)
    latents = served["encode"](images)["latents"]
    weights, bias = (v.numpy() for v in variables(model.eta)[:2])
    means = sigmoid(images.numpy().reshape(5, -1) @ weights + bias)
    np.testing.assert_allclose(latents, means, rtol=1e-5)
    np.testing.assert_array_equal(model(images), served["decode"](latents)["images"])
    np.testing.assert_allclose(model.sample(5, seed=2), model.decode(model.prior(5, 2)), rtol=1e-6)


def test_samples_are_those_of_the_average():
    model = build("helmholtz_digits", average=0.9)
    model.fit(digits()[0], verbose=0)
    images = model.sample(4)
    np.testing.assert_array_equal(images, model.release().sample(4))
    assert np.abs(images - build("helmholtz_digits").sample(4)).max() > 0


def test_a_single_layer_is_saved_and_loaded(tmp_path):
    model = build("helmholtz_digits", units=(5,))
    model.fit(digits()[0], verbose=0)
    model.save(tmp_path / "m.keras")
    loaded = keras.saving.load_model(tmp_path / "m.keras")
    for twin in (model, loaded):
        twin.fit(digits()[0], verbose=0)
    for value, expected in zip(loaded.get_weights(), model.get_weights(), strict=True):
        np.testing.assert_array_equal(value, expected)


def test_its_rows_are_table_1s():
    assert set(Helmholtz.table_row) <= set(ROWS)


# Faults.


def test_networks_of_other_layers_are_refused():
    theta, eta = sigmoid_belief.generative(SHAPE, (3, 2)), sigmoid_belief.recognition(SHAPE, (3, 4))
    message = r"theta must generate x, h_1 .. h_L .* Received: theta from \[\(3,\), \(2,\)\] to"
    with pytest.raises(ValueError, match=message):
        Helmholtz(theta, eta)


def test_images_out_of_no_sigmoid_are_refused():
    states = keras.Input((3,))
    pixels = keras.layers.Reshape(SHAPE)(keras.layers.Dense(3)(states))
    theta = keras.Model([states], [pixels, sigmoid_belief.Prior()(states)])
    with pytest.raises(ValueError, match="theta must end in keras.layers.Activation"):
        Helmholtz(theta, sigmoid_belief.recognition(SHAPE, (3,)))


def test_an_output_that_skips_a_layer_is_refused():
    images, first = keras.Input(SHAPE), keras.Input((3,))
    flat = keras.layers.Flatten()(images)
    both = keras.layers.Concatenate()([flat, first])
    eta = keras.Model([images, first], [keras.layers.Dense(3)(flat), keras.layers.Dense(2)(both)])
    with pytest.raises(ValueError, match="is not connected to `inputs`"):
        Helmholtz(sigmoid_belief.generative(SHAPE, (3, 2)), eta)


@pytest.mark.parametrize("units", [(), (3, 0)], ids=str)
def test_layers_without_units_are_refused(units):
    with pytest.raises(ValueError, match="units must be one or more sizes of at least 1. Received"):
        Helmholtz.build_networks(SHAPE, None, units=units)
