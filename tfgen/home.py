"""The user's folder: published and fetched presets, and decoded data."""

import os
from pathlib import Path


def folder() -> Path:
    """Return `TFGEN_HOME`, which need not exist, by default in the user's cache (`~/.cache/tfgen`)."""
    if chosen := os.environ.get("TFGEN_HOME"):
        return Path(chosen).expanduser().absolute()
    import platformdirs

    return Path(platformdirs.user_cache_dir("tfgen", appauthor=False))


def presets() -> Path:
    """Return its folder of presets, which need not exist."""
    return folder() / "presets"
