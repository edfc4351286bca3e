"""The gallery's pictures: a cell that sets `picture` shows it, on the page as in a notebook."""

from collections.abc import Callable
from typing import Any

from PIL import Image
from sphinx_gallery.scrapers import figure_rst


class Scraper:
    """Saves the picture of a cell, once."""

    def __init__(self) -> None:
        self._last: Image.Image | None = None

    def __call__(self, block: Any, variables: dict[str, Any], config: dict[str, Any]) -> str:
        """Return the reStructuredText that shows what a cell made, nothing if it made no picture."""
        picture = variables["example_globals"].get("picture")
        if not isinstance(picture, Image.Image) or picture is self._last:
            return ""
        self._last = picture
        path = next(variables["image_path_iterator"])
        picture.save(path)
        return figure_rst([path], config["src_dir"])


def _get_sg_image_scraper() -> Callable[..., str]:  # sphinx-gallery asks a module by this name
    return Scraper()
