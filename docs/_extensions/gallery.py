"""The gallery: a cell that sets `picture` shows it; a record of the last run avoids further runs."""

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

from PIL import Image
from sphinx.application import Sphinx
from sphinx.util.typing import ExtensionMetadata
from sphinx_gallery.scrapers import figure_rst

ROOT = Path(__file__).resolve().parents[2]
NOTE = ROOT / "docs" / "gallery" / "ran.sha256"
READ = ("tfgen/**/*.py", "zoo/**/*.py", "examples/gallery/*", "saved_models/*_digits*/card.json")


def digest() -> str:
    """Return the SHA-256 of everything that a run of the gallery depends on: library, scripts, presets."""
    whole = hashlib.sha256()
    for path in sorted(path for pattern in READ for path in ROOT.glob(pattern)):
        whole.update(path.read_bytes())
    return whole.hexdigest()


def has_run() -> bool:
    """Return whether a successful build has run the gallery on the library as it is now."""
    return NOTE.is_file() and NOTE.read_text() == digest()


def note(app: Sphinx, error: Exception | None) -> None:
    """Record that the scripts have run, so that neither the next build nor the tests run them again."""
    if error is None and app.builder.format == "html":
        NOTE.write_text(digest())


class Scraper:
    """Scraper that saves the picture of a cell, once."""

    def __init__(self) -> None:
        self._last: Image.Image | None = None

    def __call__(self, block: Any, variables: dict[str, Any], config: dict[str, Any]) -> str:
        """Return the reStructuredText that shows the picture of a cell, or "" if it has none."""
        picture = variables["example_globals"].get("picture")
        if not isinstance(picture, Image.Image) or picture is self._last:
            return ""
        self._last = picture
        path = next(variables["image_path_iterator"])
        picture.save(path)
        return figure_rst([path], config["src_dir"])


_SCRAPER = Scraper()


def _get_sg_image_scraper() -> Callable[..., str]:  # sphinx-gallery calls this for every cell
    return _SCRAPER


def setup(app: Sphinx) -> ExtensionMetadata:
    """Record the run after the build."""
    app.connect("build-finished", note)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
