"""Process with one contender that does blocks of its work on request.

    python -m benchmarks.worker benchmarks.contenders.ours:gan_steps '{"cases": ...}'

It writes the contender's units and facts as a line of JSON, then answers every line of JSON on its standard
input by a line of JSON.
"""

import dataclasses
import importlib
import json
import os
import resource
import sys
import time
from collections.abc import Callable

from tfgen.quiet import quietly


@dataclasses.dataclass
class Contender:
    """Units of work by name, each a function without arguments, and facts about them."""

    units: dict[str, Callable] = dataclasses.field(default_factory=dict)
    facts: dict = dataclasses.field(default_factory=dict)


def serve(contender, requests, replies):
    """Answer {"unit", "repeats"} by {"seconds"}, the wall time of `repeats` calls of the unit.

    An untimed call comes first: it refills the caches that another process has used in between.
    """

    def reply(value):
        print(json.dumps(value), file=replies, flush=True)

    reply({"units": list(contender.units), "facts": contender.facts})
    for line in requests:
        request = json.loads(line)
        unit = contender.units[request["unit"]]
        unit()
        began = time.perf_counter()
        for _ in range(request["repeats"]):
            unit()
        reply({"seconds": time.perf_counter() - began, "peak_bytes": peak_bytes()})


def peak_bytes():
    """Return the largest resident size of this process so far; Linux counts it in KiB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def main(target, arguments):
    module, _, function = target.partition(":")
    replies = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # frameworks that print must not print into the replies
    with quietly():
        found = importlib.import_module(module)
    contender = getattr(found, function)(**json.loads(arguments))
    serve(contender, sys.stdin, replies)


if __name__ == "__main__":
    main(*sys.argv[1:])
