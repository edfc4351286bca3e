"""`tfgen info`: a model's row of Table 1, as text, as data and drawn."""

import dataclasses
import json
from pathlib import Path

import pytest
from click.testing import CliRunner

import zoo
from tfgen.paper import graphs, table
from tfgen.paper.table import ROWS
from zoo import cli

CARDS = sorted(Path(__file__).parents[1].glob("saved_models/*/card.json"))


def run(*arguments):
    return CliRunner().invoke(cli.main, ["info", *map(str, arguments)])


def in_a_line(text):
    return " ".join(text.split())


@pytest.fixture
def two_rows(tmp_path):
    """A preset's folder of a model that two rows describe."""
    card = {**zoo.card("gan_digits"), "name": "both", "table_row": ["wake", "sleep"]}
    (tmp_path / "card.json").write_text(json.dumps(card))
    return tmp_path


@pytest.mark.parametrize("path", CARDS, ids=lambda path: path.parent.name)
def test_a_published_cards_row_is_printed(path):
    card = json.loads(path.read_text())
    rows = table.find_rows(card["table_row"])
    assert bool(rows) == (card["model"] != "ResNet")
    printed = in_a_line(run(path.parent).stdout)
    for row in rows:
        assert f"Table 1: {row.name}, {row.equations}" in printed
        for part in (row.x, row.generator.description, row.learned[0], row.direction):
            assert in_a_line(part) in printed
    assert ("Table 1" in printed) == bool(rows)


@pytest.mark.parametrize(
    "name",
    [path.parent.name for path in CARDS if path.parent.name.endswith("_digits")],
)
def test_a_published_cards_row_is_its_models(name):
    row = zoo.load(name).table_row
    assert zoo.card(name)["table_row"] == (row if isinstance(row, str | None) else [*row])


def test_json_holds_the_row_as_data():
    found = json.loads(run("cvae_digits", "--json").stdout)
    expected = {"CVAE": dataclasses.asdict(ROWS["CVAE"])}
    assert found.pop("table_1") == json.loads(json.dumps(expected))
    assert found == zoo.card("cvae_digits")
    assert json.loads(run("resnet_digits", "--json").stdout)["table_1"] == {}


def test_a_bare_file_has_the_row_of_its_model(tmp_path):
    file = tmp_path / "model.keras"
    zoo.GAN.build_networks((8, 8, 1), None, width=4, latent_dim=2).save(file)
    found = json.loads(run(file, "--json").stdout)
    assert found["table_row"] == "GAN"
    assert [*found["table_1"]] == ["GAN"]
    assert "Table 1: GAN" in run(file).stdout


def test_several_rows_are_printed_one_after_the_other(two_rows):
    printed = run(two_rows).stdout
    assert 0 < printed.index("Table 1: wake") < printed.index("Table 1: sleep")
    assert [*json.loads(run(two_rows, "--json").stdout)["table_1"]] == ["wake", "sleep"]


def test_brackets_of_a_row_are_printed_as_they_are(tmp_path):
    (tmp_path / "card.json").write_text(
        json.dumps({**zoo.card("gan_digits"), "table_row": "GAN/VAE"})
    )
    assert in_a_line(ROWS["GAN/VAE"].divergence) in in_a_line(run(tmp_path).stdout)


def test_the_graphical_model_is_drawn(two_rows, tmp_path, monkeypatch):
    pytest.importorskip("matplotlib")
    drawn, draw = [], graphs.draw
    monkeypatch.setattr(graphs, "draw", lambda *a: drawn.append(a[0]) or draw(*a))
    out = tmp_path / "new" / "figure.png"
    assert run(two_rows, "--figure", out).exit_code == 0
    assert out.read_bytes().startswith(b"\x89PNG")
    assert [[*one.values()] for one in drawn] == [[ROWS["wake"].arcs, ROWS["sleep"].arcs]]


def test_a_model_outside_table_1_is_not_drawn(tmp_path):
    out = tmp_path / "figure.png"
    result = run("resnet_digits", "--figure", out)
    assert result.exit_code == 1
    assert "Received: resnet_digits" in result.stderr
    assert not out.exists()


def test_facts_leave_out_what_a_model_lacks():
    gan, cvae = (dict(table.facts(ROWS[name])) for name in ("GAN", "CVAE"))
    assert "t" not in gan
    assert cvae["t"] == ROWS["CVAE"].t
    assert gan["generates"] == "q_phi^(r)(y|x), discriminator: real or generated"
    assert gan["infers"].startswith("p_theta(x|y)")
    assert dict(table.facts(ROWS["AA-VAE"])).keys().isdisjoint({"degenerate", "t", "can take"})
