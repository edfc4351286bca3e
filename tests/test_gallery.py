"""The scripts of the site's gallery run as they are, each in a folder of its own."""

import runpy
from pathlib import Path

import matplotlib
import pytest

SCRIPTS = sorted((Path(__file__).resolve().parent.parent / "examples" / "gallery").glob("*.py"))


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda script: script.stem)
def test_a_script_runs_and_shows_what_it_made(script, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    matplotlib.use("agg", force=True)
    shown = runpy.run_path(str(script))
    assert {"picture", "figure", "accuracy"} & shown.keys()
    assert not any(tmp_path.iterdir())
