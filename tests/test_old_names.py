"""Every reader accepts files of version 0.1, and no committed file has an old name."""

import json

import pytest
import small
from recorded import record

import zoo
from tfgen import old_names
from zoo.preset import cards
from zoo.preset.run import Record
from zoo.recipes import reading
from zoo.studies.reproduce import records

NEW = {
    **small.VAE,
    "description": "A VAE, dynamically binarized",
    "build": {"width": 4, "latent_dim": 4, "normalization": "synchronized"},
}
OLD = {
    **small.VAE,
    "description": "A VAE, dynamically binarised",
    "data": {"binarise" if k == "binarize" else k: v for k, v in small.VAE["data"].items()},
    "build": {"width": 4, "latent_dim": 4, "normalisation": "synchronised"},
}


def of_recipe(recipe, folder):
    (folder / "recipe.json").write_text(json.dumps(recipe))
    return reading.read(folder / "recipe.json")


def of_changes(recipe, folder):
    return reading.apply_changes(recipe, [])


def of_run(recipe, folder):
    record = Record(None, NEW, 0, None, False, {}, {}).to_dict()
    (folder / "run.json").write_text(json.dumps({**record, "recipe": recipe}))
    return Record.read(folder / "run.json").recipe


def of_card(recipe, folder):
    card = {**zoo.card("vae_digits"), "recipe": recipe}
    (folder / "card.json").write_text(json.dumps(card))
    return cards.read(folder).recipe


def of_study(recipe, folder):
    records.append(folder, record(cell="vae", recipe=recipe))
    return records.read(folder, "vae")[0]["recipe"]


@pytest.mark.parametrize("read", [of_recipe, of_changes, of_run, of_card, of_study])
def test_a_recipe_of_old_names_is_that_of_the_new(read, tmp_path):
    assert read(OLD, tmp_path) == NEW


def test_a_change_may_have_the_old_name():
    changes = ["data.binarise=false", "build.normalisation=synchronised"]
    found = reading.apply_changes(zoo.RECIPES["vae_digits"], changes)
    assert found["data"]["binarize"] is False
    assert found["build"]["normalization"] == "synchronized"
    assert found["data"].keys() == zoo.RECIPES["vae_digits"]["data"].keys()


def test_a_value_of_the_reader_stays_as_it_is():
    data = {"name": "binarised", "split": "minimisation"}
    assert old_names.renew({"data": data}) == {"data": data}


def test_what_is_committed_has_the_new_names():
    found = [zoo.RECIPES, *map(zoo.card, zoo.presets())]
    assert all(old_names.renew(document) == document for document in found)
    texts = [json.dumps(document) for document in found]
    assert not [key for key in old_names.KEYS for text in texts if f'"{key}":' in text]
