"""On Unifying Deep Generative Models (Hu et al., ICLR 2018): the theory and the machinery.

Everything is imported when it is first used, so that `import tfgen` does not import TensorFlow.
"""

import importlib

__version__ = "0.1.0"

_MODULES = {  # public name: module
    "checks": "tfgen.checks",
    "data": "tfgen.data",
    "distributions": "tfgen.distributions",
    "drawing": "tfgen.drawing",
    "endpoints": "tfgen.endpoints",
    "evaluation": "tfgen.evaluation",
    "evaluator": "tfgen.evaluation.evaluator",
    "layers": "tfgen.layers",
    "likelihood": "tfgen.evaluation.likelihood",
    "metrics": "tfgen.evaluation.metrics",
    "networks": "tfgen.networks",
    "noise": "tfgen.noise",
    "objectives": "tfgen.objectives",
    "optimizers": "tfgen.optimizers",
    "paper": "tfgen.paper",
    "pictures": "tfgen.drawing.pictures",
    "saved_model": "tfgen.saved_model",
    "unified": "tfgen.unified",
}
_NAMES = {  # public name: module that defines it
    "Unified": "tfgen.unified",
    "evaluate": "tfgen.evaluation",
    "export": "tfgen.saved_model",
}

__all__ = [*_MODULES, *_NAMES]


def __getattr__(name):
    if name in _MODULES:
        return importlib.import_module(_MODULES[name])
    if name in _NAMES:
        return getattr(importlib.import_module(_NAMES[name]), name)
    raise AttributeError(f"module 'tfgen' has no attribute {name!r}")


def __dir__():
    return [*globals(), *__all__]
