"""Noise-free part of a model for runtimes other than TensorFlow: ONNX and LiteRT, one file each.

The graph is the first endpoint of `ENDPOINTS` that the model has: a generator's decoder, a translator, a
classifier.  An output that has an input's name, a translator's `images`, becomes `images_out`.  The caller
draws the noise, since runtimes have different generators of random numbers.
"""

import importlib.util
from collections.abc import Callable
from pathlib import Path

import tensorflow as tf

from tfgen.atomic import replace_file
from tfgen.unified import Unified

ENDPOINTS = ("decode", "translate_ab", "classify")
OPSET = 17  # of ONNX, which runtimes since 2022 read


def onnx(model: Unified, path: str | Path) -> Path:
    """Write the endpoint as an ONNX graph, with inputs and outputs named as its own.

    Args:
        model: Model of the zoo.
        path: File to write, atomically.

    Returns:
        The path written.

    Raises:
        TypeError: The model has none of `ENDPOINTS`.
        ImportError: tf2onnx, of the extra `onnx`, is not installed.
        OSError: The file cannot be written.
    """
    function, signature = _endpoint(model)
    if importlib.util.find_spec("tf2onnx") is None:
        raise ImportError("ONNX needs the package tf2onnx: pip install 'tfgen-zoo[onnx]'")
    import tf2onnx

    named = [tf.TensorSpec(s.shape, s.dtype, name) for name, s in signature.items()]
    graph = tf.function(lambda *values: function(**dict(zip(signature, values, strict=True))))
    proto, _ = tf2onnx.convert.from_function(graph, input_signature=named, opset=OPSET)
    return _written(path, proto.SerializeToString())


def litert(model: Unified, path: str | Path) -> Path:
    """Write the endpoint as a LiteRT flatbuffer (.tflite), with one signature; otherwise as `onnx`.

    Args:
        model: Model of the zoo.
        path: File to write.

    Returns:
        The path written.

    Raises:
        TypeError: The model has none of `ENDPOINTS`.
        OSError: The file cannot be written.
    """
    function, signature = _endpoint(model)
    module = tf.Module()  # holds what the graph reads: the converter sees no variables of Keras
    module.served = tf.function(function)
    named = {key: tf.TensorSpec(s.shape, s.dtype, key) for key, s in signature.items()}
    graph = module.served.get_concrete_function(**named)
    module.read_variables = list(graph.variables)
    converter = tf.lite.TFLiteConverter.from_concrete_functions([graph], module)
    return _written(path, converter.convert())


def _endpoint(model: Unified) -> tuple[Callable, dict[str, tf.TensorSpec]]:
    endpoints = model.serving_copy().endpoints()
    if found := [endpoints[name] for name in ENDPOINTS if name in endpoints]:
        function, signature = found[0]

        def renamed(*args, **kwargs):
            outputs = function(*args, **kwargs)
            return {f"{key}_out" if key in signature else key: outputs[key] for key in outputs}

        return renamed, signature
    raise TypeError(
        "A file for other runtimes holds one endpoint, which draws no noise and reads no file: "
        f"{', '.join(ENDPOINTS)}. Received: model={model.name!r} with {', '.join(endpoints)}"
    )


def _written(path: str | Path, content: bytes) -> Path:
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    with replace_file(path) as aside:
        aside.write_bytes(content)
    return path
