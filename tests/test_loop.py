"""Keras' loop on models of several objectives: logs, stop at NaN, compilation."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from models import build, compiled, digits, state

import tfgen
import zoo


class TestMeans:
    def test_the_batches_do_not_matter(self):
        """At one image per batch as at 65."""
        resnet = compiled("resnet_digits")
        images, labels = digits(65)
        images = images.copy()
        images[64] = 1 - images[64]
        found = [
            resnet.evaluate(images, labels, batch_size=size, verbose=0) for size in (65, 64, 1)
        ]
        np.testing.assert_allclose(found[1:], found[:1] * 2, rtol=1e-5)

    def test_adas_domains_have_means_of_their_own(self):
        images, labels = digits(60)
        labels = np.where(np.arange(60) < 40, labels, -1)  # source first, target after
        model = compiled("ada_digits")
        found = [
            model.evaluate(images, labels, batch_size=size, verbose=0, return_dict=True)
            for size in (60, 40, 7)
        ]
        for name, value in found[0].items():
            np.testing.assert_allclose([other[name] for other in found], value, rtol=1e-4)

    def test_svaes_bound_and_accuracy(self):
        images, labels = digits(33)
        model = compiled("svae_digits_10pct")
        labels = np.where(np.arange(33) < 3, labels, -1)
        small, whole = (
            model.evaluate(images, labels, batch_size=size, verbose=0, return_dict=True)
            for size in (32, 33)
        )
        assert small["accuracy"] == pytest.approx(whole["accuracy"], abs=1e-6)


class TestNaN:
    @pytest.mark.parametrize("steps", [1, 2])
    def test_training_stops_and_names_the_player(self, steps):
        model = compiled("vae_digits", keras.optimizers.SGD(1e30), steps_per_execution=steps)
        epochs = keras.callbacks.LambdaCallback(
            on_epoch_end=lambda epoch, logs: ended.append(epoch)
        )
        ended = []
        with pytest.raises(FloatingPointError, match=r"Received: theta=(nan|-inf) at step [1-4]"):
            model.fit(digits(64)[0], epochs=5, verbose=0, batch_size=32, callbacks=[epochs])
        assert ended == []
        assert int(model.epochs) == 0


class TestCompile:
    def test_one_optimizer_for_each_player_is_saved_and_resumed_exactly(self, tmp_path):
        images, _ = digits(64)
        rates = {"theta": keras.optimizers.Adam(1e-3), "phi": keras.optimizers.SGD(0.1, 0.9)}
        whole = compiled("gan_digits", rates)
        whole.fit(images, epochs=2, verbose=0)
        broken = compiled(
            "gan_digits",
            {"theta": keras.optimizers.Adam(1e-3), "phi": keras.optimizers.SGD(0.1, 0.9)},
        )
        broken.fit(images, verbose=0)
        broken.save(tmp_path / "m.keras")
        loaded = zoo.load(tmp_path / "m.keras")
        for value, expected in zip(state(loaded), state(broken), strict=True):
            np.testing.assert_array_equal(value, expected)
        loaded.fit(images, epochs=1, verbose=0)
        for value, expected in zip(state(loaded), state(whole), strict=True):
            np.testing.assert_allclose(value, expected, rtol=1e-4, atol=1e-6)

    def test_each_player_moves_at_its_own_rate(self):
        model = compiled(
            "gan_digits", {"theta": keras.optimizers.SGD(0.0), "phi": keras.optimizers.SGD(1.0)}
        )
        before = {name: net.get_weights()[0] for name, net in model.players.items()}
        model.train_on_batch(digits(32)[0])
        assert np.abs(model.theta.get_weights()[0] - before["theta"]).max() == 0
        assert np.abs(model.phi.get_weights()[0] - before["phi"]).max() > 0

    @pytest.mark.parametrize(
        ("players", "message"),
        [
            ({"theta": "adam"}, "one per player, theta, phi. Received: theta"),
            ({"theta": "adam", "phi": "adam", "eta": "sgd"}, "Received: theta, phi, eta"),
        ],
        ids=str,
    )
    def test_optimizers_are_the_players(self, players, message):
        with pytest.raises(ValueError, match=message):
            build("gan_digits").compile(players)

    def test_two_players_do_not_share_an_optimizer(self):
        one = keras.optimizers.Adam()
        with pytest.raises(ValueError, match="Each player needs an optimizer of its own"):
            build("gan_digits").compile({"theta": one, "phi": one})

    def test_a_schedule_that_has_ended_is_said(self):
        model = compiled(
            "vae_digits", keras.optimizers.SGD(keras.optimizers.schedules.CosineDecay(0.1, 2))
        )
        model.fit(digits(64)[0], verbose=0)
        with pytest.warns(UserWarning, match="The learning rate is 0: its schedule has ended"):
            model.fit(digits(64)[0], verbose=0)

    def test_a_schedule_leaves_no_rate_to_set(self):
        model = compiled(
            "vae_digits", keras.optimizers.SGD(keras.optimizers.schedules.CosineDecay(0.1, 9))
        )
        slower = keras.callbacks.LearningRateScheduler(lambda epoch: 1e-4)
        with pytest.raises(
            ValueError, match="follows the optimizer's schedule.* Received: LearningRateS"
        ):
            model.fit(digits(64)[0], verbose=0, callbacks=[slower])


class TestManners:
    def test_numpys_scalars_are_plain_numbers(self):
        model = build("iwgan_digits", average=np.float64(0.9), seed=0)
        assert type(model.average) is float
        model.fit(digits(32)[0], verbose=0)
        model = build("aavae_digits", temperature=np.float32(2.0))
        assert type(model.temperature) is float

    def test_export_writes_the_endpoints(self, tmp_path):
        model = build("gan_digits")
        model.export(tmp_path / "exported")
        served = tf.saved_model.load(str(tmp_path / "exported")).signatures
        assert set(served) >= set(model.endpoints())
        with pytest.raises(ValueError, match="format='tf_saved_model'; other .* format='onnx'"):
            model.export(tmp_path / "onnx", format="onnx")

    def test_repr_says_the_row_and_the_parameters(self):
        model = build("iwcgan_digits")
        sizes = f"theta={model.theta.count_params():,}, phi={model.phi.count_params():,}"
        assert repr(model).startswith("<IWCGAN ")
        assert sizes in repr(model)

    def test_the_progress_bar_counts_batches(self, capsys):
        model = compiled("vae_digits", steps_per_execution=16)
        model.fit(digits(64)[0], verbose=1)
        shown = capsys.readouterr().out
        assert "2/2" in shown
        assert "16/2" not in shown

    def test_another_backend_is_refused_in_words(self, monkeypatch):
        monkeypatch.setattr(keras.backend, "backend", lambda: "torch")
        with pytest.raises(ImportError, match="TensorFlow backend.* Received: backend='torch'"):
            tfgen.checks.check_backend()
