"""`tfgen reproduce`: cells and controls, runs that survive, a plan that only looks."""

import os
import re
import signal
import subprocess
import sys

import keras
import numpy as np
import pytest
import tensorflow as tf
from click.testing import CliRunner
from numpy.testing import assert_allclose
from recorded import record

import tfgen
import zoo
from tfgen import networks
from tfgen.evaluation import paired
from zoo import registry
from zoo.cli import main
from zoo.preset import provenance
from zoo.studies.reproduce import controls, plan, records, run
from zoo.studies.reproduce.cells import INFINITE, TABLES, TRAINING_IMAGES, Cell, cells


@pytest.fixture(autouse=True)
def _models(monkeypatch):
    """A copy of the zoo's list, to which runs add their controls."""
    monkeypatch.setattr(registry, "MODELS", dict(registry.MODELS))


# ---- cells -------------------------------------------------------------------------------------


def test_the_arms_of_a_cell_differ_in_their_transfer_alone():
    for scale in ("here", "paper"):
        for cell in cells(scale).values():
            base = cell.arms[cell.claim[1]]
            for arm, recipe in cell.arms.items():
                if recipe["model"] == "Classifier":
                    continue
                assert recipe["training"] == base["training"], arm
                assert recipe["data"] == base["data"], arm
                assert "held_out" not in recipe["data"]
                added = set(recipe["build"].items()) - set(base["build"].items())
                assert {key for key, _ in added} <= {
                    "importance_weighted",
                    "adversary",
                    "temperature",
                }


def test_every_cell_of_a_table_is_there_and_has_seeds_enough_for_a_test():
    for table in TABLES.values():
        for name in table.cells:
            cell = cells()[name]
            assert cell.seeds >= paired.FEWEST
            assert {*cell.claim, *sum(cell.controls, ())} <= set(cell.arms)


def test_the_scale_of_the_paper_has_its_widths():
    found = cells("paper")
    assert found["gan_mnist"].arms["GAN"]["build"]["width"] == 64
    assert found["vae_mnist"].arms["VAE"]["build"]["latent_dim"] == 100
    with pytest.raises(ValueError, match="scale must be one of"):
        cells("large")


# ---- controls ----------------------------------------------------------------------------------


def gradient_of_theta(kind, **arguments):
    """theta's gradient on one batch, as a flat array, and the logits of its samples."""
    keras.utils.set_random_seed(0)
    theta = networks.mlp_generator((8, 8, 1), 4, 16)
    phi = networks.mlp_discriminator((8, 8, 1), 16, 1)
    for weight in phi.trainable_variables:
        weight.assign(weight * 3)  # logits that differ
    model = kind(theta, phi, **arguments)
    images = tf.random.stateless_uniform([32, 8, 8, 1], [0, 1])
    with tf.GradientTape() as tape:
        objective = model.objectives(images)["theta"]
    found = tape.gradient(objective, theta.trainable_variables)
    return np.concatenate([g.numpy().ravel() for g in found])


def test_the_minimax_control_has_the_direction_of_iwgan():
    minimax = gradient_of_theta(controls.MinimaxGAN)
    weighted = gradient_of_theta(zoo.GAN, importance_weighted=True)
    plain = gradient_of_theta(zoo.GAN)

    def cosine(one, other):
        return one @ other / np.linalg.norm(one) / np.linalg.norm(other)

    assert cosine(minimax, weighted) > 1 - 1e-6
    assert cosine(minimax, plain) < 1 - 1e-6


@pytest.mark.parametrize("values", [[1.7], [1.7, -0.4, 0.2, -3.0]])
def test_the_minimax_control_has_the_size_of_the_gan(values):
    """The coefficients of all samples' gradients have the sum that the GAN's have."""
    logits = tf.Variable(values)
    keras.utils.set_random_seed(0)
    theta = networks.mlp_generator((8, 8, 1), 4, 16)
    model = controls.MinimaxGAN(theta, networks.mlp_discriminator((8, 8, 1), 16, 1))
    with tf.GradientTape(persistent=True) as tape:
        control = model.expectation(None, logits)
        plain = -tf.reduce_mean(tf.math.softplus(-logits))
    sums = [tf.reduce_sum(tape.gradient(value, logits)) for value in (control, plain)]
    assert_allclose(*sums, rtol=1e-6)


def test_infinite_temperature_weighs_every_image_by_a_half():
    weights = tfgen.objectives.activation_weights(tf.constant([-80.0, 0.0, 80.0]), INFINITE)
    np.testing.assert_array_equal(weights, 0.5)


def test_the_classifier_alone_starts_as_the_classifier_of_the_svae():
    controls.register()
    arms = cells()["svae_mnist_1pct"].arms
    digests = {}
    for arm in ("SVAE", "classifier alone"):
        recipe = {**arms[arm], "data": {"name": "digits"}}
        digests[arm] = run.starting_weights(recipe, 3)
    assert digests["SVAE"]["omega"] == digests["classifier alone"]["omega"]


# ---- runs --------------------------------------------------------------------------------------

SMALL = {
    "model": "GAN",
    "data": {"name": "digits", "fraction": 0.1},
    "build": {"width": 4, "latent_dim": 8, "average": 0.9},
    "training": {
        "epochs": 3,
        "batch_size": 64,
        "learning_rate": 1e-3,
        "beta_1": 0.5,
        "decay": None,
    },
}
WEIGHTED = {**SMALL, "build": {**SMALL["build"], "importance_weighted": True}}
CELL = Cell("gan_digits", "digits", {"GAN": SMALL, "IWGAN": WEIGHTED}, ("IWGAN", "GAN"), (), 6)

# Does both arms with seed 0, killing itself at the move of checkpoint number argv[1].
PROCESS = """
import os, signal, sys
from pathlib import Path
import tensorflow as tf
import test_reproduce
from zoo.studies.reproduce import run

left, replace = int(sys.argv[1]), os.replace

def replace_or_die(source, target):
    global left
    if str(target).endswith("checkpoint.keras"):
        left -= 1
        if left == 0:
            os.kill(os.getpid(), signal.SIGKILL)
    replace(source, target)

os.replace = replace_or_die
tf.config.experimental.enable_op_determinism()
for arm in sys.argv[3:]:
    run.run(test_reproduce.CELL, arm, 0, "here", Path(sys.argv[2]), samples=20)
"""


def process(killed_at, folder, *arms):
    path = os.pathsep.join(["tests", os.environ.get("PYTHONPATH", "")])
    command = [sys.executable, "-c", PROCESS, str(killed_at), str(folder), *arms]
    return subprocess.run(command, check=False, env={**os.environ, "PYTHONPATH": path}).returncode


def test_a_killed_run_goes_on_and_its_record_is_that_of_an_unstopped_one(tmp_path):
    assert process(2, tmp_path / "killed", "GAN") == -signal.SIGKILL
    assert not records.read(tmp_path / "killed" / "records", "gan_digits")
    assert process(0, tmp_path / "killed", "GAN") == 0
    assert process(0, tmp_path / "whole", "GAN", "IWGAN") == 0
    [killed] = records.read(tmp_path / "killed" / "records", "gan_digits")
    whole, weighted = records.read(tmp_path / "whole" / "records", "gan_digits")
    same = ("cell", "arm", "seed", "scale", "recipe", "start", "data", "steps", "scores")
    assert {key: killed[key] for key in same} == {key: whole[key] for key in same}
    assert killed["scores"]["fid"] != killed["scores"]["average_fid"]
    assert (weighted["start"], weighted["data"]) == (whole["start"], whole["data"])
    assert weighted["scores"] != whole["scores"]
    assert not list((tmp_path / "whole" / "runs").iterdir())
    left = list(plan.pending_runs([CELL], 2, "here", tmp_path / "whole"))
    assert [(found.arm, found.seed) for found in left] == [("GAN", 1), ("IWGAN", 1)]


PARENT = """
import os, subprocess, sys
code = '''
import signal, sys
from zoo.studies.reproduce import run
def wait(*_):
    print("up", flush=True)
    signal.pause()
run.run = wait
run.main("gan_digits", "GAN", "0", "here", "runs", sys.argv[1])
'''
subprocess.run([sys.executable, "-c", code, str(os.getpid())])
"""


def test_a_run_ends_with_the_command_that_started_it():
    with subprocess.Popen([sys.executable, "-c", PARENT], stdout=subprocess.PIPE) as parent:
        assert parent.stdout.readline() == b"up\n"
        parent.kill()
        assert parent.stdout.read() == b""  # the run's end of the pipe closes with it


def with_recipes(arms, **changes):
    """Records of a cell's arms, by this machine."""
    place = {"machine": provenance.machine(), "versions": provenance.versions()}
    return [record(arm, recipe=CELL.arms[arm], **place, **changes) for arm in arms]


def planned(folder, seeds=1):
    return [(r.arm, r.seed) for r in plan.pending_runs([CELL], seeds, "here", folder)]


def test_arms_of_another_machine_do_not_complete_a_seed(tmp_path):
    other = {"machine": {"processor": "Q", "cores": 1}}
    for found in with_recipes(["GAN", "IWGAN"]):
        records.append(tmp_path / "other", {**found, **other})
        if found["arm"] == "GAN":
            records.append(tmp_path / "half" / "records", {**found, **other})
        else:
            records.append(tmp_path / "half" / "records", found)
    assert planned(tmp_path / "half") == [("GAN", 0)]
    (tmp_path / "other").rename(tmp_path / "records")
    assert planned(tmp_path) == []  # one machine has all arms


def test_records_of_other_settings_are_refused_before_any_run(tmp_path):
    [found] = with_recipes(["GAN"])
    changed = {**found["recipe"], "training": {**found["recipe"]["training"], "epochs": 99}}
    records.append(tmp_path / "records", {**found, "recipe": changed})
    with pytest.raises(
        ValueError, match="another recipe of GAN, seed 0, in the records of gan_dig"
    ):
        planned(tmp_path)


def test_a_cell_named_twice_is_planned_once():
    [found] = plan.choose_cells("table2", ("gan_digits", "gan_digits"), "here")
    assert found.name == "gan_digits"


def test_a_run_that_fails_does_not_stop_the_others(tmp_path, monkeypatch):
    done = []

    def execute(run, *_):
        done.append((run.arm, run.seed))
        return run.arm != "IWGAN"

    monkeypatch.setattr(plan, "execute", execute)
    ended = invoke("table2", "--cell", "gan_digits", "--seeds", 2, "--out", tmp_path)
    assert ended.exit_code == 1
    assert len(done) == 6
    assert "| digits |" in ended.output
    assert "| MNIST |" not in ended.output  # no cell that was not asked for
    assert "failed: gan_digits, IWGAN, seed 0; gan_digits, IWGAN, seed 1" in ended.output


def test_a_run_that_is_no_pair_ends_before_its_first_step(tmp_path):
    [found] = with_recipes(["GAN"], data="other images")
    records.append(tmp_path / "records", found)
    with pytest.raises(ValueError, match="must learn from the same images"):
        run.run(CELL, "IWGAN", 0, "here", tmp_path)
    assert not (tmp_path / "runs").exists()


def test_a_run_needs_no_pair_among_those_of_other_versions(tmp_path, monkeypatch):
    other = {"versions": {"tensorflow": "1.0"}, "data": "other images"}
    for found in with_recipes(["GAN"]):
        records.append(tmp_path / "records", {**found, **other})
    monkeypatch.setattr(run.training, "train", lambda *_, **__: pytest.exit("trains"))
    assert planned(tmp_path) == [("GAN", 0), ("IWGAN", 0)]
    with pytest.raises(pytest.exit.Exception, match="trains"):
        run.run(CELL, "IWGAN", 0, "here", tmp_path)


# ---- the command -------------------------------------------------------------------------------


def invoke(*arguments):
    return CliRunner().invoke(main, ["reproduce", *map(str, arguments)])


def test_a_plan_on_a_fresh_machine_has_hours_and_starts_nothing(tmp_path, monkeypatch):
    monkeypatch.setenv("TFDS_DATA_DIR", str(tmp_path / "empty"))
    cell = "vae_mnist_1pct"
    ended = invoke("table3", "--plan", "--seeds", 1, "--out", tmp_path / "out", "--cell", cell)
    assert ended.exit_code == 0, ended.output
    assert "mnist is not on disk: its first run downloads it" in ended.output
    assert "1,200" in ended.output  # steps: 10 batches an epoch
    rows = re.findall(r"^ vae_mnist_1pct .* 1,200 +(\d+\.\d\d)$", ended.output, re.M)
    [total] = re.findall(r"^5 runs, (\d+\.\d) hours of training,", ended.output, re.M)
    assert len(rows) == 5
    assert float(total) == pytest.approx(sum(map(float, rows)), abs=0.05 + 5 * 0.005)  # rounded
    assert not (tmp_path / "out").exists()


def test_a_plan_says_which_samples_cannot_be_scored():
    ended = invoke("table2", "--plan", "--cell", "gan_svhn", "--out", "new")
    assert ended.exit_code == 0, ended.output
    assert "not run here: no evaluator of svhn_cropped" in ended.output
    assert ended.output.splitlines()[-1].startswith("0 runs, 0.0 hours")


def test_cells_that_cannot_be_scored_are_an_error_that_says_how_they_can(tmp_path):
    ended = invoke("table2", "--cell", "gan_svhn", "--out", tmp_path / "out")
    assert ended.exit_code == 1
    assert "gan_svhn is not run: No evaluator for this data set in" in ended.output
    assert "tfgen train resnet_mnist --data svhn_cropped" in ended.output
    assert not (tmp_path / "out").exists()


def test_a_data_set_that_cannot_be_had_is_an_error_before_any_run(tmp_path, monkeypatch):
    def refuse(name, split):
        raise FileNotFoundError(f"Data set {name!r} could not be downloaded")

    monkeypatch.setenv("TFDS_DATA_DIR", str(tmp_path / "empty"))
    monkeypatch.setattr(tfgen.data, "arrays", refuse)
    monkeypatch.setattr(plan, "execute", lambda *_: pytest.fail("runs"))
    ended = invoke("table4", "--out", tmp_path / "out")
    assert ended.exit_code == 1
    assert "Data set 'mnist' could not be downloaded" in ended.output


@pytest.mark.parametrize("name", ["digits", "mnist", "cifar10"])
def test_runs_are_planned_from_the_number_of_training_images(name):
    """The number that the evaluator's card had from the data set itself, which may not be here."""
    assert zoo.card(f"resnet_{name}")["data"]["splits"]["train"] == TRAINING_IMAGES[name]


def test_a_plan_has_hours_from_a_timed_step(tmp_path):
    ended = invoke(
        "table2", "--plan", "--seeds", 2, "--cell", "gan_digits", "--out", tmp_path / "out"
    )
    assert ended.exit_code == 0, ended.output
    assert "minimax GAN" in ended.output
    assert "3,450" in ended.output  # 23 batches an epoch
    assert "6 runs, 0." in ended.output


def test_a_folder_with_runs_is_gone_on_with_only_if_asked(tmp_path):
    (tmp_path / "records").mkdir()
    ended = invoke("table2", "--out", tmp_path)
    assert ended.exit_code == 1
    assert "--resume continues" in ended.output
