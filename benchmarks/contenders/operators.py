"""Single operators: the transposed convolution by output phase and by TensorFlow, and a matrix product."""

import keras
import tensorflow as tf
from tensorflow.python.util import _pywrap_util_port  # TensorFlow's only sign of oneDNN's kernels

from benchmarks.worker import Contender
from tfgen import layers
from tfgen.layers.strided import STRIDE
from zoo.preset.provenance import machine

KERNEL = 5


def environment():
    """Return the settings that this process's numbers depend on."""
    contender = Contender()
    contender.facts = {
        **machine(),
        "onednn": _pywrap_util_port.IsMklEnabled(),
        "versions": {"tensorflow": tf.__version__, "keras": keras.__version__},
    }
    return contender


def matrix_product(rows):
    """Return the product of two square float32 matrices, whose rate is the reference of a step's."""
    left, right = tf.random.normal([rows, rows]), tf.random.normal([rows, rows])
    unit = tf.function(lambda: tf.matmul(left, right))
    return Contender({"matrix product": unit}, {"matrix product": {"operations": 2 * rows**3}})


def transposed_convolutions(cases):
    """Return T(y, w) of DCGAN's layers, with the strided convolution of the same filter as a reference.

    Args:
        cases: {name: {"batch", "small", "wide", "narrow"}}; maps of (batch, small, small, wide) go
            to (batch, 2 small, 2 small, narrow).

    Returns:
        The contender; its units are "<name>, phases", "<name>, operator", "<name>, forward".
    """
    contender = Contender()
    for name, case in cases.items():
        features = tf.random.normal([case["batch"], case["small"], case["small"], case["wide"]])
        kernel = tf.random.normal([KERNEL, KERNEL, case["narrow"], case["wide"]])
        for label, function in _functions(features, kernel).items():
            contender.units[f"{name}, {label}"] = tf.function(function)
        taps = KERNEL**2 * case["narrow"] * case["wide"]
        contender.facts[name] = {"operations": 2 * case["batch"] * case["small"] ** 2 * taps}
    return contender


def _functions(features, kernel):
    batch, small, _, _ = features.shape
    size = (2 * small, 2 * small)
    shape = [batch, *size, kernel.shape[2]]
    images = tf.random.normal(shape)
    return {
        "phases": lambda: layers.transposed_convolution(features, kernel, size),
        "operator": lambda: tf.nn.conv2d_transpose(features, kernel, shape, STRIDE, "SAME"),
        "forward": lambda: tf.nn.conv2d(images, kernel, STRIDE, "SAME"),
    }
