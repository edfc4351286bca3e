"""The README says what the cards say, and its code is the code."""

import inspect
import json
import re
from pathlib import Path

import zoo
from zoo import pages

ROOT = Path(__file__).resolve().parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")


def cards():
    names = sorted(zoo.presets(), key=lambda name: (name.split("_")[1:] != ["mnist"], name))
    return [json.loads((ROOT / "saved_models" / name / "card.json").read_text()) for name in names]


def test_results_are_the_cards():
    table = re.search("<!-- results -->\n(.*?)\n?<!-- /results -->", README, re.DOTALL)[1]
    assert table == pages.results_table(cards())


def test_the_objective_shown_is_the_objective_run():
    shown = re.search(r"```python\ndef objectives.*?```", README, re.DOTALL)[0]
    lines = [line.strip() for line in shown.splitlines()[2:-1]]
    source = [line.strip() for line in inspect.getsource(zoo.GAN.objectives).splitlines()[1:]]
    assert lines == source


def test_links_lead_somewhere():
    prose = re.sub("```.*?```", "", README, flags=re.DOTALL)
    links = re.findall(r"\]\(([^)#]+)\)", prose)
    assert links
    assert [
        link for link in links if not link.startswith("http") and not (ROOT / link).exists()
    ] == []
