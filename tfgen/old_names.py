"""Names that version 0.1 wrote into files, and their new names; version 0.3 removes this module.

All code that reads a configuration, a recipe, a card or a record calls `renew` first; no code writes an
old name.
"""

import re
from typing import Any

KEYS = {
    "binarise": "binarize",
    "normalisation": "normalization",
    "clusters": "clustering",
    "row": "table_row",
}

# Key of a text -> {old word: new word}.
_WORDS = {
    "normalization": {"synchronised": "synchronized"},
    "description": {"binarised": "binarized", "minimisation": "minimization"},
}


def renew(value: Any) -> Any:
    """Return a copy of a JSON value with the new names of keys, and new words in texts."""
    if isinstance(value, dict):
        renewed = renew_keys({key: renew(member) for key, member in value.items()})
        return {key: _renew_text(key, member) for key, member in renewed.items()}
    if isinstance(value, list | tuple):
        return type(value)(map(renew, value))
    return value


def renew_keys(config: dict[str, Any]) -> dict[str, Any]:
    """Return the configuration of a model with the new names of its arguments."""
    return {KEYS.get(key, key): value for key, value in config.items()}


def _renew_text(key: str, value: Any) -> Any:
    if not isinstance(value, str) or key not in _WORDS:
        return value
    return re.sub(r"\w+", lambda word: _WORDS[key].get(word[0], word[0]), value)
