"""Runs on 150 digits with tiny networks: what a folder holds, and that a stop changes nothing."""

import copy
import json
import os
import shutil
import signal
import subprocess
import sys

import keras
import numpy as np
import pytest
import small
import tensorflow as tf
from PIL import Image

import tfgen
import zoo
from zoo.preset.run import Run

# Trains by the command line; argument 1 is the recipe, argument 2 the number of the checkpoint at
# whose move into place the process kills itself (0: none), the others are the commands' arguments.
PROCESS = """
import json, os, signal, sys
import zoo.recipes
from zoo import cli

zoo.recipes.digits.RECIPES["small"] = json.loads(sys.argv[1])
left, replace = int(sys.argv[2]), os.replace

def replace_or_die(source, target):
    global left
    left -= str(target).endswith("checkpoint.keras")
    if left == 0:
        os.kill(os.getpid(), signal.SIGKILL)
    replace(source, target)

if left:
    os.replace = replace_or_die
for arguments in json.loads(sys.argv[3]):
    cli.main(arguments, standalone_mode=False)
"""


def process(recipe, killed_at, *commands):
    arguments = [json.dumps(recipe), str(killed_at), json.dumps(commands)]
    return subprocess.run([sys.executable, "-c", PROCESS, *arguments], check=False).returncode


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    out = tmp_path_factory.mktemp("runs") / "gan"
    small.train(small.GAN, out, seed=3)
    return out


def assert_equal(model, expected):
    for value, other in zip(small.flat(model), small.flat(expected), strict=True):
        np.testing.assert_array_equal(value, other)


def test_a_run_leaves_a_record_of_each_epoch(finished):
    model = small.load_checkpoint(finished)
    history = Run(finished).recorded_epochs
    assert int(model.epochs) == 2
    assert int(model.steps) == 2 * 3
    assert [set(line) for line in history] == [{"epoch", "seconds", "theta", "phi"}] * 2
    assert [line["epoch"] for line in history] == [1, 2]
    for name in ("epoch_001.png", "epoch_002.png"):
        with Image.open(finished / "samples" / name) as grid:
            assert grid.size[0] == 10 * (64 + 2) + 2  # a column per class
    assert any((finished / "logs").rglob("events.out.tfevents.*"))
    assert not any(path.name.startswith(".") for path in finished.rglob("*"))


def test_a_run_records_how_it_was_made(finished):
    record = Run(finished).record
    assert record.recipe == small.GAN
    assert (record.name, record.seed, record.init) == (None, 3, None)
    assert record.versions["keras"] == keras.__version__
    assert record.versions["tfgen"] == tfgen.__version__
    assert record.machine["cores"] == len(os.sched_getaffinity(0))
    assert record.machine["processor"]


def test_products_in_bfloat16_are_asked_for_and_recorded(tmp_path, monkeypatch):
    asked = []

    def wanted():
        options = tf.config.optimizer.get_experimental_options()
        return options.get("auto_mixed_precision_onednn_bfloat16", False)

    monkeypatch.setattr(tfgen.Unified, "fit", lambda *_, **__: asked.append(wanted()))
    small.train(small.GAN, tmp_path / "reduced", bfloat16=True)
    small.train(small.GAN, tmp_path / "reduced", resume=True)
    small.train(small.GAN, tmp_path / "whole")
    assert asked == [True, True, False]
    assert not wanted()
    assert Run(tmp_path / "reduced").record.bfloat16 is True
    assert Run(tmp_path / "whole").record.bfloat16 is False


def test_on_a_gpu_networks_are_built_in_bfloat16_and_released_in_float32(tmp_path, monkeypatch):
    monkeypatch.setattr(tfgen.Unified, "fit", lambda *_, **__: None)
    devices = tf.config.list_physical_devices()
    monkeypatch.setattr(tf.config, "list_physical_devices", lambda kind=None: devices)
    model = small.train(small.GAN, tmp_path / "reduced", bfloat16=True)
    computed = {layer.compute_dtype for layer in model.theta.layers}
    assert "bfloat16" in computed
    assert {weight.dtype for weight in model.theta.weights} == {"float32"}
    released = model.release()
    assert {layer.compute_dtype for layer in released.theta.layers} == {"float32"}
    np.testing.assert_array_equal(released.theta.get_weights()[0], model.sampler.get_weights()[0])
    assert keras.config.dtype_policy().name == "float32"
    whole = small.train(small.GAN, tmp_path / "whole")
    assert {layer.compute_dtype for layer in whole.theta.layers} == {"float32"}


def test_the_seed_decides_the_starting_weights(tmp_path, monkeypatch):
    monkeypatch.setattr(tfgen.Unified, "fit", lambda *_, **__: None)
    first, same, other = (
        np.concatenate(
            [w.ravel() for w in small.train(small.GAN, tmp_path / name, seed=seed).get_weights()]
        )
        for name, seed in (("first", 3), ("same", 3), ("other", 4))
    )
    np.testing.assert_array_equal(first, same)
    assert (first != other).mean() > 0.9


def test_a_killed_and_resumed_run_equals_an_unstopped_one(tmp_path):
    recipe = {**small.GAN, "training": {**small.GAN["training"], "epochs": 3}}
    killed, unstopped = tmp_path / "killed", tmp_path / "unstopped"
    command = ["train", "small", "--seed", "5", "--out"]

    assert process(recipe, 2, [*command, str(killed)]) == -signal.SIGKILL
    assert [line["epoch"] for line in Run(killed).recorded_epochs] == [1, 2]
    assert int(small.load_checkpoint(killed).epochs) == 1
    assert any(killed.glob(".*.keras"))  # the checkpoint that was not moved

    assert process(recipe, 0, [*command, str(killed), "--resume"], [*command, str(unstopped)]) == 0
    model, expected = map(small.load_checkpoint, (killed, unstopped))
    assert int(model.epochs) == 3
    assert_equal(model, expected)
    histories = [Run(run).recorded_epochs for run in (killed, unstopped)]
    for lines in histories:
        assert [line["epoch"] for line in lines] == [1, 2, 3]
        for line in lines:
            assert line.pop("seconds") > 0
    assert histories[0] == histories[1]
    assert not any(killed.glob(".*"))


@pytest.fixture(scope="module")
def stopped(tmp_path_factory):
    """A run that images held out stopped before its last epoch."""
    out = tmp_path_factory.mktemp("runs") / "vae"
    return out, small.train(small.VAE, out)


def test_a_run_stops_when_the_held_out_bound_has_not_risen(stopped):
    out, model = stopped
    bounds = [line["val_bound"] for line in Run(out).recorded_epochs]
    best = int(np.argmax(bounds)) + 1
    assert best + 2 == len(bounds) < 30
    assert int(model.epochs) == Run(out).best_epoch == best
    assert int(small.load_checkpoint(out).epochs) == len(bounds)


def test_the_best_epoch_is_the_one_that_is_kept(stopped):
    """Evaluated again, by other draws of z, on the same held-out images: near the recorded bound."""
    out, model = stopped
    _, held_out = tfgen.data.load_with_validation(**small.VAE["data"], batch_size=64, seed=0)
    recorded = max(line["val_bound"] for line in Run(out).recorded_epochs)
    again = model.evaluate(held_out, verbose=0, return_dict=True)["bound"]
    assert abs(again - recorded) < 0.3
    assert abs(small.load_checkpoint(out).steps - model.steps) == 2 * 2  # batches of 64 in 120


def test_a_run_that_stopped_early_is_resumed_by_doing_nothing(stopped):
    out, model = stopped
    before = [(out / name).read_bytes() for name in ("checkpoint.keras", "best.keras")]
    assert_equal(small.train(small.VAE, out, resume=True), model)
    assert [(out / name).read_bytes() for name in ("checkpoint.keras", "best.keras")] == before


def test_early_stopping_goes_on_exactly_after_a_kill(stopped, tmp_path):
    out, model = stopped
    command = ["train", "small", "--out", str(tmp_path / "run")]
    recipe = small.VAE
    assert process(recipe, 2, command) == -signal.SIGKILL
    assert process(recipe, 4, [*command, "--resume"]) in (0, -signal.SIGKILL)
    assert process(recipe, 0, [*command, "--resume"]) == 0
    histories = [Run(run).recorded_epochs for run in (tmp_path / "run", out)]
    bounds = [[line["val_bound"] for line in lines] for lines in histories]
    np.testing.assert_allclose(*bounds, rtol=1e-3)  # `stopped` ran without determinism
    kept = zoo.load(tmp_path / "run" / "best.keras")
    assert int(kept.epochs) == int(model.epochs)


def test_a_run_with_a_constant_rate_may_be_extended(finished, tmp_path):
    short = {**small.GAN, "training": {**small.GAN["training"], "epochs": 1}}
    small.train(short, tmp_path, seed=3)
    model = small.train(short, tmp_path, seed=3, epochs=2, resume=True)
    assert_equal(model, small.load_checkpoint(finished))
    assert Run(tmp_path).record.recipe == small.GAN


def test_a_finished_run_is_resumed_by_doing_nothing(finished):
    before = (finished / "checkpoint.keras").read_bytes()
    model = small.train(small.GAN, finished, seed=3, resume=True)
    assert_equal(model, small.load_checkpoint(finished))
    assert (finished / "checkpoint.keras").read_bytes() == before


def test_resuming_an_empty_folder_begins_a_run(tmp_path, monkeypatch):
    monkeypatch.setattr(tfgen.Unified, "fit", lambda *_, **__: None)
    (tmp_path / ".abcd1234.json").write_text("{")  # killed while writing run.json
    small.train(small.GAN, tmp_path, resume=True)
    assert [path.name for path in tmp_path.iterdir()] == ["run.json"]


def test_an_interrupted_checkpoint_leaves_the_good_one(finished, tmp_path, monkeypatch):
    run = shutil.copytree(finished, tmp_path / "run")
    good = (run / "checkpoint.keras").read_bytes()

    def interrupted(self, path, **_):
        path.write_bytes(good[:1000])
        raise KeyboardInterrupt

    monkeypatch.setattr(keras.Model, "save", interrupted)
    with pytest.raises(KeyboardInterrupt):
        small.train(small.GAN, run, seed=3, epochs=3, resume=True)
    assert (run / "checkpoint.keras").read_bytes() == good
    assert [line["epoch"] for line in Run(run).recorded_epochs] == [1, 2, 3]
    monkeypatch.undo()
    small.train(small.GAN, run, seed=3, resume=True)  # does the third epoch again
    assert [line["epoch"] for line in Run(run).recorded_epochs] == [1, 2, 3]
    assert int(small.load_checkpoint(run).epochs) == 3


def test_a_truncated_checkpoint_is_refused(finished, tmp_path):
    (tmp_path / "run.json").write_bytes((finished / "run.json").read_bytes())
    whole = (finished / "checkpoint.keras").read_bytes()
    (tmp_path / "checkpoint.keras").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(ValueError, match=r"checkpoint\.keras, damaged.* start the run again"):
        small.train(small.GAN, tmp_path, seed=3, resume=True)


def test_a_run_learns_from_the_data_set_and_not_from_a_folder_of_its_name(tmp_path, monkeypatch):
    monkeypatch.setattr(tfgen.Unified, "fit", lambda *_, **__: None)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "digits").mkdir()
    for run, data in (("one", None), ("other", "digits")):
        small.train(small.GAN, tmp_path / run, data=data)
        assert Run(tmp_path / run).record.recipe["data"]["name"] == "digits"


def test_a_run_starts_from_the_networks_of_another(finished, tmp_path, monkeypatch):
    monkeypatch.setattr(tfgen.Unified, "fit", lambda *_, **__: None)
    source = small.load_checkpoint(finished)
    model = small.train(small.GAN, tmp_path, init=finished / "checkpoint.keras")
    for name, network in model.players.items():
        expected = source.players[name].get_weights()
        for value, other in zip(network.get_weights(), expected, strict=True):
            np.testing.assert_array_equal(value, other)
    for value, other in zip(
        model.theta_average.get_weights(), model.theta.get_weights(), strict=True
    ):
        np.testing.assert_array_equal(value, other)
    assert (int(model.epochs), int(model.steps)) == (0, 0)
    assert Run(tmp_path).record.init == str(finished / "checkpoint.keras")


def test_a_run_starts_from_a_model_of_its_own_class(finished, tmp_path):
    with pytest.raises(ValueError, match="init must be a ResNet"):
        small.train(small.RESNET, tmp_path / "run", init=finished / "checkpoint.keras")
    assert not (tmp_path / "run").exists()


def test_a_full_folder_is_refused_and_left_alone(finished, tmp_path):
    with pytest.raises(FileExistsError, match="must be new or empty"):
        small.train(small.GAN, finished, seed=3)
    (tmp_path / "letters.txt").write_text("mine")
    with pytest.raises(FileExistsError, match=r"must hold run\.json"):
        small.train(small.GAN, tmp_path, resume=True)
    assert [path.name for path in tmp_path.iterdir()] == ["letters.txt"]


WIDER = copy.deepcopy(small.GAN)
WIDER["build"]["width"] = 8


@pytest.mark.parametrize(
    ("recipe", "arguments"),
    [
        (small.GAN, {"seed": 4}),
        (small.GAN, {"seed": 3, "data": "mnist"}),
        (small.GAN, {"seed": 3, "epochs": 1}),
        (small.GAN, {"seed": 3, "init": "iwgan_digits"}),
        (small.GAN, {"seed": 3, "bfloat16": True}),
        (WIDER, {"seed": 3}),
    ],
)
def test_a_run_goes_on_only_as_it_was_begun(finished, recipe, arguments):
    before = (finished / "run.json").read_bytes()
    with pytest.raises(ValueError, match="A resumed run must have the arguments"):
        small.train(recipe, finished, resume=True, **arguments)
    assert (finished / "run.json").read_bytes() == before


def test_a_decaying_rate_is_not_extended(tmp_path, monkeypatch):
    monkeypatch.setattr(tfgen.Unified, "fit", lambda *_, **__: None)
    small.train(small.RESNET, tmp_path)
    with pytest.raises(ValueError, match="constant learning rate"):
        small.train(small.RESNET, tmp_path, resume=True, epochs=3)


@pytest.mark.parametrize(
    ("recipe", "arguments", "rule"),
    [
        ("iwgan_digts", {}, "the nearest is 'iwgan_digits'"),
        (small.GAN, {"epochs": 0}, "epochs must be an integer from 1"),
        (small.GAN, {"epochs": 10**9}, "epochs must be an integer from 1"),
        (small.GAN, {"epochs": True}, "epochs must be an integer from 1"),
        (small.GAN, {"seed": -1}, "seed must be an integer from 0"),
        (small.GAN, {"every": 0}, "every must be an integer from 1"),
        (small.GAN, {"keep": 0}, "keep must be an integer from 1"),
        (small.GAN, {"data": "digts"}, "near this one: 'digits'"),
    ],
)
def test_bad_input_is_refused_before_anything_is_written(tmp_path, recipe, arguments, rule):
    with pytest.raises(ValueError, match=rule):
        small.train(recipe, tmp_path / "run", **arguments)
    assert not (tmp_path / "run").exists()


def test_an_unwritable_folder_is_refused_before_training(tmp_path, monkeypatch):
    monkeypatch.setattr(tfgen.Unified, "fit", lambda *_, **__: pytest.fail("trained"))
    (tmp_path / "file").write_text("")
    with pytest.raises(OSError, match="file"):
        small.train(small.GAN, tmp_path / "file" / "run")


def test_there_is_no_run_in_an_empty_folder(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"must hold run\.json"):
        Run(tmp_path).record  # noqa: B018
    assert Run(tmp_path).recorded_epochs == []


def test_every_recipe_is_plain_data():
    for recipe in zoo.RECIPES.values():
        assert json.loads(json.dumps(recipe)) == recipe
