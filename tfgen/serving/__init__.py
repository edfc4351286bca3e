"""Serve any SavedModel folder with signatures, over HTTP and gRPC as TensorFlow Serving does.

    from tfgen import serving

    service = serving.service([serving.Source("gan", Path("saved_models/gan_digits"))])
    serving.Server(service, port=8501).run()

`tfgen serve` does this on the command line.  It needs the packages of the extra `serve`.
"""

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tfgen.serving.limits import Batching, Limits
    from tfgen.serving.server import Server, service
    from tfgen.serving.versions import Policy, Source

_HOMES = {
    "Batching": "limits",
    "Limits": "limits",
    "Policy": "versions",
    "Server": "server",
    "Source": "versions",
    "service": "server",
}

__all__ = ["Batching", "Limits", "Policy", "Server", "Source", "service"]


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        return getattr(importlib.import_module(f"tfgen.serving.{_HOMES[name]}"), name)
    raise AttributeError(f"module 'tfgen.serving' has no attribute {name!r}")


def __dir__() -> list[str]:
    return [*globals(), *__all__]
