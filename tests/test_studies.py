"""Studies: pages are made of the records beside them, and their numbers are what they are called."""

import importlib
import json
from pathlib import Path

import models
import numpy as np
import pytest
import small

import tfgen
import zoo
from zoo.preset.run import Run
from zoo.studies import adaptation, convergence, joint, options, truncation, updates

PAGES = Path(__file__).resolve().parents[1] / "docs" / "studies"


@pytest.mark.parametrize("path", sorted(PAGES.glob("*.json")), ids=lambda path: path.stem)
def test_a_page_is_made_of_the_record_beside_it(path):
    study = importlib.import_module(f"zoo.studies.{path.stem}")
    record = json.loads(path.read_text(encoding="utf-8"))
    others = (study.recorded_bounds(),) if hasattr(study, "recorded_bounds") else ()
    assert study.page(record, *others) == path.with_suffix(".md").read_text(encoding="utf-8")


def test_both_ways_of_updating_are_scored_at_equal_times(monkeypatch):
    """No time is left after the first block: one mark, one block of two steps each."""
    recipe = zoo.RECIPES["iwgan_digits"]
    small = {**recipe, "build": {**recipe["build"], "width": 2, "latent_dim": 2, "average": 0.5}}
    monkeypatch.setitem(zoo.recipes.digits.RECIPES, "iwgan_digits", small)
    for name, value in (("SAMPLES", 1000), ("BLOCK", 2), ("MARKS", 1)):
        monkeypatch.setattr(updates, name, value)
    entries = updates.race("iwgan_digits", 1e-9, seed=0)
    assert [(entry["updates"], entry["steps"]) for entry in entries] == [
        ("simultaneous", 2), ("alternating", 2)
    ]  # fmt: skip
    assert all(0 < entry[of] < 1 for entry in entries for of in ("theta", "average"))


def test_options_are_trained_for_the_epochs_that_fit_in_equal_time(tmp_path, monkeypatch):
    """1,437 images are 23 steps of 64: at 1 s a step 1 epoch fits in 30 s, and at .2 s 6 do."""
    build = {**options.PLAIN["build"], "width": 4, "latent_dim": 2}
    plain = {**options.PLAIN, "data": {"name": "digits"}, "build": build}
    assert [options.epochs_within(30, plain, step) for step in (2.0, 1.0, 0.2)] == [1, 1, 6]

    for name, value in (("PLAIN", plain), ("ADDITIONS", {}), ("SAMPLES", 400)):
        monkeypatch.setattr(options, name, value)
    monkeypatch.setattr(
        options, "OPTIONS", {"phi's rate doubled": ['training.rates={"phi": 1e-3}']}
    )
    monkeypatch.setattr(options, "step_seconds", lambda recipe: 1.0)
    command = ["--minutes", "0.5", "--runs", str(tmp_path / "runs"), "--out", str(tmp_path)]
    options.main(command, standalone_mode=False)
    written = (tmp_path / "options.md").read_text()
    assert written.count("| 1000 | 1 |") == 3  # none, one, all
    doubled = Run(tmp_path / "runs" / "phis_rate_doubled-0").record
    assert doubled.recipe["training"]["rates"] == {"phi": 1e-3}

    two = ["--seeds", "2", "--option", "none"]
    options.main([*command, *two], standalone_mode=False)
    again = json.loads((tmp_path / "options.json").read_text())["arms"]["none"]["runs"]
    assert list(again) == ["0", "1"]
    assert again["0"]["scores"]["fid"] != again["1"]["scores"]["fid"]

    written = (tmp_path / "options.md").read_text()
    monkeypatch.setattr(options, "measure", None)  # nothing is repeated
    options.main(command, standalone_mode=False)
    assert (tmp_path / "options.md").read_text() == written


@pytest.mark.parametrize(
    ("cell", "held", "alpha", "said"),
    [("svae_mnist_1pct", 60, "1.0", "2 of 180"), ("svae_mnist_10pct", 600, "10.0", "4 of 1,800")],
)
def test_alpha_is_the_recorded_choice_by_as_many_images_as_the_pages_say(cell, held, alpha, said):
    found = json.loads((PAGES / "settings.json").read_text())[cell]
    correct = {value: round(held * sum(r["score"] for r in runs)) for value, runs in found.items()}
    first, second = sorted(correct, key=lambda value: -correct[value])[:2]
    count = held * len(found[first])
    assert (first, f"{correct[first] - correct[second]} of {count:,}") == (alpha, said)
    assert zoo.RECIPES[cell]["build"]["alpha"] == float(alpha)
    for page in (PAGES / "table4.md", PAGES.parent / "results.md"):
        assert said in " ".join(page.read_text().split())


def test_models_that_are_kept_every_few_epochs_are_scored(tmp_path, monkeypatch):
    monkeypatch.setattr(convergence, "SAMPLES", 40)
    model = small.train(small.GAN, tmp_path / "run", epochs=3, keep=2)
    folder = tmp_path / "run" / "epochs"
    assert sorted(path.name for path in folder.iterdir()) == ["002.keras", "003.keras"]
    assert int(zoo.load(folder / "002.keras").epochs) == 2
    found = convergence.scores(tmp_path / "run", "digits")
    assert list(found) == ["2", "3"]
    expected = tfgen.evaluate(model, "digits", 40)
    assert found["3"]["fid"] == pytest.approx(expected["fid"]["value"], rel=1e-4)
    results = {"machines": {"gan_cifar10": {"processor": "P", "cores": 1}}, "gan_cifar10": found}
    assert "| 2 | " in convergence.page(results)


def test_factors_are_scored_on_the_samples_that_a_preset_with_the_factor_draws():
    model = models.build("cgan_digits", truncation=0.5)
    expected = model.sample(4, seed=2, labels=[3, 1, 0, 9], prior="truncated")
    model.truncation = None
    found = truncation.Truncated(model, 0.5).sample(4, seed=2, labels=[3, 1, 0, 9])
    np.testing.assert_allclose(found, expected, atol=1e-6)


def test_a_factor_is_chosen_by_the_training_images(monkeypatch):
    read = []
    arrays = truncation.tfgen.data.arrays
    monkeypatch.setattr(truncation, "SAMPLES", 200)
    monkeypatch.setattr(
        truncation.tfgen.data, "arrays", lambda *given: read.append(given) or arrays(*given)
    )
    found = truncation.distances(models.build("cgan_digits"), "digits")
    assert read == [("digits", "train")]
    assert list(found) == [f"{factor:g}" for factor in truncation.FACTORS]
    assert len(set(found.values())) == len(found)


def test_a_recipe_has_the_factor_with_the_lowest_distance_from_training_images():
    results = json.loads((truncation.PAGES / "truncation.json").read_text())
    page = truncation.page(results)
    assert page == (truncation.PAGES / "truncation.md").read_text()
    for name in truncation.PRESETS:
        factor = float(min(results[name], key=lambda one: results[name][one]["training_fid"]))
        assert zoo.RECIPES[name]["build"].get("truncation", 1) == factor, name
        section = page.partition(f"## {name}\n")[2].partition("##")[0]
        assert f"| **{factor:g}** |" in section


def test_sharpness_falls_by_blur_and_noise_makes_no_extreme_pixels():
    """A checkerboard's Laplacian is 4 everywhere; of its blur to gray it is 0."""
    board = (np.indices((6, 6)).sum(axis=0) % 2).astype("float32")[None, :, :, None]
    assert joint.sharpness(board) == 16
    assert joint.sharpness(np.full_like(board, 0.5)) == 0
    assert joint.extreme(board) == 1
    assert joint.extreme(np.stack([board[0], np.full_like(board[0], 0.5)])) == 0.5


def test_joint_report_has_a_row_for_each_preset():
    entry = {"model": "gan_digits", "epochs": 3, "sharpness": 1.0, "extreme": 0.5}
    entry |= {
        "extreme_real": 0.58,
        **{key: [0.7, 0.6, 0.8] for key in joint.COVERAGE + joint.SCORES},
    }
    text = joint.page({"digits": {"samples": 9, "entries": [entry]}})
    assert "zoo.studies.joint digits --samples 9" in text
    assert text.endswith("| gan_digits | 3 | 1.000 | 0.500" + " | 0.700 (0.600-0.800)" * 4 + " |\n")


class TestAdaptation:
    RECIPE = zoo.RECIPES["ada_digits"]

    def runs(self, **shares):
        names = {"floor": "source only", "ada": "ADA", "ceiling": "trained on target"}
        return [
            {"method": names[key], "seed": seed, "accuracy": share, "seconds": 10.0}
            for key, values in shares.items()
            for seed, share in enumerate(values)
        ]

    def test_only_runs_that_are_not_recorded_are_done(self):
        results = {"recipes": {"a": {"runs": self.runs(floor=[0.5, 0.5], ada=[0.7])}}}
        assert adaptation.pending(results, ["a"], 2) == [
            ("a", 0, "trained on target"),
            ("a", 1, "ADA"),
            ("a", 1, "trained on target"),
            ("a", 0, "IW-ADA"),
            ("a", 1, "IW-ADA"),
        ]

    def test_page_states_the_share_of_the_gap(self):
        runs = self.runs(floor=[0.5, 0.6], ada=[0.7, 0.8], ceiling=[0.95, 0.95])
        text = adaptation.page(
            {
                "facts": {
                    "machine": {"processor": "P", "cores": 2},
                    "versions": {"tensorflow": "2", "keras": "3"},
                },
                "recipes": {"ada_mnist_mnist_m": {"recipe": self.RECIPE, "runs": runs}},
            }
        )
        # (0.75 - 0.55) / (0.95 - 0.55), beside (0.7666 - 0.5225) / (0.9596 - 0.5225).
        assert "| ADA | 0.7500 ± 0.0707 | 2 | 50% | 0.7666 | 56% | 10 |" in text
        assert "| source only | 0.5500 ± 0.0707 | 2 |  | 0.5225 |  | 10 |" in text
        assert "IW-ADA |" not in text
        assert "12,000 of 59,001" in text

    @pytest.mark.parametrize("method", adaptation.METHODS)
    def test_every_method_trains_and_is_tested_on_the_target(self, method):
        recipe = {
            **self.RECIPE,
            "build": {**self.RECIPE["build"], "width": 4},
            "training": {**self.RECIPE["training"], "epochs": 1},
        }
        assert 0 < adaptation.accuracy(recipe, method, seed=0) < 1
