"""Keras' convolutions, by `tfgen.layers.strided` where that is faster, and laid out for inference."""

from typing import Any

import keras
import tensorflow as tf

from tfgen.layers.strided import (
    STRIDE,
    interleave,
    on_gpu,
    phase_kernels,
    phase_pads,
    strided_convolution,
    transposed_convolution,
)


@keras.saving.register_keras_serializable("tfgen")
class Conv2D(keras.layers.Conv2D):
    """`keras.layers.Conv2D` with the fast gradient at stride 2: same weights, configuration, results.

    Only stride 2, "same" padding and kernels of 3 to 5 are computed here, all others by Keras.
    """

    def convolution_op(self, inputs: Any, kernel: tf.Tensor) -> tf.Tensor:
        if self.groups != 1 or not _is_fast_case(self, inputs):
            return super().convolution_op(inputs, kernel)
        return strided_convolution(inputs, tf.convert_to_tensor(kernel))


@keras.saving.register_keras_serializable("tfgen")
class Conv2DTranspose(keras.layers.Conv2DTranspose):
    """`keras.layers.Conv2DTranspose`, by output phase at stride 2: same weights, configuration, results.

    Only stride 2, "same" padding and kernels of 3 to 5 are computed here, all others by Keras.
    """

    def call(self, inputs: Any) -> tf.Tensor:
        if not _is_fast_case(self, inputs):
            return super().call(inputs)
        size = self.compute_output_shape(inputs.shape)[1:3]
        outputs = transposed_convolution(inputs, tf.convert_to_tensor(self.kernel), size)
        if self.use_bias:
            outputs = tf.nn.bias_add(outputs, tf.convert_to_tensor(self.bias))
        return self.activation(outputs)


class _FoldedConv2DTranspose(keras.layers.Layer):
    """A `Conv2DTranspose` for inference, its filter laid out by phase once instead of in every call."""

    def __init__(self, layer: Any):
        super().__init__(name=layer.name, dtype=layer.dtype_policy)
        self.activation = layer.activation
        self.size = layer.output.shape[1:3]
        self.pads = phase_pads(layer.kernel.shape, self.size)
        kernels = phase_kernels(tf.convert_to_tensor(layer.kernel), self.size)
        self.kernels = [self._constant(kernel) for kernel in kernels]
        self.bias = self._constant(layer.bias) if layer.use_bias else None

    def _constant(self, value):
        initializer = keras.initializers.Constant(value.numpy())
        return self.add_weight(shape=value.shape, initializer=initializer, trainable=False)

    def call(self, inputs: Any) -> tf.Tensor:
        kernels = [tf.convert_to_tensor(kernel) for kernel in self.kernels]
        outputs = interleave(inputs, kernels, self.pads, self.size)
        if self.bias is not None:
            outputs = tf.nn.bias_add(outputs, tf.convert_to_tensor(self.bias))
        return self.activation(outputs)


def fold(network: keras.Model) -> keras.Model:
    """Return a copy of a Functional network for inference, with the filters laid out once.

    Args:
        network: Built Functional model.

    Returns:
        Functional model of the same inputs and outputs, to be exported, not trained or saved.
    """

    def copy(layer):
        fold = isinstance(layer, Conv2DTranspose) and _is_fast_case(layer, layer.input)
        if fold and not on_gpu():
            return _FoldedConv2DTranspose(layer)
        return type(layer).from_config(layer.get_config())

    twin = keras.models.clone_model(network, clone_function=copy)
    for layer, original in zip(twin.layers, network.layers, strict=True):
        if not isinstance(layer, _FoldedConv2DTranspose):
            layer.set_weights(original.get_weights())
    return twin


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
