"""The README agrees with the cards and with the code."""

import ast
import inspect
import re
import textwrap
from pathlib import Path

import zoo
from zoo.preset import cards
from zoo.preset import page as pages
from zoo.studies import results

ROOT = Path(__file__).resolve().parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")


def test_results_are_the_cards():
    page = (ROOT / "docs" / "results.md").read_text(encoding="utf-8")
    folders = sorted(path.parent for path in ROOT.glob("saved_models/*/card.json"))
    found = [cards.read(folder) for folder in folders]
    assert page == results.page(found)
    for card, folder in zip(found, folders, strict=True):
        assert (folder / "README.md").read_text(encoding="utf-8") == pages.page(card)
    assert all(f"(../saved_models/{name}/README.md)" in page for name in zoo.presets())


def test_the_first_picture_has_the_numbers_of_its_card():
    metrics = cards.read(ROOT / "saved_models" / "iwcgan_cifar10").metrics
    names = ("inception_score_ratio", "conditional_accuracy", "recall")
    [caption] = re.findall(r"chosen on training images\): (.*?)\(\[", README, re.DOTALL)
    expected = [metrics[f"{prefix}{n}"]["value"] for prefix in ("truncated_", "") for n in names]
    assert re.findall(r"\d\.\d+", caption) == [f"{value:.3f}" for value in expected]


def test_the_objective_shown_is_the_objective_run():
    shown = re.search(r"```python\n(def objectives.*?)```", README, re.DOTALL)[1]
    source = textwrap.dedent(inspect.getsource(zoo.GAN.objectives))
    (one,), (other,) = (ast.parse(text).body for text in (shown, source))
    assert list(map(ast.dump, one.body)) == list(map(ast.dump, other.body))
    arguments = [[given.arg for given in function.args.args] for function in (one, other)]
    assert arguments[0] == arguments[1]  # README leaves out their types


def test_links_lead_somewhere():
    prose = re.sub("```.*?```", "", README, flags=re.DOTALL)
    links = re.findall(r"\]\(([^)#]+)\)", prose)
    assert links
    assert [
        link for link in links if not link.startswith("http") and not (ROOT / link).exists()
    ] == []
