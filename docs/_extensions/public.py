"""Check of the API pages: a public name without documentation or a page fails the build."""

import importlib
import inspect
from collections.abc import Iterator
from types import ModuleType

from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment
from sphinx.util import logging
from sphinx.util.typing import ExtensionMetadata

import tfgen
import zoo

logger = logging.getLogger(__name__)


def names(module: ModuleType) -> list[str]:
    """Return the public names of a module: those it exports, or else those it defines."""
    if exported := getattr(module, "__all__", None):
        return list(exported)
    return [
        name
        for name, value in vars(module).items()
        if not name.startswith("_") and getattr(value, "__module__", None) == module.__name__
    ]


def members(module: str) -> list[tuple[str, str]]:
    """Return (directive, name) of each public name that is not a module, for a page's template."""
    found = importlib.import_module(module)
    values = [(name, getattr(found, name)) for name in names(found)]
    return [(_directive(value), name) for name, value in values if not inspect.ismodule(value)]


def _directive(value: object) -> str:
    if inspect.isclass(value):
        return "autoexception" if issubclass(value, Exception) else "autoclass"
    return "autofunction" if callable(value) else "autodata"


def faults(documented: set[str], modules: list[str]) -> Iterator[str]:
    """Return messages on what is missing from the pages.

    Args:
        documented: Full names that are on a page.
        modules: Names of the modules whose names are public, besides those that `tfgen` exports.
    """
    for name in sorted({*modules, *tfgen._MODULES.values()}):
        module = importlib.import_module(name)
        if name not in documented:
            yield f"no page has the module {name}"
        if not module.__doc__:
            yield f"no docstring: {name}"
        yield from _without_docstring(module, documented)
    for name in {*tfgen.__all__} - {*tfgen._MODULES}:
        yield from _missing(f"{tfgen._NAMES[name]}.{name}", documented)
    for name in zoo.__all__:
        yield from _missing(f"zoo.{name}", documented)


def _missing(name: str, documented: set[str]) -> Iterator[str]:
    if name not in documented:
        yield f"no page has {name}"


def _without_docstring(module: ModuleType, documented: set[str]) -> Iterator[str]:
    for directive, name in members(module.__name__):
        full = f"{module.__name__}.{name}"
        yield from _missing(full, documented)
        if directive != "autodata" and not inspect.getdoc(getattr(module, name)):
            yield f"no docstring: {full}"


def check(app: Sphinx, env: BuildEnvironment) -> None:
    """Warn of everything that is missing; `make docs` fails on warnings."""
    documented = {name for name, *_ in env.domains["py"].get_objects()}
    modules = [name for name, _, kind, *_ in env.domains["py"].get_objects() if kind == "module"]
    for fault in faults(documented, modules):
        logger.warning("%s", fault)


def setup(app: Sphinx) -> ExtensionMetadata:
    """Check once all pages are read."""
    app.config.autosummary_context["public"] = members
    app.connect("env-check-consistency", check)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
