"""The commands of README's "Your own pictures" run as printed, on a folder made here."""

import json
import os
import shlex
import subprocess
import sys
from pathlib import Path

import numpy as np
from PIL import Image

import tfgen

README = (Path(__file__).parents[1] / "README.md").read_text()
SMALLER = {  # what is added to a command, so that it takes seconds
    "train": ["--epochs", "1", "--set", "build.width=4"],
    "publish": ["--samples", "40"],
    "evaluate": ["--samples", "40", "--json"],
    "sample": [],
}
PROCESS = """
import json, sys
from zoo import cli

for command in json.loads(sys.argv[1]):
    cli.main(command, standalone_mode=False)
"""


def commands():
    section = README.split("## Your own pictures")[1].split("\n## ")[0]
    lines = section.split("```")[1].strip().splitlines()
    return [shlex.split(line)[1:] for line in lines]


def test_the_six_commands_lead_from_a_folder_to_a_scored_preset(tmp_path):
    images, labels = tfgen.data.arrays("digits", "train[:500]")
    for number, (image, label) in enumerate(zip(images[..., 0], labels, strict=True)):
        path = tmp_path / "pictures" / ("odd" if label % 2 else "even") / f"{number}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(image).resize((20 + number % 5, 20)).save(path)
    asked = [[*command, *SMALLER[command[0]]] for command in commands()]
    assert len(asked) == 6
    done = subprocess.run(
        [sys.executable, "-c", PROCESS, json.dumps(asked)],
        cwd=tmp_path, env={**os.environ, "TFGEN_HOME": str(tmp_path / "home")},
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "absl" not in done.stderr  # TensorFlow starts without a word
    assert "classes: 2" in done.stdout
    preset = tmp_path / "home" / "presets" / "cgan_pictures"
    card = json.loads((preset / "card.json").read_text())
    assert card["description"].endswith(", on pictures")
    assert card["data"]["class_names"] == ["even", "odd"]
    assert sum(card["data"]["splits"].values()) == 500
    assert card["evaluation"]["evaluator"] == "resnet_pictures"
    assert np.isfinite(card["evaluation"]["metrics"]["fid"]["value"])
    assert "labels=[1] * 64" in (preset / "README.md").read_text()
    with Image.open(tmp_path / "grid.png") as grid:
        assert grid.size[0] > 8 * 32
