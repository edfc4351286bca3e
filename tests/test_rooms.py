"""Rooms: allowed imports, no cycles, and no room with too many lines."""

import ast
import functools
import graphlib
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
LARGEST = 0.2  # share of all lines that one room may have
LEAVES = {  # package or module: packages of tfgen that it may import
    "tfgen.objectives": (),
    "tfgen.noise": (),
    "tfgen.checks": (),
    "tfgen.distributions": (),
    "tfgen.global_batch": (),
    "tfgen.layers": ("tfgen.layers", "tfgen.distributions", "tfgen.global_batch"),
    "tfgen.evaluation.intervals": (),
    "tfgen.evaluation.metrics": ("tfgen.evaluation.intervals",),
    "tfgen.optimizers": (),
    "tfgen.schedules": (),
    "tfgen.paper.graphs": ("tfgen.drawing.plots",),
    "tfgen.paper.table": ("tfgen.paper.graphs",),
    "tfgen.data": ("tfgen.data", "tfgen.checks", "tfgen.home"),
    "tfgen.home": (),
    "tfgen.old_names": (),
    "tfgen.untrusted": ("tfgen.untrusted",),
    "tfgen.data.builders": ("tfgen.data.builders",),
}
BASES = ("zoo.models.variational", "zoo.models.autoencoder")
# Rooms of the zoo from the ground up; "zoo" is its front door.
FLOORS = (
    "zoo.recipes",
    "zoo.models",
    "zoo.building",
    "zoo.registry",
    "zoo.preset",
    "zoo",
    "zoo.studies",
    "zoo.cli",
)


def within(name, package):
    return f"{name}.".startswith(f"{package}.")


@functools.cache
def modules():
    """{dotted name: syntax tree} of tfgen and zoo."""
    found = {}
    for path in (p for package in ("tfgen", "zoo") for p in (ROOT / package).rglob("*.py")):
        name = path.relative_to(ROOT).with_suffix("").as_posix().replace("/", ".")
        found[name.removesuffix(".__init__")] = ast.parse(path.read_text(encoding="utf-8"))
    return found


@functools.cache
def imports(module):
    """Dotted names that a module imports anywhere in it: within functions and for type checkers, too."""
    found = []
    for node in ast.walk(modules()[module]):
        if isinstance(node, ast.Import):
            found += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"relative import in {module}"
            found += [f"{node.module}.{alias.name}" for alias in node.names]
    return found


def arrows():
    """{module: modules of tfgen and zoo that it imports}."""
    return {
        module: {target for name in imports(module) if (target := _home(name))} - {module}
        for module in modules()
    }


def _home(name):
    """The module of tfgen or zoo that a dotted name is, or is in; None of a foreign one."""
    while name and name not in modules():
        name = name.rpartition(".")[0]
    return name


def room(module):
    """Package or module one level below tfgen or zoo; a front door is a room of its own."""
    return ".".join(module.split(".")[:2])


def importers(package, among):
    """Pairs (module, imported name) of the modules `among` that import something of `package`."""
    return [
        (module, name)
        for module in modules()
        for name in imports(module)
        if among(module) and within(name, package)
    ]


def test_nothing_is_imported_in_circles():
    """Neither among modules nor among the rooms that they are in."""
    graphlib.TopologicalSorter(arrows()).prepare()
    rooms = {}
    for module, targets in arrows().items():
        found = {room(target) for target in targets} - {room(module)}
        rooms.setdefault(room(module), set()).update(found)
    graphlib.TopologicalSorter(rooms).prepare()


def test_no_room_has_more_than_a_fifth_of_the_lines():
    lines = {}
    for module in modules():
        path = ROOT / module.replace(".", "/")
        path = path / "__init__.py" if path.is_dir() else path.with_suffix(".py")
        lines[room(module)] = lines.get(room(module), 0) + len(path.read_text().splitlines())
    total = sum(lines.values())
    shares = {name: count / total for name, count in lines.items()}
    for name, share in sorted(shares.items(), key=lambda pair: -pair[1]):
        print(f"{lines[name]:6,} {share:6.1%}  {name}")
    assert max(shares.values()) <= LARGEST


def test_tfgen_does_not_import_zoo():
    assert importers("zoo", among=lambda module: within(module, "tfgen")) == []


def test_serving_knows_saved_models_alone():
    found = importers("tfgen", among=lambda module: within(module, "tfgen.serving"))
    own = ("tfgen.serving", "tfgen.version")
    assert [pair for pair in found if not any(within(pair[1], name) for name in own)] == []


@pytest.mark.parametrize("leaf", LEAVES)
def test_leaves_import_nothing_else_of_tfgen(leaf):
    found = importers("tfgen", among=lambda module: within(module, leaf))
    assert [
        pair for pair in found if not any(within(pair[1], allowed) for allowed in LEAVES[leaf])
    ] == []


def test_rooms_of_the_zoo_import_nothing_above_them():
    for module, targets in arrows().items():
        if within(module, "zoo"):
            floors = [FLOORS.index(room(t)) for t in targets if within(t, "zoo")]
            assert max(floors, default=0) <= FLOORS.index(room(module)), module


def test_models_import_nothing_above_them_and_not_each_other():
    found = importers("zoo", among=lambda m: within(m, "zoo.models") and m != "zoo.models")
    assert [pair for pair in found if not any(within(pair[1], name) for name in BASES)] == []


def test_recipes_import_nothing_heavy():
    for module in (m for m in modules() if within(m, "zoo.recipes")):
        own = ("zoo.recipes", "tfgen.old_names", "tfgen.untrusted")
        foreign = [n for n in imports(module) if not any(within(n, name) for name in own)]
        assert {name.split(".")[0] for name in foreign} <= sys.stdlib_module_names, module


def test_only_distributions_imports_tensorflow_probability():
    found = importers(
        "tensorflow_probability", among=lambda module: module != "tfgen.distributions"
    )
    assert found == []
