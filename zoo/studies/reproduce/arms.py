"""`python -m zoo.studies.reproduce.arms`: write into cards how presets stand among the seeds of their arm.

A preset with the recipe of an arm of Tables 2 to 4 is one of many possible runs.  Its card gets the mean
and the standard deviation of all recorded seeds, and the rank of its own: the zoo's presets have the median
seed of those that were recorded when they were trained.
"""

import dataclasses
import functools
from pathlib import Path
from typing import Any

import numpy as np

from zoo.preset import cards
from zoo.preset.publish import write_card
from zoo.recipes.reading import Recipe
from zoo.studies.reproduce.cells import TABLES, cells
from zoo.studies.reproduce.page import RECORDS, ROOT, of_scale

_PARTS = ("model", "data", "build", "training")
_AVERAGE = "average_"  # prefix of scores of theta's moving average, from which a preset samples


def find_arm(recipe: Recipe) -> tuple[str, str, str] | None:
    """Return (table, cell, arm) of the first arm with a recipe's model, data and settings, or None."""
    known = cells()
    for table, found in TABLES.items():
        for cell in found.cells:
            for arm, settings in known[cell].arms.items():
                if all(settings[part] == recipe[part] for part in _PARTS):
                    return table, cell, arm
    return None


def among_seeds(card: cards.Card, folder: Path = RECORDS) -> dict[str, Any] | None:
    """Return a card's `arm`: the scores of all recorded seeds of its recipe, and the rank of its own.

    Args:
        card: Card of a preset.
        folder: Folder of the records.

    Returns:
        {"table", "cell", "arm", "seeds", "metric", "rank", "means", "deviations"}, of the network that the
        preset samples from, with ranks from the lowest score; None if the recipe is no arm's or the seed
        was not recorded.
    """
    found = find_arm(card.recipe)
    if found is None:
        return None
    table, cell, arm = found
    seeds = of_scale(folder, cell, "here")
    scores = {seed: _served(arms[arm]["scores"]) for seed, arms in seeds.items() if arm in arms}
    if card.seed not in scores or len(scores) == 1:
        return None
    metric = TABLES[table].cells[cell]
    own = scores[card.seed]
    return {
        "table": table,
        "cell": cell,
        "arm": arm,
        "seeds": len(scores),
        "metric": metric,
        "rank": 1 + sum(one[metric] < own[metric] for one in scores.values()),
        "means": _over_seeds(np.mean, scores),
        "deviations": _over_seeds(functools.partial(np.std, ddof=1), scores),
    }


def _served(scores):
    """Return the scores of the average, without their prefix, or all scores if there is none."""
    averages = {
        name.removeprefix(_AVERAGE): score
        for name, score in scores.items()
        if name.startswith(_AVERAGE)
    }
    return averages or scores


def _over_seeds(statistic, scores):
    """Return {metric: statistic of the seeds' scores}."""
    metrics = next(iter(scores.values()))
    return {
        name: round(float(statistic([one[name] for one in scores.values()])), 6) for name in metrics
    }


def write() -> None:
    """Write `arm` into the cards of the zoo's presets, and their pages."""
    for path in sorted(ROOT.glob("saved_models/*/card.json")):
        card = cards.read(path.parent)
        if (arm := among_seeds(card)) != card.arm:
            write_card(path.parent, dataclasses.replace(card, arm=arm))


if __name__ == "__main__":
    write()
