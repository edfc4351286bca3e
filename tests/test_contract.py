"""The contract of every model of the zoo: one table over all recipes, which tests new ones, too."""

import functools
import gc
import json
import os
import subprocess
import sys
import weakref

import numpy as np
import pytest
import tensorflow as tf
from models import (
    OF_EACH_CLASS,
    RECIPES,
    build,
    digits,
    large_but,
    learned_from,
    of_each_class,
    precision,
)

import tfgen
import zoo
from tfgen import optimizers, testing
from zoo.recipes import LEARN_FROM_LABELS

WITHOUT_SAMPLES = {"ADA", "CycleGAN", "ResNet"}
GENERATORS = [name for name, recipe in RECIPES.items() if recipe["model"] not in WITHOUT_SAMPLES]

# Weights of Eq. 43 change a gradient, and nothing that is written.
WRITTEN = [name for name in RECIPES if not RECIPES[name]["build"].get("importance_weighted")]

ONE_CALL = ["cgan_digits", "ada_digits"]
every_model = pytest.mark.parametrize("name", RECIPES)
every_generator = pytest.mark.parametrize("name", GENERATORS)


@functools.cache
def untouched(name):
    """A model that no test changes."""
    return build(name)


def pixels(files):
    """The pictures of PNG files of one size, (n, h, w, c) integers."""
    return np.stack([tf.io.decode_png(file) for file in files]).astype(int)


@every_model
def test_configuration_round_trip(name):
    testing.check_configuration(untouched(name))


@every_model
def test_one_step_moves_every_player_by_its_own_objective_alone(name):
    testing.check_step(lambda: build(name), learned_from(name, 32))


@pytest.mark.parametrize("name", large_but(OF_EACH_CLASS, RECIPES))
def test_fits_and_evaluates_like_any_keras_model(name):
    testing.check_learns(lambda: build(name), learned_from(name, 70))


def graphs_of_training(name):
    """Train a model and forget it; return weak references to the graphs of its steps."""
    model, graphs = build(name), []
    model.compile(optimizers.Adam())
    train_step = model.train_step

    def remember(data):
        graphs.append(weakref.ref(tf.compat.v1.get_default_graph()))
        return train_step(data)

    model.train_step = remember
    images, labels = learned_from(name, 32)
    model.fit(images, labels, epochs=1, verbose=0)
    return graphs


@pytest.mark.parametrize("name", OF_EACH_CLASS)
def test_a_trained_model_leaves_no_graph(name):
    graphs = graphs_of_training(name)
    gc.collect()
    assert graphs
    assert not any(graph() for graph in graphs)


@pytest.mark.parametrize("name", large_but(OF_EACH_CLASS, RECIPES))
def test_predicts_like_any_keras_model(name):
    dataset = tfgen.data.load("digits", "test", batch_size=100)
    predicted = untouched(name).predict(dataset, verbose=0)
    assert len(predicted) == tfgen.data.info("digits").splits["test"]


@every_model
def test_endpoints_are_the_designs(name):
    testing.check_endpoints(untouched(name))


FRESH = """
import json
import pathlib
import sys
import numpy as np
import tensorflow as tf


def run(folder, way, name, function):
    with np.load(folder / f"{name}.npz", allow_pickle=True) as inputs:
        outputs = function(**{key: tf.constant(inputs[key]) for key in inputs})
    return {f"{way} {name} {key}": value.numpy() for key, value in outputs.items()}


folders = [path for path in pathlib.Path(sys.argv[1]).iterdir() if path.is_dir()]
results = {folder: {} for folder in folders}
for folder in folders:
    signatures = tf.saved_model.load(str(folder / "m" / "1")).signatures
    for name in set(signatures) - {"serving_default"}:
        results[folder] |= run(folder, "served", name, signatures[name])
assert not {"tfgen", "zoo"} & set(sys.modules), "TensorFlow alone must do"

import zoo

zoo.MODELS |= json.loads(sys.argv[2])
for folder in folders:
    for name, (function, _) in zoo.load(folder / "m.keras").endpoints().items():
        results[folder] |= run(folder, "loaded", name, function)
    np.savez(folder / "results.npz", **results[folder])
"""


@pytest.fixture(scope="module")
def written(request, tmp_path_factory):
    """Models under test trained for an epoch, saved and exported; what a fresh process makes of both."""
    root, expected = tmp_path_factory.mktemp("written"), {}
    here = [item for item in request.session.items if item.path == request.path]
    selected = [item for item in here if "written" in item.fixturenames]
    for name in (item.callspec.params["name"] for item in selected):
        model, folder = build(name), root / name
        model.fit(*learned_from(name, 64), verbose=0)
        tfgen.export(model, folder / "m" / "1")
        model.save(folder / "m.keras")
        expected[name] = {}
        for endpoint, (function, signature) in model.endpoints().items():
            inputs = testing.arguments_of(signature)
            np.savez(folder / f"{endpoint}.npz", **{key: v.numpy() for key, v in inputs.items()})
            for key, value in function(**inputs).items():
                expected[name][f"{endpoint} {key}"] = value.numpy()
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    command = [sys.executable, "-c", FRESH, str(root), json.dumps(zoo.MODELS)]
    subprocess.run(command, check=True, env=environment)
    return root, expected


@pytest.mark.parametrize("name", large_but(of_each_class(WRITTEN), WRITTEN))
def test_file_and_saved_model_equal_the_model_in_a_fresh_process(name, written):
    root, expected = written
    results = np.load(root / name / "results.npz", allow_pickle=True)
    ways = ("served", "loaded")
    assert set(results) == {f"{way} {key}" for way in ways for key in expected[name]}
    for key, value in expected[name].items():
        for way in ways:
            found = results[f"{way} {key}"]
            if key.endswith("png_bytes"):
                assert np.abs(pixels(found) - pixels(value)).max() <= 1
            else:
                testing.assert_close(found, value, rtol=1e-4, atol=1e-5)


def check_precision(name, policy):
    """Learn and serve under a policy."""
    with precision(policy):
        model = build(name)
    batch = learned_from(name, 16)
    model.fit(*batch, verbose=0)
    assert np.isfinite(list(model.evaluate(*batch, verbose=0, return_dict=True).values())).all()
    for endpoint, (function, signature) in model.endpoints().items():
        for key, value in function(**testing.arguments_of(signature)).items():
            assert value.dtype.name in ("float32", "int32", "string"), (endpoint, key)
    if name in GENERATORS:
        assert model.sample(2).dtype == np.float32


@pytest.mark.parametrize("policy", large_but({"mixed_bfloat16"}, ["mixed_bfloat16", "float64"]))
@pytest.mark.parametrize("name", OF_EACH_CLASS)
def test_it_learns_and_serves_in_another_precision(name, policy):
    check_precision(name, policy)


@pytest.mark.parametrize("member", ["iwcgan_digits", "aacvae_digits"])
def test_it_learns_and_serves_in_float16(member):
    """The other half precision has the same networks and terms in a narrower range."""
    check_precision(member, "mixed_float16")


@every_generator
def test_the_same_seed_gives_the_same_images(name):
    testing.check_samples(untouched(name))


@every_generator
@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"n": -1}, ValueError, "n must be from 0 to 1,000,000. Received: n=-1"),
        ({"n": 10**9}, ValueError, "Received: n=1000000000"),
        ({"n": 2.5}, TypeError, "n must be an int. Received: n=2.5"),
        ({"n": 2, "seed": "a"}, TypeError, "seed must be an int. Received: seed='a'"),
        ({"n": 2, "labels": [0, 10]}, ValueError, "Received: labels"),
    ],
    ids=str,
)
def test_absurd_samples_are_refused(name, arguments, error, message):
    with pytest.raises(error, match=message):
        untouched(name).sample(**arguments)


BAD_IMAGES = {
    "eight bits": (lambda x: (x * 255).astype("uint8"), TypeError, "Received: dtype=uint8"),
    "range": (lambda x: x * 255, ValueError, r"images must lie in \[0, 1\].*Received: smallest"),
    "negative": (lambda x: x - 0.5, ValueError, r"images must lie in \[0, 1\]"),
    "nan": (lambda x: np.where(x > 0.9, np.nan, x), ValueError, "images must be finite"),
    "size": (lambda x: x[:, :6], ValueError, r"images must have shape \(n, 8, 8, 1\). Received"),
    "rank": (lambda x: x[..., 0], ValueError, r"Received: shape=\((64|None), 8, 8\)"),
    "empty": (lambda x: x[:0], ValueError, "There must be at least one image"),
}


@every_model
@pytest.mark.parametrize("as_dataset", [False, True], ids=["array", "tf.data"])
@pytest.mark.parametrize("fault", BAD_IMAGES)
def test_bad_images_are_refused_before_training(name, fault, as_dataset):
    spoil, error, message = BAD_IMAGES[fault]
    images, beside = learned_from(name, 64)
    images = spoil(images)
    model = untouched(name)
    before = model.get_weights()
    data = (images, beside[: len(images)])
    if as_dataset:
        data = (tf.data.Dataset.from_tensor_slices(data).batch(64),)
        message = message if len(images) else "must hold at least one batch"
    with pytest.raises(error, match=message):
        model.fit(*data, verbose=0)
    for weight, old in zip(model.get_weights(), before, strict=True):
        np.testing.assert_array_equal(weight, old)


LABELLED = [
    name
    for name, recipe in RECIPES.items()
    if recipe["model"] == "ResNet" or recipe["build"].get("conditional")
]


@pytest.mark.parametrize("name", LABELLED)
@pytest.mark.parametrize(
    ("spoil", "error"),
    [
        (lambda t: t + 1, ValueError),
        (lambda t: t - 1, ValueError),
        (lambda t: t[:-1], ValueError),
        (lambda t: t.astype("float32"), TypeError),
        (lambda t: None, ValueError),
    ],
    ids=["high", "low", "short", "float", "none"],
)
def test_bad_labels_are_refused_before_training(name, spoil, error):
    images, labels = digits()
    with pytest.raises(error, match="labels must be integers from 0 to 9, one per image. Received"):
        untouched(name).fit(images, spoil(labels), verbose=0)


def test_every_class_of_the_zoo_has_a_recipe():
    assert {recipe["model"] for recipe in zoo.RECIPES.values()} == set(zoo.MODELS)


def test_the_classes_that_learn_from_labels_are_known_without_importing_them():
    needing = {name for name in zoo.MODELS if getattr(zoo, name).needs_labels}
    assert needing == set(LEARN_FROM_LABELS)


@pytest.mark.large
@pytest.mark.parametrize("name", ONE_CALL)
def test_a_member_is_held_to_the_whole_contract_by_one_call(name, tmp_path):
    """As the author of one outside the zoo calls it."""
    images, beside = learned_from(name, 64)
    testing.check_all(lambda: build(name), images, beside, tmp_path)


def test_a_broken_contract_is_told():
    model = build("gan_digits")
    endpoints = model.endpoints()
    endpoints["sample"] = lambda n, seed: {"pictures": n}, endpoints["sample"][1]
    model.endpoints = lambda: endpoints
    with pytest.raises(AssertionError, match="sample.*pictures"):
        testing.check_endpoints(model)

    def still():
        model = build("gan_digits")
        model.objectives = lambda *_, **__: dict.fromkeys(("theta", "phi"), tf.constant(0.0))
        return model

    with pytest.raises(AssertionError, match="every player must move"):
        testing.check_step(still, learned_from("gan_digits", 32))
