"""On Unifying Deep Generative Models (Hu et al., ICLR 2018): the theory and the machinery.

Everything is imported when it is first used, so that `import tfgen` does not import TensorFlow.
"""

import importlib

__version__ = "0.1.0"

_MODULES = (
    "beliefs",
    "data",
    "distributions",
    "endpoints",
    "evaluation",
    "evaluator",
    "graphs",
    "inputs",
    "layers",
    "likelihood",
    "metrics",
    "networks",
    "objectives",
    "optimizers",
    "pictures",
    "plots",
    "saved_model",
    "table",
    "theory",
    "unified",
    "variational",
)
_NAMES = {"Unified": "unified", "evaluate": "evaluation", "export": "saved_model"}

__all__ = [*_MODULES, *_NAMES]


def __getattr__(name):
    if name in _MODULES:
        return importlib.import_module(f"tfgen.{name}")
    if name in _NAMES:
        return getattr(importlib.import_module(f"tfgen.{_NAMES[name]}"), name)
    raise AttributeError(f"module 'tfgen' has no attribute {name!r}")


def __dir__():
    return [*globals(), *__all__]
