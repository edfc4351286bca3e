"""Checks of a preset from outside: its files, its card, and its use in a fresh process."""

import dataclasses
import hashlib
import json
import os
import shlex
import shutil
import subprocess
import sys

import keras
import numpy as np
import pytest
import small
from PIL import Image

import tfgen
import zoo
from tfgen.drawing import tiles
from tfgen.evaluation.evaluator import load_reference
from zoo.preset import calibrate, paper, provenance
from zoo.preset import publish as publishing
from zoo.preset.export import export_again
from zoo.preset.run import Record
from zoo.recipes import reading

# Samples of a preset, of its .keras file and of its SavedModel, in a process of their own.
PROCESS = """
import sys
import numpy as np
import tensorflow as tf

preset, out = sys.argv[1:]
served = tf.saved_model.load(preset + "/1")
draw = served.signatures["sample_labels"]
labels = np.array([3, 1, 4], "int32")
images = [draw(labels=tf.constant(labels), seed=tf.constant(9))["images"].numpy()]

import keras
import zoo.models.gan

for model in (keras.saving.load_model(preset + "/model.keras", compile=False), zoo.load(preset)):
    images.append(model.sample(3, seed=9, labels=labels))
np.save(out, images)
"""


@pytest.fixture
def card(presets):
    return json.loads((presets / "cgan_small" / "card.json").read_text())


def test_a_preset_holds_what_it_should(presets):
    common = ["1", "README.md", "card.json", "model.keras", "samples.png"]
    for name, more in (("cgan_small", []), ("resnet_small", ["reference.npz"])):
        names = sorted(path.name for path in (presets / name).iterdir())
        assert names == sorted([*common, *more])
        assert (presets / name / "1" / "saved_model.pb").is_file()


def test_the_card_has_the_checksum_of_every_file(presets, card):
    folder = presets / "cgan_small"
    written = {
        path.relative_to(folder).as_posix(): path for path in folder.rglob("*") if path.is_file()
    }
    assert set(written) - set(card["sha256"]) == {"card.json", "README.md"}
    for name, checksum in card["sha256"].items():
        assert hashlib.sha256(written[name].read_bytes()).hexdigest() == checksum
    assert card["bytes"] == sum(written[name].stat().st_size for name in card["sha256"])


def test_the_card_says_how_the_preset_was_made(presets, card):
    assert card["recipe"] == small.GAN
    assert card["equation"] == "CGAN, Eq. 3-8 given t; section 5.1"
    assert (card["model"], card["seed"], card["epochs"]) == ("GAN", 0, 2)
    assert card["data"] == {
        "name": "digits",
        "splits": {"train": 1437, "test": 360},
        "class_names": list("0123456789"),
    }
    assert card["commands"][0] == "tfgen train --from cgan_small --seed 0 --out runs/cgan_small"
    assert card["wall_seconds"] > 0
    assert card["machine"] == provenance.machine()
    assert card["versions"] == provenance.versions()
    assert card["endpoints"] == list(zoo.load(presets / "cgan_small").endpoints())


def test_the_numbers_of_a_card_are_those_of_evaluate(presets, card):
    evaluation = card["evaluation"]
    assert (evaluation["samples"], evaluation["evaluator"]) == (40, "resnet_small")
    model = zoo.load(presets / "cgan_small")
    again = tfgen.evaluate(model, "digits", samples=40, evaluator=presets / "resnet_small")
    assert set(again) == set(evaluation["metrics"])
    for name, number in again.items():
        assert evaluation["metrics"][name] == pytest.approx(number, rel=1e-6)


def test_a_preset_is_the_average_without_slots(presets):
    model = zoo.load(presets / "cgan_small")
    trained = small.load_checkpoint(presets.parent / "gan")
    for value, mean in zip(
        model.theta.get_weights(), trained.theta_average.get_weights(), strict=True
    ):
        np.testing.assert_array_equal(value, mean)
    np.testing.assert_array_equal(model.sample(4, seed=1), trained.sample(4, seed=1))
    assert int(model.optimizer.iterations) == 0
    assert all(not slot.numpy().any() for slot in model.optimizer.variables[2:])
    images, labels = tfgen.data.arrays("digits")
    model.fit(images[:64] / np.float32(255), labels[:64], verbose=0)  # compiled, goes on


def test_a_fresh_process_makes_the_same_images_of_file_preset_and_saved_model(presets, tmp_path):
    folder = presets / "cgan_small"
    out = tmp_path / "images.npy"
    subprocess.run([sys.executable, "-c", PROCESS, str(folder), str(out)], check=True)
    expected = zoo.load(folder).sample(3, seed=9, labels=[3, 1, 4])
    served, from_file, from_preset = np.load(out)
    np.testing.assert_array_equal(from_file, expected)
    np.testing.assert_array_equal(from_preset, expected)
    np.testing.assert_allclose(served, expected, atol=1e-6)


def test_a_classifier_carries_its_reference(presets):
    card = json.loads((presets / "resnet_small" / "card.json").read_text())
    reference = load_reference(presets / "resnet_small")
    assert reference.count == 360
    accuracy = card["evaluation"]["metrics"]["accuracy"]["value"]
    assert reference.accuracy.value == pytest.approx(accuracy)


def test_pictures_show_64_labelled_tiles(presets):
    for name, columns, rows in (("cgan_small", 10, 7), ("resnet_small", 8, 8)):
        with Image.open(presets / name / "samples.png") as picture:
            assert picture.size == (columns * 66 + 2, rows * (66 + tiles.CAPTION) + 2)


def test_the_page_shows_picture_use_numbers_and_limits(presets, card):
    page = (presets / "cgan_small" / "README.md").read_text()
    assert "](samples.png)" in page
    assert 'zoo.load("cgan_small")' in page
    assert card["equation"] in page
    accuracy = card["evaluation"]["metrics"]["conditional_accuracy"]
    ceiling = card["evaluation"]["metrics"]["evaluator_accuracy"]
    row = next(line for line in page.splitlines() if line.startswith("| conditional_accuracy"))
    assert f"| {accuracy['value']:.4g} |" in row
    assert f"| {ceiling['value']:.4g} |" in row
    assert "{" not in page.replace("```", "")


def test_commands_reproduce_a_run():
    recipe = reading.apply_changes(zoo.RECIPES["gan_digits"], ["training.epochs=2"])
    record = Record("gan_digits", recipe, 3, None, False, {}, {})
    assert publishing.commands(record, "gan_digits") == [
        "tfgen train gan_digits --data digits --epochs 2 --seed 3 --out runs/gan_digits",
        "tfgen publish runs/gan_digits --name gan_digits",
    ]
    record = dataclasses.replace(record, init="my models/gan.keras", bfloat16=True)
    [line, _] = publishing.commands(record, "gan_digits")
    assert line.endswith(" --init 'my models/gan.keras' --out runs/gan_digits --bfloat16")


def test_commands_state_what_was_changed_of_a_recipe():
    changes = ["build.width=8", "data.fraction=0.5", "data.name=/my pictures"]
    recipe = reading.apply_changes(zoo.RECIPES["gan_digits"], changes)
    [line, _] = publishing.commands(Record("gan_digits", recipe, 0, None, False, {}, {}), "mine")
    words = shlex.split(line)
    assert words[:7] == [
        "tfgen",
        "train",
        "gan_digits",
        "--data",
        "/my pictures",
        "--epochs",
        "150",
    ]
    assert words[7:11] == ["--set", "data.fraction=0.5", "--set", "build.width=8"]
    again = reading.apply_changes(
        zoo.RECIPES["gan_digits"], [*words[8:11:2], "data.name=/my pictures"]
    )
    assert again == recipe


def test_commands_of_another_recipe_train_it_from_the_card():
    [line, _] = publishing.commands(Record(None, small.GAN, 1, None, False, {}, {}), "mine")
    assert line == "tfgen train --from mine --seed 1 --out runs/mine"


@pytest.mark.parametrize(
    ("name", "numbers"),
    [
        ("gan_mnist", {"inception_score_ratio": 0.917}),
        ("iwgan_mnist", {"inception_score_ratio": 0.930}),
        ("cgan_mnist", {"conditional_accuracy": 0.985}),
        ("iwcgan_mnist", {"conditional_accuracy": 0.987}),
        ("vae_mnist", {"bound": -92.53}),
        ("aacvae_mnist_1pct", {"bound": -122.88}),
        ("svae_mnist_10pct", {"bound": -99.44, "accuracy": 0.9768}),
        ("aasvae_mnist_1pct", {"bound": -107.61, "accuracy": 0.9425}),
        ("vae_digits", {}),
        ("iwgan_digits", {}),
        ("resnet_mnist", {}),
    ],
)
def test_the_papers_numbers_stand_where_they_are_apt(name, numbers):
    assert paper.numbers(zoo.RECIPES[name]) == numbers


def run_of(presets):
    return presets.parent / "gan"


def test_a_preset_is_not_replaced_unasked(presets):
    before = (presets / "cgan_small" / "card.json").read_bytes()
    with pytest.raises(FileExistsError, match="overwriting"):
        publishing.publish(run_of(presets), "cgan_small", presets)
    assert (presets / "cgan_small" / "card.json").read_bytes() == before


def test_an_interrupted_publication_leaves_the_good_preset(presets, monkeypatch):
    def interrupted(*_, **__):
        raise KeyboardInterrupt

    folder = presets / "cgan_small"
    before = {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    monkeypatch.setattr(tfgen, "evaluate", interrupted, raising=False)
    evaluator = presets / "resnet_small"
    with pytest.raises(KeyboardInterrupt):
        publishing.publish(
            run_of(presets), "cgan_small", presets, evaluator=evaluator, overwrite=True
        )
    assert before == {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    assert sorted(path.name for path in presets.iterdir()) == ["cgan_small", "resnet_small"]


def test_an_evaluator_beside_the_new_preset_scores_it(presets, tmp_path):
    shutil.copytree(presets / "resnet_small", tmp_path / "resnet_mine")
    publishing.publish(run_of(presets), "gan_mine", tmp_path, samples=40)
    card = json.loads((tmp_path / "gan_mine" / "card.json").read_text())
    assert card["evaluation"]["evaluator"] == "resnet_mine"
    assert card["data"]["class_names"] == [str(digit) for digit in range(10)]


def test_an_unfinished_run_is_refused(presets, tmp_path):
    shutil.copytree(run_of(presets), tmp_path / "run")
    path = tmp_path / "run" / "run.json"
    record = json.loads(path.read_text())
    record["recipe"]["training"]["epochs"] = 5
    path.write_text(json.dumps(record))
    with pytest.raises(ValueError, match="after 2 of 5 epochs"):
        publishing.publish(tmp_path / "run", "gan", tmp_path / "root")
    for name in ("checkpoint.keras", "previous.keras"):
        (tmp_path / "run" / name).unlink()
    with pytest.raises(ValueError, match="after 0 of 5 epochs"):
        publishing.publish(tmp_path / "run", "gan", tmp_path / "root")
    assert not (tmp_path / "root").exists()


@pytest.mark.parametrize("name", ["", "GAN", "../gan", "gan mnist", "1gan"])
def test_a_presets_name_is_plain(presets, tmp_path, name):
    with pytest.raises(ValueError, match="small letters, digits and underscores"):
        publishing.publish(run_of(presets), name, tmp_path)


def test_there_must_be_a_run_and_an_evaluator(presets, tmp_path):
    with pytest.raises(FileNotFoundError, match=r"run\.json"):
        publishing.publish(tmp_path, "gan", tmp_path / "root")
    with pytest.raises(FileNotFoundError, match="evaluator"):
        publishing.publish(run_of(presets), "gan", tmp_path / "root", evaluator=tmp_path)
    assert not (tmp_path / "root" / "gan").exists()


@pytest.mark.parametrize("damage", ["altered", "truncated", "missing"])
def test_damaged_weights_are_refused(presets, tmp_path, damage):
    shutil.copytree(presets / "cgan_small", tmp_path / "preset")
    weights = tmp_path / "preset" / "model.keras"
    whole = weights.read_bytes()
    if damage == "missing":
        weights.unlink()
    else:
        altered = bytearray(whole)
        altered[len(whole) // 2] ^= 1
        weights.write_bytes(altered if damage == "altered" else whole[: len(whole) // 2])
    with pytest.raises(ValueError, match="checksum"):
        zoo.load(tmp_path / "preset")


def test_a_truncated_file_is_refused(presets, tmp_path):
    whole = (presets / "cgan_small" / "model.keras").read_bytes()
    (tmp_path / "model.keras").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(ValueError, match=r"whole \.keras archive"):
        zoo.load(tmp_path / "model.keras")


def test_an_export_replaces_a_version_whole_or_not(presets, tmp_path, monkeypatch):
    model = zoo.load(presets / "resnet_small")
    folder = tfgen.export(model, tmp_path / "resnet" / "1")
    before = {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}

    def interrupted(source, target):
        raise OSError("interrupted")

    monkeypatch.setattr(os, "replace", interrupted)
    with pytest.raises(OSError, match="interrupted"):
        tfgen.export(model, folder)
    assert before == {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_a_loaded_preset_is_ordinary_keras(presets):
    model = zoo.load(presets / "resnet_small")
    assert isinstance(model, keras.Model)
    images, labels = tfgen.data.arrays("digits", "test")
    loss = model.evaluate(images / np.float32(255), labels, verbose=0, return_dict=True)
    accuracy = tfgen.evaluate(model, "digits")["accuracy"]["value"]
    assert loss["accuracy"] == pytest.approx(accuracy, abs=1e-6)


def test_an_export_anew_touches_no_number_and_no_weight(presets, tmp_path):
    folder = tmp_path / "cgan_small"
    shutil.copytree(presets / "cgan_small", folder)
    before = json.loads((folder / "card.json").read_text())
    old = {key: value for key, value in before.items() if key != "min_runtime"}
    old["endpoints"] = ["sample"]  # as of an export that had fewer
    (folder / "card.json").write_text(json.dumps(old))
    export_again(folder)
    after = json.loads((folder / "card.json").read_text())
    graph = "1/saved_model.pb"
    for card in (before, after):
        card["sha256"] = {
            k: v for k, v in card["sha256"].items() if k not in (graph, "1/fingerprint.pb")
        }
        del card["bytes"]
    assert after == before
    assert "generate" in (folder / "README.md").read_text()


def test_a_served_discriminator_tells_samples_from_real_images(presets):
    """Calibration brings batch-normalized phi near what training saw; alone it calls all images one."""
    model, data = zoo.load("gan_digits"), zoo.card("gan_digits")["recipe"]["data"]
    theta = [weight.numpy() for weight in model.theta.weights]
    assert calibrate.calibrate(model, data)
    found = calibrate.accuracy(model, data)
    assert (found["real"] + found["generated"]) / 2 > 0.6
    for weight, old in zip(model.theta.weights, theta, strict=True):
        np.testing.assert_array_equal(weight, old)
    assert not calibrate.calibrate(zoo.load("vae_digits"), data)


def test_every_published_discriminator_is_better_than_a_coin():
    for card in map(zoo.card, zoo.presets()):
        if "discriminate" in card["endpoints"] and "min_runtime" in card:
            found = card["discriminator"]
            assert (found["real"] + found["generated"]) / 2 > 0.6, card["name"]
