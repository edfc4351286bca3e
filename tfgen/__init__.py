"""On Unifying Deep Generative Models (Hu et al., ICLR 2018): the theory and the machinery.

Everything is imported when it is first used, so that `import tfgen` does not import TensorFlow.
"""

import importlib
import importlib.metadata
from typing import TYPE_CHECKING, Any

from tfgen.version import __version__ as __version__

if TYPE_CHECKING:  # what `__getattr__` finds, for editors and type checkers
    from tfgen import checks as checks
    from tfgen import data as data
    from tfgen import distributions as distributions
    from tfgen import drawing as drawing
    from tfgen import endpoints as endpoints
    from tfgen import evaluation as evaluation
    from tfgen import interchange as interchange
    from tfgen import layers as layers
    from tfgen import networks as networks
    from tfgen import noise as noise
    from tfgen import objectives as objectives
    from tfgen import optimizers as optimizers
    from tfgen import paper as paper
    from tfgen import saved_model as saved_model
    from tfgen import testing as testing
    from tfgen import unified as unified
    from tfgen.drawing import pictures as pictures
    from tfgen.evaluation import evaluate as evaluate
    from tfgen.evaluation import evaluator as evaluator
    from tfgen.evaluation import likelihood as likelihood
    from tfgen.evaluation import metrics as metrics
    from tfgen.saved_model import export as export
    from tfgen.unified import Unified as Unified


_MODULES = {  # name: module
    "checks": "tfgen.checks",
    "data": "tfgen.data",
    "distributions": "tfgen.distributions",
    "drawing": "tfgen.drawing",
    "endpoints": "tfgen.endpoints",
    "evaluation": "tfgen.evaluation",
    "evaluator": "tfgen.evaluation.evaluator",
    "interchange": "tfgen.interchange",
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
    "testing": "tfgen.testing",
    "unified": "tfgen.unified",
}
_NAMES = {  # public name: module that defines it
    "Unified": "tfgen.unified",
    "evaluate": "tfgen.evaluation",
    "export": "tfgen.saved_model",
}

__all__ = [*_MODULES, *_NAMES]


_GROUP = "tfgen.functions"  # entry points by which packages above this one add functions to it


def __getattr__(name: str) -> Any:
    if name in _MODULES:
        return importlib.import_module(_MODULES[name])
    if name in _NAMES:
        return getattr(importlib.import_module(_NAMES[name]), name)
    if not name.startswith("_"):
        for point in importlib.metadata.entry_points(group=_GROUP, name=name):
            return point.load()
    raise AttributeError(f"module 'tfgen' has no attribute {name!r}")


def __dir__() -> list[str]:
    return [*globals(), *__all__]
