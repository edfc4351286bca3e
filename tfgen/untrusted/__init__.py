"""Model files of strangers, read before Keras sees them: a file holds weights, and does nothing else.

Keras rebuilds a model by calling whatever its `config.json` names, and its safe mode refuses little:
layers that run functions, read files or ask for 10^12 weights pass.  Four gates stand before it:

    archive         a zip of three stored members, within limits of size
    documents       JSON within limits of bytes, depth and values
    configuration   every class, function and dtype on the lists of `vocabulary`
    weights         what the networks declare is no more than what the file holds

`arrays` does the same for NumPy's archives.  A SavedModel is a program: whoever loads one trusts it.

Source: Keras 3.15, `keras/src/saving`, whose reading they mirror.
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
