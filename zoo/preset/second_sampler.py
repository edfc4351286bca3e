"""`python -m zoo.preset.second_sampler NAME ...`: add the second sampler to published likelihood models.

It fits the mixture of `fit_sampler` and scores it beside p(z), as `zoo.preset.publish` does for a new
preset. Weights, earlier numbers and pictures stay; the files also hold the mixture and its endpoints.
"""

import dataclasses
import shutil
import sys
from pathlib import Path

import tfgen
from tfgen.atomic import replace_folder
from tfgen.evaluation.context import EvaluationContext
from tfgen.evaluation.evaluator import find_evaluator
from tfgen.evaluation.samples import sample_quality
from tfgen.saved_model import min_runtime
from zoo.preset import cards
from zoo.preset.load import load, locate
from zoo.preset.publish import checksums, facts, fit_sampler, write_card


def add_second_sampler(folder: Path) -> None:
    """Fit and score a preset's second sampler; its folder changes whole or not at all.

    Args:
        folder: Folder of the preset; its data set and the data set's evaluator must be on disk.

    Raises:
        ValueError: The preset is not of a likelihood model.
        FileNotFoundError: The preset, or the evaluator of its data set, is missing.
    """
    card, model = cards.read(folder), load(folder)
    if not hasattr(model, "fit_sampler"):
        raise ValueError(
            f"A second sampler is fitted to the codes of a likelihood model. Received: {card.model}"
        )
    data, scored = card.recipe["data"], card.evaluation
    fit_sampler(model, data, card.seed)
    context = EvaluationContext(
        model, data["name"], scored["samples"], find_evaluator(data["name"]), scored["seed"]
    )
    found = sample_quality(context)
    added = {name: one._asdict() for name, one in found.items() if name.startswith("aggregate_")}
    evaluation = {**scored, "metrics": {**scored["metrics"], **added}}
    with replace_folder(folder) as aside:
        shutil.copytree(folder, aside, dirs_exist_ok=True)
        model.release().save(aside / "model.keras")  # a loaded model has optimizer slots
        tfgen.export(model, aside / "1")
        known = {**facts(model), "min_runtime": min_runtime(aside / "1"), **checksums(aside)}
        write_card(aside, dataclasses.replace(card, evaluation=evaluation, **known))


if __name__ == "__main__":
    for _name in sys.argv[1:]:
        add_second_sampler(locate(_name))
        print(_name, flush=True)
