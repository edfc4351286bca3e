"""`python -m zoo.preset.redraw [NAME ...]`: draw pictures and pages of presets again, by default of all.

Weights, SavedModels and numbers stay; the card's checksum of the picture is updated.  The data set of each
preset must be on disk.
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

_IMAGES = 64  # images of a grid


def redraw(folder: Path) -> None:
    """Draw a preset's picture, and write its card and page again.

    Args:
        folder: Folder of the preset.

    Raises:
        FileNotFoundError: The preset or its data set is missing.
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
