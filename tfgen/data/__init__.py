"""Images and labels as arrays or as a tf.data pipeline: digits, TFDS, folders of pictures, arrays.

A split is held in memory as uint8, and a pipeline only permutes, gathers and scales. A split that does
not fit is read batch by batch with `stream=True`, into the same batches.

Everything is imported when it is first used: the layout of a folder is read without TensorFlow.
"""

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:  # what `__getattr__` finds, for editors and type checkers
    from tfgen.data.domains import unpaired_batches as unpaired_batches
    from tfgen.data.loading import arrays as arrays
    from tfgen.data.loading import info as info
    from tfgen.data.loading import load as load
    from tfgen.data.loading import load_adaptation as load_adaptation
    from tfgen.data.loading import load_unpaired as load_unpaired
    from tfgen.data.loading import load_with_validation as load_with_validation
    from tfgen.data.loading import on_disk as on_disk
    from tfgen.data.pipeline import batches as batches
    from tfgen.data.sources import Info as Info
    from tfgen.data.summaries import Summary as Summary
    from tfgen.data.summaries import require_classes as require_classes
    from tfgen.data.summaries import summary as summary

_HOMES = {  # public name: module that defines it
    "Info": "tfgen.data.sources",
    "Summary": "tfgen.data.summaries",
    "load_adaptation": "tfgen.data.loading",
    "arrays": "tfgen.data.loading",
    "batches": "tfgen.data.pipeline",
    "load_with_validation": "tfgen.data.loading",
    "info": "tfgen.data.loading",
    "load": "tfgen.data.loading",
    "on_disk": "tfgen.data.loading",
    "require_classes": "tfgen.data.summaries",
    "summary": "tfgen.data.summaries",
    "load_unpaired": "tfgen.data.loading",
    "unpaired_batches": "tfgen.data.domains",
}

__all__ = [*_HOMES]


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        return getattr(importlib.import_module(_HOMES[name]), name)
    raise AttributeError(f"module 'tfgen.data' has no attribute {name!r}")


def __dir__() -> list[str]:
    return [*globals(), *__all__]
