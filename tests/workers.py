"""One of several worker processes: trains members of the contract table under MultiWorkerMirroredStrategy.

    python workers.py INDEX PORT,PORT,... FOLDER NAME,NAME,...

Writes the weights and the logs of each to FOLDER/NAME.INDEX.npz, and the weights of a GAN whose workers
keep batch statistics of their own.
"""

import json
import os
import pathlib
import socket
import subprocess
import sys

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
UNSYNCHRONIZED = "unsynchronized"


def cluster(ports, index):
    """The environment variable TF_CONFIG of worker `index` of those at ports on this machine."""
    workers = [f"127.0.0.1:{port}" for port in ports]
    return json.dumps({"cluster": {"worker": workers}, "task": {"type": "worker", "index": index}})


def free_ports(count):
    """Ports on this machine at which nothing listens."""
    sockets = [socket.socket() for _ in range(count)]
    for found in sockets:
        found.bind(("127.0.0.1", 0))
    ports = [found.getsockname()[1] for found in sockets]
    for found in sockets:
        found.close()
    return ports


def run(*arguments, count=2):
    """Outputs and exit codes of all workers of a Python script, which reads TF_CONFIG."""
    inherited = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    ports = free_ports(count)
    processes = [
        subprocess.Popen(
            [sys.executable, *map(str, arguments)],
            env={**inherited, "TF_CONFIG": cluster(ports, index)},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        for index in range(count)
    ]
    outputs = [process.communicate()[0] for process in processes]
    return outputs, [process.returncode for process in processes]


def pretend_two_devices():
    """Give MultiWorkerMirroredStrategy two logical CPUs of this process; by itself it takes one."""
    import tensorflow as tf
    from tensorflow.python.distribute import collective_all_reduce_strategy as workers

    cpu = tf.config.list_physical_devices("CPU")[0]
    tf.config.set_logical_device_configuration(cpu, [tf.config.LogicalDeviceConfiguration()] * 2)
    workers.CollectiveAllReduceExtended._initialize_local_devices = lambda self, resolver, place: (
        [f"{place}/device:CPU:{index}" for index in range(2)], "CPU"
    )  # fmt: skip


def train(strategy, name, synchronized=True):
    """A member after three steps on 39 images in batches of 16, the last one of 7, and its logs."""
    import keras
    from models import build, learned_from

    from tfgen import replicas

    with strategy.scope():
        model = build(name)
        if synchronized:
            replicas.synchronize(model)
        model.compile(keras.optimizers.SGD(0.05), steps_per_execution=3)
    history = model.fit(*learned_from(name, 39), batch_size=16, verbose=0)
    return model, {key: value[0] for key, value in history.history.items()}


def main(folder, names):
    import numpy as np
    import tensorflow as tf

    strategy = tf.distribute.MultiWorkerMirroredStrategy()
    index = strategy.cluster_resolver.task_id
    for name in names.split(","):
        model, logs = train(strategy, name)
        weights = {f"{i:03d}": value for i, value in enumerate(model.get_weights())}
        np.savez(pathlib.Path(folder) / f"{name}.{index}.npz", **weights, **logs)
    model, _ = train(strategy, "gan_digits", synchronized=False)
    np.savez(pathlib.Path(folder) / f"{UNSYNCHRONIZED}.{index}.npz", *model.get_weights())


if __name__ == "__main__":
    main(*sys.argv[1:])
