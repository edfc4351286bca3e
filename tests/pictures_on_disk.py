"""Folders of pictures for the tests."""

import numpy as np
from PIL import Image


def save(path, pixels, **options):
    """Write a picture of these pixels, and the folders above it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(np.asarray(pixels, np.uint8)).save(path, **options)


def fill(root, *names):
    """Pictures of 2 x 2 pixels under these names, the i-th of gray i."""
    for i, name in enumerate(names):
        save(root / name, np.full((2, 2), i))
