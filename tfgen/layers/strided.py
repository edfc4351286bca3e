"""Convolutions of stride 2 that run at the speed of forward convolutions, and their derivatives.

A convolution of stride 2, the transposed convolution and the filter gradient are the three
derivatives of one trilinear form

    <y, S(x, w)> = sum over b, o, k, c, d of  y[b,o,d] x[b, 2o + k - before, c] w[k,c,d]

    S(x, w): strided convolution        (b, n, n, c), (k, k, c, d) -> (b, m, m, d),  m = ceil(n / 2)
    T(y, w): transposed convolution     (b, m, m, d), (k, k, c, d) -> (b, n, n, c)
    F(x, y): gradient of the filter     (b, n, n, c), (b, m, m, d) -> (k, k, c, d)

so the gradient of each consists of the other two, and all of them can be differentiated any number
of times.  `tf.custom_gradient` would register them anew for every trace, and TensorFlow would keep each,
with its graph, for the life of the process.

TensorFlow computes T by `Conv2DBackpropInput`, which on a CPU without oneDNN's kernels
falls to a tenth of the rate of S.  Here T is split by output phase: the outputs at i = 2j + r depend
only on the filter's taps of one parity, so each phase is an ordinary convolution of stride 1 with a
third to a half of the taps, and the four together execute exactly the multiplications of T.  For maps
of few channels, such as images, the choice depends on oneDNN's kernels: without them the operator for
T is faster, and F is faster as a convolution of x by y with the batch as channels.  On a GPU the
ordinary operators are used.
"""

from collections.abc import Sequence
from typing import Any

import tensorflow as tf
from tensorflow.python.eager import record  # what tf.custom_gradient tells a tape by
from tensorflow.python.util import _pywrap_util_port  # TensorFlow's only sign of oneDNN's kernels

STRIDE = 2
NARROW = 8  # output channels


def padding_before(size: int, kernel: int) -> int:
    """Return the rows of zeros that "same" padding puts before an input of `size` rows at stride 2."""
    outputs = -(-size // STRIDE)
    return max((outputs - 1) * STRIDE + kernel - size, 0) // 2


def strided_convolution(images: tf.Tensor, kernel: tf.Tensor) -> tf.Tensor:
    """S(x, w): convolution of stride 2 with "same" padding.

    Args:
        images: (b, n1, n2, c).
        kernel: (k1, k2, c, d).

    Returns:
        (b, ceil(n1/2), ceil(n2/2), d).
    """
    x, w = tf.convert_to_tensor(images), tf.convert_to_tensor(kernel)
    with record.stop_recording():
        output = tf.nn.conv2d(x, w, STRIDE, "SAME")
    return _differentiable(output, [x, w], _gradient_of_strided)


def transposed_convolution(
    features: tf.Tensor, kernel: tf.Tensor, size: tuple[int, int]
) -> tf.Tensor:
    """T(y, w): the adjoint of the strided convolution in its input.

    Args:
        features: (b, m1, m2, d).
        kernel: (k1, k2, c, d), in the layout of the strided convolution.
        size: (n1, n2) of the result, with m = ceil(n / 2).

    Returns:
        (b, n1, n2, c).
    """
    forward = _by_phase if _goes_by_phase(kernel.shape[2]) else _by_operator
    y, w = tf.convert_to_tensor(features), tf.convert_to_tensor(kernel)
    with record.stop_recording():
        output = forward(y, w, size)
    return _differentiable(output, [y, w], _gradient_of_transposed)


def filter_gradient(images: tf.Tensor, features: tf.Tensor, window: Sequence[int]) -> tf.Tensor:
    """F(x, y): the derivative of <y, S(x, w)> in w.

    Args:
        images: (b, n1, n2, c).
        features: (b, m1, m2, d).
        window: (k1, k2).

    Returns:
        (k1, k2, c, d).
    """
    plain = on_gpu() or _has_onednn() or images.shape[-1] >= NARROW
    forward = _filter_by_operator if plain else _filter_by_convolution
    x, y = tf.convert_to_tensor(images), tf.convert_to_tensor(features)
    with record.stop_recording():
        output = forward(x, y, window)
    return _differentiable(output, [x, y], _gradient_of_filter)


def _gradient_of_strided(images, kernel, upstream):
    return (
        transposed_convolution(upstream, kernel, tuple(images.shape[1:3])),
        filter_gradient(images, upstream, tuple(kernel.shape[:2])),
    )


def _gradient_of_transposed(features, kernel, upstream):
    return (
        strided_convolution(upstream, kernel),
        filter_gradient(upstream, features, tuple(kernel.shape[:2])),
    )


def _gradient_of_filter(images, features, upstream):
    return (
        transposed_convolution(features, upstream, tuple(images.shape[1:3])),
        strided_convolution(images, upstream),
    )


def _differentiable(output, inputs, gradient):
    """Return the output, whose derivatives in the inputs are gradient(*inputs, upstream).

    A tape reads them from its record, a differentiated graph from an operation IdentityN.
    """
    if tf.executing_eagerly():
        record.record_operation(
            gradient.__name__, [output], inputs, lambda upstream: gradient(*inputs, upstream)
        )
        return output
    tensors = [output, *inputs]

    def of_identities(operation, upstream, *_):
        return None, *gradient(*operation.inputs[1:], upstream)

    graph = tf.compat.v1.get_default_graph()
    with graph._override_gradient_function({"IdentityN": of_identities}):
        identities = tf.identity_n(tensors)
    record.record_operation(
        gradient.__name__,
        identities,
        tensors,
        lambda upstream, *_: (None, *gradient(*inputs, upstream)),
    )
    return identities[0]


def on_gpu() -> bool:
    return bool(tf.config.list_physical_devices("GPU"))


def _has_onednn():
    return _pywrap_util_port.IsMklEnabled()


def _goes_by_phase(channels):
    """Whether a transposed convolution to so many channels is split by output phase."""
    return not on_gpu() and (_has_onednn() or channels >= NARROW)


def _filter_by_operator(images, features, window):
    return tf.raw_ops.Conv2DBackpropFilter(
        input=images,
        filter_sizes=[*window, images.shape[-1], features.shape[-1]],
        out_backprop=features,
        strides=[1, STRIDE, STRIDE, 1],
        padding="SAME",
    )


def _filter_by_convolution(images, features, window):
    """w[k,c,d] = sum over o, b of  x[c, k + 2o - before, b] y[o, b, d]: y is a filter of dilation 2."""
    rows, columns = (
        _correlation_padding(*sizes)
        for sizes in zip(images.shape[1:3], features.shape[1:3], window, strict=True)
    )
    x = tf.transpose(tf.pad(images, [[0, 0], rows, columns, [0, 0]]), [3, 1, 2, 0])
    y = tf.transpose(features, [1, 2, 0, 3])
    return tf.transpose(tf.nn.conv2d(x, y, 1, "VALID", dilations=STRIDE), [1, 2, 0, 3])


def _correlation_padding(size, outputs, kernel):
    """Return the zeros around `size` inputs for `kernel` positions of a dilated filter of `outputs`."""
    before = padding_before(size, kernel)
    return [before, kernel + STRIDE * (outputs - 1) - size - before]


def _by_operator(features, kernel, size):
    shape = [tf.shape(features)[0], *size, kernel.shape[2]]
    return tf.nn.conv2d_transpose(features, kernel, shape, STRIDE, "SAME")


def _by_phase(features, kernel, size):
    """Compute each output phase by a convolution of stride 1, then interleave the phases."""
    return interleave(features, phase_kernels(kernel, size), phase_pads(kernel.shape, size), size)


def interleave(
    features: tf.Tensor, kernels: list[tf.Tensor], pads: list[Any], size: tuple[int, int]
) -> tf.Tensor:
    outputs = [
        tf.nn.conv2d(features, kernel, 1, pad) for kernel, pad in zip(kernels, pads, strict=True)
    ]
    images = tf.nn.depth_to_space(tf.concat(outputs, axis=-1), STRIDE)
    return images[:, : size[0], : size[1]]


def phase_kernels(kernel: tf.Tensor, size: tuple[int, int]) -> list[tf.Tensor]:
    """Return the filters of the phases, each (taps, taps, d, c); all in one window if they are narrow."""
    k1, k2, c, d = kernel.shape
    taps = tf.reshape(kernel, [k1 * k2, c, d])
    phases = []
    for rows, (top, bottom) in _phases(size[0], k1):
        for columns, (left, right) in _phases(size[1], k2):
            # A gather of whole (c, d) slabs: slicing the filter with a stride is ten times slower.
            slabs = tf.gather(taps, [row * k2 + column for row in rows for column in columns])
            phase = tf.reshape(tf.linalg.matrix_transpose(slabs), [len(rows), len(columns), d, c])
            if c < NARROW:  # zeros cost less than products with few columns
                border = [[1 - top, 1 - bottom], [1 - left, 1 - right], [0, 0], [0, 0]]
                phase = tf.pad(phase, border)
            phases.append(phase)
    return [tf.concat(phases, axis=-1)] if c < NARROW else phases


def phase_pads(kernel_shape: Sequence[int], size: tuple[int, int]) -> list[Any]:
    """Return the zeros around the input of each filter of `phase_kernels`."""
    k1, k2, c, _ = kernel_shape
    if c < NARROW:
        return [[[0, 0], [1, 1], [1, 1], [0, 0]]]
    return [
        [[0, 0], rows, columns, [0, 0]]
        for _, rows in _phases(size[0], k1)
        for _, columns in _phases(size[1], k2)
    ]


def _phases(size, kernel):
    """Return, for each phase r, the taps of outputs 2j + r, last first, and the zeros around the input.

    Output 2j + r reads tap 2s + (r + before) % 2 from the input's row j - s + (r + before) // 2.
    """
    before = padding_before(size, kernel)
    for phase in range(STRIDE):
        parity, shift = (phase + before) % STRIDE, (phase + before) // STRIDE
        taps = list(range(parity, kernel, STRIDE))[::-1]
        yield taps, [len(taps) - 1 - shift, shift]
