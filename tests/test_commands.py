"""Commands that pages and docstrings cite: each is there, and has the options that it is given."""

import importlib
import importlib.util
import re
import shlex
from pathlib import Path

import click
import pytest

from zoo import cli

ROOT = Path(__file__).resolve().parents[1]
PATTERNS = (
    "*.md", "docs/**/*.md", "benchmarks/*.md", "saved_models/*/README.md",
    "benchmarks/*.py", "zoo/**/*.py", "examples/**/*.py",
)  # fmt: skip
PAGES = sorted(path for pattern in PATTERNS for path in ROOT.glob(pattern))
PROGRAM = r"(?:tfgen|(?:\S*python3? )?-m (?:zoo|benchmarks)[\w.]*)"
FENCED = re.compile(r"^```(\w*)\n(.*?)^```$", re.DOTALL | re.MULTILINE)
INLINE = re.compile(rf"`({PROGRAM}(?: [^`]+)?)`")


def cited(page):
    """(words of a command, whether they are all of it) of a page."""
    text = page.read_text(encoding="utf-8").replace("\\\n", " ")
    for kind, block in FENCED.findall(text):
        for line in re.split(r"&&|\n", block) if kind in ("", "console") else ():
            if line.strip().startswith("tfgen "):
                yield shlex.split(line, comments=True), True
    for command in INLINE.findall(FENCED.sub("", text)):
        yield shlex.split(command), False


def program(words):
    """The click command that words call, what it is given, and its name; None for a plain script."""
    if words[0] == "tfgen":
        found, rest = cli.main, words[1:]
        while isinstance(found, click.Group) and rest and not rest[0].startswith("-"):
            found, rest = found.commands[rest[0]], rest[1:]
        return found, rest
    module, rest = words[words.index("-m") + 1], words[words.index("-m") + 2 :]
    if (spec := importlib.util.find_spec(module)).submodule_search_locations:
        spec = importlib.util.find_spec(module := f"{module}.__main__")
    assert '__name__ == "__main__"' in Path(spec.origin).read_text(encoding="utf-8")
    main = getattr(importlib.import_module(module), "main", None)
    return main if isinstance(main, click.Command) else None, rest


def options(command):
    shared = {*command.context_settings.get("help_option_names", ()), "--help", "--version"}
    return shared.union(
        *(parameter.opts + parameter.secondary_opts for parameter in command.params)
    )


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_commands_of_a_page_parse(page, monkeypatch):
    monkeypatch.setattr(click.Path, "convert", lambda self, value, *_: Path(value))
    for words, whole in cited(page):
        command, rest = program(words)
        given = {word.partition("=")[0] for word in rest if re.match("--?[a-z]", word)}
        if command is None:
            assert not given, words
            continue
        assert given <= options(command), words
        if whole and not given & {"--help", "--version"}:
            command.make_context(words[0], rest).close()
