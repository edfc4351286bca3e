"""Make the paper's page: each equation with its statement, the code that computes it, and its tests."""

import ast
import tomllib
from pathlib import Path
from typing import Any

from sphinx.application import Sphinx
from sphinx.util.typing import ExtensionMetadata

ROOT = Path(__file__).resolve().parents[2]
MARK = "<!-- equations -->"


def read() -> list[dict[str, Any]]:
    """Return the entries of docs/equations.toml."""
    return tomllib.loads((ROOT / "docs" / "equations.toml").read_text(encoding="utf-8"))["equation"]


def lines(reference: str) -> tuple[int, int]:
    """Find a function in its file's syntax tree.

    Args:
        reference: "file::function" or "file::Class.method", the file as seen from the repository's root.

    Returns:
        Its first line, decorators included, and its last.

    Raises:
        ValueError: The file has no such function.
    """
    file, _, name = reference.partition("::")
    node: Any = ast.parse((ROOT / file).read_text(encoding="utf-8"))
    for part in name.split("."):
        kinds = (ast.FunctionDef, ast.ClassDef)
        found = [item for item in node.body if isinstance(item, kinds) and item.name == part]
        if not found:
            raise ValueError(f"A reference names a function of its file. Received: {reference!r}")
        node = found[-1]
    return min([node.lineno, *(item.lineno for item in node.decorator_list)]), node.end_lineno


def source_of(reference: str) -> str:
    """Return a function's source, folded, under its file, first line and name."""
    first, last = lines(reference)
    file, _, name = reference.partition("::")
    return (
        f":::{{dropdown}} `{name}` in {file}, line {first}\n"
        f"```{{literalinclude}} ../{file}\n:lines: {first}-{last}\n:lineno-match:\n```\n:::\n"
    )


def section(entry: dict[str, Any]) -> str:
    """Return an equation's section of the page, in Markdown."""
    number = entry["number"]
    name = f"Eq. {number}" if number[0].isdigit() else number[0].upper() + number[1:]
    parts = [f"## {name}", f"**{entry['title']}.**", f"$$\n{entry['statement']}\n$$"]
    parts += [entry["text"]] if "text" in entry else []
    parts += [
        "Computed by",
        *map(source_of, entry["code"]),
        "Held by",
        *map(source_of, entry["tests"]),
    ]
    if "erratum" in entry:
        tests = "\n".join(map(source_of, entry.get("erratum_tests", [])))
        parts.append(
            f"::::{{admonition}} Erratum\n:class: warning\n\n{entry['erratum']}\n\n{tests}::::"
        )
    return "\n\n".join(parts)


def fill(app: Sphinx, docname: str, content: list[str]) -> None:
    """Replace the page's mark by the equations."""
    if MARK in content[0]:
        sections = "\n\n".join(map(section, read()))
        content[0] = content[0].replace(MARK, sections)


def setup(app: Sphinx) -> ExtensionMetadata:
    """Fill the page as it is read."""
    app.connect("source-read", fill)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
