"""`python -m zoo.preset.redraw [NAME ...]`: pictures and pages of presets made anew, by default of all.

Weights, SavedModels and numbers stay; the card's checksum of the picture follows.  The data of each preset
must be at hand.
"""

import dataclasses
import sys
from pathlib import Path
from typing import Any

from tfgen.drawing import pictures
from tfgen.evaluation import capabilities
from tfgen.evaluation.context import EvaluationContext
from zoo.preset import cards
from zoo.preset.load import load, locate, presets
from zoo.preset.publish import EVALUATION_SEED, checksums, write_card
from zoo.recipes import evaluation_data

_IMAGES = 64  # of a grid: enough that no evaluator is asked for


def redraw(folder: Path) -> None:
    """Draw a preset's picture and write its card and page anew.

    Args:
        folder: Of the preset.

    Raises:
        FileNotFoundError: There is no such preset, or not its data.
    """
    card, model = cards.read(folder), load(folder)
    data = evaluation_data(card.recipe["data"], card.endpoints)
    draw: Any = capabilities.main_capability(model.endpoints()).draw
    context = EvaluationContext(model, data, _IMAGES, None, EVALUATION_SEED)
    pictures.save(draw(context), folder / "samples.png")
    write_card(folder, dataclasses.replace(card, **checksums(folder)))


if __name__ == "__main__":
    for _name in sys.argv[1:] or presets():
        redraw(locate(_name))
        print(_name, flush=True)
