"""Images as tiles of one picture, each under its caption."""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from tfgen import checks

GAP = 2  # pixels between tiles
VISIBLE = 64  # pixels that a tile has at least
CAPTION = 14  # pixels that a label takes above its tile
MOST_PIXELS = 100_000_000
MOST_COLUMNS = 20  # a column for each class
_PAPER, _INK = 255, 40  # gray levels


def grid(
    images: np.ndarray,
    labels: Any = None,
    columns: int | None = None,
    scale: int | None = None,
) -> Image.Image:
    """Arrange images as tiles, row by row, each under its label.

    Args:
        images: float32 (n, h, w, c) in [0, 1], c = 1 (gray) or 3 (RGB).
        labels: n captions, class labels or any text; None for no captions.
        columns: Number of tiles per row; by default the picture is about square.
        scale: Integer number of repetitions of each pixel in both directions; by default the smallest that
            makes a tile at least 64 pixels wide and high.

    Returns:
        A `PIL.Image.Image`, gray or RGB as the images are.

    Raises:
        TypeError: Images are not floating-point.
        ValueError: An argument is out of range, or the picture would have over 100 million pixels.
    """
    images = _check_images(images)
    n, height, width, channels = images.shape
    columns = math.isqrt(n - 1) + 1 if columns is None else columns
    scale = max(1, math.ceil(VISIBLE / max(height, width))) if scale is None else scale
    for name, value in (("columns", columns), ("scale", scale)):
        checks.check_integer(name, value, 1)
    if labels is not None and np.shape(labels) != (n,):
        raise ValueError(f"labels must be one per image. Received: {labels!r:.80} for {n} images")

    columns, rows = min(columns, n), math.ceil(n / columns)
    caption = 0 if labels is None else CAPTION
    across, down = width * scale + GAP, caption + height * scale + GAP
    size = (columns * across + GAP, rows * down + GAP)
    if size[0] * size[1] > MOST_PIXELS:
        raise ValueError(
            f"A picture must have at most {MOST_PIXELS:,} pixels. "
            f"Received: {n} images, {size[0]} x {size[1]} pixels"
        )
    picture = Image.new("L" if channels == 1 else "RGB", size, (_PAPER,) * channels)
    draw, font = ImageDraw.Draw(picture), ImageFont.load_default(CAPTION - 3)
    for index, tile in enumerate(_tiles(images, scale)):
        left, top = GAP + index % columns * across, GAP + index // columns * down
        picture.paste(tile, (left, top + caption))
        if labels is not None:
            middle = (left + tile.width // 2, top + caption // 2)
            text = _shorten(str(labels[index]), font, tile.width)
            draw.text(middle, text, (_INK,) * channels, font, anchor="mm")
    return picture


def captions(labels: Sequence[int] | None, class_names: Sequence[str] | None) -> Any:
    """Return the names of the labels' classes, or the labels themselves without `class_names`."""
    if labels is None or not class_names:
        return labels
    return [class_names[label] for label in labels]


def _check_images(images):
    images = np.asarray(images)
    if images.ndim != 4 or images.shape[-1] not in (1, 3) or not images.size:
        raise ValueError(
            "images must have shape (n, height, width, 1 or 3), none of them 0. "
            f"Received: shape={images.shape}"
        )
    checks.check_images(images, images.shape[1:])
    return images


def _shorten(text, font, width):
    """Return the text, shortened with an ellipsis to at most `width` pixels."""
    if font.getlength(text) <= width:
        return text
    while text and font.getlength(f"{text}…") > width:
        text = text[:-1]
    return f"{text}…"


def _tiles(images, scale):
    """Return each image as a PIL picture, every pixel repeated `scale` times in both directions."""
    for image in np.rint(images * 255.0).astype(np.uint8):
        pixels = image.repeat(scale, axis=0).repeat(scale, axis=1)
        yield Image.fromarray(pixels.squeeze(-1) if pixels.shape[-1] == 1 else pixels)
