"""The fast layers against Keras' own: values, first and second derivatives, saving, exporting."""

import itertools

import keras
import numpy as np
import pytest
import tensorflow as tf

from tfgen import layers, networks
from tfgen.layers import strided

KERNELS = (3, 4, 5)
SIZES = ((1, 2), (2, 3), (4, 4), (5, 7), (8, 8), (7, 14))
CHANNELS = ((1, 8), (3, 4), (16, 9))


def relative_error(value, expected):
    value, expected = (np.asarray(tf.cast(array, tf.float32)) for array in (value, expected))
    return np.abs(value - expected).max() / np.abs(expected).max()


def values_and_gradients(layer, inputs, cotangent):
    with tf.GradientTape() as tape:
        tape.watch(inputs)
        outputs = layer(inputs)
        total = tf.reduce_sum(tf.cast(outputs, tf.float32) * cotangent)
    return [outputs, *tape.gradient(total, [inputs, *layer.trainable_variables])]


def pair(fast, stock, inputs, **configuration):
    """The fast layer and Keras' own with the same weights."""
    twins = fast(**configuration), stock(**configuration)
    for layer in twins:
        layer.build(inputs.shape)
    twins[0].set_weights(twins[1].get_weights())
    return twins


CASES = [
    pytest.param(
        fast, stock, kernel, size, channels, id=f"{stock.__name__}-{kernel}-{size}-{channels}"
    )
    for (fast, stock), kernel, size, channels in itertools.product(
        (
            (layers.Conv2D, keras.layers.Conv2D),
            (layers.Conv2DTranspose, keras.layers.Conv2DTranspose),
        ),
        KERNELS,
        SIZES,
        CHANNELS,
    )
]


@pytest.fixture(params=["oneDNN", "none"], autouse=True)
def kernels(request, monkeypatch):
    """Every test runs by the operations chosen with oneDNN's kernels and by those without."""
    monkeypatch.setattr(strided, "_has_onednn", lambda: request.param == "oneDNN")


@pytest.mark.parametrize(("fast", "stock", "kernel", "size", "channels"), CASES)
def test_values_and_gradients_equal_keras(fast, stock, kernel, size, channels):
    inputs = tf.random.stateless_normal([2, *size, channels[0]], [1, 2])
    twins = pair(
        fast, stock, inputs, filters=channels[1], kernel_size=kernel, strides=2, padding="same",
        activation="tanh", bias_initializer="ones",
    )  # fmt: skip
    cotangent = tf.random.stateless_normal(twins[0].compute_output_shape(inputs.shape), [3, 4])
    for value, expected in zip(
        *(values_and_gradients(t, inputs, cotangent) for t in twins), strict=True
    ):
        assert relative_error(value, expected) < 1e-5


@pytest.mark.parametrize(
    ("fast", "stock"),
    [
        (layers.Conv2D, keras.layers.Conv2D),
        (layers.Conv2DTranspose, keras.layers.Conv2DTranspose),
    ],
)
class TestBothConvolutions:
    def arguments(self, **others):
        return {"filters": 12, "kernel_size": 5, "strides": 2, "padding": "same", **others}

    @pytest.mark.parametrize(
        "others",
        [
            {"strides": 1},
            {"padding": "valid"},
            {"kernel_size": 2},
            {"kernel_size": (3, 5)},
            {"kernel_size": 7},
            {"strides": (2, 1)},
            {"use_bias": False},
        ],
        ids=str,
    )
    def test_every_configuration_equals_keras(self, fast, stock, others):
        inputs = tf.random.stateless_normal([2, 6, 9, 3], [1, 2])
        ours, theirs = pair(fast, stock, inputs, **self.arguments(**others))
        assert relative_error(ours(inputs), theirs(inputs)) < 1e-5

    @pytest.mark.parametrize("kernel", KERNELS)
    @pytest.mark.parametrize("size", SIZES)
    @pytest.mark.parametrize(("channels", "filters"), [(16, 12), (3, 16), (16, 3)])
    def test_bfloat16(self, fast, stock, kernel, size, channels, filters):
        """As near to float32 as Keras' own layer, whose sums are bfloat16 on processors without AVX-512."""
        inputs = tf.cast(tf.random.stateless_normal([2, *size, channels], [1, 2]), tf.bfloat16)
        arguments = self.arguments(kernel_size=kernel, filters=filters)
        twins = pair(fast, stock, inputs, **arguments, dtype="bfloat16")
        exact = stock(**arguments)
        exact.build(inputs.shape)
        exact.set_weights([np.asarray(w, np.float32) for w in twins[1].get_weights()])
        cotangent = tf.random.stateless_normal(twins[0].compute_output_shape(inputs.shape), [3, 4])
        cotangent = tf.cast(tf.cast(cotangent, tf.bfloat16), tf.float32)
        for value, keras_value, truth in zip(
            *(values_and_gradients(t, inputs, cotangent) for t in twins),
            values_and_gradients(exact, tf.cast(inputs, tf.float32), cotangent),
            strict=True,
        ):
            assert value.dtype == keras_value.dtype
            assert relative_error(value, truth) <= max(
                2e-2, 1.1 * relative_error(keras_value, truth)
            )

    def test_second_derivatives(self, fast, stock):
        """The gradient of a gradient penalty, which needs every derivative of the trilinear form."""
        inputs = tf.random.stateless_normal([2, 6, 7, 3], [1, 2])
        twins = pair(fast, stock, inputs, **self.arguments(activation="tanh"))

        @tf.function
        def penalty_gradients(layer):
            with tf.GradientTape() as outer:
                outer.watch(inputs)
                with tf.GradientTape() as inner:
                    inner.watch(inputs)
                    total = tf.reduce_sum(layer(inputs) ** 2)
                penalty = tf.reduce_sum(inner.gradient(total, inputs) ** 2)
            return outer.gradient(penalty, [inputs, layer.kernel.value, layer.bias.value])

        for value, expected in zip(*map(penalty_gradients, twins), strict=True):
            assert relative_error(value, expected) < 1e-5

    def test_free_image_size(self, fast, stock):
        images = keras.Input((None, None, 3))
        outputs = fast(**self.arguments())(images)
        ours = keras.Model(images, outputs)
        theirs = stock(**self.arguments())
        theirs.build((None, None, None, 3))
        theirs.set_weights(ours.get_weights())
        inputs = tf.random.stateless_normal([2, 6, 7, 3], [1, 2])
        assert relative_error(ours(inputs), theirs(inputs)) < 1e-5

    def test_saved_and_exported(self, fast, stock, tmp_path):
        inputs = tf.random.stateless_normal([3, 8, 8, 3], [1, 2])
        model = keras.Sequential([keras.Input((8, 8, 3)), fast(**self.arguments())])
        model.save(tmp_path / "m.keras")
        model.export(tmp_path / "m", verbose=False)
        loaded = keras.saving.load_model(tmp_path / "m.keras")
        served = tf.saved_model.load(str(tmp_path / "m"))
        assert isinstance(loaded.layers[0], fast)
        np.testing.assert_array_equal(loaded(inputs), model(inputs))
        np.testing.assert_allclose(served.serve(inputs), model(inputs), rtol=1e-6, atol=1e-6)

    def test_trains_as_keras_on_replicas(self, fast, stock, replicas):
        """Three steps of descent on two replicas equal Keras' layer on one."""
        inputs = tf.random.stateless_normal([4, 6, 6, 3], [1, 2])
        weights = []
        for kind, strategy in ((fast, replicas), (stock, tf.distribute.get_strategy())):
            with strategy.scope():
                keras.utils.set_random_seed(0)
                layer = kind(**self.arguments())
                model = keras.Sequential([keras.Input((6, 6, 3)), layer])
                model.compile(keras.optimizers.SGD(0.1), "mse")
            target = np.ones((4, *model.output_shape[1:]), "float32")
            model.fit(inputs.numpy(), target, batch_size=4, epochs=3, verbose=0, shuffle=False)
            weights.append(layer.kernel)
        assert relative_error(*weights) < 1e-5


@pytest.mark.parametrize("shape", [(5, 4, 4, 6), (1, 3, 2, 4)])
@pytest.mark.parametrize("dtype", ["float32", "mixed_bfloat16"])
@pytest.mark.parametrize("synchronized", [False, True])
def test_batch_normalization_equals_keras(shape, dtype, synchronized):
    inputs = 3 + 2 * tf.random.stateless_normal(shape, [1, 2])
    inputs = tf.cast(inputs, tf.float32 if dtype == "float32" else tf.bfloat16)
    tolerance = 1e-5 if dtype == "float32" else 2e-2
    twins = pair(
        layers.BatchNormalization,
        keras.layers.BatchNormalization,
        inputs,
        momentum=0.9,
        dtype=dtype,
        synchronized=synchronized,
    )
    cotangent = tf.random.stateless_normal(shape, [3, 4])
    results = []
    for layer in twins:
        with tf.GradientTape() as tape:
            tape.watch(inputs)
            outputs = layer(inputs, training=True)
            total = tf.reduce_sum(tf.cast(outputs, tf.float32) * cotangent)
        gradients = tape.gradient(total, [inputs, *layer.trainable_variables])
        state = [layer.moving_mean, layer.moving_variance]
        results.append([outputs, *gradients, *state, layer(inputs, training=False)])
    for value, expected in zip(*results, strict=True):
        assert relative_error(value, expected) < tolerance


@pytest.mark.parametrize("synchronized", [False, True])
def test_frozen_statistics_are_those_before(synchronized):
    inputs = 3 + tf.random.stateless_normal([5, 4, 4, 6], [1, 2])
    layer = layers.BatchNormalization(synchronized=synchronized)
    expected = layer(inputs, training=True)
    kept = [layer.moving_mean.numpy(), layer.moving_variance.numpy()]
    with layers.frozen_statistics():
        np.testing.assert_array_equal(layer(inputs, training=True), expected)
        layer(7 * inputs, training=True)
    np.testing.assert_array_equal([layer.moving_mean, layer.moving_variance], kept)
    layer(7 * inputs, training=True)
    assert np.abs(layer.moving_mean - kept[0]).min() > 0.1


def test_one_hot_of_no_label_is_zero():
    rows = layers.OneHot(3)(tf.constant([2, -1, 0]))
    np.testing.assert_array_equal(rows, [[0, 0, 1], [0, 0, 0], [1, 0, 0]])


@pytest.mark.parametrize("width", [4, 16], ids=["one window", "by phase"])
def test_folded_network_equals_its_original(width):
    network = networks.generator((28, 28, 3), latent_dim=5, width=width, num_classes=4)
    network([tf.random.stateless_normal([6, 5], [1, 2]), tf.range(6) % 4], training=True)
    twin = layers.fold(network)
    inputs = [tf.random.stateless_normal([2, 5], [3, 4]), tf.constant([3, 0])]
    assert not any(isinstance(layer, layers.Conv2DTranspose) for layer in twin.layers)
    assert relative_error(twin(inputs), network(inputs)) < 1e-5


def test_on_a_gpu_convolutions_are_the_plain_ones(monkeypatch):
    """Nothing is folded or split by phase there, and the values are those of a processor."""
    network = networks.generator((28, 28, 3), latent_dim=5, width=4)
    latents = tf.random.stateless_normal([2, 5], [1, 2])
    expected = network(latents)
    monkeypatch.setattr(tf.config, "list_physical_devices", lambda kind=None: [f"{kind}:0"])
    twin = layers.fold(network)
    kinds = [type(layer) for layer in network.layers]
    assert [type(layer) for layer in twin.layers] == kinds
    assert relative_error(twin(latents), expected) < 1e-5
