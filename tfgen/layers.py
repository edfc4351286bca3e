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
On a GPU the ordinary operators are used.
"""

import keras
import tensorflow as tf

STRIDE = 2
NARROW = 8  # output channels


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
    forward = _by_operator if tf.config.list_physical_devices("GPU") else _by_phase

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

    @tf.custom_gradient
    def correlate(x, y):
        def gradient(upstream):
            return transposed_convolution(y, upstream, size), strided_convolution(x, upstream)

        kernel = tf.raw_ops.Conv2DBackpropFilter(
            input=x,
            filter_sizes=[*window, x.shape[-1], y.shape[-1]],
            out_backprop=y,
            strides=[1, STRIDE, STRIDE, 1],
            padding="SAME",
        )
        return kernel, gradient

    return correlate(images, features)


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


@keras.saving.register_keras_serializable("tfgen")
class BatchNormalization(keras.layers.BatchNormalization):
    """`keras.layers.BatchNormalization` of images by TensorFlow's fused kernel: same state, same results.

    The fused kernel reports the unbiased variance; Keras' running variance is the biased one, and
    so is this one's.  Synchronised or masked normalisation and other ranks go Keras' own way.
    """

    def call(self, inputs, training=None, mask=None):
        fused = len(inputs.shape) == 4 and self.axis in (-1, 3) and self.center and self.scale
        if not (training and self.trainable and fused) or self.synchronized or mask is not None:
            return super().call(inputs, training=training, mask=mask)
        outputs, mean, variance = tf.compat.v1.nn.fused_batch_norm(
            inputs,
            tf.cast(self.gamma, tf.float32),
            tf.cast(self.beta, tf.float32),
            epsilon=self.epsilon,
        )
        count = tf.cast(tf.reduce_prod(tf.shape(inputs)[:3]), tf.float32)
        variance *= (count - 1) / count
        for running, value in ((self.moving_mean, mean), (self.moving_variance, variance)):
            old = tf.cast(running, tf.float32)
            running.assign(old * self.momentum + value * (1 - self.momentum))
        return outputs


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
        if fold and not tf.config.list_physical_devices("GPU"):
            return _FoldedConv2DTranspose(layer)
        return type(layer).from_config(layer.get_config())

    twin = keras.models.clone_model(network, clone_function=copy)
    for layer, original in zip(twin.layers, network.layers, strict=True):
        if not isinstance(layer, _FoldedConv2DTranspose):
            layer.set_weights(original.get_weights())
    return twin
