"""The contract of a member of the zoo: checks of a model, for its author's tests to call.

Each check raises an AssertionError that names the broken promise.  tests/test_contract.py runs all checks
on every recipe of the zoo.

Examples:
    >>> import tfgen, zoo
    >>> def build():
    ...     model = zoo.Helmholtz.build_networks((8, 8, 1), None, units=(6, 4))
    ...     model.compile("adam")
    ...     return model
    >>> tfgen.testing.check_configuration(build())
    >>> tfgen.testing.check_endpoints(build())
"""

import functools
import itertools
import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from tensorflow.python.eager import context

from tfgen import saved_model
from tfgen.gate import unpack
from tfgen.unified import Unified

# Endpoint -> inputs (beside `labels`), outputs; see docs/guides/endpoints.md.
ENDPOINTS = {
    "generate": ({"seeds"}, {"images"}),
    "generate_png": ({"seeds"}, {"png_bytes"}),
    "generate_aggregate": ({"seeds"}, {"images"}),
    "generate_truncated": ({"seeds"}, {"images"}),
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
DTYPES: dict[str, str] = dict.fromkeys(("n", "seed", "seeds", "labels"), "int32")
DTYPES |= dict.fromkeys(("image_bytes", "png_bytes"), "string")

Build = Callable[[], Unified]
Batch = tuple[np.ndarray, ...]


def check_all(build: Build, images: np.ndarray, labels: np.ndarray | None, folder: Path) -> None:
    """Run every check of this module.

    Args:
        build: Function that returns a fresh, compiled model.
        images: float32 (n, h, w, c) in [0, 1], at least 64.
        labels: (n,) integers, or None.
        folder: Folder to write a file and a SavedModel to.

    Raises:
        AssertionError: A check fails.
    """
    batch = (images,) if labels is None else (images, labels)
    model = _fresh(build)
    check_configuration(model)
    check_endpoints(model)
    if hasattr(model, "theta") and "sample" in model.endpoints():
        check_samples(model)
    check_refusals(model, *batch)
    check_step(build, tuple(part[:32] for part in batch))
    check_learns(build, batch)
    check_files(model, folder)


def assert_close(found: Any, expected: Any, *, rtol: float, atol: float, message: str = "") -> None:
    """Compare arrays within float32's tolerances, or within bfloat16's if layers compute in half precision.

    Raises:
        AssertionError: They differ by more.
    """
    if keras.config.dtype_policy().compute_dtype in ("bfloat16", "float16"):
        rtol, atol = 5e-2, 1e-2
    np.testing.assert_allclose(found, expected, rtol=rtol, atol=atol, err_msg=message)


def check_configuration(model: Unified) -> None:
    """Check that the configuration is plain data from which the same model can be made."""
    config = model.get_config()
    json.dumps(config)
    twin = type(model).from_config(config)
    assert twin.get_config() == config, "from_config(get_config()) must have the same configuration"
    shapes = [[tuple(v.shape) for v in m.weights] for m in (twin, model)]
    assert shapes[0] == shapes[1], "from_config(get_config()) must have the same weights"


def check_step(build: Build, batch: Batch) -> None:
    """Check that one step moves every player by the gradient of its own objective and nothing else.

    The step is plain gradient ascent at rate 1; in its graph no weight is updated before it is read.
    """
    model, witness = _fresh(build), _fresh(build)
    model.compile(keras.optimizers.SGD(1.0))
    found = _gradients(witness, batch)
    before = [variable.numpy() for variable in model.trainable_variables]
    graphs = _optimized_graphs(lambda: model.train_on_batch(*batch))
    raced = [race for graph in graphs for race in _races(graph)]
    assert not raced, f"no weight may be read and updated in either order: {raced}"
    owner = {id(v): name for name, net in model.players.items() for v in net.trainable_variables}
    moved = dict.fromkeys(model.players, 0.0)
    for index, variable in enumerate(model.trainable_variables):
        player = owner[id(variable)]
        step = variable.numpy() - before[index]
        assert_close(
            step, found[player][index], rtol=1e-3, atol=1e-5, message=f"{player}: {variable.path}"
        )
        moved[player] += np.abs(step).sum()
    assert all(distance > 0 for distance in moved.values()), f"every player must move: {moved}"


def check_learns(build: Build, batch: Batch) -> None:
    """Check that `fit` and `evaluate` give finite numbers, also on an odd last batch and a single image."""
    model: Any = _fresh(build)
    history = model.fit(*batch, batch_size=32, epochs=2, verbose=0, validation_data=batch).history
    assert set(model.players) <= set(history), "fit must report every player"
    assert {f"val_{player}" for player in model.players} <= set(history)
    assert np.isfinite(list(history.values())).all(), f"numbers must be finite: {history}"
    evaluated = model.evaluate(*batch, verbose=0, return_dict=True)
    assert set(model.players) <= set(evaluated), "evaluate must report every player"
    model.fit(*(part[:1] for part in batch), verbose=0)
    assert all(np.isfinite(weight).all() for weight in model.get_weights())


def check_endpoints(model: Unified) -> None:
    """Check the names, inputs, outputs and dtypes of endpoints, which are those of every member."""
    for name, (function, signature) in model.endpoints().items():
        inputs, outputs = ENDPOINTS[name]
        assert inputs <= set(signature) <= inputs | {"labels"}, (name, set(signature))
        for key, spec in signature.items():
            assert spec.dtype.name == DTYPES.get(key, "float32"), (name, key, spec)
        results = function(**arguments_of(signature))
        assert outputs - OPTIONAL <= set(results) <= outputs, (name, set(results))
        for key, value in results.items():
            assert value.dtype.name == DTYPES.get(key, "float32"), (name, key, value.dtype)
            assert len(value) == 3, (name, key, value.shape)
        if "images" in signature:
            assert f"{name}_bytes" in model.endpoints(), (
                f"{name} must read files, too: see `stated`"
            )
        if "images" in results and not name.startswith("translate"):
            assert results["images"].shape == (3, *model.image_shape), (name, results["images"])


def check_samples(model: Unified) -> None:
    """Check that a seed fixes the images, in [0, 1], of `sample` and of its endpoint; n = 0 gives none."""
    images = model.sample(5, seed=3)
    assert images.dtype == np.float32, images.dtype
    assert images.shape == (5, *model.image_shape), images.shape
    assert images.min() >= 0 <= 1 <= 2 - images.max(), "images must lie in [0, 1]"
    np.testing.assert_array_equal(images, model.sample(5, seed=3))
    assert np.abs(images - model.sample(5, seed=4)).max() > 0, "another seed, other images"
    function, _ = model.endpoints()["sample"]
    served = function(n=tf.constant(5), seed=tf.constant(3))["images"]
    np.testing.assert_allclose(served, images, atol=1e-6)
    assert model.sample(0).shape == (0, *model.image_shape)


BAD_IMAGES: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "eight bits": lambda x: (x * 255).astype("uint8"),
    "0 to 255": lambda x: x * 255,
    "-1 to 1": lambda x: 2 * x - 1,
    "NaN": lambda x: np.where(x > 0.9, np.nan, x),
    "another size": lambda x: x[:, :-2],
    "no channels": lambda x: x[..., 0],
    "none": lambda x: x[:0],
}


def check_refusals(model: Unified, images: np.ndarray, labels: np.ndarray | None = None) -> None:
    """Check that images that break a rule raise an error that states it, and leave the model unchanged."""
    before = [variable.numpy() for variable in model.variables]
    for fault, spoil in BAD_IMAGES.items():
        spoilt = spoil(images)
        told = _refusal(model, (spoilt,) if labels is None else (spoilt, labels[: len(spoilt)]))
        assert "Received: " in told, f"fit must refuse images, {fault}, in words: {told}"
    for variable, old in zip(model.variables, before, strict=True):
        np.testing.assert_array_equal(variable.numpy(), old)


def check_files(model: Unified, folder: Path) -> None:
    """Check that a `.keras` file and a SavedModel compute what the model does, endpoint by endpoint."""
    model.save(folder / "model.keras")
    loaded = keras.saving.load_model(folder / "model.keras", compile=False)
    saved_model.export(model, folder / "1")
    served = tf.saved_model.load(str(folder / "1")).signatures
    for name, (function, signature) in model.endpoints().items():
        inputs = arguments_of(signature)
        expected = function(**inputs)
        for found in (loaded.endpoints()[name][0](**inputs), served[name](**inputs)):
            for key, value in expected.items():
                if value.dtype != tf.string:
                    assert_close(found[key], value, rtol=1e-4, atol=1e-5, message=name)


def arguments_of(signature: Mapping[str, tf.TensorSpec]) -> dict[str, tf.Tensor]:
    """Return a value for every input of an endpoint, 3 rows of each."""
    rng = np.random.default_rng(0)
    rows = np.arange(3, dtype="int32")
    values: dict[str, Any] = {"n": np.int32(3), "seed": np.int32(7), "seeds": rows + 7}
    values |= {"labels": rows, "image_bytes": np.array([_random_png(i) for i in range(3)], object)}
    return {
        key: tf.constant(values[key])
        if key in values
        else tf.constant(rng.random([3, *spec.shape[1:]]), tf.float32)
        for key, spec in signature.items()
    }


def _refusal(model, data):
    try:
        model.fit(*data, verbose=0)
    except (ValueError, TypeError) as error:
        return str(error)
    return "it learned from them"


def _fresh(build):
    keras.utils.set_random_seed(0)
    return build()


def _random_png(seed):
    """Return a picture as a PNG file, of a size and colors that depend on the seed."""
    pixels = np.random.default_rng(seed).integers(0, 256, (9 + seed, 12, 3))
    return tf.io.encode_png(pixels.astype(np.uint8)).numpy()


def _gradients(model, batch):
    """Return {player: gradients of its objective in every trainable variable of the model}."""
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


def _optimized_graphs(call):
    """Return the graphs of the functions that a call runs, after TensorFlow's graph optimizer."""
    eager: Any = context.context()
    eager.enable_run_metadata()
    try:
        call()
        functions = eager.export_run_metadata().function_graphs
    finally:
        eager.disable_run_metadata()
    return [function.post_optimization_graph for function in functions]


def _races(graph):
    """Return pairs (read, update) of one variable whose order is not fixed."""
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
