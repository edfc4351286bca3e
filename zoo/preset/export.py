"""`python -m zoo.preset.export [NAME ...]`: SavedModels of published presets written anew, by default all.

Weights stay, but for a discriminator that was never calibrated (see `zoo.preset.calibrate`).  Where they
stay, the files of variables stay to the byte, so that a new export adds graphs alone to the history.  The
card's endpoints, `min_runtime`, checksums and size follow, and the page; its numbers are not touched.
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
    """Write a preset's SavedModel, card and page anew; its folder changes whole or not at all.

    Args:
        folder: Folder of the preset; its data must be at hand where its discriminator is yet to be calibrated.

    Raises:
        FileNotFoundError: There is no such preset, or not the data.
    """
    card = cards.read(folder)
    model, data = load(folder), card.recipe["data"]
    fresh = "discriminate" in model.endpoints() and card.discriminator is None
    calibrated = fresh and calibrate.calibrate(model, data)
    with replace_folder(folder) as aside:
        shutil.copytree(folder, aside, dirs_exist_ok=True)
        if calibrated:
            model.release().save(aside / "model.keras")  # a loaded one has slots
        known = {"discriminator": calibrate.accuracy(model, data)} if fresh else {}
        tfgen.export(model, aside / "1")
        known |= {**facts(model), "min_runtime": min_runtime(aside / "1"), **checksums(aside)}
        write_card(aside, dataclasses.replace(card, **known))


if __name__ == "__main__":
    for _name in sys.argv[1:] or presets():
        export_again(locate(_name))
        print(_name, flush=True)
