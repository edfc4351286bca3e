"""SavedModels with named endpoints in TensorFlow Serving's layout, written aside and then moved in."""

import contextlib
import os
import shutil
import tempfile
from pathlib import Path

import tensorflow as tf
from tensorflow.core.protobuf import saved_model_pb2


def export(model, path):
    """Write the model's endpoints as a SavedModel, which TensorFlow alone can load and serve.

    The folder appears whole or not at all; one that was there before is replaced only then.

    Args:
        model: a model of the zoo.
        path: folder to write, `<name>/<version>` as TensorFlow Serving expects it.

    Returns:
        The path written.

    Raises:
        TypeError: the model is not one of the zoo.
        ValueError: the version is not a number.
        OSError: the folder cannot be written.
    """
    path = Path(path)
    if not hasattr(model, "served"):
        raise TypeError(f"Only a model of the zoo can be exported. Received: model={model!r}")
    if not path.name.isdecimal():
        raise ValueError(
            f"The folder must be named by a version number, as in 'iwgan_mnist/1'. "
            f"Received: path={str(path)!r}"
        )
    endpoints = model.served().endpoints()
    module, functions = _module(endpoints)
    options = tf.saved_model.SaveOptions(experimental_custom_gradients=False)
    with replaced_folder(path) as aside:
        tf.saved_model.save(module, str(aside), functions, options)
        _drop_gradients(aside / "saved_model.pb")
        _check(aside, endpoints)
    return path


def _module(endpoints):
    """The endpoints as methods of a module that holds the variables they read, and no others.

    `keras.export.ExportArchive` would store each variable twice, the unread ones too.
    """
    module, functions = tf.Module(), {}
    for name, (function, signature) in endpoints.items():
        functions[name] = tf.function(function, input_signature=list(signature.values()))
        setattr(module, name, functions[name])
    read = [v for f in functions.values() for v in f.get_concrete_function().variables]
    module.read_variables = list({id(variable): variable for variable in read}.values())
    first = next(iter(functions.values()))
    return module, {tf.saved_model.DEFAULT_SERVING_SIGNATURE_DEF_KEY: first, **functions}


def _drop_gradients(path):
    """Removes the marks of custom gradients: what is served needs none, and loading would warn."""
    saved = saved_model_pb2.SavedModel.FromString(path.read_bytes())
    for graph in saved.meta_graphs:
        for function in graph.graph_def.library.function:
            for node in function.node_def:
                node.attr.pop("_gradient_op_type", None)
    path.write_bytes(saved.SerializeToString(deterministic=True))


def _check(folder, endpoints):
    written = set(tf.saved_model.load(str(folder)).signatures)
    if not written >= set(endpoints):
        raise RuntimeError(f"Endpoints {set(endpoints) - written} were not written to {folder}")


@contextlib.contextmanager
def replaced_folder(path):
    """A folder to fill beside `path`; at the end it takes the place of `path`, unless an error left it.

    Raises:
        OSError: the parent cannot be written.
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    aside = Path(tempfile.mkdtemp(prefix=f".{path.name}.", dir=path.parent))
    try:
        yield aside
        aside.chmod(0o755)  # mkdtemp's folders are private
        if path.exists():
            old = Path(tempfile.mkdtemp(prefix=f".{path.name}.", dir=path.parent)) / path.name
            os.replace(path, old)
            try:
                os.replace(aside, path)
            except OSError:
                os.replace(old, path)
                raise
            finally:
                shutil.rmtree(old.parent)
        else:
            os.replace(aside, path)
    finally:
        shutil.rmtree(aside, ignore_errors=True)


@contextlib.contextmanager
def replaced_file(path):
    """A file to write beside `path`, of the same suffix; at the end it takes the place of `path`.

    Raises:
        OSError: the parent cannot be written.
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(prefix=".", suffix=path.suffix, dir=path.parent)
    os.close(handle)
    aside = Path(name)
    try:
        yield aside
        aside.chmod(0o644)  # mkstemp's files are private
        os.replace(aside, path)
    finally:
        aside.unlink(missing_ok=True)
