"""The study that chooses an ADA without labels of its target, on scores made by hand."""

import numpy as np
import pytest

import tfgen
import zoo
from zoo.studies.validators import choice, pages
from zoo.studies.validators import runs as study

RISING = [0.1, 0.2, 0.3, 0.4]
FIRST, SECOND, *REST = study.VALIDATORS


def entry(accuracy, first, second):
    rest = dict.fromkeys(REST, accuracy % 0.3)  # neither rises nor falls with the accuracy
    return {"accuracy": accuracy, FIRST: first, SECOND: second, **rest}


FACTS = {"machine": {"processor": "P", "cores": 2}, "versions": {"tensorflow": "2", "keras": "3"}}


def recorded(setting, seed, accuracies, weights=study.WEIGHTS):
    """Runs of the weights whose first validator is the accuracy and whose second is its opposite."""
    return [
        {
            "recipe": setting.recipe,
            "shift": setting.shift,
            "weight": weight,
            "seed": seed,
            "seconds": 1.0,
            "epochs": [entry(a + shift, a + shift, -a - shift) for a in accuracies],
        }
        for shift, weight in enumerate(weights)
    ]


def test_the_validator_that_ranks_as_the_accuracy_is_best():
    runs = recorded(study.RANKED, 0, RISING)
    ranked = choice.ranking(runs)
    assert ranked[FIRST] == pytest.approx((1.0, 0.0))
    correlation, lost = ranked[SECOND]
    assert correlation == pytest.approx(-1.0)
    assert lost == pytest.approx(2.3)  # 2.4 - 0.1
    assert choice.best_validator(runs) == FIRST


def test_seeds_without_all_weights_rank_and_choose_nothing():
    runs = recorded(study.RANKED, 0, RISING)[:-1]
    assert choice.ranking(runs) == {}
    assert choice.best_validator(runs) is None


def test_a_validator_without_a_correlation_is_not_the_best():
    runs = recorded(study.RANKED, 0, RISING)
    for found in runs:
        for model in found["epochs"]:
            model[FIRST], model[SECOND] = 0.5, model["accuracy"]
    assert choice.best_validator(runs) == SECOND


def test_a_choice_reads_the_validator_alone():
    found = choice.candidates(recorded(study.SHIFTED[0], 0, RISING), [study.SHIFTED[0]])
    (chosen,) = choice.choices(found, SECOND)
    assert (chosen["weight"], chosen["epoch"], chosen["accuracy"]) == (study.WEIGHTS[0], 1, 0.1)
    assert choice.choices(found, None) == []


def test_the_page_says_what_was_not_run_and_the_gap_that_was_closed():
    empty = pages.page({"facts": FACTS, "runs": []}, {})
    rows = 2 * 8  # of the choices in both directions
    assert empty.count("not run here") == 2 * len(study.VALIDATORS) + rows
    runs = recorded(study.RANKED, 0, RISING) + recorded(study.SHIFTED[0], 0, RISING)
    text = pages.page({"facts": FACTS, "runs": runs}, {study.SHIFTED[0].recipe: (0.4, 4.4)})
    assert "| chosen among ADA's, images shifted | 2.4000 | 1 | 50% |" in text
    assert "| chosen among ADA's, images as they are | not run here |" in text
    assert "| chosen among all models | not run here |" in text


def test_the_choice_among_all_models_includes_the_source_alone_and_shifts():
    plain, shifted = study.PLAIN[0], study.SHIFTED[0]
    runs = [
        *recorded(study.RANKED, 0, RISING),
        *recorded(plain, 0, RISING, study.EVERY_WEIGHT),
        *recorded(shifted, 0, [a + 0.5 for a in RISING], study.EVERY_WEIGHT[::-1]),
    ]
    text = pages.page({"facts": FACTS, "runs": runs}, {plain.recipe: (0.0, 4.0)})
    assert "| chosen among all models | 3.9000 | 1 | 98% |" in text
    assert "shifts of 2, weight 0, epoch 4." in text
    assert "| source only, images as they are | 0.4000 | 1 | 10% |" in text
    assert "| source only, images shifted | 3.9000 | 1 | 98% |" in text


def test_the_page_says_what_the_choice_lost():
    chosen = recorded(study.SHIFTED[0], 0, RISING)
    for found in chosen:
        for model in found["epochs"]:
            model[FIRST], model[SECOND] = model[SECOND], model[FIRST]
    runs = recorded(study.RANKED, 0, RISING) + chosen
    text = pages.page({"facts": FACTS, "runs": runs}, {study.SHIFTED[0].recipe: (0.0, 4.8)})
    assert "| chosen among ADA's, images shifted | 0.1000 | 1 | 2% |" in text
    assert "| best of ADA's by the test labels, images shifted | 2.4000 | 1 | 50% |" in text


def test_the_page_names_each_machine_once():
    runs = recorded(study.RANKED, 0, RISING)
    runs[-1]["machine"] = {"processor": "Q", "cores": 1}
    text = pages.page({"facts": FACTS, "runs": runs}, {})
    assert "on P, 2 cores; Q, 1 core. The weight" in text


def test_runs_that_are_recorded_are_not_done_again():
    runs = recorded(study.RANKED, 0, RISING)
    keys = list(study.pending(runs))
    assert (study.RANKED, study.WEIGHTS[0], 0) not in keys
    assert keys[0] == (study.RANKED, study.WEIGHTS[0], 1)
    seeds = sum(setting.seeds for setting in (*study.SHIFTED, *study.PLAIN))
    assert len(keys) == len(study.WEIGHTS) + len(study.EVERY_WEIGHT) * seeds


def test_runs_with_and_without_shifts_are_apart():
    shifted, plain = study.SHIFTED[0], study.PLAIN[0]
    assert shifted.recipe == plain.recipe
    runs = recorded(plain, 0, RISING)
    assert choice.candidates(runs, [shifted]) == {}
    assert choice.candidates(runs, [plain, shifted]) == {}
    assert len(choice.candidates(runs, [plain])[0]) == len(study.WEIGHTS) * len(RISING)


def test_scores_read_no_label_of_the_targets_training_images(monkeypatch):
    images, labels = tfgen.data.arrays("digits", "train[:64]", size=8, channels=1)
    monkeypatch.setattr(study, "HELD", 16)
    monkeypatch.setattr(tfgen.data, "arrays", lambda *_, **__: (images, labels))
    given = study.domains({"name": "digits", "target": "digits"}, seed=0)
    assert len(given.source[0]) == 48
    assert len(given.held[0]) == 16
    together = np.concatenate([given.source[0], given.held[0]]).sum(axis=(1, 2, 3))
    np.testing.assert_array_equal(np.sort(together), np.sort(images.sum(axis=(1, 2, 3), dtype=int)))
    model = zoo.ADA.build_networks((8, 8, 1), 10, width=4, units=8)
    found = study.scores(model, given)
    assert set(found) == {*study.VALIDATORS, "accuracy"}
    assert all(np.isfinite(value) for value in found.values())
