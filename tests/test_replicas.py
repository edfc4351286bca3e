"""Training on several replicas, in one process and in two, equals training on one."""

import functools
import json
import pathlib
import signal

import keras
import numpy as np
import pytest
import small
import tensorflow as tf
import workers
from click.testing import CliRunner
from models import OF_EACH_CLASS, build, digits, large_but

from tfgen import data, noise
from tfgen import replicas as replicated
from zoo import cli
from zoo.recipes import reading

REHEARSAL = str(pathlib.Path(__file__).with_name("rehearsal.py"))
# Also AAE with the weights of Eq. 43, and a VAE without an adversary.
NAMES = [*OF_EACH_CLASS, "iwaae_digits", "vae_digits"]
EXCHANGED = [  # beside gradients, by workers
    "iwcgan_digits",  # logits, for the weights of Eq. 43
    "aae_digits_clusters",  # draws from priors
    "iwada_digits",  # sizes of domains
]
ALSO_EXCHANGED = [
    "aasvae_digits_10pct",  # shares of labelled images
    "helmholtz_digits",  # both phases
    "iwcyclegan_digits",  # the pool
]
OWN_TEST = ["iwcyclegan_digits", "aavaegan_digits"]  # of replicas, beside the others of the class
TOLERANCE = 1e-5  # of the largest weight of each variable; of each logged number


@functools.cache
def on_one(name):
    """Weights and logs of a member trained on one device."""
    model, logs = workers.train(tf.distribute.get_strategy(), name)
    return model.get_weights(), logs


def check_equal(name, weights, logs):
    expected, expected_logs = on_one(name)
    assert logs.keys() == expected_logs.keys()
    for value, one in zip(weights, expected, strict=True):
        assert np.abs(value - one).max() <= TOLERANCE * max(1, np.abs(one).max())
    for key, one in expected_logs.items():
        np.testing.assert_allclose(logs[key], one, rtol=TOLERANCE, atol=1e-6)


@pytest.mark.parametrize("name", large_but({*NAMES} - {*EXCHANGED, *OWN_TEST}, NAMES))
def test_two_replicas_equal_one(name, replicas):
    model, logs = workers.train(replicas, name)
    check_equal(name, model.get_weights(), logs)


@pytest.mark.parametrize(
    "names",
    [EXCHANGED, pytest.param(ALSO_EXCHANGED, marks=pytest.mark.large)],
    ids=["exchanged", "also exchanged"],
)
def test_two_workers_equal_one(names, tmp_path):
    """Two processes over loopback; each runs all of these members."""
    outputs, codes = workers.run(workers.__file__, tmp_path, ",".join(names))
    assert codes == [0, 0], outputs
    for name in names:
        chief, other = (dict(np.load(tmp_path / f"{name}.{index}.npz")) for index in range(2))
        assert chief.keys() == other.keys()
        for key, value in chief.items():
            np.testing.assert_array_equal(other[key], value)
        weights = [chief.pop(key) for key in sorted(chief) if key.isdecimal()]
        check_equal(name, weights, chief)
    own = [np.load(tmp_path / f"{workers.UNSYNCHRONIZED}.{index}.npz") for index in range(2)]
    for key in own[0].files:  # moving statistics are brought together
        np.testing.assert_array_equal(own[0][key], own[1][key])


@pytest.mark.large
def test_a_run_goes_on_on_any_devices_after_a_worker_is_lost(tmp_path, monkeypatch):
    """One device, four, two workers of two, killed, two workers of one, one device: all as on one."""
    recipe = reading.apply_changes(small.GAN, small.DESCENT)
    whole = small.train(recipe, tmp_path / "whole", epochs=5)
    run = tmp_path / "run"
    small.train(recipe, run, epochs=1)
    resume = ("train", "--resume", "--out", str(run), "--epochs")

    # Strategies of one process number their collectives alike, whose groups are then of two sizes.
    monkeypatch.setattr(tf.distribute.MirroredStrategy, "_collective_key_base", 1000)
    mirrored = CliRunner().invoke(cli.main, [*resume, "2", "--strategy", "mirrored"])
    assert mirrored.exit_code == 0, mirrored.output

    outputs, codes = workers.run(REHEARSAL, 3, *resume, 4, "--strategy", "multiworker")
    assert codes == [1, -signal.SIGKILL], outputs
    assert "All workers must stay up; start all of them again" in outputs[0]
    assert len(history(run)) == 3

    outputs, codes = workers.run("-m", "zoo.cli", *resume, 4, "--strategy", "multiworker")
    assert codes == [0, 0], outputs
    found = small.train(None, run, epochs=5, resume=True)
    assert [entry["epoch"] for entry in history(run)] == [1, 2, 3, 4, 5]
    for value, one in zip(found.get_weights(), whole.get_weights(), strict=True):
        assert np.abs(value - one).max() <= 3 * TOLERANCE * max(1, np.abs(one).max())
    assert int(found.steps.numpy()) == int(whole.steps.numpy())


@pytest.mark.parametrize(("name", "exchanges"), [("gan_digits", 2), ("iwgan_digits", 3)])
def test_a_step_exchanges_sizes_gradients_and_the_logits_of_weights(name, exchanges):
    """Collectives of each replica in the graph of a step, which the metrics' one follows."""
    strategy = tf.distribute.MultiWorkerMirroredStrategy._from_local_devices(("CPU:0", "CPU:1"))
    with strategy.scope():
        model = build(name, normalization=None)
        model.optimizer.build(model.trainable_variables)
    step = tf.function(lambda images: strategy.run(model.train_step, args=(images,)))
    images = strategy.experimental_distribute_values_from_function(lambda _: digits(3)[0])
    graph = step.get_concrete_function(images).graph.as_graph_def()
    nodes = [*graph.node, *(node for inner in graph.library.function for node in inner.node_def)]
    assert sum("Collective" in node.op for node in nodes) == 2 * exchanges


def history(run):
    return [json.loads(line) for line in (run / "history.jsonl").read_text().splitlines()]


@pytest.mark.parametrize("parts", [1, 2, 4])
def test_parts_and_their_noise_make_the_batch(parts):
    """For any number of replicas: a batch of 15 and a last batch of 7."""
    batches = data.batches(np.arange(22, dtype=np.uint8)[:, None, None, None], batch_size=15)
    for batch in batches:
        count = len(batch)
        found = [replicated.shard_batch(batch, index, parts) for index in range(parts)]
        np.testing.assert_array_equal(tf.concat(found, axis=0), batch)
        assert {len(part) for part in found} <= {count // parts, count // parts + 1}
        ends = np.cumsum([len(part) for part in found])
        rows = [
            noise.Batch(lambda stream: [5, stream], count, end - len(part), end).gaussian(3)
            for part, end in zip(found, ends, strict=True)
        ]
        whole = noise.Batch(lambda stream: [5, stream], count, 0, count).gaussian(3)
        np.testing.assert_array_equal(tf.concat(rows, axis=0), whole)


def test_every_worker_reads_its_part_alone():
    """A pipeline makes the part of one worker; the parts of all make the batch."""
    images, labels = digits(22)
    whole = data.batches(images, labels, batch_size=15, seed=3, binarize=True)
    parts = zip(*(whole.worker_shard(index, 2) for index in range(2)), strict=True)
    for batch, found in zip(whole, parts, strict=True):
        for part, expected in zip(zip(*found, strict=True), batch, strict=True):
            np.testing.assert_array_equal(tf.concat(part, axis=0), expected)


def test_predictions_evaluation_and_single_batches_are_those_of_one_device(replicas):
    images, labels = digits(23)  # in batches of 15 and 8
    models = []
    for strategy in (tf.distribute.get_strategy(), replicas):
        with strategy.scope():
            models.append(build("cvae_digits", normalization=None))
    one, two = models
    for found, expected in zip(
        two.evaluate(images, labels, batch_size=15, verbose=0),
        one.evaluate(images, labels, batch_size=15, verbose=0),
        strict=True,
    ):
        np.testing.assert_allclose(found, expected, rtol=TOLERANCE)
    predicted = [m.predict((images, labels), batch_size=15, verbose=0) for m in models]
    np.testing.assert_allclose(*predicted, rtol=1e-4, atol=1e-6)
    logs = [m.train_on_batch(images, labels, return_dict=True) for m in models]
    assert logs[0].keys() == logs[1].keys()
    for key, expected in logs[0].items():
        np.testing.assert_allclose(logs[1][key], expected, rtol=TOLERANCE)


@pytest.mark.parametrize("entry", large_but({"fit"}, ["fit", "train_on_batch"]))
def test_samples_are_the_same_on_every_replica(replicas, entry, caplog):
    """Moving statistics that each replica kept of its own images are brought together."""
    images, _ = digits(32)
    images = np.sort(images.mean(axis=(1, 2, 3)))[:, None, None, None] * np.ones((1, 8, 8, 1), "f4")
    with replicas.scope():  # dark images on the first replica, bright ones on the second
        model = build("iwgan_digits", normalization="batch")
    if entry == "fit":
        model.fit(images, shuffle=False, verbose=0, validation_data=images)
        [warning] = [r.getMessage() for r in caplog.records if r.name == "tfgen"]
        assert "equal one only with batch statistics of the global batch" in warning
    else:
        model.train_on_batch(images)
    codes = tf.constant(np.random.default_rng(0).normal(size=(4, model.latent_dim)), tf.float32)
    outputs = replicas.run(lambda: (model.decode(codes), model.logits(images)))
    for output in outputs:
        first, second = replicas.experimental_local_results(output)
        np.testing.assert_array_equal(first, second)
    alone = build("iwgan_digits", normalization="batch")
    alone.set_weights(model.get_weights())
    np.testing.assert_allclose(alone.sample(4, seed=1), model.sample(4, seed=1), atol=1e-6)


def test_what_replicas_cannot_do_is_refused(replicas):
    images, labels = digits(23)
    with replicas.scope():
        model = build("gan_digits")
        model.compile(keras.optimizers.SGD(0.1), jit_compile=True)
    with pytest.raises(ValueError, match="jit_compile must be False or 'auto' on several replicas"):
        model.fit(images, verbose=0)
    with pytest.raises(ValueError, match="no replica without images.* Received: 1 images for 2"):
        model.fit(images, batch_size=11, verbose=0)
    assert int(model.steps.numpy()) == 0
