"""A model's decoder for runtimes other than TensorFlow: ONNX and LiteRT, one file each.

The graph is `decode`, latents [, labels] -> images: noise stays with whoever asks, as each runtime's
generator of random numbers is another.
"""

import importlib.util
from collections.abc import Callable
from pathlib import Path

import tensorflow as tf

from tfgen.atomic import replace_file
from tfgen.unified import Unified

OPSET = 17  # of ONNX, which runtimes since 2022 read


def onnx(model: Unified, path: str | Path) -> Path:
    """Write the decoder as an ONNX graph, with inputs and output named as the endpoint's.

    Args:
        model: Generator of the zoo.
        path: File to write, which appears whole or not at all.

    Returns:
        The path written.

    Raises:
        TypeError: The model has no decoder.
        ImportError: tf2onnx is not installed; the extra `onnx` brings it.
        OSError: The file cannot be written.
    """
    function, signature = _decoder(model, "ONNX")
    if importlib.util.find_spec("tf2onnx") is None:
        raise ImportError("ONNX needs the package tf2onnx: pip install 'tfgen[onnx]'")
    import tf2onnx

    named = [tf.TensorSpec(s.shape, s.dtype, name) for name, s in signature.items()]
    graph = tf.function(lambda *values: function(**dict(zip(signature, values, strict=True))))
    proto, _ = tf2onnx.convert.from_function(graph, input_signature=named, opset=OPSET)
    return _written(path, proto.SerializeToString())


def litert(model: Unified, path: str | Path) -> Path:
    """Write the decoder as a LiteRT flatbuffer (.tflite), with one signature; otherwise as `onnx`.

    Args:
        model: Generator of the zoo.
        path: File to write.

    Returns:
        The path written.

    Raises:
        TypeError: The model has no decoder.
        OSError: The file cannot be written.
    """
    function, signature = _decoder(model, "LiteRT")
    module = tf.Module()  # holds what the graph reads: the converter sees no variables of Keras
    module.decode = tf.function(function, input_signature=list(signature.values()))
    graph = module.decode.get_concrete_function()
    module.read_variables = list(graph.variables)
    converter = tf.lite.TFLiteConverter.from_concrete_functions([graph], module)
    return _written(path, converter.convert())


def _decoder(model: Unified, name: str) -> tuple[Callable, dict[str, tf.TensorSpec]]:
    endpoints = model.serving_copy().endpoints()
    if "decode" not in endpoints:
        raise TypeError(
            f"{name} holds a generator's decoder, and this model has no endpoint `decode`. "
            f"Received: model={model.name!r} with {', '.join(endpoints)}"
        )
    return endpoints["decode"]


def _written(path: str | Path, content: bytes) -> Path:
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    with replace_file(path) as aside:
        aside.write_bytes(content)
    return path
