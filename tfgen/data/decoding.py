"""Decode a picture's file to 8-bit pixels as a viewer shows them; Pillow is imported where it is used.

- The picture is turned by its EXIF orientation.
- Transparency is composited on white, in `opaque`.
- 16 bits per channel keep their high byte, as in TensorFlow's PNG decoder.
- The first image of an animation or of several pages is decoded.
- Gray pictures have 1 channel; palettes, CMYK and all others become RGB.
"""

import contextlib
import functools
import os
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

FORMATS = ("PNG", "JPEG", "GIF", "WEBP", "BMP", "DIB", "TIFF", "PPM", "JPEG2000", "AVIF", "TGA")
SUFFIXES = {
    ".apng", ".avif", ".bmp", ".dib", ".gif", ".j2k", ".jfif", ".jp2", ".jpe", ".jpeg", ".jpg", ".mpo",
    ".pbm", ".pgm", ".png", ".pnm", ".ppm", ".tga", ".tif", ".tiff", ".webp",
}  # fmt: skip
FOREIGN = {  # pictures too, so that none is lost without a word
    ".arw", ".cr2", ".cr3", ".dng", ".eps", ".exr", ".heic", ".heif", ".jxl", ".nef", ".orf", ".psd",
    ".raf", ".rw2", ".svg",
}  # fmt: skip
MOST_PIXELS = 89_478_485  # Pillow's own: a quarter of a GiB as RGB

_ORIENTATION = 0x0112  # the EXIF tag
_TURNED = (5, 6, 7, 8)  # its values that exchange height and width
_GRAY = ("1", "L", "LA", "La", "I;16", "I;16L", "I;16B", "I;16N")


class Header(NamedTuple):
    """A picture's size as seen, before its pixels are decoded."""

    height: int
    width: int
    channels: int  # 1 or 3


def header(path: str | os.PathLike) -> Header:
    """Return size and channels of a picture from the first bytes of its file.

    Raises:
        ValueError: The file is not a readable picture, or holds more than `MOST_PIXELS`.
    """
    with _name_in_errors(path), _open(path) as picture:
        width, height = picture.size
        # Pillow gives a TIFF's size as seen.
        if picture.format != "TIFF" and _orientation(picture) in _TURNED:
            width, height = height, width
        return Header(height, width, 1 if picture.mode in _GRAY else 3)


def decode(path: str | os.PathLike) -> np.ndarray:
    """Return the pixels of a picture, uint8 (height, width, 1 or 3).

    Raises:
        ValueError: See `header`; or the file is truncated or broken.
    """
    with _name_in_errors(path), _open(path) as picture:
        picture.load()  # a broken file is found out only here; a TIFF is turned here
        picture = _apply_orientation(picture)
        if picture.mode.startswith("I;16"):
            pixels = (np.asarray(picture) >> 8).astype(np.uint8)[..., None]
        elif picture.has_transparency_data:
            pixels = opaque(np.asarray(picture.convert("LA" if picture.mode in _GRAY else "RGBA")))
        else:
            mode = "L" if picture.mode in _GRAY else "RGB"
            pixels = np.asarray(picture.convert(mode)).reshape(picture.height, picture.width, -1)
    return pixels


def opaque(pixels: np.ndarray) -> np.ndarray:
    """Composite pixels on white: (a x + (255 - a) 255) / 255, rounded, for color x and alpha a.

    Args:
        pixels: uint8 (h, w, c + 1), the last channel alpha.

    Returns:
        uint8 (h, w, c).
    """
    wide = pixels.astype(np.int32)
    color, alpha = wide[..., :-1], wide[..., -1:]
    return ((color * alpha + 255 * (255 - alpha) + 127) // 255).astype(np.uint8)


@contextlib.contextmanager
def _name_in_errors(path: str | os.PathLike) -> Iterator[None]:
    """Raise Pillow's errors, which have no common base for broken files, as ValueError with the path."""
    try:
        yield
    except _RefusedError as error:
        raise ValueError(f"{error}. Received: {str(path)!r}, {error.received}") from None
    except Exception as error:
        raise ValueError(
            f"A picture must be readable. Received: {str(path)!r}, {_reason(error)}"
        ) from error


def _reason(error: Exception) -> str:
    from PIL import UnidentifiedImageError

    if isinstance(error, UnidentifiedImageError):
        return "whose content is of no format that is read"
    return getattr(error, "strerror", None) or str(error) or type(error).__name__


class _RefusedError(Exception):
    """A readable picture that breaks a rule: the rule, and the value received."""

    def __init__(self, rule: str, received: str):
        super().__init__(rule)
        self.received = received


@contextlib.contextmanager
def _open(path):
    from PIL import Image

    if not os.path.getsize(path):
        raise EOFError("an empty file")
    try:
        picture = Image.open(path, formats=_formats())
    # Above MOST_PIXELS Pillow warns, above twice as many it raises.
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise _RefusedError(_too_large(), str(error)) from error
    with picture:
        if picture.width * picture.height > MOST_PIXELS:
            raise _RefusedError(_too_large(), f"{picture.width} x {picture.height} pixels")
        if picture.mode in ("I", "F"):
            raise _RefusedError(
                "A picture must have 8 or 16 bits per channel, which range from black to white",
                f"mode {picture.mode!r}",
            )
        yield picture


@functools.cache
def _formats() -> list[str]:
    """Return those of `FORMATS` that this Pillow was built with."""
    from PIL import Image

    Image.init()
    return [name for name in FORMATS if name in Image.OPEN]


def _too_large() -> str:
    return f"A picture must have at most {MOST_PIXELS:,} pixels"


def _orientation(picture) -> int:
    try:
        return picture.getexif().get(_ORIENTATION, 1)
    except Exception:  # of broken metadata, which viewers pass over
        return 1


def _apply_orientation(picture):
    """Turn the picture by its orientation; `ImageOps.exif_transpose` fails on broken metadata."""
    from PIL.Image import Transpose

    turns = {
        2: Transpose.FLIP_LEFT_RIGHT,
        3: Transpose.ROTATE_180,
        4: Transpose.FLIP_TOP_BOTTOM,
        5: Transpose.TRANSPOSE,
        6: Transpose.ROTATE_270,
        7: Transpose.TRANSVERSE,
        8: Transpose.ROTATE_90,
    }
    turn = turns.get(_orientation(picture))
    return picture if turn is None else picture.transpose(turn)
