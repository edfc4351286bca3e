"""Presets among the recorded seeds of their arm."""

import dataclasses
import json

import pytest
from recorded import record

import zoo
from zoo.preset import cards
from zoo.preset import page as pages
from zoo.studies.reproduce import arms, records
from zoo.studies.reproduce.cells import cells

CARDS = {name: cards.Card.of(zoo.card(name)) for name in zoo.presets()}
COMPARED = [name for name, card in CARDS.items() if card.arm]


@pytest.fixture
def folder(tmp_path):
    """Records of four seeds of GAN on digits, whose average scores .1, .4, .2 and .3."""
    recipe = cells()["gan_digits"].arms["GAN"]
    for seed, score in enumerate((0.1, 0.4, 0.2, 0.3)):
        scores = {"inception_score_ratio": 0.9, "average_inception_score_ratio": score}
        records.append(tmp_path, record("GAN", seed, recipe=recipe, scores=scores))
    return tmp_path


def test_a_card_tells_the_spread_of_the_average_and_its_rank(folder):
    card = dataclasses.replace(cards.Card.of(zoo.card("gan_digits")), seed=3)
    found = arms.among_seeds(card, folder)
    assert (found["table"], found["cell"], found["arm"]) == ("table2", "gan_digits", "GAN")
    assert (found["seeds"], found["rank"], found["metric"]) == (4, 3, "inception_score_ratio")
    assert found["means"] == {"inception_score_ratio": 0.25}
    assert found["deviations"] == {"inception_score_ratio": pytest.approx(0.129099)}
    page = pages.page(dataclasses.replace(card, arm=found))
    assert (
        "Of 4 recorded runs of this recipe, the one of this seed is number 3 from the lowest"
        in page
    )
    assert "[table2](../../docs/studies/table2.md): inception_score_ratio 0.25 ± 0.1291." in page
    assert "One seed was trained" not in page


@pytest.mark.parametrize("change", [{"seed": 4}, {"recipe": zoo.RECIPES["gan_mnist"]}])
def test_another_seed_or_recipe_has_no_arm(folder, change):
    card = dataclasses.replace(cards.Card.of(zoo.card("gan_digits")), **change)
    assert arms.among_seeds(card, folder) is None


@pytest.mark.parametrize("name", CARDS)
def test_every_card_tells_what_the_records_tell(name):
    assert CARDS[name].arm == arms.among_seeds(CARDS[name])


def test_the_four_of_digits_are_compared():
    assert {"gan_digits", "iwgan_digits", "cgan_digits", "iwcgan_digits"} <= {*COMPARED}


@pytest.mark.parametrize("name", COMPARED)
def test_a_compared_preset_is_about_the_median_of_the_records(name):
    seeds, rank = CARDS[name].arm["seeds"], CARDS[name].arm["rank"]
    assert seeds / 4 < rank <= 3 * seeds / 4 + 0.5


def test_a_card_with_a_damaged_arm_is_refused(tmp_path):
    document = {**zoo.card("gan_digits"), "arm": {"table": "table2", "seeds": "6"}}
    (tmp_path / "card.json").write_text(json.dumps(document))
    with pytest.raises(ValueError, match="A card states .* Received: no 'cell'"):
        cards.read(tmp_path)
