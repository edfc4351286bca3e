"""The theory's page: its numbers are those of the checks, and the command writes it whole."""

import re

import numpy as np
import pytest
from click.testing import CliRunner

from tfgen import markdown
from tfgen.paper import theory
from tfgen.paper.table import ROWS
from tfgen.paper.theory import World, checks, report
from zoo import cli


@pytest.fixture
def quick(monkeypatch):
    """The page on few worlds."""
    for name, value in {
        "WORLDS": 20, "SIZES": (2, 6), "WORLDS_OF_A_SIZE": 200, "SAMPLES": (1, 2, 5), "AUTOENCODERS": 2,
    }.items():  # fmt: skip
        monkeypatch.setattr(report, name, value)


def test_gradients_that_the_paper_equates_agree():
    *equal, other = checks.generator_gradients(50).values()
    assert max(one.error for one in equal) < 1e-8
    assert min(one.size for one in equal) > 0.1
    assert other.error > 0.1  # Eq. 8 under a D that is not optimal


def test_agreement_by_hand():
    one, other = np.array([1.0, -3.0]), np.array([1.5, -3.0])
    assert checks.agreement(7, [one, one], [one, other]) == (7, 0.5, 3.0)


def test_the_gradient_vanishes_where_the_discriminator_is_constant_on_what_is_generated():
    *rest, random_d, random_g = checks.stationary_points(50).values()
    assert max(rest) < 1e-12
    assert min(random_d, random_g) > 0.1


def test_failures_of_the_bound_and_the_condition_that_decides_them():
    [found] = checks.bound_failures([6], 2000)
    assert found.rates["any"] == theory.bound_failure_rate(World.random(6, 2000, 6))
    assert 0.2 < found.rates["any"] < 0.3
    assert (found.rates["optimal"], found.rates["constant"], found.rates["inverted"]) == (0, 0, 1)
    assert found.exceptions == 0
    assert found.coins > 200
    assert found.failing_coins == 0


def test_the_counter_example_by_hand():
    """D = p_g/(p_g + p_data): JSD = log 2 - H(1/4), E KL = 0, Z = 1/2."""
    entropy = -(0.25 * np.log(0.25) + 0.75 * np.log(0.75))
    expected = (np.log(2) - entropy, 0, -entropy, -np.log(2))
    np.testing.assert_allclose(checks.counter_example(), expected, rtol=0, atol=1e-12)


def test_more_samples_reach_log_z_only_where_nothing_is_missed():
    covering, missing = checks.tightening((1, 5, 50))
    for one in (covering, missing):
        assert sorted(one.bounds.values()) == [*one.bounds.values()]
        assert max(one.bounds.values()) < one.limit
    assert covering.limit == pytest.approx(covering.log_marginal, abs=1e-12)
    assert missing.limit < missing.log_marginal - 0.1


def test_only_the_joint_has_the_gradients_of_both_players():
    found = checks.variational_gradients(2)
    agree = {case for case, one in found.items() if one.error < 1e-12}
    readings = {name for name, _ in found}
    assert {name for name, player in agree if player == "eta"} == readings
    assert readings - {name for name, player in agree if player == "theta"} == {
        "p(z,y|x) as printed, elsewhere",
        "p(z|x,y) p(y)",
    }


def test_models_are_one_function_under_exchange():
    for one in checks.correspondences().values():
        assert one.error < 1e-12
        assert one.size > 1e-2


def test_the_pages_numbers_are_those_of_the_checks(quick, tmp_path):
    page = report.write(tmp_path, "tfgen theory", "a section on mixtures").read_text()
    [failures] = [size for size in checks.bound_failures((2, 6), 200) if size.images == 6]
    coins, rate = failures.coins, failures.rates["any"]
    assert f"| 6 | {coins} | 0 | {rate:.1%} | 0.0% | 0.0% | 100.0% | 0 |" in page
    assert "| JSD | 0.1308 |" in page
    assert "| E KL | 0.0000 |" in page
    lemma = checks.generator_gradients(20)["Lemma 1, Eq. 6, any D"]
    assert f"| Lemma 1, Eq. 6, any D | 20 | {lemma.error:.1e} | {lemma.size:.2g} |" in page
    covering, _ = checks.tightening((1, 2, 5))
    assert " | ".join(f"{bound:.4f}" for bound in covering.bounds.values()) in page
    assert f"| p_data | {theory.figure_2().smaller_mode(theory.figure_2().data):.2g} |" in page
    assert "a section on mixtures" in page


def test_every_link_of_the_page_leads_to_a_file_or_a_heading(quick, tmp_path):
    page = report.write(tmp_path, "tfgen theory").read_text()
    files = {path.name for path in tmp_path.iterdir()}
    headings = {
        "#" + re.sub("[^a-z ]", "", heading.lower()).replace(" ", "-")
        for heading in re.findall("^## (.*)$", page, re.MULTILINE)
    }
    links = set(re.findall(r"\]\(([^)]+)\)", page))
    assert links <= files | headings
    assert {link for link in links if link.startswith("#")} == headings
    assert files - links == {"README.md"}
    for picture in tmp_path.glob("*.png"):
        assert picture.read_bytes().startswith(b"\x89PNG")
        assert picture.stat().st_size < 150_000


def test_table_1_holds_every_row():
    text = report.table_1()
    for name, row in ROWS.items():
        assert f"## {name}\n\n{row.equations}\n" in text
        divergence = row.divergence.replace("|", "\\|")
        assert f"| minimizes | {divergence} |" in text
    for line in text.splitlines():
        if line.startswith("|"):
            assert len(re.findall(r"(?<!\\)\|", line)) in (3, 6)


def test_a_table_escapes_bars():
    assert markdown.table(("p(x|y)", "n"), [(1, "")]) == "| p(x\\|y) | n |\n|---|---|\n| 1 |  |"


def test_the_command_writes_the_page_without_trained_models(quick, tmp_path):
    out = tmp_path / "new" / "theory"
    result = CliRunner().invoke(cli.main, ["theory", "--out", str(out), "--seeds", "0"])
    assert result.output == f"{out / 'README.md'}\n"
    page = (out / "README.md").read_text()
    assert f"tfgen theory --out {out} --seeds 0" in page
    assert report.NOT_RUN in page
