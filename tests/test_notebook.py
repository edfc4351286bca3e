"""The view of a model in a notebook."""

import base64
import io
import re

import pytest
from models import RECIPES, build
from PIL import Image

import zoo


@pytest.mark.parametrize("name", ["cgan_digits", "vae_digits", "resnet_digits"])
def test_a_model_shows_its_networks_and_samples(name):
    assert name in RECIPES
    model = build(name)
    shown = model._repr_html_()
    assert f"<b>{type(model).__name__}</b> Eq." in shown
    for player, network in model.players.items():
        assert f"{player}</th>" in shown
        assert f"{network.count_params():,} parameters" in shown
    found = re.search(r'src="data:image/png;base64,([^"]+)"', shown)
    assert bool(found) == ("sample" in model.endpoints())
    if found:
        with Image.open(io.BytesIO(base64.b64decode(found[1]))) as picture:
            assert picture.width == 8 * (3 * model.image_shape[1] + 2) + 2


def test_a_loaded_preset_shows_its_card():
    model, card = zoo.load("cgan_digits"), zoo.card("cgan_digits")
    shown = model._repr_html_()
    assert f"cgan_digits: {card['description']}".split("'")[0] in shown
    assert f"fid {card['evaluation']['metrics']['fid']['value']:.4g}" in shown
    assert "before it was trained further" not in shown
    model.steps.assign_add(1)
    assert "before it was trained further" in model._repr_html_()
