"""The user's folder: his presets, those fetched, and data decoded once."""

import os
from pathlib import Path


def folder() -> Path:
    """Return `TFGEN_HOME`, made or not; by default below the user's cache, `~/.cache/tfgen` on Linux."""
    if chosen := os.environ.get("TFGEN_HOME"):
        return Path(chosen).expanduser().absolute()
    import platformdirs

    return Path(platformdirs.user_cache_dir("tfgen", appauthor=False))


def presets() -> Path:
    """Return the folder of presets in it, made or not."""
    return folder() / "presets"
