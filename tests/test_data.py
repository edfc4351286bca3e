"""Order, subsets and values of the data pipeline, and every source of images but TFDS."""

import gc
import json
import pathlib
import subprocess
import sys

import keras
import numpy as np
import pytest
import tensorflow as tf

from tfgen import data
from tfgen.data.pictures import to_array

N, BATCH = 10, 4  # batches of 4, 4 and 2


@pytest.fixture
def images():
    """Image i is filled with the gray value i."""
    return np.tile(np.arange(N, dtype=np.uint8)[:, None, None, None], (1, 2, 2, 1))


def _labels(dataset):
    return [y.numpy().tolist() for _, y in dataset]


def _images(dataset):
    return np.concatenate([x.numpy() for x, _ in dataset])


def _order(seed, epoch):
    return tf.random.experimental.stateless_shuffle(tf.range(N), seed=[seed, epoch]).numpy()


class TestOrder:
    def test_is_the_stateless_permutation_of_seed_and_epoch(self, images):
        dataset = data.batches(images, np.arange(N), BATCH, seed=3)
        for epoch in range(3):
            assert sum(_labels(dataset), []) == _order(3, epoch).tolist()
        assert dataset.epoch.numpy() == 3

    def test_of_an_epoch_is_set_by_its_counter(self, images):
        dataset = data.batches(images, np.arange(N), BATCH)
        dataset.epoch.assign(5)
        assert sum(_labels(dataset), []) == _order(0, 5).tolist()
        assert sum(_labels(dataset), []) == _order(0, 6).tolist()

    def test_images_go_with_their_labels(self, images):
        for x, y in data.batches(images, np.arange(N), BATCH):
            np.testing.assert_array_equal(x[:, 0, 0, 0] * 255, y)

    def test_unshuffled_is_that_of_the_arrays(self, images):
        dataset = data.batches(images, np.arange(N), BATCH, shuffle=False)
        assert _labels(dataset) == _labels(dataset) == [[0, 1, 2, 3], [4, 5, 6, 7], [8, 9]]

    def test_goes_on_in_a_dataset_that_outlives_this_one(self, images):
        derived = data.batches(images, np.arange(N), BATCH).take(2)
        gc.collect()
        assert [sum(_labels(derived), []) for _ in range(2)] == [
            _order(0, epoch)[:8].tolist() for epoch in range(2)
        ]

    @pytest.mark.parametrize("steps_per_execution", [1, 2])
    def test_is_the_same_in_fit(self, images, steps_per_execution):
        model = _Recorder()
        model.compile(steps_per_execution=steps_per_execution)
        dataset = data.batches(images, np.arange(N), BATCH, seed=1)
        model.fit(dataset, epochs=2, shuffle=False, verbose=0)
        assert model.seen.numpy().tolist() == [*_order(1, 0), *_order(1, 1)]

    def test_by_default_shuffles_train_splits_only(self):
        _, y = data.arrays("digits", "test")
        assert sum(_labels(data.load("digits", "test")), []) == y.tolist()
        _, y = data.arrays("digits", "train[:100]")
        shuffled = sum(_labels(data.load("digits", "train[:100]")), [])
        assert shuffled != y.tolist()
        assert sorted(shuffled) == sorted(y)


class _Recorder(keras.Model):
    """Writes down the labels of two epochs in the order in which training sees them."""

    def __init__(self):
        super().__init__()
        self.seen = tf.Variable(tf.fill([2 * N], -1), trainable=False)
        self.position = tf.Variable(0, trainable=False)

    def train_step(self, batch):
        _, labels = batch
        positions = self.position + tf.range(tf.size(labels))
        self.seen.scatter_nd_update(positions[:, None], labels)
        self.position.assign_add(tf.size(labels))
        return {"images": self.position}


# Logical devices and determinism cannot be undone, and imports only be seen from the beginning.
_FRESH_PROCESS = """
import json, sys
import tfgen.data
sources = [m for m in ("tensorflow_datasets", "tfgen.data.builders") if m in sys.modules]

import keras, numpy as np, tensorflow as tf
keras.utils.set_random_seed(0)
tf.config.experimental.enable_op_determinism()
cpu, = tf.config.list_physical_devices("CPU")
tf.config.set_logical_device_configuration(cpu, [tf.config.LogicalDeviceConfiguration()] * 2)
strategy = tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"])
images, labels = np.zeros((10, 1, 1, 1), np.uint8), np.arange(10)

def replicas(value):
    return [part.numpy().tolist() for part in strategy.experimental_local_results(value)]

def two_epochs(dataset):
    return [[replicas(y) for _, y in dataset] for epoch in range(2)]

class SumOfLabels(keras.Model):
    "Sums the labels of each step of an epoch over the replicas."
    def __init__(self):
        super().__init__()
        on_read = dict(synchronization=tf.VariableSynchronization.ON_READ,
                       aggregation=tf.VariableAggregation.SUM, trainable=False)
        self.sums = tf.Variable(tf.zeros(3, tf.int32), **on_read)
        self.step = tf.Variable(0, **on_read)
        self.built = True
    def call(self, images):
        return images
    def train_step(self, batch):
        self.sums.assign_add(tf.one_hot(self.step, 3, dtype=tf.int32) * tf.reduce_sum(batch[1]))
        self.step.assign_add(1)
        return {"loss": 0.0}

report = {"sources": sources, "alone": two_epochs(tfgen.data.batches(images, labels, 4))}
outside = tfgen.data.batches(images, labels, 4)
with strategy.scope():
    inside = tfgen.data.batches(images, labels, 4)
    model = SumOfLabels()
    model.compile()
report["outside"] = two_epochs(strategy.experimental_distribute_dataset(outside))
report["inside"] = two_epochs(strategy.experimental_distribute_dataset(inside))
dataset = tfgen.data.batches(images, labels, 4)
from_zero = keras.callbacks.LambdaCallback(on_epoch_begin=lambda e, _: dataset.epoch.assign(e))
model.fit(dataset, shuffle=False, verbose=0, callbacks=[from_zero])
report["fit"] = model.sums.numpy().tolist()
print(json.dumps(report))
"""


@pytest.fixture(scope="module")
def fresh_process():
    run = subprocess.run(
        [sys.executable, "-c", _FRESH_PROCESS],
        capture_output=True,
        text=True,
        cwd=pathlib.Path(__file__).parents[1],
    )
    assert run.returncode == 0, run.stderr
    return json.loads(run.stdout.splitlines()[-1])


class TestFreshProcess:
    def test_importing_data_imports_no_source(self, fresh_process):
        assert fresh_process["sources"] == []

    def test_order_is_kept_under_op_determinism(self, fresh_process):
        orders = [sum((part for (part,) in epoch), []) for epoch in fresh_process["alone"]]
        assert orders == [_order(0, epoch).tolist() for epoch in range(2)]

    @pytest.mark.parametrize("made", ["outside", "inside"])
    def test_two_replicas_share_each_batch(self, fresh_process, made):
        joined = [[[sum(batch, [])] for batch in epoch] for epoch in fresh_process[made]]
        assert joined == fresh_process["alone"]
        sizes = [[len(part) for part in batch] for batch in fresh_process[made][0]]
        assert sizes == [[2, 2], [2, 2], [1, 1]]

    def test_fit_on_two_replicas_takes_the_epoch_that_a_callback_sets(self, fresh_process):
        # Without the callback it would begin at epoch 1: Keras peeks at a batch to build the model.
        assert fresh_process["fit"] == [sum(part) for (part,) in fresh_process["alone"][0]]


class TestBatches:
    def test_scales_uint8_exactly(self):
        every = np.arange(256, dtype=np.uint8).reshape(4, 8, 8, 1)
        x = _images(data.batches(every, np.zeros(4, int), shuffle=False))
        assert x.dtype == np.float32
        np.testing.assert_array_equal(x, every / np.float32(255))

    def test_keeps_floats(self):
        x = np.random.default_rng(0).random((3, 2, 2, 3))
        got = np.concatenate(list(data.batches(x, shuffle=False).as_numpy_iterator()))
        np.testing.assert_array_equal(got, x.astype(np.float32))

    def test_says_what_it_yields(self, images):
        dataset = data.batches(images, np.arange(N, dtype=np.uint8), BATCH)
        assert dataset.cardinality() == 3
        assert dataset.element_spec == (
            tf.TensorSpec((None, 2, 2, 1), tf.float32),
            tf.TensorSpec((None,), tf.int32),
        )

    @pytest.mark.parametrize(
        ("change", "error", "message"),
        [
            ({"images": np.zeros((3, 2, 2))}, ValueError, r"channels\).*Received.*\(3, 2, 2\)"),
            ({"images": np.zeros((0, 2, 2, 1))}, ValueError, r"empty.*\(0, 2, 2, 1\)"),
            ({"images": np.zeros((3, 2, 2, 1), int)}, TypeError, "uint8.*int64"),
            ({"images": np.full((3, 2, 2, 1), np.nan)}, ValueError, "finite.*nan"),
            ({"images": np.full((3, 2, 2, 1), np.inf)}, ValueError, "finite.*inf"),
            ({"images": np.full((3, 2, 2, 1), 255.0)}, ValueError, "images / 255.*255.0"),
            ({"images": np.full((3, 2, 2, 1), -1.0)}, ValueError, r"\(images \+ 1\) / 2.*-1.0"),
            ({"labels": np.zeros(2, int)}, ValueError, r"3 images.*\(2,\)"),
            ({"labels": np.zeros((3, 10), int)}, ValueError, r"3 images.*\(3, 10\)"),
            ({"labels": np.zeros(3)}, TypeError, "integers.*float64"),
            ({"labels": np.array([0, 1, -2])}, ValueError, "-1.*-2"),
            ({"labels": np.array([0, 1, 2**32 + 3])}, ValueError, "fit 32 bits.*4294967299"),
            ({"labels": np.array([0, 1, 2**63], np.uint64)}, ValueError, "fit 32 bits"),
            ({"shard": (2, 2)}, ValueError, r"index < count.*shard=\(2, 2\)"),
            ({"shard": (0, 9), "batch_size": 8}, ValueError, "count <= batch_size.*batch_size=8"),
            ({"batch_size": 0}, ValueError, "from 1 to 2,147,483,647.*batch_size=0"),
            ({"batch_size": 1.5}, TypeError, "must be an int.*batch_size=1.5"),
        ],
    )
    def test_refuses(self, change, error, message):
        good = {"images": np.zeros((3, 2, 2, 1)), "labels": np.zeros(3, int)}
        with pytest.raises(error, match=message):
            data.batches(**good | change)


class TestBinarize:
    def _dataset(self, gray, seed=0, batch_size=16):
        x = np.full((32, 16, 16, 1), gray, np.uint8)
        return data.batches(x, np.zeros(32, int), batch_size, seed, binarize=True)

    @pytest.mark.parametrize("gray", [0, 51, 255])
    def test_draws_each_pixel_from_its_gray_value(self, gray):
        x = _images(self._dataset(gray))
        p = gray / 255
        assert set(np.unique(x)) <= {0.0, 1.0}
        assert abs(x.mean() - p) <= 4 * np.sqrt(p * (1 - p) / x.size)  # 4 standard deviations

    def test_noise_is_a_function_of_seed_epoch_and_batch(self):
        dataset = self._dataset(128)
        first, second = _images(dataset), _images(dataset)
        assert (first != second).mean() > 0.4  # independent fair coins differ in 1/2
        assert (first[:16] != first[16:]).mean() > 0.4
        assert (first != _images(self._dataset(128, seed=1))).mean() > 0.4
        resumed = self._dataset(128)
        resumed.epoch.assign(1)
        np.testing.assert_array_equal(_images(resumed), second)


class TestShards:
    @pytest.mark.parametrize("count", [2, 3])
    def test_parts_of_all_workers_are_the_batch(self, images, count):
        options = {"batch_size": BATCH, "seed": 3, "binarize": True}
        whole = data.batches(images, np.arange(N), **options)
        parts = [
            data.batches(images, np.arange(N), shard=(i, count), **options) for i in range(count)
        ]
        for epoch in range(2):
            assert whole.epoch.numpy() == parts[0].epoch.numpy() == epoch
            for batch, *shares in zip(whole, *parts, strict=True):
                sizes = [len(labels) for _, labels in shares]
                assert max(sizes) - min(sizes) <= 1
                for i, expected in enumerate(batch):
                    np.testing.assert_array_equal(expected, np.concatenate([s[i] for s in shares]))


class TestSubsets:
    def test_fraction_keeps_each_class_in_proportion_and_order(self):
        _, whole = data.arrays("digits")
        x, y = data.arrays("digits", fraction=0.1, seed=1)
        assert len(x) == len(y) == 144  # of 1437
        assert np.abs(np.bincount(y) - 0.1 * np.bincount(whole)).max() <= 1

    def test_fractions_of_one_seed_are_nested(self):
        smaller, larger, other = (
            {x.tobytes() for x in data.arrays("digits", fraction=f, seed=s)[0]}
            for f, s in ((0.1, 0), (0.13, 0), (0.1, 1))
        )
        assert smaller < larger
        assert len(smaller & other) < len(smaller) / 2

    def test_tiny_fraction_keeps_one_of_each_class(self):
        assert sorted(data.arrays("digits", fraction=1e-6)[1]) == list(range(10))

    def test_labelled_hides_the_other_labels(self):
        x, y = data.arrays("digits")
        x2, few = data.arrays("digits", labelled=0.05)
        _, more = data.arrays("digits", labelled=0.2)
        np.testing.assert_array_equal(x, x2)
        assert (few >= 0).sum() == 72  # of 1437
        assert np.abs(np.bincount(few[few >= 0]) - 0.05 * np.bincount(y)).max() <= 1
        assert (few[few >= 0] == y[few >= 0]).all()
        assert (more[few >= 0] == y[few >= 0]).all()
        assert (data.arrays("digits", labelled=0)[1] == -1).all()

    @pytest.mark.parametrize("fraction", [0, -0.1, 1.01, float("nan")])
    def test_refuses_fractions(self, fraction):
        with pytest.raises(ValueError, match=r"\(0, 1\].*fraction="):
            data.arrays("digits", fraction=fraction)

    @pytest.mark.parametrize("labelled", [-0.1, 1.01, float("nan")])
    def test_refuses_labelled(self, labelled):
        with pytest.raises(ValueError, match="labelled="):
            data.arrays("digits", labelled=labelled)

    @pytest.mark.parametrize("seed", [-1, 2**32])
    def test_refuses_seeds(self, seed):
        with pytest.raises(ValueError, match=f"seed={seed}"):
            data.arrays("digits", fraction=0.5, seed=seed)


class TestGeometry:
    def test_pads_around_the_center(self):
        x, _ = data.arrays("digits", "test")
        padded, _ = data.arrays("digits", "test", size=11, pad=True)
        np.testing.assert_array_equal(padded, np.pad(x, ((0, 0), (1, 2), (1, 2), (0, 0))))

    def test_halving_constant_blocks_keeps_them(self):
        gray = np.array([[10, 250], [90, 200]], np.uint8)
        blocks = np.kron(gray, np.ones((16, 16), np.uint8))[None, ..., None]
        (x,) = to_array(blocks, size=16, channels=None, pad=False)
        np.testing.assert_array_equal(x[[3, 3, 12, 12], [3, 12, 3, 12], 0], gray.ravel())

    def test_shrinking_is_antialiased(self):
        checkerboard = (np.indices((1, 32, 32, 1)).sum(0) % 2 * 255).astype(np.uint8)
        x = to_array(checkerboard, size=8, channels=None, pad=False)
        assert np.abs(x.astype(int) - 127).max() <= 8

    def test_gray_and_color(self):
        orange = np.full((1, 2, 2, 3), (200, 100, 50), np.uint8)
        gray = to_array(orange, size=None, channels=1, pad=False)
        assert gray.ravel().tolist() == [124] * 4  # 0.299 R + 0.587 G + 0.114 B
        x, _ = data.arrays("digits", "test")
        rgb, _ = data.arrays("digits", "test", channels=3)
        np.testing.assert_array_equal(rgb, np.repeat(x, 3, axis=-1))

    @pytest.mark.parametrize(
        ("change", "message"),
        [
            ({"size": 7, "pad": True}, "largest side, 8.*size=7"),
            ({"pad": True}, "pad=True.*size=None"),
            ({"size": 0}, "size=0"),
            ({"channels": 2}, "1 or 3.*channels=2"),
        ],
    )
    def test_refuses(self, change, message):
        with pytest.raises(ValueError, match=message):
            data.arrays("digits", **change)


class TestDivided:
    def parts(self, **arguments):
        parts = data.load_with_validation(
            "digits", split="train[:400]", **{"held_out": 0.1, **arguments}
        )
        return [
            tuple(map(np.concatenate, zip(*part.as_numpy_iterator(), strict=True)))
            for part in parts
        ]

    def test_the_two_parts_are_the_split(self):
        images, labels = data.arrays("digits", "train[:400]")
        (kept, _), (held, held_labels) = self.parts()
        both = np.concatenate([kept, held]) * 255
        assert sorted(map(bytes, np.rint(both).astype("uint8"))) == sorted(map(bytes, images))
        assert len(held) == 40
        expected = np.bincount(labels) * 0.1
        assert np.abs(np.bincount(held_labels) - expected).max() <= 1

    def test_held_out_images_are_binarized_once(self):
        training, held_out = data.load_with_validation(
            "digits", 0.5, split="train[:40]", binarize=True
        )
        (first, _), (second, _) = next(iter(held_out)), next(iter(held_out))
        np.testing.assert_array_equal(first, second)
        assert set(np.unique(first)) == {0.0, 1.0}
        epochs = [sum(images.numpy().sum() for images, _ in training) for _ in range(2)]
        assert epochs[0] != epochs[1]

    def test_hidden_labels_are_divided_with_their_images(self):
        (_, kept), (_, held) = self.parts(labelled=0.5)
        assert ((kept >= 0).sum(), (held >= 0).sum()) == (180, 20)

    def test_something_is_left_to_train_on(self):
        with pytest.raises(
            ValueError, match=r"held_out must leave images.*Received: held_out=1\.0"
        ):
            data.load_with_validation("digits", 1.0)
