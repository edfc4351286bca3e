"""T and alpha are chosen on images held out of what a setting allows."""

import json

import pytest
from click.testing import CliRunner

from zoo.studies import settings
from zoo.studies.reproduce.cells import cells


@pytest.mark.parametrize("cell", settings.STUDIES)
def test_a_study_changes_one_argument_and_holds_images_out(cell):
    arm, argument, values, _ = settings.STUDIES[cell]
    recipe, base = settings.recipe_of(cell, values[0]), cells()[cell].arms[arm]
    assert recipe["data"] == {**base["data"], "held_out": 0.1}
    assert recipe["build"] == {**base["build"], argument: values[0]}
    assert recipe["training"] == base["training"]  # no patience: the last epoch counts
    assert base["build"][argument] in values


def test_a_number_is_the_last_epochs(tmp_path, monkeypatch):
    small = {
        "model": "VAE",
        "data": {"name": "digits", "split": "train[:150]", "binarize": True, "held_out": 0.2},
        "build": {"width": 4, "latent_dim": 4, "normalization": None},
        "training": {
            "epochs": 3, "batch_size": 64, "learning_rate": 1e-3, "beta_1": 0.9, "decay": "cosine",
        },
    }  # fmt: skip
    monkeypatch.setattr(settings, "recipe_of", lambda cell, value: small)
    found = settings.measure("vae_mnist_1pct", 5.0, 100, tmp_path / "run")
    history = settings.Run(tmp_path / "run").history
    assert [entry["epoch"] for entry in history] == [1, 2, 3]
    assert found["score"] == history[-1]["val_bound"]
    assert found["machine"]["cores"] >= 1


def _runs(*scores):
    return [{"score": s, "machine": {"processor": "AMD EPYC", "cores": 1}} for s in scores]


def test_images_held_out_are_a_tenth_of_those_that_a_setting_allows():
    assert {cell: settings.held_out(cell) for cell in settings.STUDIES} == {
        "vae_mnist_1pct": 60, "cvae_mnist_1pct": 60, "svae_mnist_1pct": 60,
        "svae_mnist_10pct": 600,
    }  # fmt: skip


def test_the_page_marks_the_best_value_and_says_what_was_not_run():
    written = settings.page(
        {"vae_mnist_1pct": {"1.0": _runs(-112.0, -113.0), "1000000000000.0": _runs(-111.0, -112.0)}}
    )
    assert "| 1 | 2 | -112.5000 |" in written
    assert "| infinity | 2 | **-111.5000** |" in written
    assert written.count("Not run here.") == 3
    assert written.count("60 images held out per seed; AMD EPYC, 1 core.") == 1


def test_only_seeds_that_all_values_have_are_compared():
    written = settings.page(
        {"vae_mnist_1pct": {"1.0": _runs(-112.0, -100.0), "5.0": _runs(-111.0)}}
    )
    assert "| 1 | 1 | -112.0000 |" in written
    assert "| 5 | 1 | **-111.0000** |" in written


def test_recorded_seeds_are_neither_repeated_nor_dropped(tmp_path, monkeypatch):
    done = []
    monkeypatch.setattr(settings, "PAGES", tmp_path)
    monkeypatch.setattr(
        settings, "measure", lambda cell, value, seed, out: done.append(seed) or _runs(0.5)[0]
    )
    for seeds in ("1", "2", "1"):
        arguments = ["svae_mnist_1pct", "--seeds", seeds]
        assert CliRunner().invoke(settings.main, arguments).exit_code == 0
    values = len(settings.STUDIES["svae_mnist_1pct"][2])
    assert done == [100] * values + [101] * values
    recorded = json.loads((tmp_path / "settings.json").read_text())["svae_mnist_1pct"]
    assert [len(scores) for scores in recorded.values()] == [2] * values
