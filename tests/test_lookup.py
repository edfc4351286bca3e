"""Recipes of `tfgen train` by name, file and preset, and their changes."""

import json

import pytest
import small

import zoo
from zoo.preset import lookup
from zoo.recipes import reading


def test_a_recipe_survives_its_file(tmp_path):
    path = tmp_path / "recipe.json"
    for recipe in zoo.RECIPES.values():
        path.write_text(json.dumps(recipe))
        assert reading.read(path) == recipe


def test_runs_and_cards_hold_a_recipe(presets):
    run = presets.parent / "gan"
    assert reading.read(run / "run.json") == reading.read(presets / "cgan_small" / "card.json")


@pytest.mark.parametrize(
    "text", ["", "[", "[]", "null", "3", "{}", '{"recipe": null}', '{"recipe": []}', "[" * 100_000]
)
def test_a_file_without_a_recipe_is_refused_by_name(tmp_path, text):
    path = tmp_path / "recipe.json"
    path.write_text(text)
    with pytest.raises(ValueError, match=r"A recipe must .*Received: .*recipe\.json"):
        reading.read(path)


def test_changes_are_values_of_json_or_text():
    recipe = reading.apply_changes(
        zoo.RECIPES["vae_mnist"],
        ["training.epochs=3", "build.width=null", "data.name=my pictures", "data.size=32"],
    )
    assert recipe["training"] == {**zoo.RECIPES["vae_mnist"]["training"], "epochs": 3}
    assert recipe["build"]["width"] is None
    assert (recipe["data"]["name"], recipe["data"]["size"]) == ("my pictures", 32)
    assert recipe["description"] == (
        "Variational autoencoder, Eq. 11, on my pictures, dynamically binarized"
    )
    assert zoo.RECIPES["vae_mnist"]["data"]["name"] == "mnist"


@pytest.mark.parametrize(
    ("assignment", "rule"),
    [
        ("training.epochs", "must have the form"),
        ("epochs=3", "must have the form"),
        ("model.name=GAN", "must have the form"),
        ("training.=3", "must have the form"),
        ("training.a.b=3", "must have the form"),
        ("training.epoch=3", r"training has the keys epochs.* Received: epoch=3"),
        ("training.epochs=0", "must be an integer from 1 to 100,000"),
        ("training.epochs=true", "must be an integer"),
        ("training.epochs=1e3", "must be an integer"),
        ("training.epochs=many", "must be an integer"),
        ("training.batch_size=-1", "must be an integer from 1"),
        ("training.learning_rate=0", "must be a number from"),
        ("training.learning_rate=NaN", "must be a number from"),
        ("training.beta_1=1", "must be a number from 0"),
        ("training.decay=3", "Received: decay=3"),
        ("data.name=3", "A recipe's data must have a name"),
        (
            "training.patinece=",
            "A key to remove must be one of the recipe. Received: 'training.pat",
        ),
    ],
)
def test_a_change_that_breaks_a_rule_is_refused(assignment, rule):
    with pytest.raises(ValueError, match=rule):
        reading.apply_changes(zoo.RECIPES["gan_digits"], [assignment])


def test_changes_lead_from_one_recipe_to_another():
    original = zoo.RECIPES["gan_digits"]
    changes = ["data.fraction=0.5", "build.width=8", "build.importance_weighted=true"]
    changed = reading.apply_changes(original, changes)
    assert reading.find_changes(changed, original) == changes
    assert reading.find_changes(original, original) == []
    back = reading.find_changes(original, changed)
    assert back[:2] == ["data.fraction=", "build.importance_weighted="]
    assert reading.apply_changes(changed, back) == original
    with pytest.raises(ValueError, match="Received"):
        reading.find_changes({**original, "model": "VAE"}, original)


def test_a_key_that_a_recipe_needs_is_not_removed():
    for needed in ("training.epochs=", "data.name="):
        with pytest.raises(ValueError, match="Received: .*None"):
            reading.apply_changes(zoo.RECIPES["gan_digits"], [needed])


def test_a_preset_is_trained_again_as_it_was():
    for name in zoo.presets():
        asked, card = lookup.replay_arguments(name), zoo.card(name)
        assert (asked["seed"], asked["init"]) == (card["seed"], card["init"])
        recipe = asked["recipe"]  # whole where the zoo's of this name is another by now
        recipe = zoo.RECIPES[recipe] if isinstance(recipe, str) else recipe
        assert reading.apply_changes(recipe, asked.get("changes", ())) == card["recipe"]
    assert lookup.replay_arguments("gan_digits")["recipe"] == "gan_digits"


def test_a_recipe_without_a_name_is_replayed_whole(presets):
    run = presets.parent / "gan"
    for source in (run, run / "run.json", presets / "cgan_small", presets / "cgan_small/card.json"):
        asked = lookup.replay_arguments(str(source))
        assert asked["recipe"] == small.GAN
        assert (asked["seed"], asked["bfloat16"]) == (0, False)


def test_what_holds_no_recipe_cannot_be_replayed(presets, tmp_path):
    with pytest.raises(FileNotFoundError, match="no_such"):
        lookup.replay_arguments("no_such")
    with pytest.raises(FileNotFoundError, match="model file alone"):
        lookup.replay_arguments(str(presets / "cgan_small" / "model.keras"))
