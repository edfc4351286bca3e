"""The engine: state that resumes exactly, replicas that equal one, the average of theta, Keras' ways."""

import json
import os
import subprocess
import sys

import keras
import numpy as np
import pytest
import tensorflow as tf
from models import build, digits

import tfgen
import zoo

# Trains `name` on digits from epoch `first` to `last`; the model is built, or loaded from `folder`.
TRAIN = """
import sys
import numpy as np
import tensorflow as tf

tf.config.experimental.enable_op_determinism()
import zoo
from models import build, digits
from tfgen import data

name, folder, first, last, ordinary = sys.argv[1:]
if int(first):
    model = zoo.load(f"{folder}/{first}.keras")
    assert int(model.epochs) == int(first)
else:
    model = build(name, seed=5)
arguments = dict(epochs=int(last), initial_epoch=int(first), verbose=0)
if ordinary == "arrays":
    images, labels = digits(200)
    model.fit(images, labels, **arguments)
else:
    model.fit(data.load("digits", "train[:200]", seed=5, binarize=True), **arguments)
model.save(f"{folder}/{last}.keras")
state = [*model.variables, *model.optimizer.variables]
np.savez(f"{folder}/{last}.npz", *[variable.numpy() for variable in state])
"""


def train(name, folder, first, last, ordinary):
    folder.mkdir(exist_ok=True)
    run = [sys.executable, "-c", TRAIN, name, str(folder), str(first), str(last), ordinary]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    subprocess.run(run, check=True, env=environment)
    with np.load(folder / f"{last}.npz") as state:
        return [state[key] for key in state]


@pytest.mark.parametrize(
    ("name", "ordinary"),
    [
        ("iwcgan_digits", "pipeline"),
        pytest.param("gan_digits", "arrays", marks=pytest.mark.large),
    ],
)
def test_stop_save_load_and_go_on_equals_not_stopping(name, ordinary, tmp_path):
    """Weights, optimizer slots, counters, noise and data order, bit for bit in fresh processes."""
    whole = train(name, tmp_path / "whole", 0, 3, ordinary)
    train(name, tmp_path / "parts", 0, 1, ordinary)
    resumed = train(name, tmp_path / "parts", 1, 3, ordinary)
    assert len(whole) == len(resumed)
    for value, expected in zip(resumed, whole, strict=True):
        np.testing.assert_array_equal(value, expected)


class TestReplicas:
    """Two replicas at the same global batch equal one, to 1e-5 of the largest weight."""

    # Under batch normalization steps of 0.5 amplify rounding: 3e-8 after the first, 2e-5 after six.
    RATES = {None: 0.5, "synchronized": 0.1}

    def train(self, strategy, name, normalization):
        with strategy.scope():
            model = build(name, normalization=normalization)
            model.compile(keras.optimizers.SGD(self.RATES[normalization]))
        images, labels = digits(39)
        history = model.fit(images, labels, batch_size=16, epochs=2, verbose=0)
        return model, history.history

    @pytest.mark.parametrize(
        ("name", "normalization"),
        [("gan_digits", None), ("iwcgan_digits", None), ("iwcgan_digits", "synchronized")],
    )
    def test_equal_one(self, name, normalization, replicas):
        """39 images in batches of 16: the last one, of 7, splits into 4 and 3."""
        one, one_logs = self.train(tf.distribute.get_strategy(), name, normalization)
        two, two_logs = self.train(replicas, name, normalization)
        for value, expected in zip(two.get_weights(), one.get_weights(), strict=True):
            assert np.abs(value - expected).max() <= 1e-5 * max(1, np.abs(expected).max())
        for key, values in one_logs.items():
            np.testing.assert_allclose(two_logs[key], values, rtol=1e-4)

    def test_average_and_fused_adam_under_replicas(self, replicas):
        with replicas.scope():
            model = build("cgan_digits")
        images, labels = digits()
        model.fit(images, labels, verbose=0)
        assert model.steps.numpy() == 2
        assert all(np.isfinite(weight).all() for weight in model.get_weights())


class TestAverage:
    def test_follows_theta_and_its_batch_statistics(self):
        model = build("gan_digits", average=0.75)
        expected = [weight.copy() for weight in model.theta.get_weights()]
        images, _ = digits(32)
        for step in range(1, 30):
            model.train_on_batch(images)
            decay = min(0.75, (1 + step) / (10 + step))
            expected = [
                decay * old + (1 - decay) * new
                for old, new in zip(expected, model.theta.get_weights(), strict=True)
            ]
        for value, mean in zip(model.theta_average.get_weights(), expected, strict=True):
            np.testing.assert_allclose(value, mean, rtol=1e-4, atol=1e-6)

    def test_is_sampled_saved_and_released(self, tmp_path):
        model = build("gan_digits", average=0.9)
        images, _ = digits()
        model.fit(images, verbose=0)
        samples = model.sample(4)
        assert np.abs(samples - model.theta(model.prior(4, 0)).numpy()).max() > 0
        model.save(tmp_path / "m.keras")
        np.testing.assert_array_equal(zoo.load(tmp_path / "m.keras").sample(4), samples)
        released = model.release()
        np.testing.assert_array_equal(released.sample(4), samples)
        for value, mean in zip(
            released.theta.get_weights(), model.theta_average.get_weights(), strict=True
        ):
            np.testing.assert_array_equal(value, mean)
        assert not released.optimizer.built

    @pytest.mark.parametrize("average", [0, 1, 1.5, -0.1])
    def test_decay_lies_between_0_and_1(self, average):
        with pytest.raises(ValueError, match="average must be None, or a decay between 0 and 1"):
            build("gan_digits", average=average)


class TestKerasWays:
    def test_callbacks(self, tmp_path):
        images, labels = digits()
        model = build("gan_digits")
        callbacks = [
            keras.callbacks.ModelCheckpoint(tmp_path / "{epoch}.keras"),
            keras.callbacks.EarlyStopping("val_phi", patience=0, mode="max", min_delta=100.0),
            keras.callbacks.TensorBoard(tmp_path / "logs", write_graph=False),
        ]
        history = model.fit(
            images, labels, validation_split=0.25, epochs=9, callbacks=callbacks, verbose=0
        )
        assert len(history.epoch) == 2  # nothing improves by 100 nats
        assert zoo.load(tmp_path / "2.keras").sample(1).shape == (1, 8, 8, 1)
        assert list((tmp_path / "logs" / "train").iterdir())

    def test_backup_and_restore_goes_on_from_weights_and_slots(self, tmp_path):
        """An interrupted fit, begun again by another model, ends with the weights of an unbroken one."""
        images, _ = digits()

        class Interrupt(keras.callbacks.Callback):
            def on_epoch_begin(self, epoch, logs=None):
                if epoch == 2:
                    raise KeyboardInterrupt

        def backup():
            return keras.callbacks.BackupAndRestore(tmp_path / "backup")

        whole = build("gan_digits")
        whole.fit(images, epochs=3, verbose=0)
        broken = build("gan_digits")
        with pytest.raises(KeyboardInterrupt):
            broken.fit(images, epochs=3, verbose=0, callbacks=[backup(), Interrupt()])
        again = build("gan_digits", seed=0)
        again.fit(images, epochs=3, verbose=0, callbacks=[backup()])
        assert int(again.epochs) == 3
        for value, expected in zip(again.get_weights(), whole.get_weights(), strict=True):
            np.testing.assert_allclose(value, expected, rtol=1e-4, atol=1e-5)

    def test_steps_per_execution_changes_nothing(self):
        images, _ = digits()
        weights = []
        for steps in (1, 4):
            model = build("iwgan_digits")
            model.compile(keras.optimizers.SGD(0.1), steps_per_execution=steps)
            model.fit(images, batch_size=8, epochs=2, verbose=0)
            weights.append(model.get_weights())
        for value, expected in zip(*weights, strict=True):
            np.testing.assert_allclose(value, expected, rtol=1e-4, atol=1e-6)

    def test_evaluation_is_repeatable(self):
        images, _ = digits()
        model = build("gan_digits")
        first, second = (model.evaluate(images, verbose=0, return_dict=True) for _ in range(2))
        assert first == second

    def test_epochs_differ_in_order_and_noise(self):
        """At rate 0 nothing moves but the batches and the noise, which no two epochs share."""
        images, _ = digits()
        model = build("gan_digits")
        model.compile(keras.optimizers.SGD(0.0))
        history = model.fit(images, epochs=3, verbose=0).history["theta"]
        assert len(set(history)) == 3

    @pytest.mark.parametrize("name", ["iwgan_digits", "resnet_digits"])
    def test_mixed_bfloat16(self, name):
        images, labels = digits()
        keras.mixed_precision.set_global_policy("mixed_bfloat16")
        try:
            model = build(name)
            history = model.fit(images, labels, epochs=3, verbose=0)
        finally:
            keras.mixed_precision.set_global_policy("float32")
        assert {weight.dtype for weight in model.get_weights()} <= {
            np.dtype("float32"),
            np.dtype("int64"),
        }
        assert np.isfinite(list(history.history.values())).all()

    def test_weights_of_examples_are_refused(self):
        images, _ = digits()
        with pytest.raises(ValueError, match="Received: sample_weight is not None"):
            build("gan_digits").fit(images, sample_weight=np.ones(64))

    def test_a_subclass_states_objectives_and_endpoints(self):
        with pytest.raises(TypeError, match="abstract"):
            tfgen.Unified({}, (8, 8, 1))

    def test_configuration_is_plain_data(self):
        assert json.loads(json.dumps(build("iwcgan_digits").get_config()))["seed"] == 0
