"""Formulas as MathML, made by the build, so that pages need no external script or font."""

import re

from docutils import nodes
from latex2mathml.converter import convert
from sphinx.application import Sphinx
from sphinx.util.typing import ExtensionMetadata
from sphinx.writers.html5 import HTML5Translator

_FUNCTIONS = re.compile(r"<mi>(log|max|min|exp)</mi>")


def mathml(formula: str, **options: str) -> str:
    """Return LaTeX as MathML, with names of functions as operators: spaced, and with limits below."""
    return _FUNCTIONS.sub(
        r'<mo lspace="0.1em" rspace="0.15em">\1</mo>', convert(formula, **options)
    )


def inline(translator: HTML5Translator, node: nodes.math) -> None:
    """Write a formula within a line."""
    translator.body.append(mathml(node.astext()))
    raise nodes.SkipNode


def display(translator: HTML5Translator, node: nodes.math_block) -> None:
    """Write a displayed formula, which scrolls if the page is narrower."""
    formula = mathml(node.astext(), display="block")
    translator.body.append(f'<div class="math-display">{formula}</div>')
    raise nodes.SkipNode


def setup(app: Sphinx) -> ExtensionMetadata:
    """Register MathML as the site's renderer of formulas."""
    app.add_html_math_renderer("mathml", (inline, None), (display, None))
    return {"parallel_read_safe": True, "parallel_write_safe": True}
