"""The examples in docstrings run and print what they show."""

import doctest
import importlib
from pathlib import Path

import pytest

import zoo

ROOT = Path(__file__).parents[1]
FRONT_DOOR = (
    "tfgen.data.loading.load",
    "tfgen.evaluation.evaluate",
    "tfgen.saved_model.export",
    "tfgen.testing",
    "zoo.preset.load.load",
    "zoo.preset.trained.publish",
    "zoo.registry.build",
)


def examples():
    """Return the examples of every module that has some."""
    files = [file for room in ("tfgen", "zoo") for file in sorted((ROOT / room).rglob("*.py"))]
    names = [
        ".".join(file.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")
        for file in files
        if "Examples:\n" in file.read_text()
    ]
    finder = doctest.DocTestFinder(exclude_empty=True)
    return [
        test
        for name in names
        for test in finder.find(importlib.import_module(name), name)
        if test.examples
    ]


EXAMPLES = {test.name: test for test in examples()}


@pytest.mark.parametrize("name", EXAMPLES)
def test_an_example_prints_what_it_shows(name, capsys):
    failed, _ = doctest.DocTestRunner().run(EXAMPLES[name])
    assert failed == 0, capsys.readouterr().out


def test_every_model_and_the_front_door_have_examples():
    models = {f"{module}.{name}" for name, module in zoo.MODELS.items()}
    assert EXAMPLES.keys() >= models | set(FRONT_DOOR)
