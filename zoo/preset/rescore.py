"""`python -m zoo.preset.rescore NAME ...`: score presets again, with metrics that came after them.

Weights, SavedModels and pictures stay; the card's numbers and its page are written again, with the same
samples and evaluator.  The data set of each preset must be on disk.
"""

import dataclasses
import sys
from pathlib import Path

import tfgen
from zoo.preset import cards
from zoo.preset.load import load, locate
from zoo.preset.publish import write_card
from zoo.recipes import evaluation_data


def rescore(folder: Path) -> None:
    """Score a preset as its card says that it was scored, and write the card and the page again.

    Args:
        folder: Folder of the preset.

    Raises:
        FileNotFoundError: The preset, its data set or its evaluator is missing.
    """
    card = cards.read(folder)
    scored, judge = card.evaluation, card.evaluation.get("evaluator")
    metrics = tfgen.evaluate(
        load(folder),
        evaluation_data(card.recipe["data"], card.endpoints),
        scored.get("samples", 10_000),
        evaluator=None if judge is None else locate(judge),
        seed=scored["seed"],
    )
    write_card(folder, dataclasses.replace(card, evaluation={**scored, "metrics": metrics}))


if __name__ == "__main__":
    for _name in sys.argv[1:]:
        rescore(locate(_name))
        print(_name, flush=True)
