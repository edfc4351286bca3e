"""Docstrings have Google's form: a section "Args:" names every parameter, and nothing else."""

import ast
import re
from pathlib import Path

ROOT = Path(__file__).parents[1]
ROOMS = ("tfgen", "zoo", "benchmarks", "docs/_extensions")


def functions_with_text():
    """Yield (place, function, docstring) of every function, and of every class with `__init__`."""
    for file in (file for room in ROOMS for file in sorted((ROOT / room).rglob("*.py"))):
        for node in ast.walk(ast.parse(file.read_text())):
            function = node
            if isinstance(node, ast.ClassDef):
                function = next(
                    (f for f in node.body if getattr(f, "name", "") == "__init__"), None
                )
            if isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef):
                place = f"{file.relative_to(ROOT)}:{node.lineno}"
                yield place, function.args, ast.get_docstring(node) or ""


def documented(text):
    """Return the names in the section "Args:"; several may share a line."""
    section = re.search(r"^Args:\n((?: .*\n|\n)*)", f"{text}\n", re.MULTILINE)
    lines = re.findall(r"^ {4}([*\w]+(?:, [*\w]+)*):", section[1] if section else "", re.MULTILINE)
    return {name.lstrip("*") for line in lines for name in line.split(", ")}


def test_documented_arguments_are_the_parameters():
    faults = {}
    for place, arguments, text in functions_with_text():
        listed = [*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs]
        expected = {argument.arg for argument in listed} - {"self", "cls"}
        variable = {part.arg for part in (arguments.vararg, arguments.kwarg) if part}
        if (names := documented(text)) and names - variable != expected:
            faults[place] = sorted(names - variable ^ expected)
    assert not faults
