"""Seeded invalid input to the command line and public functions: a valid result, or a stated error."""

import functools
import random

import numpy as np
import pytest
from click.testing import CliRunner
from models import build, digits

import tfgen
import zoo
from tfgen.drawing import pictures
from zoo import cli
from zoo.preset import load, several, train
from zoo.studies import symmetry

LINES, CALLS = 240, 40  # of commands; of each entry
REFUSALS = (ValueError, TypeError, OSError)
VALUES = (
    "", " ", "\0", "x" * 300, "-1", "0", "1", "3", "1e9", "nan", "2.5", "None", "[]", "{}", "é", "💥",
    "no/..", "/dev/null", "no/such", "a.png", "a.keras", "digits", "mnist_", "hf://", "hf://../..",
    "cgan_small", "resnet_small", "gan_digits", "gan_digts", "0-1", "4-2", "data.size=8", "data.size=x",
    "build.width=-1", "training.epochs=0", "training.learning_rate=null", "data=3", "=", "a=b", "ab",
)  # fmt: skip
OPTIONS = {
    "list": ("--recipes", "--json"),
    "info": ("--json", "--figure", "--trusted"),
    "sample": ("-n", "--seed", "--label", "--out"),
    "interpolate": ("--rows", "--columns", "--seed", "--label", "--out"),
    "traverse": ("--rows", "--columns", "--out"),
    "map": ("--data", "-n", "--out"),
    "reconstruct": ("--data", "-n", "--seed", "--out"),
    "translate": ("--direction", "--data", "--out"),
    "train": ("--from", "--set", "--data", "--epochs", "--seed", "--seeds", "--out", "--resume", "--init"),
    "evaluate": ("--data", "--samples", "--against", "--evaluator", "--seed", "--json"),
    "compare": ("--samples", "--evaluator"),
    "symmetry": ("--data", "--epochs", "--evaluator"),
    "export": ("--out", "--format"),
    "publish": ("--name", "--root", "--samples", "--evaluator", "--overwrite"),
    "reproduce": ("--cell", "--scale", "--plan"),
    "serve": ("--port", "--versions", "--label", "--write-config"),
}  # fmt: skip
FLAGS = {"--recipes", "--json", "--trusted", "--resume", "--overwrite", "--plan"}


def command_lines():
    """Commands with words and options of every kind, drawn by a seed."""
    draw = random.Random(0)
    for _ in range(LINES):
        command = draw.choice(list(OPTIONS))
        words = [command, *draw.choices(VALUES, k=draw.choice((0, 1, 1, 1, 2)))]
        for option in draw.sample(OPTIONS[command], draw.randint(0, len(OPTIONS[command]))):
            words += [option] if option in FLAGS else [option, draw.choice(VALUES)]
        if command == "evaluate" and "--samples" not in words:
            words += ["--samples", "40"]
        if command == "serve" and "--write-config" not in words:
            words += ["--write-config", "written"]  # nothing listens
        yield words


def test_command_lines(presets, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(load, "_roots", lambda: [presets])
    monkeypatch.setattr(zoo, "load", functools.cache(zoo.load))
    monkeypatch.setattr(train, "train", lambda *_, **__: None)
    monkeypatch.setattr(several, "execute", lambda *_: None)
    monkeypatch.setattr(several, "last_epochs", lambda out, seeds: {s: {"epoch": 1} for s in seeds})
    monkeypatch.setattr(symmetry, "report", lambda *_, **__: {"metrics": {}})
    monkeypatch.setattr(tfgen, "export", lambda model, path, **_: path)
    faults = []
    for words in command_lines():
        result = CliRunner().invoke(cli.main, words)
        line = (result.stderr.splitlines() or [""])[-1]
        ended = isinstance(result.exception, SystemExit) or result.exception is None
        refused = result.exit_code == 2 or (result.exit_code == 1 and "Received: " in line)
        if not ended or not (result.exit_code == 0 or refused):
            faults.append((words, result.exit_code, result.exception, line))
    assert not faults, "\n".join(map(str, faults))


ODD = (
    None, "", "x", "\0", "no/../..", b"x", -1, 0, 1, 2, 2.5, True, np.nan, np.inf, 10**30, [], [1],
    {}, {"x": 1}, (), object(), np.zeros(3), np.array("x"), np.float64(2), np.int64(3), print,
)  # fmt: skip


@functools.cache
def conditional():
    model = build("cgan_digits")
    model.compile("sgd")
    return model


@functools.cache
def classifier():
    model = build("resnet_digits")
    model.compile("sgd")
    return model


def are_images(value):
    return isinstance(value, np.ndarray) and value.min(initial=0) >= 0 and value.max(initial=1) <= 1


def are_numbers(value):
    return np.isfinite(list(value.values())).all()


def is_one(value):
    return value is not None


X, T = digits(16)
CLASSIFIED = {"x": X, "y": T, "verbose": 0, "batch_size": 8}
# Entry -> (call, right arguments, whether a result is right).
ENTRIES = {
    "sample": (lambda **a: conditional().sample(**a), {"n": 2, "seed": 0, "labels": [0, 1]}, are_images),
    "fit": (
        lambda **a: classifier().fit(**a).history,
        {**CLASSIFIED, "epochs": 1, "validation_data": (X, T), "validation_split": 0.0,
         "steps_per_epoch": None, "initial_epoch": 0, "validation_freq": 1, "sample_weight": None},
        lambda found: np.isfinite(list(found.values())).all(),
    ),
    "evaluate": (
        lambda **a: classifier().evaluate(return_dict=True, **a),
        {**CLASSIFIED, "steps": None},
        are_numbers,
    ),
    "predict": (
        lambda **a: classifier().predict(**a), {"x": X, "batch_size": 8, "verbose": 0}, are_images
    ),
    "train_on_batch": (
        lambda **a: classifier().train_on_batch(return_dict=True, **a), {"x": X, "y": T}, are_numbers
    ),
    "zoo.load": (lambda **a: zoo.load(**a), {"name": "gan_digits"}, is_one),
    "zoo.card": (lambda **a: zoo.card(**a), {"name": "gan_digits"}, is_one),
    "tfgen.export": (lambda **a: tfgen.export(**a), {"model": None, "path": "no/1"}, is_one),
    "tfgen.data.load": (
        lambda **a: next(iter(tfgen.data.load(**a))),
        {"name": "digits", "split": "train", "fraction": 1.0, "labelled": 1.0, "batch_size": 8, "seed": 0,
         "size": 8, "channels": 1, "binarize": False, "shuffle": True, "shift": 0, "flip": None},
        lambda batch: are_images(batch[0].numpy()),
    ),
    "tfgen.data.arrays": (
        lambda **a: tfgen.data.arrays(**a),
        {"name": "digits", "split": "test", "size": 8, "channels": 1, "pad": False, "crop": False},
        is_one,
    ),
    "tfgen.data.batches": (
        lambda **a: next(iter(tfgen.data.batches(**a))),
        {"images": (X * 255).astype("uint8"), "labels": T, "batch_size": 4, "seed": 0},
        is_one,
    ),
    "tfgen.evaluate": (
        lambda **a: tfgen.evaluate(**a),
        {"model": None, "data": "digits", "samples": 4, "evaluator": None, "seed": 0},
        is_one,
    ),
    "grid": (lambda **a: pictures.grid(**a), {"images": X, "labels": T, "columns": 4}, is_one),
}  # fmt: skip


@pytest.mark.filterwarnings("ignore:.*Your input ran out of data")  # Keras' own, of more steps
@pytest.mark.parametrize("entry", ENTRIES)
def test_calls(entry, tmp_path, monkeypatch):
    """One argument of a right call is spoilt at a time."""
    monkeypatch.chdir(tmp_path)
    call, right, is_right = ENTRIES[entry]
    right = {name: classifier() if name == "model" else value for name, value in right.items()}
    draw, faults = random.Random(entry), []
    for _ in range(CALLS):
        name, value = draw.choice([n for n in right if n != "verbose"]), draw.choice(ODD)
        try:
            found = call(**{**right, name: value})
        except REFUSALS as error:
            if "Received: " not in str(error):
                faults.append((name, value, repr(error)[:300]))
        except Exception as error:
            faults.append((name, value, repr(error)[:300]))
        else:
            if not is_right(found):
                faults.append((name, value, found))
    assert not faults, "\n".join(map(str, faults))
