"""Rank validators by the accuracies where labels of the target are read, and choose by a validator."""

import itertools
import math
import operator
import statistics
from collections.abc import Sequence
from typing import Any

import numpy as np
from scipy import stats

from zoo.studies.validators.runs import RANKED, SOURCE_ONLY, VALIDATORS, WEIGHTS, Setting


def candidates(
    runs: list[dict[str, Any]], settings: Sequence[Setting], weights: Sequence[float] = WEIGHTS
) -> dict[int, list[dict[str, Any]]]:
    """Return {seed: scores of each model, with "shift", "weight" and "epoch"} of seeds with all runs."""
    wanted = {(setting.shift, weight) for setting, weight in itertools.product(settings, weights)}
    found = {}
    for seed in range(max(setting.seeds for setting in settings)):
        done = [
            r
            for setting in settings
            for r in setting.runs(runs)
            if r["seed"] == seed and r["weight"] in weights
        ]
        if {(r["shift"], r["weight"]) for r in done} == wanted:
            found[seed] = [
                {"shift": r["shift"], "weight": r["weight"], "epoch": number, **entry}
                for r in done
                for number, entry in enumerate(r["epochs"], start=1)
            ]
    return found


def source_only(runs: list[dict[str, Any]], setting: Setting) -> list[float]:
    """Return the accuracies after the last epoch of the runs that learn from the source alone."""
    alone = [r for r in setting.runs(runs) if r["weight"] == SOURCE_ONLY]
    return [r["epochs"][-1]["accuracy"] for r in alone]


def ranking(runs: list[dict[str, Any]]) -> dict[str, tuple[float, float]]:
    """Return {validator: (rank correlation with accuracy, accuracy lost by its choice)}, over seeds."""
    found = candidates(runs, [RANKED]).values()
    if not found:
        return {}
    result = {}
    for validator in VALIDATORS:
        correlations, losses = [], []
        for models in found:
            values = [m[validator] for m in models]
            accuracies = [m["accuracy"] for m in models]
            alike = len(set(values)) == 1
            correlation = math.nan if alike else stats.spearmanr(values, accuracies).statistic
            correlations.append(float(correlation))
            losses.append(max(accuracies) - accuracies[int(np.argmax(values))])
        result[validator] = statistics.mean(correlations), statistics.mean(losses)
    return result


def best_validator(runs: list[dict[str, Any]]) -> str | None:
    """Return the validator with the highest rank correlation with accuracy on `RANKED`.

    None without runs; a validator that is the same for all models has no correlation.
    """
    ranked = ranking(runs)
    known = {name: rank for name, (rank, _) in ranked.items() if not math.isnan(rank)}
    return max(known, key=lambda name: known[name]) if known else None


def choices(found: dict[int, list[dict[str, Any]]], validator: str | None) -> list[dict[str, Any]]:
    """Return the model of each seed with the validator's highest value; no model without a validator."""
    if validator is None:
        return []
    return [max(models, key=operator.itemgetter(validator)) for models in found.values()]
