"""The scripts of the site's gallery run as they are, each in a folder of its own."""

import re
import runpy
from pathlib import Path

import matplotlib
import pytest

import gallery

ROOT = Path(__file__).resolve().parent.parent
SCRIPTS = sorted((ROOT / "examples" / "gallery").glob("*.py"))


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda script: script.stem)
def test_a_script_runs_and_shows_what_it_made(script, tmp_path, monkeypatch):
    if gallery.has_run():
        return assert_shown(script)
    monkeypatch.chdir(tmp_path)
    matplotlib.use("agg", force=True)
    shown = runpy.run_path(str(script))
    assert {"picture", "figure", "accuracy"} & shown.keys()
    assert not any(tmp_path.iterdir())


def assert_shown(script):
    """The build of this very state has run the script: its page shows a picture, and can be had."""
    page = ROOT / "docs" / "gallery" / script.name
    text = page.with_suffix(".rst").read_text(encoding="utf-8")
    shown = [f"{ROOT}/docs{name}" for name in re.findall(r"image-sg:: (\S+)", text)]
    assert shown
    assert len({Path(name).read_bytes() for name in shown}) == len(shown)
    assert "Traceback" not in text
    assert page.read_bytes() == script.read_bytes()
    assert page.with_suffix(".ipynb").is_file()


def test_a_change_of_the_library_makes_the_gallery_run_again(tmp_path, monkeypatch):
    monkeypatch.setattr(gallery, "ROOT", tmp_path)
    monkeypatch.setattr(gallery, "NOTE", tmp_path / "ran.sha256")
    (tmp_path / "tfgen").mkdir()
    (tmp_path / "tfgen" / "noise.py").write_text("a")
    gallery.NOTE.write_text(gallery.digest())
    assert gallery.has_run()
    (tmp_path / "tfgen" / "noise.py").write_text("b")
    assert not gallery.has_run()
