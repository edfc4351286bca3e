"""Time of a training step by type of operator, from TensorFlow's profiler."""

import collections
import re
import tempfile
from pathlib import Path

import tensorflow as tf
from tensorflow.tsl.profiler.protobuf import xplane_pb2

from benchmarks.contenders import documentation, ours
from benchmarks.worker import Contender

LOOPS = {"tfgen": ours.gan, "keras": documentation.gan}
WARM_UP = 3
OPERATOR = re.compile(r"[^:]*:_?(?:MklNative|Mkl)?(\w+)")  # "name:type", oneDNN's kernels as any
THREAD = "tf_Compute"


def training_steps(loop, cases, steps):
    """Return facts only: {name: {operator type: seconds per step}}, with operators run one by one."""
    tf.config.threading.set_inter_op_parallelism_threads(1)
    contender = Contender()
    for name, case in cases.items():
        model = LOOPS[loop](case["width"], case["size"])
        step = ours.step(model, ours.pipeline(case["size"], case["batch"]))
        contender.facts[name] = operator_seconds(step, steps)
    return contender


def operator_seconds(step, steps):
    """Return mean seconds per step of each type of operator, longest first."""
    for _ in range(WARM_UP):
        step()
    with tempfile.TemporaryDirectory() as folder:
        with tf.profiler.experimental.Profile(folder):
            for _ in range(steps):
                step()
        (trace,) = Path(folder).rglob("*.xplane.pb")
        space = xplane_pb2.XSpace.FromString(trace.read_bytes())
    seconds = collections.Counter()
    for plane in space.planes:
        events = (e for line in plane.lines if line.name.startswith(THREAD) for e in line.events)
        for event in events:
            if found := OPERATOR.fullmatch(plane.event_metadata[event.metadata_id].name):
                seconds[found[1]] += event.duration_ps / 1e12 / steps
    return {kind: float(f"{value:.4g}") for kind, value in seconds.most_common()}
