"""The command line: output of each command, and errors in one line before any work."""

import json
import re
import subprocess
import sys
from pathlib import Path

import keras
import numpy as np
import pytest
import small
from click.testing import CliRunner
from PIL import Image

import tfgen
import zoo
from tfgen import evaluation
from tfgen.drawing import pictures, tiles
from tfgen.evaluation import likelihood
from tfgen.evaluation.inception import inception_fid
from zoo import cli
from zoo.preset import load, train
from zoo.preset.run import Run
from zoo.recipes import reading

# The heavy modules that a command imports.
PROCESS = """
import sys
from pathlib import Path
from click.testing import CliRunner
from zoo import cli

result = CliRunner().invoke(cli.main, sys.argv[1:])
assert result.exit_code == 0, result.output
heavy = {"tensorflow", "keras", "tensorflow_datasets", "matplotlib", "sklearn"}
print(sorted(heavy & set(sys.modules)))
"""


@pytest.fixture(autouse=True)
def published(presets, monkeypatch):
    """Use the tests' presets in place of the published ones."""
    monkeypatch.setattr(load, "_roots", lambda: [presets])
    return presets


def run(*arguments):
    return CliRunner().invoke(cli.main, list(map(str, arguments)))


def refusal(*arguments, code=1):
    """The line on stderr of a command that must fail."""
    result = run(*arguments)
    assert result.exit_code == code, result.output
    assert not result.stdout
    assert isinstance(result.exception, SystemExit)
    return result.stderr.splitlines()[-1]


def test_light_commands_import_nothing_heavy(published):
    for command in (["--help"], ["list"], ["info", str(published / "cgan_small")]):
        result = subprocess.run(
            [sys.executable, "-c", PROCESS, *command], check=True, capture_output=True, text=True
        )
        assert result.stdout == "[]\n"
        assert not result.stderr


def test_a_line_of_the_list_of_commands_is_a_whole_sentence():
    listed = run("--help").stdout.partition("Commands:")[2].strip().splitlines()
    assert len(listed) == len(cli.main.commands)
    assert [line for line in listed if line.endswith("...") or not line.endswith(".")] == []


def test_the_module_is_the_command():
    result = subprocess.run(
        [sys.executable, "-m", "zoo.cli", "--version"], check=True, capture_output=True, text=True
    )
    assert result.stdout == f"tfgen, version {tfgen.__version__}\n"


def test_list_shows_the_presets():
    listed = run("list").stdout.splitlines()
    assert listed[0].split() == ["preset", "model", "data", "on", "test", "data"]
    assert re.match(r" cgan_small +GAN +digits +\d+% of real IS", listed[1])
    assert json.loads(run("list", "--json").stdout) == {
        "cgan_small": "A small conditional GAN",
        "resnet_small": "A small classifier",
    }


def test_a_zoo_without_presets_says_so(monkeypatch):
    monkeypatch.setattr(load, "_roots", lambda: [])
    assert run("list").stdout == "No preset is published here.\n"
    assert json.loads(run("list", "--json").stdout) == {}


def test_info_is_the_card_or_what_the_file_says(published):
    found = json.loads(run("info", "cgan_small", "--json").stdout)
    assert [*found.pop("table_1")] == ["CGAN"]
    assert found == zoo.card("cgan_small")
    table = run("info", "cgan_small").stdout
    assert "inception_score_real" in table
    facts = json.loads(run("info", published / "cgan_small" / "model.keras", "--json").stdout)
    card = zoo.card("cgan_small")
    for key in ("model", "equation", "image_shape", "num_classes", "parameters", "endpoints"):
        assert facts[key] == card[key]


@pytest.mark.parametrize("label", [None, 3])
def test_sample_writes_a_grid(tmp_path, label):
    out = tmp_path / "new" / "grid.png"
    options = () if label is None else ("--label", label)
    result = run("sample", "cgan_small", "-n", 6, "--seed", 5, *options, "--out", out)
    assert result.stdout == f"{out}\n"
    labels = np.arange(6) if label is None else [label] * 6
    images = zoo.load("cgan_small").sample(6, seed=5, labels=labels)
    with Image.open(out) as picture:
        np.testing.assert_array_equal(picture, pictures.grid(images, labels))


def test_sample_draws_from_the_aggregate_posterior_if_asked(tmp_path):
    preset = Path(__file__).parents[1] / "saved_models" / "vae_digits"
    out = tmp_path / "grid.png"
    options = ("-n", 4, "--seed", 5, "--prior", "aggregate", "--out", out)
    assert run("sample", preset, *options).exit_code == 0
    images = zoo.load(preset).sample(4, seed=5, prior="aggregate")
    with Image.open(out) as picture:
        np.testing.assert_array_equal(picture, pictures.grid(images))
    assert "Received: prior='aggregate'" in refusal("sample", "cgan_small", *options)


def test_a_repository_is_fetched_once_for_a_command(tmp_path, published, monkeypatch):
    fetched = []
    monkeypatch.setattr(
        "zoo.preset.hub.repository", lambda name: fetched.append(name) or published / "cgan_small"
    )
    assert run("sample", "hf://me/mine", "-n", 4, "--out", tmp_path / "a.png").exit_code == 0
    assert fetched == ["me/mine"]


def test_interpolate_writes_a_row_for_each_pair(tmp_path):
    out = tmp_path / "rows.png"
    assert (
        run("interpolate", "cgan_small", "--rows", 2, "--columns", 4, "--out", out).exit_code == 0
    )
    with Image.open(out) as picture:
        assert picture.size == (4 * 66 + 2, 2 * (66 + tiles.CAPTION) + 2)


@pytest.mark.parametrize("conditional", [False, True])
def test_reconstruct_draws_test_images_above_what_is_decoded(tmp_path, conditional):
    """A Bernoulli likelihood is shown the binarized images that its bound is measured on."""
    out, file = tmp_path / "rows.png", tmp_path / "vae.keras"
    model = zoo.VAE.build_networks((8, 8, 1), 10, width=4, latent_dim=2, conditional=conditional)
    model.save(file)
    options = ("--data", "digits", "-n", 5, "--seed", 3, "--out", out)
    result = run("reconstruct", file, *options)
    assert result.stdout == f"{out}\n"
    images, labels = tfgen.data.arrays("digits", "test[:5]")
    images = likelihood.prepare_images("bernoulli", images / 255)
    expected = pictures.reconstructions(model, images, labels, seed=3)
    with Image.open(out) as picture:
        np.testing.assert_allclose(np.asarray(picture, int), np.asarray(expected, int), atol=1)


def test_map_draws_the_codes_of_test_images(tmp_path, monkeypatch):
    out, file = tmp_path / "map.png", tmp_path / "vae.keras"
    model = zoo.VAE.build_networks((8, 8, 1), 10, width=4, latent_dim=2)
    model.save(file)
    drawn = []
    latent_map = pictures.latent_map
    monkeypatch.setattr(
        pictures, "latent_map", lambda *given: drawn.append(given) or latent_map(*given)
    )
    assert run("map", file, "--data", "digits", "-n", 20, "--out", out).stdout == f"{out}\n"
    images, labels = tfgen.data.arrays("digits", "test[:20]")
    np.testing.assert_array_equal(drawn[0][1], likelihood.prepare_images("bernoulli", images / 255))
    np.testing.assert_array_equal(drawn[0][2], labels)
    with Image.open(out) as picture:
        assert picture.size == (750, 600)


def test_map_needs_an_inference_net(tmp_path):
    line = refusal("map", "cgan_small", "--out", tmp_path / "map.png")
    assert "must have the endpoint 'encode'" in line
    assert not (tmp_path / "map.png").exists()


def test_the_list_of_recipes_is_what_train_takes():
    assert "aasvae_mnist_1pct" in run("list", "--recipes").stdout
    assert json.loads(run("list", "--recipes", "--json").stdout) == zoo.RECIPES


def test_train_refuses_what_it_is_asked_before_tensorflow_starts(tmp_path, monkeypatch):
    def imported(*_):
        raise AssertionError("TensorFlow was asked for")

    monkeypatch.setattr("zoo.cli.training.quietly", imported)
    out = ("--out", tmp_path / "run")
    assert "the nearest is 'gan_digits'" in refusal("train", "gan_digts", *out)
    assert "Received: 'epochs=3'" in refusal("train", "gan_digits", "--set", "epochs=3", *out)
    assert "from 1 to 100,000" in refusal("train", "gan_digits", "--set", "training.epochs=0", *out)
    (tmp_path / "recipe.json").write_text('{"model": "GAN"}')
    assert "must have 'data'" in refusal("train", tmp_path / "recipe.json", *out)
    assert "no_such" in refusal("train", "--from", "no_such", *out)
    assert "the nearest is" in refusal("train", "TYPO")  # before any option is missed
    assert "Missing argument" in refusal("train", *out, code=2)
    assert "exclude each other" in refusal("train", "gan_digits", "--from", "x", *out, code=2)
    (tmp_path / "photos").mkdir()
    Image.new("L", (8, 8)).save(tmp_path / "photos" / "1.png")
    data = ("--data", tmp_path / "photos")
    assert "cgan_digits learns from labels" in refusal("train", "cgan_digits", *data, *out)
    assert "resnet_digits learns from labels" in refusal("train", "resnet_digits", *data, *out)
    for seeds, words in (("4-0", "0-4 or 0,2,5"), ("0,x", "0-4"), ("1,1", "each once")):
        assert words in refusal("train", "gan_digits", "--seeds", seeds, *out, code=2)
    asked = ("train", "gan_digits", "--seeds", "0-1", "--seed", 3)
    assert "exclude each other" in refusal(*asked, *out, code=2)
    assert not (tmp_path / "run").exists()


def test_a_recipe_is_taken_from_a_file_or_a_card_and_changed(tmp_path, published, monkeypatch):
    monkeypatch.setattr(tfgen.Unified, "fit", lambda *_, **__: None)
    (tmp_path / "recipe.json").write_text(json.dumps(small.GAN))
    sources = {"file": [tmp_path / "recipe.json"], "card": ["--from", published / "cgan_small"]}
    for name, source in sources.items():
        options = ("--set", "build.width=6", "--set", "training.epochs=3", "--out", tmp_path / name)
        result = run("train", *source, *options)
        assert result.exit_code == 0, result.output
        recipe = Run(tmp_path / name).record.recipe
        assert recipe == reading.apply_changes(small.GAN, ["build.width=6", "training.epochs=3"])
        assert run("train", "--resume", "--out", tmp_path / name).exit_code == 0


def test_train_and_publish_make_a_preset_that_evaluate_agrees_with(
    tmp_path, monkeypatch, determinism
):
    monkeypatch.setitem(zoo.recipes.digits.RECIPES, "small", small.RESNET)
    result = run("train", "small", "--epochs", 1, "--seed", 2, "--out", tmp_path / "run")
    assert result.exit_code == 0, result.output
    assert determinism == [1]
    arguments = ("--name", "resnet_new", "--root", tmp_path / "root")
    assert run("publish", tmp_path / "run", *arguments).exit_code == 0
    preset = tmp_path / "root" / "resnet_new"
    card = zoo.card(preset)
    assert card["commands"] == [
        "tfgen train small --data digits --epochs 1 --seed 2 --out runs/resnet_new",
        "tfgen publish runs/resnet_new --name resnet_new",
    ]
    metrics = json.loads(run("evaluate", preset, "--json").stdout)
    assert metrics == card["evaluation"]["metrics"]
    assert "overwriting" in refusal("publish", tmp_path / "run", *arguments)
    assert "new or empty" in refusal("train", "small", "--out", tmp_path / "run")


def test_evaluate_takes_another_evaluator(published):
    result = run(
        "evaluate", "cgan_small", "--samples", 40, "--evaluator", published / "resnet_small"
    )
    for name, number in zoo.card("cgan_small")["evaluation"]["metrics"].items():
        row = next(line.split() for line in result.stdout.splitlines() if name in line.split())
        assert row[1:] == [f"{number[key]:.4f}" for key in ("value", "low", "high")]


def test_evaluate_computes_the_literatures_fid_by_a_network_on_disk(published, tmp_path):
    images = keras.Input((8, 8, 3))
    keras.Model(images, keras.layers.Flatten()(images)).save(tmp_path / "inception.keras")
    command = ("evaluate", "cgan_small", "--inception", tmp_path / "inception.keras")
    printed = json.loads(run(*command, "--samples", 40, "--seed", 3, "--json").stdout)
    expected = inception_fid(
        zoo.load("cgan_small"), "digits", tmp_path / "inception.keras", samples=40, seed=3
    )
    assert printed == {"inception_fid": expected._asdict()}
    assert "and has no --evaluator" in refusal(*command, "--evaluator", published, code=2)
    assert "Received: network=" in refusal(*command[:3], tmp_path)


def test_evaluate_scores_one_folder_against_another(published, tmp_path):
    images, _ = tfgen.data.arrays("digits", "test[:40]")
    for number, image in enumerate(images[..., 0]):
        folder = tmp_path / ("a" if number % 2 else "b")
        folder.mkdir(exist_ok=True)
        Image.fromarray(image).resize((16, 12)).save(folder / f"{number}.png")
    folders = ("evaluate", "--samples", tmp_path / "a", "--against", tmp_path / "b")
    options = ("--evaluator", published / "resnet_small", "--json")
    expected = evaluation.compare(tmp_path / "a", tmp_path / "b", published / "resnet_small")
    assert json.loads(run(*folders, *options).stdout) == expected
    assert "tfgen train resnet_mnist --data" in refusal(*folders)
    for words in (
        ["evaluate"],
        [*folders, "cgan_small"],
        ["evaluate", "cgan_small", "--against", "a"],
    ):
        assert "Give MODEL, or --samples FOLDER" in refusal(*words, code=2)


@pytest.mark.parametrize("trusted", [False, True])
@pytest.mark.parametrize(
    "command", ["sample", "evaluate", "export", "info", "interpolate", "train"]
)
def test_a_file_is_trusted_if_that_is_asked_for(tmp_path, monkeypatch, command, trusted):
    zoo.VAE.build_networks((8, 8, 1), None, width=4, latent_dim=2).save(tmp_path / "m.keras")
    asked = []

    def refused(name, trusted=False):
        asked.append(trusted)
        raise ValueError("not loaded here")

    monkeypatch.setattr(zoo, "load", refused)
    monkeypatch.setattr(train, "load", refused)
    out = {"sample": "a.png", "interpolate": "a.png", "export": "1", "train": "run"}
    options = ["--out", tmp_path / out[command]] if command in out else []
    options += ["--data", "digits"] if command == "evaluate" else []
    model = ["vae_digits", "--init"] if command == "train" else []
    model += [tmp_path / "m.keras"]
    result = run(command, *model, *options, *["--trusted"] * trusted)
    assert result.exit_code == 1
    assert "not loaded here" in result.stderr
    assert asked == [trusted]


def test_export_writes_the_next_version_or_the_one_named(tmp_path):
    for out, written in (("r", "r/1"), ("r", "r/2"), ("r/7", "r/7"), ("r", "r/8")):
        result = run("export", "resnet_small", "--out", tmp_path / out)
        assert result.stdout == f"{tmp_path / written}\n"
        assert (tmp_path / written / "saved_model.pb").is_file()


@pytest.fixture
def idle(monkeypatch):
    """No model is loaded."""
    monkeypatch.setattr(zoo, "load", lambda name, **_: pytest.fail(f"{name} was loaded"))


@pytest.mark.usefixtures("idle")
class TestRefusals:
    def test_an_unknown_model_is_met_with_the_nearest(self, tmp_path):
        line = refusal("sample", "cgan_smal", "--out", tmp_path / "a.png")
        assert "'cgan_small'" in line
        assert "'cgan_small'" in refusal("push", "cgan_smal", "hf://me/mine")

    @pytest.mark.parametrize("command", ["sample", "interpolate", "reconstruct"])
    def test_pictures_are_png(self, tmp_path, command):
        assert ".png" in refusal(command, "cgan_small", "--out", tmp_path / "a.jpg", code=2)

    @pytest.mark.parametrize(
        "arguments",
        [
            ("sample", "cgan_small", "--out", "file/a.png"),
            ("export", "cgan_small", "--out", "file/1"),
            ("train", "iwgan_digits", "--out", "file/run"),
        ],
    )
    def test_unwritable_folders(self, tmp_path, monkeypatch, arguments):
        monkeypatch.chdir(tmp_path)
        (tmp_path / "file").write_text("")
        assert "cannot be written" in refusal(*arguments, code=2)
        assert [path.name for path in tmp_path.iterdir()] == ["file"]

    @pytest.mark.parametrize(
        "arguments",
        [
            ("sample", "cgan_small", "-n", 0, "--out", "a.png"),
            ("sample", "cgan_small", "-n", 10**9, "--out", "a.png"),
            ("sample", "cgan_small", "--seed", -1, "--out", "a.png"),
            ("evaluate", "cgan_small", "--samples", 0),
            ("evaluate", "cgan_small", "--samples", 10**12),
            ("train", "iwgan_digits", "--epochs", 0, "--out", "run"),
            ("interpolate", "cgan_small", "--columns", 1, "--out", "a.png"),
            ("reconstruct", "cgan_small", "-n", 0, "--out", "a.png"),
        ],
    )
    def test_absurd_counts(self, tmp_path, monkeypatch, arguments):
        monkeypatch.chdir(tmp_path)
        assert "is not in the range" in refusal(*arguments, code=2)
        assert not any(tmp_path.iterdir())


def test_a_label_out_of_range_is_refused(tmp_path):
    line = refusal("sample", "cgan_small", "--label", 10, "--out", tmp_path / "a.png")
    assert "from 0 to 9" in line
    assert not any(tmp_path.iterdir())


def test_a_classifier_draws_no_samples(tmp_path):
    line = refusal("sample", "resnet_small", "--out", tmp_path / "a.png")
    assert "must have the endpoint 'sample'" in line


def test_a_model_without_an_inference_net_reconstructs_nothing(tmp_path):
    line = refusal("reconstruct", "cgan_small", "--out", tmp_path / "a.png")
    assert "must have the endpoint 'reconstruct'" in line
    assert not any(tmp_path.iterdir())


def test_reconstruct_needs_to_know_the_data(tmp_path):
    zoo.VAE.build_networks((8, 8, 1), None, width=4, latent_dim=2).save(tmp_path / "vae.keras")
    line = refusal("reconstruct", tmp_path / "vae.keras", "--out", tmp_path / "a.png")
    assert "no card" in line
    assert not (tmp_path / "a.png").exists()


def test_an_unknown_recipe_is_met_with_the_nearest(tmp_path):
    line = refusal("train", "iwgan_digts", "--out", tmp_path / "run")
    assert "the nearest is 'iwgan_digits'" in line
    assert not any(tmp_path.iterdir())
