"""Serve any SavedModel folder with signatures, over HTTP and gRPC as TensorFlow Serving does.

    from tfgen import serving

    service = serving.service([serving.Source("gan", Path("saved_models/gan_digits"))])
    serving.Server(service, port=8501).run()

`tfgen serve` is this on the command line.  It needs the extra `serve`: pip install 'tfgen[serve]'.
"""

from tfgen.serving.limits import Batching, Limits
from tfgen.serving.server import Server, service
from tfgen.serving.versions import Policy, Source

__all__ = ["Batching", "Limits", "Policy", "Server", "Source", "service"]
