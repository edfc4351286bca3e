"""`python -m zoo.preset.second_sampler NAME ...`: add the second sampler to published models.

It fits the mixture of `fit_sampler` of a likelihood model, or takes a GAN's `truncation` from its recipe in
`zoo.RECIPES`, and scores it beside p(z), as `zoo.preset.publish` does for a new preset. Weights, earlier
numbers and pictures stay; the files also hold the sampler and its endpoints.
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
from zoo import registry
from zoo.preset import cards
from zoo.preset.load import load, locate
from zoo.preset.publish import checksums, facts, fit_sampler, write_card


def add_second_sampler(folder: Path) -> None:
    """Fit or set and score a preset's second sampler; its folder changes whole or not at all.

    Args:
        folder: Folder of the preset; its data set and the data set's evaluator must be on disk.

    Raises:
        ValueError: The preset is neither of a likelihood model nor of a GAN with a truncation.
        FileNotFoundError: The preset, or the evaluator of its data set, is missing.
    """
    card, model = cards.read(folder), load(folder)
    card = dataclasses.replace(card, recipe=_set_sampler(model, card))
    data, scored = card.recipe["data"], card.evaluation
    context = EvaluationContext(
        model, data["name"], scored["samples"], find_evaluator(data["name"]), scored["seed"]
    )
    found = sample_quality(context)
    prefix = f"{model.second_prior}_"
    added = {name: one._asdict() for name, one in found.items() if name.startswith(prefix)}
    evaluation = {**scored, "metrics": {**scored["metrics"], **added}}
    with replace_folder(folder) as aside:
        shutil.copytree(folder, aside, dirs_exist_ok=True)
        model.release().save(aside / "model.keras")  # a loaded model has optimizer slots
        tfgen.export(model, aside / "1")
        known = {**facts(model), "min_runtime": min_runtime(aside / "1"), **checksums(aside)}
        write_card(aside, dataclasses.replace(card, evaluation=evaluation, **known))


def _set_sampler(model, card):
    """Fit or set the second sampler; return the recipe of the model with it."""
    if hasattr(model, "fit_sampler"):
        fit_sampler(model, card.recipe["data"], card.seed)
        return card.recipe
    truncation = registry.recipes().get(card.name, {}).get("build", {}).get("truncation")
    if truncation is None:
        raise ValueError(
            "A second sampler is fitted to the Gaussian codes of a likelihood model, or is the truncation "
            f"of a GAN's recipe. Received: {card.model}, {card.name!r}"
        )
    model.truncation = truncation
    return {**card.recipe, "build": {**card.recipe["build"], "truncation": truncation}}


if __name__ == "__main__":
    for _name in sys.argv[1:]:
        add_second_sampler(locate(_name))
        print(_name, flush=True)
