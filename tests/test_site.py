"""The site's own extensions: what its pages say is looked up, counted or refused, not typed."""

import csv
import dataclasses
import json
import re
from pathlib import Path

import pytest

import catalog
import docstrings
import equations
import links
import mathml
import public

ROOT = Path(__file__).resolve().parent.parent
ENTRIES = equations.read()


class TestEquations:
    @pytest.mark.parametrize("entry", ENTRIES, ids=lambda entry: entry["number"])
    def test_name_functions_and_tests_that_exist(self, entry):
        assert entry["code"]
        assert entry["tests"]
        for reference in (*entry["code"], *entry["tests"], *entry.get("erratum_tests", [])):
            first, last = equations.lines(reference)
            assert first < last
        assert all(reference.startswith(("tfgen/", "zoo/")) for reference in entry["code"])
        tests = [*entry["tests"], *entry.get("erratum_tests", [])]
        assert all(re.search(r"^tests/test_\w+\.py::.*\btest_\w+$", test) for test in tests)

    def test_every_number_of_the_paper_is_there_once(self):
        spans = [re.fullmatch(r"(\d+)(?:-(\d+))?", entry["number"]) for entry in ENTRIES]
        numbers = [
            number
            for span in spans
            if span
            for number in range(int(span[1]), int(span[2] or span[1]) + 1)
        ]
        assert numbers == list(range(1, 47))

    def test_lines_are_those_of_the_function(self):
        first, _ = equations.lines("tfgen/objectives.py::reverse")
        text = (ROOT / "tfgen" / "objectives.py").read_text().splitlines()
        assert text[first - 1].startswith("def reverse(")

    def test_an_unknown_function_is_refused(self):
        with pytest.raises(ValueError, match=r"Received: 'tfgen/objectives.py::gone'"):
            equations.lines("tfgen/objectives.py::gone")

    def test_statements_become_mathml(self):
        for entry in ENTRIES:
            formula = mathml.mathml(entry["statement"], display="block")
            assert formula.startswith("<math")
            assert "\\" not in formula


class TestCatalog:
    def test_data_hold_every_presets_numbers(self, tmp_path):
        cards = catalog.read_cards()
        catalog.write_data(cards, tmp_path)
        records = json.loads((tmp_path / "results.json").read_text())
        with open(tmp_path / "results.csv", newline="") as file:
            rows = list(csv.DictReader(file))
        assert [row["name"] for row in rows] == [card.name for card in cards]
        for card, record, row in zip(cards, records, rows, strict=True):
            assert record["metrics"] == card.metrics
            for metric, number in card.metrics.items():
                assert float(row[metric]) == number["value"]
                assert float(row[f"{metric}_low"]) == number["low"]

    def test_the_table_has_a_row_and_a_page_for_each(self):
        cards = catalog.read_cards()
        table = catalog.table(cards)
        for card in cards:
            assert f'href="presets/{card.name}.html"' in table
            assert f"# {card.name}\n" in catalog.preset_page(card)

    def test_every_cell_is_escaped(self):
        card = catalog.read_cards()[0]
        table = catalog.table([dataclasses.replace(card, model="<script>")])
        assert "<script>" not in table


def test_links_through_the_repository_lead_through_the_site(tmp_path):
    (tmp_path / "studies" / "records").mkdir(parents=True)
    text = "[`a`](../../saved_models/gan_digits/README.md), [b](records), [c](other.md)"
    led = links.rewrite_links(text, tmp_path / "studies", tmp_path)
    assert led == "[`a`](../presets/gan_digits.md), b, [c](other.md)"


def test_no_mark_of_bold_text_is_left_in_a_page():
    pages = [*(ROOT / "docs").rglob("*.md"), *ROOT.glob("*.md"), *ROOT.glob("benchmarks/*.md")]
    assert [path.name for path in pages if "****" in path.read_text(encoding="utf-8")] == []


class TestDocstrings:
    def test_marks_mean_themselves_outside_code(self):
        assert docstrings.plain("log q_phi(y|x) of z_-i, `a|b_`") == (
            r"log q_phi(y\|x) of z\_-i, `a|b_`"
        )

    def test_indented_formulas_are_shown_letter_by_letter(self):
        lines = docstrings.display_formulas(["Text.", "", "    a |b|", "", "Args:", "    x: c|d."])
        assert lines == ["Text.", "", "::", "", "    a |b|", "", "Args:", r"    x: c\|d."]


class TestPublic:
    def test_a_name_on_no_page_is_a_fault(self):
        faults = list(public.faults({"tfgen.noise"}, ["tfgen.noise"]))
        assert "no page has tfgen.objectives.importance_weights" in faults
        assert "no page has zoo.GAN" in faults
        assert "no page has tfgen.saved_model.export" in faults

    def test_a_name_without_documentation_is_a_fault(self, monkeypatch):
        from tfgen import noise

        def bare():
            pass

        bare.__module__ = noise.__name__
        monkeypatch.setattr(noise, "bare", bare, raising=False)
        faults = list(public.faults({"tfgen.noise.bare"}, ["tfgen.noise"]))
        assert "no docstring: tfgen.noise.bare" in faults
