"""Explicit exports, the lock file, and a wheel that is used elsewhere."""

import ast
import importlib
import importlib.metadata
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from packaging.requirements import Requirement

import tfgen
import zoo

ROOT = Path(__file__).parents[1]
HEAVY = ("tensorflow", "keras", "tensorflow_datasets", "tensorflow_probability", "matplotlib")


def fresh_process(code, directory, **environment):
    """Run `code` in `directory` by a new interpreter; return the JSON that it prints."""
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=directory,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_import_leaves_the_heavy_packages_alone():
    loaded = fresh_process(
        "import json, sys, zoo.cli, tfgen; zoo.RECIPES; print(json.dumps([*sys.modules]))", ROOT
    )
    assert {"tfgen", "zoo", "zoo.cli", "zoo.recipes"} <= set(loaded)
    assert not set(HEAVY) & set(loaded)


@pytest.mark.parametrize("package", [tfgen, zoo], ids=lambda package: package.__name__)
def test_every_export_resolves(package):
    assert len(set(package.__all__)) == len(package.__all__)
    for name in package.__all__:
        assert getattr(package, name) is not None
        assert name in dir(package)


@pytest.mark.parametrize("package", [tfgen, zoo], ids=lambda package: package.__name__)
def test_type_checkers_see_every_export(package):
    """`if TYPE_CHECKING` imports the same names that the lazy front door resolves."""
    tree = ast.parse(Path(package.__file__).read_text(encoding="utf-8"))
    [block] = [n for n in tree.body if isinstance(n, ast.If) and n.test.id == "TYPE_CHECKING"]
    seen = {}
    for node in (n for n in [*tree.body, *block.body] if isinstance(n, ast.ImportFrom)):
        seen |= {alias.asname: (node.module, alias.name) for alias in node.names if alias.asname}
    own = {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}
    assert {*seen} - {"__version__"} == {*package.__all__} - own - {"MODELS", "RECIPES"}
    for name, (module, attribute) in seen.items():
        public = getattr(package, name)
        assert getattr(importlib.import_module(module), attribute) is public, name


def test_no_module_is_named_like_an_exported_function():
    for package in (tfgen, zoo):
        exported = {name for name in package.__all__ if callable(getattr(package, name))}
        folder = Path(package.__file__).parent
        assert not exported & {path.stem for path in folder.iterdir()}


@pytest.fixture(scope="module")
def installed(tmp_path_factory):
    """Folder into which a wheel of the tree was installed, built beside the tree, not in it."""
    source, wheels, target = (tmp_path_factory.mktemp(name) for name in ("source", "wheels", "lib"))
    for path in ROOT.iterdir():
        if not path.name.startswith(".") and path.name not in (
            "build",
            "dist",
            "tfgen_zoo.egg-info",
        ):
            (source / path.name).symlink_to(path)
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check"]
    offline = ["--quiet", "--no-deps", "--no-index"]
    subprocess.run(
        [*pip, "wheel", *offline, "--no-build-isolation", "-w", wheels, source], check=True
    )
    [wheel] = wheels.iterdir()
    assert wheel.stat().st_size < 15e6
    subprocess.run([*pip, "install", *offline, "--target", target, wheel], check=True)
    return target


def files(folder):
    return {
        path.relative_to(folder).as_posix()
        for path in folder.rglob("*")
        if path.is_file() and "__pycache__" not in path.parts and path.suffix != ".pyc"
    }


def test_wheel_holds_every_file_of_the_packages(installed):
    assert files(installed / "tfgen") == files(ROOT / "tfgen")
    presets = files(installed / "zoo" / "saved_models")
    assert files(installed / "zoo") == files(ROOT / "zoo") | {f"saved_models/{p}" for p in presets}
    assert {p for p in presets if p.endswith("/card.json")} == {
        f"{n}/card.json" for n in zoo.presets()
    }
    digits = {name for name in zoo.presets() if zoo.card(name)["data"]["name"] == "digits"}
    assert {p for p in presets if p.endswith("/model.keras")} == {
        f"{n}/model.keras" for n in digits
    }
    assert "resnet_digits/1/saved_model.pb" in presets


def test_wheel_finds_its_presets_elsewhere(installed, tmp_path):
    code = (
        "import json, tfgen, zoo; print(json.dumps([tfgen.__file__, zoo.__file__, zoo.presets()]))"
    )
    *loaded, presets = fresh_process(code, tmp_path, PYTHONPATH=str(installed))
    assert [Path(path).parent for path in loaded] == [installed / "tfgen", installed / "zoo"]
    assert presets == zoo.presets()


def test_wheel_states_version_and_command(installed):
    [distribution] = importlib.metadata.distributions(path=[str(installed)], name="tfgen-zoo")
    assert distribution.version == tfgen.__version__
    points = {(point.group, point.name): point.value for point in distribution.entry_points}
    assert points == {
        ("console_scripts", "tfgen"): "zoo.cli:main",
        ("tfgen.functions", "publish"): "zoo.preset.trained:publish",
    }


def test_lock_pins_what_the_ranges_allow(installed):
    lines = (ROOT / "requirements.lock").read_text(encoding="utf-8").splitlines()
    pins = [Requirement(line) for line in lines if not line.startswith("#")]
    versions = {}
    for pin in pins:
        [specifier] = pin.specifier
        assert specifier.operator == "=="
        assert pin.url is None
        versions[pin.name.lower().replace("_", "-")] = specifier.version
    [distribution] = importlib.metadata.distributions(path=[str(installed)], name="tfgen-zoo")
    for requirement in map(Requirement, distribution.requires):
        extras = ("", "plots", "serve", "test", "dev")
        marker = requirement.marker
        if marker is None or any(marker.evaluate({"extra": extra}) for extra in extras):
            version = versions[requirement.name.lower().replace("_", "-")]
            assert requirement.specifier.contains(version), requirement
