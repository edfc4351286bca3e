"""Checks of untrusted model files before Keras reads them: a file may hold weights and do nothing else.

Keras rebuilds a model by calling everything that its `config.json` names, and its safe mode rejects little:
layers that run functions, read files or ask for 10^12 weights pass.  Four checks come before it:

    archive         a zip of three stored members, within limits of size
    documents       JSON within limits of bytes, depth and values
    configuration   every class, function and dtype is on the lists of `vocabulary`
    weights         the file holds all weights that the networks declare

`arrays` does the same for NumPy's archives.  A SavedModel is a program: load one only if you trust it.

Source: Keras 3.15, `keras/src/saving`, whose reading these checks mirror.
"""

import importlib

_HOMES = {
    "RefusedError": "refusal",
    "check_configuration": "configuration",
    "check_weights": "weights",
    "parse": "documents",
    "read_archive": "archive",
    "read_arrays": "arrays",
    "read_document": "documents",
    "rebuilding": "refusal",
}

__all__ = [*_HOMES]


def __getattr__(name: str):
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{_HOMES[name]}"), name)
