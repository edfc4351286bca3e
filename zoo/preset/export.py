"""`python -m zoo.preset.export [NAME ...]`: export published presets again, by default all.

Weights do not change, except those of a discriminator that was never calibrated (see
`zoo.preset.calibrate`).  Unchanged weights give byte-identical files of variables, so that a new export
adds only graphs to the history.  The card's endpoints, `min_runtime`, checksums and size are updated, and
the page; its numbers stay.
"""

import dataclasses
import shutil
import sys
from pathlib import Path

import tfgen
from tfgen.atomic import replace_folder
from tfgen.saved_model import min_runtime
from zoo.preset import calibrate, cards
from zoo.preset.load import load, locate, presets
from zoo.preset.publish import checksums, facts, write_card


def export_again(folder: Path) -> None:
    """Write a preset's SavedModel, card and page again; its folder changes whole or not at all.

    Args:
        folder: Folder of the preset; if its discriminator is not calibrated yet, its data set is read.

    Raises:
        FileNotFoundError: The preset or its data set is missing.
    """
    card = cards.read(folder)
    model, data = load(folder), card.recipe["data"]
    fresh = "discriminate" in model.endpoints() and card.discriminator is None
    calibrated = fresh and calibrate.calibrate(model, data)
    with replace_folder(folder) as aside:
        shutil.copytree(folder, aside, dirs_exist_ok=True)
        if calibrated:
            model.release().save(aside / "model.keras")  # a loaded model has optimizer slots
        known = {"discriminator": calibrate.accuracy(model, data)} if fresh else {}
        tfgen.export(model, aside / "1")
        known |= {**facts(model), "min_runtime": min_runtime(aside / "1"), **checksums(aside)}
        write_card(aside, dataclasses.replace(card, **known))


if __name__ == "__main__":
    for _name in sys.argv[1:] or presets():
        export_again(locate(_name))
        print(_name, flush=True)
