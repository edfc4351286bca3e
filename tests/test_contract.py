"""What every model of the zoo keeps: one table over all recipes, so that a new one is held to it too."""

import functools
import itertools
import json
import os
import subprocess
import sys

import keras
import numpy as np
import pytest
import tensorflow as tf
from models import RECIPES, build, digits, learned_from, precision
from tensorflow.python.eager import context

import tfgen
import zoo
from tfgen.gate import unpack

WITHOUT_SAMPLES = {"ADA", "CycleGAN", "ResNet"}
GENERATORS = [name for name, recipe in RECIPES.items() if recipe["model"] not in WITHOUT_SAMPLES]

# The design's table: endpoint -> inputs, outputs; b is free, n and seed are scalars.
ENDPOINTS = {
    "generate": ({"seeds"}, {"images"}),
    "generate_png": ({"seeds"}, {"png_bytes"}),
    "sample": ({"n", "seed"}, {"images"}),
    "sample_labels": ({"labels", "seed"}, {"images"}),
    "decode": ({"latents"}, {"images"}),
    "discriminate": ({"images"}, {"logits", "probabilities"}),
    "encode": ({"images"}, {"latents", "scale"}),
    "reconstruct": ({"images", "seeds"}, {"images"}),
    "bound": ({"images", "seeds"}, {"bound"}),
    "classify": ({"images"}, {"probabilities", "labels"}),
    "features": ({"images"}, {"features", "probabilities"}),
    "translate_ab": ({"images"}, {"images"}),
    "translate_ba": ({"images"}, {"images"}),
}
ENDPOINTS |= {
    f"{name}_bytes": (inputs - {"images"} | {"image_bytes"}, outputs)
    for name, (inputs, outputs) in ENDPOINTS.items()
    if "images" in inputs
}
OPTIONAL = {"scale"}  # where there is one
DTYPES = dict.fromkeys(("n", "seed", "seeds", "labels"), "int32")
DTYPES |= dict.fromkeys(("image_bytes", "png_bytes"), "string")

# One recipe of each class: a policy concerns its networks and terms, not its variants.
REDUCED = list({recipe["model"]: name for name, recipe in RECIPES.items()}.values())

every_model = pytest.mark.parametrize("name", RECIPES)
every_generator = pytest.mark.parametrize("name", GENERATORS)


@functools.cache
def untouched(name):
    """A model that no test changes."""
    return build(name)


def arguments_of(signature):
    """One value for every input of an endpoint, for a batch of 3."""
    rng = np.random.default_rng(0)
    rows = np.arange(3, dtype="int32")
    values = {"n": np.int32(3), "seed": np.int32(7), "seeds": rows + 7, "labels": rows}
    values["image_bytes"] = np.array([encoded(i) for i in range(3)], dtype=object)
    return {
        key: tf.constant(values[key])
        if key in values
        else tf.constant(rng.random([3, *spec.shape[1:]]), tf.float32)
        for key, spec in signature.items()
    }


def encoded(seed):
    """A picture of its own size and colors, as a PNG file."""
    pixels = np.random.default_rng(seed).integers(0, 256, (9 + seed, 12, 3))
    return tf.io.encode_png(pixels.astype(np.uint8)).numpy()


def pixels(files):
    """The pictures of PNG files of one size, (n, h, w, c) integers."""
    return np.stack([tf.io.decode_png(file) for file in files]).astype(int)


def gradients(model, batch):
    """{player: gradients of its objective in every trainable variable of the model}."""
    with tf.GradientTape(persistent=True) as tape:
        objectives = model.objectives(*unpack(batch), training=True)
    variables = model.trainable_variables
    found = {player: tape.gradient(value, variables) for player, value in objectives.items()}
    return {
        player: [
            np.zeros(v.shape) if g is None else g for v, g in zip(variables, values, strict=True)
        ]
        for player, values in found.items()
    }


def optimized_graphs(call):
    """The graphs of the functions that a call runs, as TensorFlow's optimizer leaves them."""
    context.context().enable_run_metadata()
    try:
        call()
        functions = context.context().export_run_metadata().function_graphs
    finally:
        context.context().disable_run_metadata()
    return [function.post_optimization_graph for function in functions]


def races(graph):
    """(read, update) of one variable, of which either may be first."""
    inputs = {n.name: [i.lstrip("^").split(":")[0] for i in n.input] for n in graph.node}

    @functools.cache
    def before(name):
        found, left = set(), [name]
        while left:
            new = {i for i in inputs[left.pop()] if i in inputs} - found
            found |= new
            left += new
        return found

    reads = [n for n in graph.node if n.op == "ReadVariableOp"]
    updates = [n for n in graph.node if n.op.startswith(("Assign", "ResourceApply"))]
    return [
        (read.name, update.name)
        for read, update in itertools.product(reads, updates)
        if read.input[0] == update.input[0]
        and read.name not in before(update.name)
        and update.name not in before(read.name)
    ]


@every_model
def test_configuration_round_trip(name):
    model = untouched(name)
    config = model.get_config()
    json.dumps(config)
    twin = type(model).from_config(config)
    assert twin.get_config() == config
    assert [v.shape for v in twin.weights] == [v.shape for v in model.weights]


@every_model
def test_one_step_moves_every_player_by_its_own_objective_alone(name):
    """Plain gradient ascent at rate 1: each variable moves by its own player's gradient."""
    batch = learned_from(name, 32)
    model, witness = build(name), build(name)
    model.compile(keras.optimizers.SGD(1.0))
    found = gradients(witness, batch)
    before = [v.numpy() for v in model.trainable_variables]
    graphs = optimized_graphs(lambda: model.train_on_batch(*batch))
    assert [race for graph in graphs for race in races(graph)] == []
    owner = {id(v): name for name, net in model.players.items() for v in net.trainable_variables}
    moved = dict.fromkeys(model.players, 0.0)
    for index, variable in enumerate(model.trainable_variables):
        player = owner[id(variable)]
        step = variable.numpy() - before[index]
        np.testing.assert_allclose(step, found[player][index], rtol=1e-3, atol=1e-5)
        moved[player] += np.abs(step).sum()
    assert all(distance > 0 for distance in moved.values()), moved


@every_model
def test_fits_evaluates_and_predicts_like_any_keras_model(name):
    batch = learned_from(name, 70)  # an odd last batch at 32
    model = build(name)
    history = model.fit(*batch, batch_size=32, epochs=2, verbose=0, validation_data=batch)
    assert set(model.players) <= set(history.history)
    assert {f"val_{player}" for player in model.players} <= set(history.history)
    assert np.isfinite(list(history.history.values())).all()
    evaluated = model.evaluate(*batch, verbose=0, return_dict=True)
    assert set(model.players) <= set(evaluated)
    dataset = tfgen.data.load("digits", "test", batch_size=100)
    assert len(model.predict(dataset, verbose=0)) == tfgen.data.info("digits").splits["test"]


@every_model
def test_a_batch_of_one(name):
    model = build(name)
    model.fit(*learned_from(name, 1), verbose=0)
    assert all(np.isfinite(weight).all() for weight in model.get_weights())


@every_model
def test_endpoints_are_the_designs(name):
    model = untouched(name)
    for endpoint, (function, signature) in model.endpoints().items():
        inputs, outputs = ENDPOINTS[endpoint]
        assert inputs <= set(signature) <= inputs | {"labels"}, endpoint
        for key, spec in signature.items():
            assert spec.dtype.name == DTYPES.get(key, "float32"), (endpoint, key)
        results = function(**arguments_of(signature))
        assert outputs - OPTIONAL <= set(results) <= outputs, endpoint
        for key, value in results.items():
            assert value.dtype.name == DTYPES.get(key, "float32"), (endpoint, key)
            assert len(value) == 3, (endpoint, key)
        if "images" in signature:
            assert f"{endpoint}_bytes" in model.endpoints()
        if "images" in results:
            assert results["images"].shape == (3, *model.image_shape)


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
            inputs = arguments_of(signature)
            np.savez(folder / f"{endpoint}.npz", **{key: v.numpy() for key, v in inputs.items()})
            for key, value in function(**inputs).items():
                expected[name][f"{endpoint} {key}"] = value.numpy()
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    command = [sys.executable, "-c", FRESH, str(root), json.dumps(zoo.MODELS)]
    subprocess.run(command, check=True, env=environment)
    return root, expected


@every_model
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
                np.testing.assert_allclose(found, value, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("policy", ["mixed_bfloat16", "mixed_float16", "float64"])
@pytest.mark.parametrize("name", REDUCED)
def test_it_learns_and_serves_in_another_precision(name, policy):
    with precision(policy):
        model = build(name)
    batch = learned_from(name, 16)
    model.fit(*batch, verbose=0)
    assert np.isfinite(list(model.evaluate(*batch, verbose=0, return_dict=True).values())).all()
    for endpoint, (function, signature) in model.endpoints().items():
        for key, value in function(**arguments_of(signature)).items():
            assert value.dtype.name in ("float32", "int32", "string"), (endpoint, key)
    if name in GENERATORS:
        assert model.sample(2).dtype == np.float32


@every_generator
def test_the_same_seed_gives_the_same_images(name):
    model = untouched(name)
    images = model.sample(5, seed=3)
    assert images.dtype == np.float32
    assert images.shape == (5, *model.image_shape)
    assert images.min() >= 0
    assert images.max() <= 1
    np.testing.assert_array_equal(images, model.sample(5, seed=3))
    assert np.abs(images - model.sample(5, seed=4)).max() > 0
    function, _ = model.endpoints()["sample"]
    served = function(n=tf.constant(5), seed=tf.constant(3))["images"]
    np.testing.assert_allclose(served, images, atol=1e-6)


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
