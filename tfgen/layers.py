"""Layers that the field lacks: strided convolutions that run at the speed of forward convolutions.

A convolution of stride 2, the transposed convolution and the filter gradient are the three
derivatives of one trilinear form

    <y, S(x, w)> = sum over b, o, k, c, d of  y[b,o,d] x[b, 2o + k - before, c] w[k,c,d]

    S(x, w): strided convolution        (b, n, n, c), (k, k, c, d) -> (b, m, m, d),  m = ceil(n / 2)
    T(y, w): transposed convolution     (b, m, m, d), (k, k, c, d) -> (b, n, n, c)
    F(x, y): gradient of the filter     (b, n, n, c), (b, m, m, d) -> (k, k, c, d)

so the gradient of each is made of the other two, and all of them can be differentiated any number
of times.  TensorFlow computes T by `Conv2DBackpropInput`, which on a CPU without oneDNN's kernels
falls to a tenth of the rate of S.  Here T is split by output phase: the outputs at i = 2j + r see
only the filter's taps of one parity, so that each phase is an ordinary convolution of stride 1
with a third to a half of the taps, and the four together execute exactly the multiplications of T.
Maps of a few channels, a picture's, are another case, in which oneDNN's kernels decide: without them
the operator for T is faster, and F is as a convolution of x by y with the batch as channels.  On a GPU
the ordinary operators are used.
"""

import contextlib
import contextvars

import keras
import tensorflow as tf
from tensorflow.python.util import _pywrap_util_port  # TensorFlow's only word on oneDNN's kernels

STRIDE = 2
NARROW = 8  # output channels

_statistics_are_frozen = contextvars.ContextVar("statistics_are_frozen", default=False)


def padding_before(size, kernel):
    """Rows of zeros that "same" padding puts before an input of `size` rows at stride 2."""
    outputs = -(-size // STRIDE)
    return max((outputs - 1) * STRIDE + kernel - size, 0) // 2


def strided_convolution(images, kernel):
    """S(x, w): convolution of stride 2 with "same" padding.

    Args:
        images: (b, n1, n2, c).
        kernel: (k1, k2, c, d).

    Returns:
        (b, ceil(n1/2), ceil(n2/2), d).
    """
    size = tuple(images.shape[1:3])
    window = tuple(kernel.shape[:2])

    @tf.custom_gradient
    def convolve(x, w):
        def gradient(upstream):
            return transposed_convolution(upstream, w, size), filter_gradient(x, upstream, window)

        return tf.nn.conv2d(x, w, STRIDE, "SAME"), gradient

    return convolve(images, kernel)


def transposed_convolution(features, kernel, size):
    """T(y, w): the adjoint of the strided convolution in its input.

    Args:
        features: (b, m1, m2, d).
        kernel: (k1, k2, c, d), laid out as the strided convolution's.
        size: (n1, n2) of the result, with m = ceil(n / 2).

    Returns:
        (b, n1, n2, c).
    """
    window = tuple(kernel.shape[:2])
    forward = _by_phase if _goes_by_phase(kernel.shape[2]) else _by_operator

    @tf.custom_gradient
    def convolve(y, w):
        def gradient(upstream):
            return strided_convolution(upstream, w), filter_gradient(upstream, y, window)

        return forward(y, w, size), gradient

    return convolve(features, kernel)


def filter_gradient(images, features, window):
    """F(x, y): the derivative of <y, S(x, w)> in w.

    Args:
        images: (b, n1, n2, c).
        features: (b, m1, m2, d).
        window: (k1, k2).

    Returns:
        (k1, k2, c, d).
    """
    size = tuple(images.shape[1:3])
    plain = _on_gpu() or _has_onednn() or images.shape[-1] >= NARROW
    filter_of = _filter_by_operator if plain else _filter_by_convolution

    @tf.custom_gradient
    def correlate(x, y):
        def gradient(upstream):
            return transposed_convolution(y, upstream, size), strided_convolution(x, upstream)

        return filter_of(x, y, window), gradient

    return correlate(images, features)


def _on_gpu():
    return bool(tf.config.list_physical_devices("GPU"))


def _has_onednn():
    return _pywrap_util_port.IsMklEnabled()


def _goes_by_phase(channels):
    """Whether a transposed convolution to so many channels is split by output phase."""
    return not _on_gpu() and (_has_onednn() or channels >= NARROW)


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
    """Zeros around `size` inputs that leave room for `kernel` places of a dilated filter of `outputs`."""
    before = padding_before(size, kernel)
    return [before, kernel + STRIDE * (outputs - 1) - size - before]


def _by_operator(features, kernel, size):
    shape = [tf.shape(features)[0], *size, kernel.shape[2]]
    return tf.nn.conv2d_transpose(features, kernel, shape, STRIDE, "SAME")


def _by_phase(features, kernel, size):
    """Each output phase by a convolution of stride 1, then the phases interleaved."""
    return _interleaved(
        features, _phase_kernels(kernel, size), _phase_pads(kernel.shape, size), size
    )


def _interleaved(features, kernels, pads, size):
    outputs = [
        tf.nn.conv2d(features, kernel, 1, pad) for kernel, pad in zip(kernels, pads, strict=True)
    ]
    images = tf.nn.depth_to_space(tf.concat(outputs, axis=-1), STRIDE)
    return images[:, : size[0], : size[1]]


def _phase_kernels(kernel, size):
    """The filters of the phases, each (taps, taps, d, c); all in one window if they are narrow."""
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


def _phase_pads(kernel_shape, size):
    """The zeros around the input of each filter that `_phase_kernels` makes."""
    k1, k2, c, _ = kernel_shape
    if c < NARROW:
        return [[[0, 0], [1, 1], [1, 1], [0, 0]]]
    return [
        [[0, 0], rows, columns, [0, 0]]
        for _, rows in _phases(size[0], k1)
        for _, columns in _phases(size[1], k2)
    ]


def _phases(size, kernel):
    """For each phase r: the taps that reach outputs 2j + r, last first, and the zeros around the input.

    Output 2j + r takes tap 2s + (r + before) % 2 from the input's row j - s + (r + before) // 2.
    """
    before = padding_before(size, kernel)
    for phase in range(STRIDE):
        parity, shift = (phase + before) % STRIDE, (phase + before) // STRIDE
        taps = list(range(parity, kernel, STRIDE))[::-1]
        yield taps, [len(taps) - 1 - shift, shift]


def _is_fast_case(layer, inputs):
    return (
        None not in inputs.shape[1:]
        and tuple(layer.strides) == (STRIDE, STRIDE)
        and min(layer.kernel_size) >= 3
        and max(layer.kernel_size) <= 5
        and layer.padding == "same"
        and layer.data_format == "channels_last"
        and tuple(layer.dilation_rate) == (1, 1)
    )


@keras.saving.register_keras_serializable("tfgen")
class Conv2D(keras.layers.Conv2D):
    """`keras.layers.Conv2D` with the fast gradient at stride 2: same weights, configuration, results.

    Any configuration but stride 2, "same" padding and kernels of 3 to 5 goes Keras' own way.
    """

    def convolution_op(self, inputs, kernel):
        if self.groups != 1 or not _is_fast_case(self, inputs):
            return super().convolution_op(inputs, kernel)
        return strided_convolution(inputs, tf.convert_to_tensor(kernel))


@keras.saving.register_keras_serializable("tfgen")
class Conv2DTranspose(keras.layers.Conv2DTranspose):
    """`keras.layers.Conv2DTranspose`, by output phase at stride 2: same weights, configuration, results.

    Any configuration but stride 2, "same" padding and kernels of 3 to 5 goes Keras' own way.
    """

    def call(self, inputs):
        if not _is_fast_case(self, inputs):
            return super().call(inputs)
        size = self.compute_output_shape(inputs.shape)[1:3]
        outputs = transposed_convolution(inputs, tf.convert_to_tensor(self.kernel), size)
        if self.use_bias:
            outputs = tf.nn.bias_add(outputs, tf.convert_to_tensor(self.bias))
        return self.activation(outputs)


@contextlib.contextmanager
def frozen_statistics():
    """Within it `BatchNormalization` trains on the batch's statistics, and the running ones stay."""
    token = _statistics_are_frozen.set(True)
    try:
        yield
    finally:
        _statistics_are_frozen.reset(token)


@keras.saving.register_keras_serializable("tfgen")
class BatchNormalization(keras.layers.BatchNormalization):
    """`keras.layers.BatchNormalization` of images by TensorFlow's fused kernel: same state, same results.

    Synchronised statistics are summed over the replicas in two passes, the squares about the common
    mean.  Masked normalisation and other ranks go Keras' own way.  Under `frozen_statistics` the
    running averages stay.
    """

    def call(self, inputs, training=None, mask=None):
        images = len(inputs.shape) == 4 and self.axis in (-1, 3) and self.center and self.scale
        if not (training and self.trainable and images) or mask is not None:
            return super().call(inputs, training=training, mask=mask)
        normalise = self._over_replicas if self.synchronized else self._fused
        gamma, beta = (tf.cast(weight, tf.float32) for weight in (self.gamma, self.beta))
        outputs, mean, variance = normalise(inputs, gamma, beta)
        if not _statistics_are_frozen.get():
            for running, value in ((self.moving_mean, mean), (self.moving_variance, variance)):
                old = tf.cast(running, tf.float32)
                running.assign(old * self.momentum + value * (1 - self.momentum))
        return outputs

    def _fused(self, inputs, gamma, beta):
        outputs, mean, variance = tf.compat.v1.nn.fused_batch_norm(
            inputs, gamma, beta, epsilon=self.epsilon
        )
        count = tf.cast(tf.reduce_prod(tf.shape(inputs)[:3]), tf.float32)
        return outputs, mean, variance * (count - 1) / count  # the kernel's is the unbiased one

    def _over_replicas(self, inputs, gamma, beta):
        values, context = tf.cast(inputs, tf.float32), tf.distribute.get_replica_context()

        def total(part):
            return context.all_reduce("SUM", part) if context.num_replicas_in_sync > 1 else part

        count = total(tf.cast(tf.reduce_prod(tf.shape(inputs)[:3]), tf.float32))
        mean = total(tf.reduce_sum(values, [0, 1, 2])) / count
        variance = total(tf.reduce_sum((values - mean) ** 2, [0, 1, 2])) / count
        outputs = tf.nn.batch_normalization(values, mean, variance, beta, gamma, self.epsilon)
        return tf.cast(outputs, inputs.dtype), mean, variance


@keras.saving.register_keras_serializable("tfgen")
class OneHot(keras.layers.Layer):
    """Class labels t, (b,) integers, as one-hot rows, (b, num_classes); t = -1 gives a row of zeros."""

    def __init__(self, num_classes, **kwargs):
        super().__init__(**kwargs)
        self.num_classes = num_classes

    def call(self, labels):
        return keras.ops.one_hot(labels, self.num_classes, dtype=self.compute_dtype)

    def compute_output_shape(self, shape):
        return (*shape, self.num_classes)

    def get_config(self):
        return {**super().get_config(), "num_classes": self.num_classes}


@keras.saving.register_keras_serializable("tfgen")
class ChannelScale(keras.layers.Layer):
    """The learned scale of a likelihood, one a channel: images (b, h, w, c) -> (b, 1, 1, c)."""

    def build(self, shape):
        start = keras.initializers.Constant(-2.0)
        self.log_scale = self.add_weight(name="log_scale", shape=(shape[-1],), initializer=start)

    def call(self, images):
        scale = keras.ops.exp(self.log_scale)
        return keras.ops.broadcast_to(scale, (keras.ops.shape(images)[0], 1, 1, scale.shape[0]))

    def compute_output_shape(self, shape):
        return (shape[0], 1, 1, shape[-1])


@keras.saving.register_keras_serializable("tfgen")
class LeaveOneOut(keras.layers.Layer):
    """For every unit the others, in their order: z (b, d) -> (b, d, d - 1), whose row i is z_-i."""

    def call(self, units):
        size = units.shape[-1]
        others = [[j for j in range(size) if j != i] for i in range(size)]
        return keras.ops.take(units, others, axis=-1)

    def compute_output_shape(self, shape):
        return (*shape, shape[-1] - 1)


class ImagePool(keras.layers.Layer):
    """Past images, each of which takes a new one's place with probability 1/2 (Shrivastava et al. 2017).

    Every new image is given another slot of the pool, at random.  An empty slot keeps it; a full one
    keeps it and gives up its own image instead, or neither, by the toss of a coin.  The images beyond
    the pool's size pass.

    Args:
        size: number of slots.
        shape: (h, w, c) of the images.
    """

    def __init__(self, size, shape, **kwargs):
        super().__init__(dtype="float32", **kwargs)
        state = {"initializer": "zeros", "trainable": False, "aggregation": "only_first_replica"}
        self.images = self.add_weight(name="images", shape=(size, *shape), **state)
        self.full = self.add_weight(name="full", shape=(size,), dtype="int32", **state)

    def call(self, images, seed):
        """Images (b, h, w, c) in exchange for new ones, by a stateless seed (2,)."""
        size = self.full.shape[0]
        slots = tf.random.experimental.stateless_shuffle(tf.range(size), seed)
        slots = slots[: tf.shape(images)[0]]  # (min(b, size),)
        new, rest = images[: tf.size(slots)], images[tf.size(slots) :]
        old, full = tf.gather(self.images, slots), tf.gather(self.full, slots) == 1
        coin = tf.random.stateless_uniform(tf.shape(slots), seed, alg="philox") < 0.5
        given = tf.where((full & coin)[:, None, None, None], old, new)
        kept = tf.where((full & ~coin)[:, None, None, None], old, new)
        for state, value in ((self.images, kept), (self.full, tf.ones_like(slots))):
            state.assign(tf.tensor_scatter_nd_update(state.value, slots[:, None], value))
        return tf.concat([given, rest], axis=0)


class _FoldedConv2DTranspose(keras.layers.Layer):
    """A `Conv2DTranspose` for inference, its filter laid out by phase once instead of at every call."""

    def __init__(self, layer):
        super().__init__(name=layer.name, dtype=layer.dtype_policy)
        self.activation = layer.activation
        self.size = layer.output.shape[1:3]
        self.pads = _phase_pads(layer.kernel.shape, self.size)
        kernels = _phase_kernels(tf.convert_to_tensor(layer.kernel), self.size)
        self.kernels = [self._constant(kernel) for kernel in kernels]
        self.bias = self._constant(layer.bias) if layer.use_bias else None

    def _constant(self, value):
        initializer = keras.initializers.Constant(value.numpy())
        return self.add_weight(shape=value.shape, initializer=initializer, trainable=False)

    def call(self, inputs):
        kernels = [tf.convert_to_tensor(kernel) for kernel in self.kernels]
        outputs = _interleaved(inputs, kernels, self.pads, self.size)
        if self.bias is not None:
            outputs = tf.nn.bias_add(outputs, tf.convert_to_tensor(self.bias))
        return self.activation(outputs)


def folded(network):
    """A copy of a Functional network for inference, with the filters laid out once.

    Args:
        network: a built Functional model.

    Returns:
        A Functional model of the same inputs and outputs; it is to be exported, not trained or saved.
    """

    def copy(layer):
        fold = isinstance(layer, Conv2DTranspose) and _is_fast_case(layer, layer.input)
        if fold and not _on_gpu():
            return _FoldedConv2DTranspose(layer)
        return type(layer).from_config(layer.get_config())

    twin = keras.models.clone_model(network, clone_function=copy)
    for layer, original in zip(twin.layers, network.layers, strict=True):
        if not isinstance(layer, _FoldedConv2DTranspose):
            layer.set_weights(original.get_weights())
    return twin
