"""The study of CIFAR-10's options: its arms can be built, and its epochs fit in the same time."""

import pytest

from zoo.preset import train as training
from zoo.studies import options

ARMS = options.arms()


@pytest.mark.parametrize("title", ARMS)
def test_every_arm_can_be_built_and_differs_from_no_option(title):
    recipe = ARMS[title]
    model = training.fresh_model(recipe, 0, batches=1)
    assert model.importance_weighted
    assert model.sample(2, seed=0).shape == (2, 32, 32, 3)
    assert (recipe == ARMS[options.NONE]) == (title == options.NONE)


def test_a_slower_step_leaves_fewer_epochs():
    recipe = ARMS[options.NONE]  # 782 steps per epoch
    found = [options.epochs_within(600, recipe, step) for step in (0.05, 0.1, 0.2, 1.0)]
    assert found == [15, 7, 3, 1]


def test_the_page_gives_the_scores_of_an_arm_or_says_that_it_was_not_run():
    score = {"value": 0.5, "low": 0.25, "high": 0.75}
    scores = dict.fromkeys(options.METRICS[:-1], score)
    run = {"scores": scores, "ess": 0.875}
    arms = {
        options.NONE: {"step": 0.1, "epochs": 7, "runs": {"0": run, "1": {**run, "ess": 0.5}}},
        options.ALL: {"step": 0.2, "epochs": 3, "runs": {}},
    }
    machine = {"processor": "P", "cores": 2}
    page = options.page({"minutes": 10.0, "machine": machine, "arms": arms})
    cells = " | ".join(["0.500 (0.250-0.750)"] * 4)
    assert f"| none | 100 | 7 | 0 | {cells} | - | 0.88 |" in page
    assert f"| none | 100 | 7 | 1 | {cells} | - | 0.50 |" in page
    missing = " | ".join(["-"] * 5)
    assert f"| the first six | 200 | 3 | - | not run here | {missing} |" in page
