"""SavedModels with named endpoints in TensorFlow Serving's layout, written atomically."""

import os
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf
from tensorflow.core.protobuf import saved_model_pb2, trackable_object_graph_pb2

from tfgen.atomic import replace_folder

# Operations that exports may hold -> the release after TensorFlow 2.0 that introduced them.
RELEASES = {
    "StatelessRandomNormalV2": "2.5",
    "StatelessRandomUniformFullIntV2": "2.5",
    "StatelessRandomUniformV2": "2.5",
}
OLDEST = "2.0"

CALLED = {"f", "cond", "body", "branches", "then_branch"}  # attributes that name a function


def export(model: Any, path: str | Path, warmup: bool = False) -> Path:
    """Write the model's endpoints as a SavedModel, which TensorFlow alone can load and serve.

    The folder appears whole or not at all; an older folder of this name is replaced only then.

    Args:
        model: A model of the zoo.
        path: Folder to write, `<name>/<version>` as TensorFlow Serving expects it.
        warmup: Whether to add a request of every endpoint, which servers replay before they accept
            requests; needs the extra `serve`.

    Returns:
        The path written.

    Raises:
        TypeError: The model is not one of the zoo.
        ValueError: The version is not a number.
        OSError: The folder cannot be written.
        ImportError: `warmup` is given without the extra `serve`.

    Examples:
        >>> import tempfile, tensorflow as tf, tfgen, zoo
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     path = tfgen.export(zoo.load("gan_digits"), f"{folder}/gan_digits/1")
        ...     served = tf.saved_model.load(str(path))
        >>> "discriminate_bytes" in served.signatures  # one of the model's endpoints
        True
        >>> served.signatures["generate"](seeds=tf.constant([3, 4]))["images"].shape
        TensorShape([2, 8, 8, 1])
    """
    if not hasattr(model, "serving_copy"):
        raise TypeError(f"Only a model of the zoo can be exported. Received: model={model!r}")
    if not isinstance(path, str | os.PathLike):
        raise TypeError(f"A folder is a string or a path. Received: path={path!r}")
    path = Path(path)
    if not path.name.isdecimal():
        raise ValueError(
            f"The folder must be named by a version number, as in 'iwgan_mnist/1'. "
            f"Received: path={str(path)!r}"
        )
    return write(model, path, warmup)


def write(model: Any, path: str | Path, warmup: bool = False) -> Path:
    """Write the model's endpoints as a SavedModel to a folder of any name; otherwise as `export`."""
    path, requests = Path(path), _warmup() if warmup else None
    served = model.serving_copy()
    for network in served.players.values():
        network.call = tf.function(network.call, autograph=False)  # stored once for all endpoints
    endpoints = served.endpoints()
    options = tf.saved_model.SaveOptions(experimental_custom_gradients=False)
    with replace_folder(path) as aside:
        module, functions = _module(endpoints, [variable.value for variable in served.variables])
        kept = _order_of(path, module)
        tf.saved_model.save(module, str(aside), functions, options)
        if kept:
            shutil.copytree(path / "variables", aside / "variables", dirs_exist_ok=True)
        _widen(aside / "saved_model.pb")
        _check(aside, endpoints)
        if requests is not None:
            requests.write(aside)
    return path


def _warmup():
    """Import the module of warm-up requests, before anything is written."""
    try:
        from tfgen.serving import warmup
    except ImportError as error:
        raise ImportError(
            f"Warm-up requests need the package {error.name}, of the extra `serve`"
        ) from error
    return warmup


def _module(endpoints, variables):
    """Return a module with the endpoints as methods and the variables that they read.

    `keras.export.ExportArchive` would store each variable twice, and unread ones too.
    """
    module, functions = tf.Module(), {}
    for name, (function, signature) in endpoints.items():
        functions[name] = tf.function(function, input_signature=list(signature.values()))
        setattr(module, name, functions[name])
    read = {id(v): v for f in functions.values() for v in f.get_concrete_function().variables}
    first = [variable for variable in variables if id(variable) in read]
    others = read.keys() - {id(variable) for variable in first}
    module.read_variables = first + sorted((read[key] for key in others), key=lambda v: v.name)
    default = next(iter(functions.values()))
    return module, {tf.saved_model.DEFAULT_SERVING_SIGNATURE_DEF_KEY: default, **functions}


def _order_of(path, module):
    """Order the module's variables as an export of the same variables does; return whether it has them.

    A new export of the same weights then has byte-identical files of variables.
    """
    if not (path / "variables" / "variables.index").is_file():
        return False
    stored = tf.train.load_checkpoint(str(path / "variables" / "variables"))
    left, ordered = list(module.read_variables), []
    if len(left) != len(stored.get_variable_to_shape_map()) - 1:  # the last is the graph of objects
        return False
    names = _stored_names(stored)
    for index in range(len(left)):
        key = f"read_variables/{index}/.ATTRIBUTES/VARIABLE_VALUE"
        if key not in names:
            return False
        value = stored.get_tensor(key)
        same = [v for v in left if v.shape == value.shape and np.array_equal(v.numpy(), value)]
        same.sort(key=lambda v: v.name.removesuffix(":0") != names[key])
        if not same:
            return False
        ordered.append(same[0])
        left = [variable for variable in left if variable is not same[0]]
    module.read_variables = ordered
    return True


def _stored_names(stored):
    """Return {key: name of the variable when it was stored} of a checkpoint."""
    objects = trackable_object_graph_pb2.TrackableObjectGraph.FromString(
        stored.get_tensor("_CHECKPOINTABLE_OBJECT_GRAPH")
    )
    attributes = [attribute for node in objects.nodes for attribute in node.attributes]
    return {attribute.checkpoint_key: attribute.full_name for attribute in attributes}


def _widen(path):
    """Remove attributes that serving does not use and runtimes before TensorFlow 2.16 do not read.

    These are marks of custom gradients, whose loading would warn; the names of variables in debuggers;
    in a model that is saved again, a hint to copy no variable on reading; and shapes of outputs, a sixth
    of the file, which every runtime infers, except those of called functions.
    """
    saved = saved_model_pb2.SavedModel.FromString(path.read_bytes())
    for node in _nodes(saved):
        node.attr.pop("_gradient_op_type", None)
        if not node.attr.keys() & CALLED:
            node.attr.pop("_output_shapes", None)
        if node.op == "VarHandleOp":
            node.attr.pop("debug_name", None)
        if node.op == "DisableCopyOnRead":
            node.op = "NoOp"
            node.attr.clear()
            node.input[:] = [name for name in node.input if name.startswith("^")]
    path.write_bytes(saved.SerializeToString(deterministic=True))


def min_runtime(path: str | Path) -> str:
    """Return the first release of TensorFlow that has all operations of an export, such as "2.5".

    Args:
        path: Folder of the export.
    """
    releases = [RELEASES.get(node.op, OLDEST) for node in nodes(Path(path) / "saved_model.pb")]
    return max(releases, key=lambda release: tuple(map(int, release.split("."))))


def nodes(path: str | Path) -> list:
    """Yield the nodes of all graphs and functions of a `saved_model.pb`."""
    return list(_nodes(saved_model_pb2.SavedModel.FromString(Path(path).read_bytes())))


def _nodes(saved):
    for graph in saved.meta_graphs:
        yield from graph.graph_def.node
        for function in graph.graph_def.library.function:
            yield from function.node_def


def _check(folder, endpoints):
    written = set(tf.saved_model.load(str(folder)).signatures)
    if not written >= set(endpoints):
        raise RuntimeError(f"Endpoints {set(endpoints) - written} were not written to {folder}")
