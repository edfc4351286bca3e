"""A new member of the zoo is one new file and one line: a toy model, outside the zoo, shows it."""

import json
import math
import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf
import test_contract

import zoo
from zoo import registry

ROOT = Path(__file__).parents[1]

FILE = '''
"""Least-squares GAN: squared distances of l(x) from 1 for real and from 0 for generated images."""

import keras

from tfgen import checks, endpoints, networks
from tfgen.unified import Unified


@keras.saving.register_keras_serializable("zoo")
class Toy(Unified):
    """Mao et al. (2017), Eq. 9: least squares in the place of log q.

        phi:    -1/2 E_pdata[(l(x) - 1)^2] - 1/2 E_pg[l(x)^2]
        theta:  -E_pg[(l(x) - 1)^2]
    """

    def __init__(self, theta, phi, **kwargs):
        checks.check_networks(None, theta=theta, phi=phi)
        super().__init__({"theta": theta, "phi": phi}, theta.output_shape[1:], **kwargs)

    @classmethod
    def build_networks(cls, shape, num_classes, *, width, latent_dim, **kwargs):
        theta = networks.generator(shape, latent_dim, width)
        return cls(theta, networks.discriminator(shape, width), **kwargs)

    def objectives(self, images, labels=None, training=True):
        generated = self.theta(self.prior_like(images), training=training)
        real, fake = (self.logits(x, training=training) for x in (images, generated))
        return {
            "theta": -self.mean((fake - 1) ** 2),
            "phi": -(self.mean((real - 1) ** 2) + self.mean(fake**2)) / 2,
        }

    def call(self, images, labels=None, training=False):
        return self.logits(images, training=training)

    def endpoints(self):
        return {**endpoints.generator(self), **endpoints.discriminator(self)}


RECIPES = {
    "toy_digits": {
        "model": "Toy",
        "description": "Least-squares GAN, on digits",
        "data": {"name": "digits"},
        "build": {"width": 4, "latent_dim": 8, "average": 0.9},
        "training": {
            "epochs": 3, "batch_size": 64, "learning_rate": 1e-3, "beta_1": 0.5, "decay": None
        },
    }
}
'''

LINE = """
import zoo

zoo.MODELS["Toy"] = "toy_member"
"""

# Use by the command line; the list shows the folder that the preset is published in.
COMMANDS = """
import json
import pathlib
import sys

import toy_line
import zoo
from zoo import cli
from zoo.preset import load

assert zoo.RECIPES["toy_digits"]["model"] == "Toy"
load._roots = lambda: [pathlib.Path("presets")]
for command in json.loads(sys.argv[1]):
    cli.main(command, standalone_mode=False)
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """The file and the line, in a folder from which processes import."""
    folder = tmp_path_factory.mktemp("toy")
    (folder / "toy_member.py").write_text(FILE)
    (folder / "toy_line.py").write_text(LINE)
    return folder


def run(arguments, folder, cwd):
    """Return the output of a new interpreter that finds the file and the line."""
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(folder), str(ROOT)])}
    done = subprocess.run(
        [sys.executable, *map(str, arguments)],
        cwd=cwd, env=environment, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def number_of_tests():
    """Return the number of contract tests of one model that draws samples."""
    counts = []
    for function in vars(test_contract).values():
        marks = [mark for mark in getattr(function, "pytestmark", []) if mark.name == "parametrize"]
        tables = [
            mark
            for mark in marks
            if mark.args[0] == "name"
            and mark.args[1] is not test_contract.LABELLED
            and mark.args[1] is not test_contract.ONE_CALL
        ]
        if tables:
            counts.append(math.prod(len(mark.args[1]) for mark in marks if mark not in tables))
    return sum(counts)


def test_the_contract_table_takes_it_up(folder):
    options = ("-k", "toy_digits", "-p", "toy_line", "-p", "no:cacheprovider", "-q", "--large")
    out = run(["-m", "pytest", "tests/test_contract.py", *options], folder, ROOT)
    expected = number_of_tests()
    assert expected > 20
    [passed] = re.findall(r"(\d+) passed, \d+ deselected", out)
    assert int(passed) == expected


@pytest.fixture(scope="module")
def published(folder):
    """The folder in which the command line trained and published the toy, and what it printed."""
    commands = [
        ["train", "toy_digits", "--epochs", "1", "--out", "run"],
        ["publish", "run", "--name", "toy_digits", "--root", "presets", "--samples", "40"],
        ["list"],
        ["info", "toy_digits"],
        ["sample", "toy_digits", "-n", "4", "--out", "grid.png"],
        ["interpolate", "toy_digits", "--rows", "2", "--out", "path.png"],
        ["evaluate", "toy_digits", "--samples", "40"],
        ["export", "toy_digits", "--out", "models"],
    ]
    return folder, run(["-c", COMMANDS, json.dumps(commands)], folder, folder)


@pytest.mark.parametrize("way", ["TFGEN_MODELS", "an entry point"])
def test_the_installed_command_takes_it_up(folder, tmp_path, monkeypatch, way):
    if way == "TFGEN_MODELS":
        monkeypatch.setenv("TFGEN_MODELS", "Toy=toy_member")
    else:
        installed = tmp_path / "toy-1.0.dist-info"
        installed.mkdir()
        (installed / "METADATA").write_text("Metadata-Version: 2.1\nName: toy\nVersion: 1.0\n")
        (installed / "entry_points.txt").write_text("[tfgen.models]\nToy = toy_member:Toy\n")
    environment = os.pathsep.join([str(tmp_path), str(folder), str(ROOT)])
    done = subprocess.run(
        [sys.executable, "-m", "zoo.cli", "list", "--recipes", "--json"],
        env={**os.environ, "PYTHONPATH": environment},
        cwd=tmp_path, capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert json.loads(done.stdout)["toy_digits"]["model"] == "Toy"


@pytest.mark.parametrize("value", ["GAN=toy_member", "Toy", "=toy_member", "a toy=toy_member"])
def test_a_name_outside_that_breaks_the_rule_is_refused(monkeypatch, value):
    monkeypatch.setenv("TFGEN_MODELS", value)
    with pytest.raises(ValueError, match="must have a class of a new name and a module"):
        registry._outside()


def test_the_command_line_takes_it_up(published):
    folder, out = published
    assert "Least-squares GAN, on digits" in out  # listed
    assert "Mao et al. (2017), Eq. 9" in out  # of its class, by info
    for path in ("grid.png", "path.png", "run/samples/epoch_001.png", "presets/toy_digits/1"):
        assert (folder / path).exists()
    served = tf.saved_model.load(str(folder / "models" / "1")).signatures["sample"]
    images = served(n=tf.constant(3), seed=tf.constant(0))["images"]
    assert images.shape == (3, 8, 8, 1)


def test_the_pages_take_it_up(published):
    folder, _ = published
    from zoo.preset import cards
    from zoo.preset import page as pages
    from zoo.studies import results

    card = cards.read(folder / "presets" / "toy_digits")
    assert card.model == "Toy"
    assert card.recipe["build"]["latent_dim"] == 8
    page = (folder / "presets" / "toy_digits" / "README.md").read_text()
    assert page == pages.page(card)
    assert 'zoo.load("toy_digits")' in page
    assert "tfgen train toy_digits --data digits --epochs 1 --seed 0" in page
    assert "| [`toy_digits`](saved_models/toy_digits/README.md) |" in results.table([card])


def test_its_file_is_loaded_where_the_line_has_run_and_nowhere_else(published, monkeypatch):
    folder, _ = published
    preset = folder / "presets" / "toy_digits"
    with pytest.raises(ValueError, match=r"Only the zoo's own classes are loaded: .*'Toy'"):
        zoo.load(preset)
    assert "toy_member" not in sys.modules
    monkeypatch.syspath_prepend(folder)
    monkeypatch.setitem(zoo.MODELS, "Toy", "toy_member")
    model = zoo.load(preset)
    assert type(model) is zoo.Toy
    assert zoo.RECIPES["toy_digits"]["description"] == "Least-squares GAN, on digits"
    served = tf.saved_model.load(str(preset / "1")).signatures["sample"]
    images = served(n=tf.constant(3), seed=tf.constant(5))["images"]
    np.testing.assert_allclose(images, model.sample(3, seed=5), atol=1e-6)


def test_a_name_that_the_zoo_has_is_refused(tmp_path, monkeypatch):
    (tmp_path / "second_member.py").write_text('RECIPES = {"gan_digits": {}}')
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setitem(zoo.MODELS, "Second", "second_member")
    with pytest.raises(
        ValueError, match=r"unique. Received: \['gan_digits'\] again in second_member"
    ):
        zoo.RECIPES  # noqa: B018
