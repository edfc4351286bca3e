"""Presets pushed to a Hugging Face Hub on the loopback and loaded from it, from hostile files too."""

import hashlib
import io
import json
import shutil
import sys
import zipfile

import fake_hub
import hostile_archives
import hostile_files
import numpy as np
import pytest
import yaml
from click.testing import CliRunner
from huggingface_hub import constants

import zoo
from tfgen import home
from zoo import cli
from zoo.preset import hub as hub_files
from zoo.preset.push import push

NAME = "cgan_small"
PLACE = "hf://me/mine"


@pytest.fixture
def hub(monkeypatch, tmp_path):
    """The handler's class of a running hub, which HF_ENDPOINT names; TFGEN_HOME is empty."""
    with fake_hub.running() as (handler, address):
        monkeypatch.setenv("HF_ENDPOINT", address)
        monkeypatch.setenv("HF_TOKEN", fake_hub.TOKEN)
        monkeypatch.setenv("TFGEN_HOME", str(tmp_path / "home"))
        monkeypatch.setattr(constants, "HF_HUB_DISABLE_XET", True)
        yield handler


def head(files, name="README.md"):
    """The YAML head of a repository's page, and the page."""
    _, text, page = files[name].decode().split("---\n", 2)
    return yaml.safe_load(text), page


def with_a_lambda(archive):
    """The model file with a layer that holds code."""
    with zipfile.ZipFile(io.BytesIO(archive)) as opened:
        members = {name: opened.read(name) for name in opened.namelist()}
    config = json.loads(members["config.json"])
    hostile_files.CONFIGURATIONS["layer_lambda"](config)
    return hostile_archives.packed({**members, "config.json": json.dumps(config).encode()})


def test_a_preset_comes_back_as_it_was_pushed(hub, presets):
    result = CliRunner().invoke(
        cli.main, ["push", str(presets / NAME), PLACE, "--license", "apache-2.0"]
    )
    assert result.output.strip().endswith("/me/mine"), result.output
    files = hub.repositories["me/mine"]
    card = json.loads((presets / NAME / "card.json").read_text())
    assert files.keys() == {*card["sha256"], "card.json", "README.md"}
    loaded = zoo.load(PLACE)
    np.testing.assert_array_equal(loaded.sample(2), zoo.load(presets / NAME).sample(2))
    fetched = home.folder() / "hub" / "me--mine"
    assert {path.name for path in fetched.iterdir()} - {".cache"} == hub_files.LIMITS.keys()
    assert not any(path.is_symlink() for path in fetched.rglob("*"))


def test_the_card_has_the_hubs_form(hub, presets):
    push(presets / NAME, PLACE, license="apache-2.0")
    known, page = head(hub.repositories["me/mine"])
    card = json.loads((presets / NAME / "card.json").read_text())
    assert known["library_name"] == "keras"
    assert known["license"] == "apache-2.0"
    assert known["pipeline_tag"] == "unconditional-image-generation"
    assert {"tfgen", "gan", "digits"} <= set(known["tags"])
    [index] = known["model-index"]
    [result] = index["results"]
    assert result["dataset"] == {"name": "digits", "type": "digits", "split": "test"}
    values = {metric["type"]: metric["value"] for metric in result["metrics"]}
    assert values == {k: v["value"] for k, v in card["evaluation"]["metrics"].items()}
    assert result["metrics"][0]["args"]["evaluator"] == "resnet_small"
    assert f'zoo.load("{PLACE}")' in page
    assert "](../" not in page


def test_a_repository_of_several_presets_is_what_tfgen_presets_names(hub, presets, monkeypatch):
    for name in (NAME, "resnet_small"):
        push(presets / name, f"hf://me/all/{name}")
    assert "license" not in head(hub.repositories["me/all"], f"{NAME}/README.md")[0]
    card = home.folder() / "wheel" / NAME
    card.mkdir(parents=True)
    shutil.copy(presets / NAME / "card.json", card)
    monkeypatch.setattr("zoo.preset.load._roots", lambda: [card.parent, home.presets()])
    monkeypatch.setenv("TFGEN_PRESETS", "hf://me/all")
    np.testing.assert_array_equal(zoo.load(NAME).sample(2), zoo.load(presets / NAME).sample(2))


def test_a_finished_run_is_published_and_pushed(hub, presets):
    url = push(presets.parent / "resnet", "hf://me/My-Digits.2")
    assert url.endswith("/me/My-Digits.2")
    known, _ = head(hub.repositories["me/My-Digits.2"])
    assert known["model-index"][0]["name"] == "my_digits_2"
    assert known["pipeline_tag"] == "image-classification"
    assert zoo.load("hf://me/My-Digits.2").image_shape == (8, 8, 1)


def test_a_hostile_file_of_the_hub_is_refused(hub, presets):
    push(presets / NAME, PLACE)
    files = hub.repositories["me/mine"]
    honest = files["model.keras"]
    files["model.keras"] = honest[:-1]
    with pytest.raises(ValueError, match="checksum of their card"):
        zoo.load(PLACE)
    files["model.keras"] = with_a_lambda(honest)
    card = json.loads(files["card.json"])
    card["sha256"]["model.keras"] = hashlib.sha256(files["model.keras"]).hexdigest()
    files["card.json"] = json.dumps(card).encode()
    hub.repositories["me/other"] = files
    with pytest.raises(ValueError, match="Lambda"):
        zoo.load("hf://me/other")


def test_a_file_larger_than_a_presets_is_not_fetched(hub, presets):
    push(presets / NAME, PLACE)
    hub.declared["model.keras"] = 3 << 30
    with pytest.raises(
        ValueError, match=r"model.keras of a preset has at most .* Received: 322122"
    ):
        zoo.load(PLACE)
    assert not (home.folder() / "hub" / "me--mine" / "model.keras").exists()


def test_refusals_are_one_sentence(hub, presets, monkeypatch, tmp_path):
    with pytest.raises(ConnectionError, match="have the repository. Received: 'hf://me/gone'"):
        zoo.load("hf://me/gone")
    with pytest.raises(ValueError, match=r"'hf://owner/name\[/folder\]'. Received: 'hf://mine'"):
        push(presets / NAME, "hf://mine")
    shutil.copytree(presets / NAME, tmp_path / NAME)
    (tmp_path / NAME / "samples.png").write_bytes(b"another")
    with pytest.raises(ValueError, match="checksums of their card.*samples.png"):
        push(tmp_path / NAME, PLACE)
    hub.repositories["me/empty"] = {"README.md": b""}
    with pytest.raises(ValueError, match=r"'hf://me/empty' without card.json and model.keras"):
        zoo.load("hf://me/empty")
    hub.repositories.clear()
    monkeypatch.setenv("HF_TOKEN", "hf_wrong")
    with pytest.raises(ConnectionError, match=r"let you write \(`hf auth login`, or HF_TOKEN\)"):
        push(presets / NAME, PLACE)
    assert hub.repositories == {}
    monkeypatch.setitem(sys.modules, "huggingface_hub", None)
    with pytest.raises(ImportError, match=r"tfgen-zoo\[hub\]"):
        push(presets / NAME, PLACE)
