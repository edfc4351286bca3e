"""Sphinx' configuration of the site; `make docs` builds it for offline use, with warnings as errors."""

import sys
from pathlib import Path

DOCS = Path(__file__).resolve().parent
sys.path[:0] = [str(DOCS / "_extensions"), str(DOCS.parent)]

import gallery
import tfgen
from tfgen.quiet import quietly

with quietly():
    import tensorflow  # noqa: F401

project = "tfgen"
author = "The tfgen authors"
copyright = "The tfgen authors, Apache-2.0"
version = release = tfgen.__version__

extensions = [
    "myst_parser",
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "sphinx.ext.napoleon",
    "sphinx.ext.viewcode",
    "sphinx_copybutton",
    "sphinx_gallery.gen_gallery",
    "sphinx_design",
    # docs/_extensions
    "catalog",
    "docstrings",
    "equations",
    "gallery",
    "links",
    "mathml",
    "play",
    "public",
]
exclude_patterns = ["_*", "play"]
templates_path = ["_templates"]
myst_enable_extensions = ["colon_fence", "dollarmath"]
myst_heading_anchors = 3
smartquotes_action = "q"  # quotes only: a command's --option keeps its hyphens
default_role = "py:obj"
highlight_language = "text"  # formulas of docstrings; code says which it is

autosummary_generate = True
autosummary_ignore_module_all = False  # a package's page shows its exports
autosummary_imported_members = False
autodoc_default_options = {"members": True, "show-inheritance": True}
autodoc_inherit_docstrings = False  # an override of Keras has its own documentation
autodoc_member_order = "bysource"
autodoc_typehints = "none"
napoleon_google_docstring = True
napoleon_numpy_docstring = False
# Names in types of docstrings that have no page on this site.
nitpick_ignore_regex = [
    (r"py:.*", r"(abc|collections|enum|keras|numpy|object|pathlib|tensorflow|typing)\b.*"),
    (r"py:class", r".*\.(_Joint|Gated)"),  # bases within the library
]

html_math_renderer = "mathml"
suppress_warnings = ["config.cache"]  # public.py passes a function to a template
sphinx_gallery_conf = {
    "examples_dirs": "../examples/gallery",
    "gallery_dirs": "gallery",
    "filename_pattern": r"\.py$",
    "within_subsection_order": "FileNameSortKey",
    "image_scrapers": ("gallery", "matplotlib"),
    "capture_repr": (),
    "copyfile_regex": "",
    "abort_on_example_error": True,
    "run_stale_examples": not gallery.has_run(),
    "min_reported_time": 1e9,
    "show_memory": False,
    "write_computation_times": False,  # its page would fetch external scripts
    "reset_modules": (),
    "remove_config_comments": True,
}

copybutton_prompt_text = r">>> |\.\.\. "
copybutton_prompt_is_regexp = True

html_theme = "pydata_sphinx_theme"
html_title = "tfgen"
html_static_path = ["_static"]
html_css_files = ["site.css"]
html_js_files = ["catalog.js"]
html_logo = html_favicon = "_static/logo.png"
html_sidebars = {"catalog": [], "index": [], "play": [], "results": []}  # wide ones
html_copy_source = False
html_show_sourcelink = False
html_theme_options = {
    "logo": {"text": "tfgen", "alt_text": "tfgen: first page"},
    "navbar_align": "left",
    "header_links_before_dropdown": 7,
    "show_prev_next": False,
    "secondary_sidebar_items": {"**": ["page-toc"], **html_sidebars},
    "footer_start": ["copyright"],
    "footer_end": [],
}
