"""The guides' blocks run, in order, in a folder of their own: Python as it is, and `tfgen` commands."""

import re
import shlex
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from zoo import cli, registry

GUIDES = sorted((Path(__file__).resolve().parent.parent / "docs" / "guides").glob("*.md"))
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.DOTALL | re.MULTILINE)
SHOWN = {"text"}  # blocks for other programs


def command(line):
    """Run a line of a shell that begins with `tfgen`."""
    program, *arguments = shlex.split(line)
    assert program == "tfgen"
    result = CliRunner().invoke(cli.main, arguments, catch_exceptions=False)
    assert result.exit_code == 0, result.output


@pytest.mark.parametrize("guide", GUIDES, ids=lambda guide: guide.stem)
def test_blocks_run(guide, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(registry, "MODELS", dict(registry.MODELS))
    modules, space = set(sys.modules), {"__name__": "__main__"}
    for kind, block in BLOCK.findall(guide.read_text(encoding="utf-8")):
        if kind == "python":
            exec(compile(block, guide.name, "exec"), space)
        elif kind == "console":
            for line in block.replace("\\\n", "").splitlines():
                command(line)
        else:
            assert kind in SHOWN
    for name in {*sys.modules} - modules:
        if name.endswith("_member"):
            del sys.modules[name]
