"""Rewrite links of generated pages from paths of the repository to pages of the site."""

import re
from pathlib import Path

from sphinx.application import Sphinx
from sphinx.util.typing import ExtensionMetadata

_LINK = re.compile(r"\[([^\]]*)\]\(([^)#\s]+)\)")
_PRESET = re.compile(r"(?:\.\./)+saved_models/(\w+)/README\.md")


def rewrite_links(text: str, folder: Path, root: Path) -> str:
    """Return a page with links to presets' pages in place of their folders, and other folders unlinked.

    Args:
        text: Markdown.
        folder: Folder of the page.
        root: Folder of the site's sources.
    """

    def target(match: re.Match[str]) -> str:
        words, path = match.groups()
        if preset := _PRESET.fullmatch(path):
            up = "../" * len(folder.relative_to(root).parts)
            return f"[{words}]({up}presets/{preset[1]}.md)"
        return words if (folder / path).is_dir() else match[0]

    return _LINK.sub(target, text)


def rewrite_page_links(app: Sphinx, docname: str, content: list[str]) -> None:
    """Rewrite a page as it is read."""
    root = Path(app.srcdir)
    if app.env.doc2path(docname).suffix == ".md":
        content[0] = rewrite_links(content[0], (root / docname).parent, root)


def setup(app: Sphinx) -> ExtensionMetadata:
    """Rewrite each page's links."""
    app.connect("source-read", rewrite_page_links)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
