"""Convert docstrings, plain text with `code` and indented formulas, to reStructuredText."""

import re
from itertools import pairwise
from typing import Any

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util.typing import ExtensionMetadata

_CODE = re.compile(r"(`[^`]+`)")
_MARKS = re.compile(r"[*|\\]|_(?=\W|$)")
_SECTION = re.compile(r"(Args|Attributes|Returns|Raises|Source|Examples):")


def plain(line: str) -> str:
    """Return a line whose characters mean themselves, outside `code`."""
    parts = _CODE.split(line)
    return "".join(part if part.startswith("`") else _MARKS.sub(r"\\\g<0>", part) for part in parts)


def display_formulas(lines: list[str]) -> list[str]:
    """Return the lines with each indented paragraph of the text marked as shown letter by letter.

    Sections such as "Args:" are indented as well, and left to napoleon, except "Returns:", in whose text it
    would look for a type.  The code of "Examples:" stays as it is.
    """
    result, section, literal = [], None, False
    for before, line in pairwise(["", *lines]):
        indented = line.startswith(" ")
        if line and not indented:
            section, literal = _SECTION.match(line), False
        elif indented and not section and not literal and not before:
            literal = True
            result += ["::", ""]
        code = literal or (section and section[1] == "Examples")
        line = line if code else plain(line)
        result.append(":returns:" if line == "Returns:" else line)
    return result


def process(
    app: Sphinx, what: str, name: str, item: object, options: object, lines: list[str]
) -> None:
    """Rewrite a docstring before napoleon reads its sections."""
    if what == "data" and item.__doc__ == type(item).__doc__:
        lines.clear()  # the type's own documentation
    lines[:] = display_formulas(lines)
    if what in ("property", "data"):
        lines[:0] = ["..", ""]  # or napoleon reads the text before a colon as a type


def resolve_missing(app: Sphinx, domain: Any, node: nodes.Element) -> bool | None:
    """Leave `words` in a docstring that are not a public name as code without a link.

    The same holds for sentences under "Raises:".
    """
    return True if node.get("reftype") in ("obj", "exc") else None


def setup(app: Sphinx) -> ExtensionMetadata:
    """Connect with autodoc, before napoleon."""
    app.connect("autodoc-process-docstring", process, priority=400)
    app.connect("warn-missing-reference", resolve_missing)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
