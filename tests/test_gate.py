"""Every method with images or labels checks them first: a valid result, or an error with the rule."""

import warnings

import keras
import numpy as np
import pytest
import tensorflow as tf
from models import build, compiled, digits, learned_from, state

import tfgen

WORDS = (ValueError, TypeError)


def unknown(*arrays, batch=32):
    """A stream whose length TensorFlow does not know."""

    def batches():
        for start in range(0, len(arrays[0]), batch):
            parts = tuple(array[start : start + batch] for array in arrays)
            yield parts if len(parts) > 1 else parts[0]

    specs = tuple(tf.TensorSpec((None, *a.shape[1:]), a.dtype) for a in arrays)
    signature = specs if len(specs) > 1 else specs[0]
    return tf.data.Dataset.from_generator(batches, output_signature=signature)


def known(*arrays, batch=32):
    data = arrays if len(arrays) > 1 else arrays[0]
    return tf.data.Dataset.from_tensor_slices(data).batch(batch)


class Pictures(keras.utils.PyDataset):
    """Batches by index."""

    def __init__(self, *arrays, batch=32):
        super().__init__()
        self.arrays, self.batch = arrays, batch

    def __len__(self):
        return -(-len(self.arrays[0]) // self.batch)

    def __getitem__(self, index):
        rows = slice(index * self.batch, (index + 1) * self.batch)
        return tuple(array[rows] for array in self.arrays)


def generator(*arrays, batch=32):
    pictures = Pictures(*arrays, batch=batch)
    return (pictures[index] for index in range(len(pictures)))


STREAMS = {"tf.data": known, "unknown": unknown, "PyDataset": Pictures, "generator": generator}
ENTRIES = {
    "fit": lambda model, *data: model.fit(*data, verbose=0),
    "validation_data": lambda model, *data: model.fit(
        *good(model), verbose=0, validation_data=data if len(data) > 1 else data[0]
    ),
    "evaluate": lambda model, *data: model.evaluate(*data, verbose=0),
    "predict": lambda model, *data: model.predict(data if len(data) > 1 else data[0], verbose=0),
    "train_on_batch": lambda model, *data: model.train_on_batch(*data),
    "test_on_batch": lambda model, *data: model.test_on_batch(*data),
    "predict_on_batch": lambda model, *data: model.predict_on_batch(
        data if len(data) > 1 else data[0]
    ),
}
READ_LABELS = [entry for entry in ENTRIES if "predict" not in entry]


def good(model):
    images, labels = digits(64)
    return images, labels


BAD_IMAGES = {
    "eight bits": lambda x: (x * 255).astype("uint8"),
    "0 to 255": lambda x: x * 255,
    "-1 to 1": lambda x: 2 * x - 1,
    "NaN": lambda x: np.where(x > 0.9, np.nan, x),
    "infinite": lambda x: np.where(x > 0.9, np.inf, x),
    "another size": lambda x: x[:, :6],
    "no channels": lambda x: x[..., 0],
    "none": lambda x: x[:0],
}
BAD_LABELS = {
    "too high": lambda t: t + 1,
    "too low": lambda t: t - 1,
    "overflowed": lambda t: t.astype("int64") + 2**32,
    "unsigned -1": lambda t: (t.astype("int64") - 1).astype("uint64"),
    "floating": lambda t: t.astype("float32"),
    "truth values": lambda t: t > 4,
    "one-hot": lambda t: np.eye(10, dtype="int32")[t],
    "too few": lambda t: t[:-1],
}


@pytest.fixture(scope="module")
def resnet():
    return compiled("resnet_digits")


def assert_untouched(model, before):
    for value, old in zip(state(model), before, strict=True):
        np.testing.assert_array_equal(value, old)


class TestWhatIsRefused:
    @pytest.mark.parametrize("fault", BAD_IMAGES)
    @pytest.mark.parametrize("entry", ENTRIES)
    def test_arrays_of_images(self, resnet, entry, fault):
        images, labels = digits(64)
        images, before = BAD_IMAGES[fault](images), state(resnet)
        data = (images, labels[: len(images)])
        with pytest.raises(WORDS, match="Received: "):
            ENTRIES[entry](resnet, *data)
        assert_untouched(resnet, before)

    @pytest.mark.parametrize("fault", [*BAD_LABELS, "missing"])
    @pytest.mark.parametrize("entry", READ_LABELS)
    def test_arrays_of_labels(self, resnet, entry, fault):
        images, labels = digits(64)
        before = state(resnet)
        data = (images,) if fault == "missing" else (images, BAD_LABELS[fault](labels))
        with pytest.raises(WORDS, match="labels must be integers from 0 to 9, one per image. Rec"):
            ENTRIES[entry](resnet, *data)
        assert_untouched(resnet, before)

    @pytest.mark.parametrize("kind", STREAMS)
    @pytest.mark.parametrize("entry", ["fit", "validation_data", "evaluate", "predict"])
    def test_a_stream_whose_first_batch_is_bad(self, resnet, entry, kind):
        images, labels = digits(64)
        before = state(resnet)
        with pytest.raises(ValueError, match=r"images must lie in \[0, 1\].* Received: smallest"):
            ENTRIES[entry](resnet, STREAMS[kind](images * 255, labels))
        assert_untouched(resnet, before)

    @pytest.mark.parametrize("kind", STREAMS)
    @pytest.mark.parametrize("entry", ["fit", "evaluate", "predict"])
    def test_a_stream_whose_last_batch_is_bad(self, resnet, entry, kind):
        images, labels = digits(64)
        images = images.copy()
        images[-1, 0, 0] = np.nan
        with pytest.raises(ValueError, match="images must be finite. Received: smallest=nan"):
            ENTRIES[entry](resnet, STREAMS[kind](images, labels))

    @pytest.mark.parametrize("fault", ["too high", "overflowed", "unsigned -1"])
    def test_a_stream_whose_last_labels_are_bad(self, resnet, fault):
        images, labels = digits(64)
        spoilt = BAD_LABELS[fault](labels)
        spoilt[:32] = labels[:32]
        with pytest.raises(ValueError, match="labels must be integers from 0 to 9.*Received: lab"):
            resnet.evaluate(known(images, spoilt), verbose=0)

    @pytest.mark.parametrize(
        ("data", "message"),
        [
            (lambda x, t: known(x).map(lambda x: {"image": x}), "as_supervised=True. Received"),
            (lambda x, t: known(x, t, np.ones(64)), "weights .* Received: a third part"),
            (lambda x, t: known(x, t, t, t), "Received: 4 parts"),
            (lambda x, t: known(x), "labels must be integers .* Received: labels=None"),
            (lambda x, t: known(x, t).take(0), "at least one batch. Received: an empty data set"),
            (lambda x, t: unknown(x[:0], t[:0]), "at least one batch. Received: an empty data set"),
            (lambda x, t: known(x.astype(str), t), "images must be floating-point .* dtype=string"),
            (lambda x, t: Pictures(x, t, np.ones(64)), "weights .* Received: a third part"),
            (lambda x, t: generator(x, t, np.ones(64)), "weights .* Received: a third part"),
            (lambda x, t: {"x": x}, "Data are arrays.* Received: dict"),
            (lambda x, t: "mnist", "Data are arrays.* Received: str"),
        ],
    )
    @pytest.mark.parametrize("entry", ["fit", "validation_data", "evaluate"])
    def test_structures(self, resnet, entry, data, message):
        with pytest.raises(WORDS, match=message):
            ENTRIES[entry](resnet, data(*digits(64)))

    @pytest.mark.parametrize(
        "call",
        [
            lambda m, x, t: m.fit(x, t, sample_weight=np.ones(64)),
            lambda m, x, t: m.fit(x, t, class_weight={0: 2.0}),
            lambda m, x, t: m.fit(x, t, validation_data=(x, t, np.ones(64))),
            lambda m, x, t: m.evaluate(x, t, sample_weight=np.ones(64)),
            lambda m, x, t: m.train_on_batch(x, t, sample_weight=np.ones(64)),
            lambda m, x, t: m.train_on_batch(x, t, class_weight={0: 2.0}),
            lambda m, x, t: m.test_on_batch(x, t, sample_weight=np.ones(64)),
        ],
    )
    def test_weights_of_examples(self, resnet, call):
        with pytest.raises(ValueError, match="Objectives weight examples themselves.* Received: "):
            call(resnet, *digits(64))

    @pytest.mark.parametrize(
        "numbers",
        [
            {"batch_size": 0}, {"batch_size": -1}, {"batch_size": 2.5}, {"epochs": -1},
            {"steps_per_epoch": -1}, {"steps_per_epoch": 0}, {"validation_freq": 0},
            {"initial_epoch": -1}, {"validation_steps": 0}, {"validation_batch_size": 0},
            {"validation_split": 1.5}, {"validation_split": -0.5},
        ],
        ids=str,
    )  # fmt: skip
    def test_numbers(self, resnet, numbers):
        [name] = numbers
        with pytest.raises(WORDS, match=f"{name} must .* Received: {name}={numbers[name]}"):
            resnet.fit(*digits(64), verbose=0, **numbers)
        if name == "batch_size":
            with pytest.raises(WORDS, match=f"Received: {name}={numbers[name]}"):
                resnet.evaluate(*digits(64), verbose=0, **numbers)

    @pytest.mark.parametrize(
        "arguments", [{"loss": "mse"}, {"metrics": ["accuracy"]}, {"loss_weights": [1.0]}], ids=str
    )
    def test_losses_and_metrics(self, arguments):
        [name] = arguments
        with pytest.raises(ValueError, match=f"their own objectives. Received: {name}="):
            build("gan_digits").compile("adam", **arguments)

    @pytest.mark.parametrize("name", ["x.h5", "x.hdf5", "x", "x.tf"])
    def test_other_formats(self, tmp_path, name):
        with pytest.raises(ValueError, match="A model is saved as .keras. Received: filepath="):
            build("gan_digits").save(tmp_path / name)
        assert not list(tmp_path.iterdir())


class TestWhatIsConverted:
    @pytest.mark.parametrize("dtype", ["uint8", "int8", "int64", "uint16", "uint64"])
    @pytest.mark.parametrize("column", [False, True])
    def test_labels_of_any_integer_dtype(self, resnet, dtype, column):
        images, labels = digits(64)
        expected = resnet.evaluate(images, labels, verbose=0)
        labels = labels.astype(dtype)
        labels = labels[:, None] if column else labels
        for data in ((images, labels), (known(images, labels),), (unknown(images, labels),)):
            np.testing.assert_allclose(resnet.evaluate(*data, verbose=0), expected, rtol=1e-6)
        np.testing.assert_allclose(
            sorted(resnet.test_on_batch(images, labels)), sorted(expected), rtol=1e-6
        )

    @pytest.mark.parametrize("dtype", ["float64", "float16", "bfloat16"])
    def test_images_of_any_floating_point_dtype(self, dtype):
        images, _ = digits(64)
        images = np.round(images)  # exact in each of them
        model = compiled("vae_digits")
        expected = model.evaluate(images, verbose=0)
        cast = tf.cast(images, dtype)
        np.testing.assert_allclose(model.evaluate(cast, verbose=0), expected, rtol=1e-6)
        np.testing.assert_allclose(
            model.evaluate(tf.data.Dataset.from_tensor_slices(cast).batch(32), verbose=0),
            expected,
            rtol=1e-6,
        )
        model.fit(tf.data.Dataset.from_tensor_slices(cast).batch(32), verbose=0)
        assert model.predict(cast, verbose=0).dtype == np.float32

    def test_domains_in_float64(self):
        images = digits(32)[0].astype("float64")
        model = compiled("cyclegan_digits")
        model.fit(known(images, 1 - images), verbose=0)
        assert int(model.steps) == 1

    def test_shapes_that_only_the_batches_know(self, resnet):
        images, labels = digits(64)
        expected = resnet.evaluate(images, labels, verbose=0)
        blurred = known(images, labels).map(
            lambda x, t: tuple(tf.numpy_function(lambda a: a, [p], p.dtype) for p in (x, t))
        )
        np.testing.assert_allclose(resnet.evaluate(blurred, verbose=0), expected, rtol=1e-6)
        narrow = blurred.map(lambda x, t: (x[:, :6], t))
        with pytest.raises(ValueError, match=r"images must have shape \(n, 8, 8, 1\)"):
            resnet.evaluate(narrow, verbose=0)


class TestStreams:
    @pytest.mark.parametrize("kind", STREAMS)
    def test_every_kind_gives_the_same_numbers(self, resnet, kind):
        images, labels = digits(70)
        expected = resnet.evaluate(images, labels, verbose=0, return_dict=True)
        found = resnet.evaluate(STREAMS[kind](images, labels), verbose=0, return_dict=True)
        for name, value in expected.items():
            np.testing.assert_allclose(found[name], value, rtol=1e-5)

    @pytest.mark.parametrize("kind", STREAMS)
    def test_every_kind_trains_alike(self, kind):
        images, labels = digits(70)
        models = [compiled("cgan_digits") for _ in range(2)]
        models[0].fit(known(images, labels), verbose=0)
        models[1].fit(STREAMS[kind](images, labels), shuffle=False, verbose=0)
        for value, expected in zip(*(m.get_weights() for m in models), strict=True):
            np.testing.assert_allclose(value, expected, rtol=1e-4, atol=1e-6)

    @pytest.mark.parametrize(
        ("name", "steps"),
        [
            ("gan_digits", 1),
            ("gan_digits", 4),
            pytest.param("aavae_digits", 4, marks=pytest.mark.large),
            ("ada_digits", 4),
            pytest.param("cyclegan_digits", 4, marks=pytest.mark.large),
        ],
    )
    def test_an_unknown_length_leaves_no_trace(self, name, steps):
        """Steps, the optimizer's count, moving statistics, the average, trackers; the same numbers."""
        data = learned_from(name, 70)
        models = [compiled(name, steps_per_execution=steps) for _ in range(2)]
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            histories = [
                model.fit(
                    make(*data), epochs=2, shuffle=False, verbose=0, validation_data=make(*data)
                ).history
                for model, make in zip(models, (known, unknown), strict=True)
            ]
            evaluated = [
                model.evaluate(make(*data), verbose=0, return_dict=True)
                for model, make in zip(models, (known, unknown), strict=True)
            ]
        assert int(models[1].steps) == int(models[1].optimizer.iterations) == 2 * 3
        for value, expected in zip(*map(state, reversed(models)), strict=True):
            np.testing.assert_allclose(value, expected, rtol=1e-4, atol=1e-6)
        for name, value in {**histories[0], **evaluated[0]}.items():
            np.testing.assert_allclose({**histories[1], **evaluated[1]}[name], value, rtol=1e-4)

    def test_an_endless_stream_is_counted_by_its_epoch(self):
        images, labels = digits(32)

        def endless():
            while True:
                yield images, np.where(np.arange(32) % 2, labels, -1).astype("int32")

        kinds = (tf.TensorSpec((None, 8, 8, 1)), tf.TensorSpec((None,), tf.int32))
        data = tf.data.Dataset.from_generator(endless, output_signature=kinds)
        model = compiled("svae_digits_10pct")
        model.fit(data, steps_per_epoch=2, verbose=0)
        assert int(model.steps) == 2
        assert float(model.labelled_share) == 0.5

    def test_the_look_into_a_pipeline_is_no_epoch(self, resnet):
        data = tfgen.data.load("digits", "train[:64]", binarize=True)
        resnet.evaluate(data, verbose=0)
        assert int(data.epoch) == 1


class TestReplicas:
    def test_a_last_batch_leaves_no_replica_empty(self, replicas):
        with replicas.scope():
            model = compiled("ada_digits")
        images, labels = digits(33)
        labels = np.where(np.arange(33) % 2, -1, labels)
        rule = "must leave no replica without images.* Received: 1 images for 2 replicas"
        with pytest.raises(ValueError, match=rule):
            model.fit(images, labels, batch_size=32, verbose=0)
        with pytest.raises(ValueError, match=rule):
            model.fit(known(images, labels), verbose=0)
        with pytest.raises(ValueError, match=rule):
            model.evaluate(images, labels, batch_size=32, verbose=0)

    def test_a_distributed_data_set(self, replicas):
        images, labels = digits(64)
        with replicas.scope():
            model = compiled("resnet_digits")
        distribute = replicas.experimental_distribute_dataset
        expected = model.evaluate(images, labels, verbose=0)
        found = model.evaluate(distribute(known(images, labels)), verbose=0)
        np.testing.assert_allclose(found, expected, rtol=1e-5)
        model.fit(distribute(known(images, labels)), verbose=1)
        assert int(model.steps.numpy()) == 2
        with pytest.raises(ValueError, match=r"images must lie in \[0, 1\]"):
            model.evaluate(distribute(known(images * 255, labels)), verbose=0)
        with pytest.raises(TypeError, match="images must be floating-point"):
            model.fit(distribute(known(labels, labels)), verbose=0)
        with pytest.raises(ValueError, match="at least one image. Received: 0 images"):
            model.evaluate(distribute(known(images[:33], labels[:33])), verbose=0)
