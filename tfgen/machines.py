"""`tf.distribute` strategies by name: all GPUs of this machine, or of all machines of a cluster."""

import os
import re

import tensorflow as tf

STRATEGIES = ("mirrored", "multiworker")
TIMEOUT = (
    600  # seconds that a worker waits for the others: longer than the chief takes for its files
)
FIRST_PORT, PORTS_PER_JOB, JOBS = 10_000, 16, 1_000  # below the ports that Linux gives out


def strategy(name: str | None) -> tf.distribute.Strategy:
    """Return the strategy of a name; call it before TensorFlow's first operation.

    Args:
        name: "mirrored" for all GPUs of this machine, "multiworker" for those of all workers; None for
            the strategy of the current scope, by default that of one device.

    Raises:
        ValueError: The name is unknown, or the environment names no workers.
    """
    if name is None:
        return tf.distribute.get_strategy()
    if name == "mirrored":
        # Named, since TensorFlow's default takes the devices of all workers where TF_CONFIG is set.
        local = tf.config.list_logical_devices("GPU") or tf.config.list_logical_devices("CPU")
        return tf.distribute.MirroredStrategy([device.name for device in local])
    if name != "multiworker":
        raise ValueError(f"strategy must be one of {STRATEGIES}. Received: strategy={name!r}")
    options = tf.distribute.experimental.CommunicationOptions(timeout_seconds=TIMEOUT)
    return tf.distribute.MultiWorkerMirroredStrategy(cluster(), options)


def cluster() -> tf.distribute.cluster_resolver.ClusterResolver:
    """Return the workers that TF_CONFIG names, or else those of this Slurm step.

    Raises:
        ValueError: The environment has neither.
    """
    if os.environ.get("TF_CONFIG"):
        return tf.distribute.cluster_resolver.TFConfigClusterResolver()
    if all(name in os.environ for name in _SLURM):
        return slurm()
    raise ValueError(
        "Several workers need TF_CONFIG, or a Slurm step started by srun, which sets "
        f"{', '.join(_SLURM)}. Received: neither"
    )


_SLURM = (
    "SLURM_PROCID",
    "SLURM_STEP_NUM_TASKS",
    "SLURM_STEP_NODELIST",
    "SLURM_STEP_TASKS_PER_NODE",
)


def slurm() -> tf.distribute.cluster_resolver.ClusterResolver:
    """Return a worker for each task of this Slurm step, on the GPUs that Slurm lets the task see.

    Hosts are sorted by their numbers, as Slurm ranks tasks; `SlurmClusterResolver` puts n10 before n9.
    Ports depend on the job, so that jobs may share a host.

    Raises:
        ValueError: Slurm runs this task on a host other than that of its rank.
    """
    tasks, job = os.environ["SLURM_STEP_NUM_TASKS"], int(os.environ.get("SLURM_JOB_ID", 0))
    step = tf.distribute.cluster_resolver.SlurmClusterResolver(
        port_base=FIRST_PORT + PORTS_PER_JOB * (job % JOBS),
        gpus_per_node=int(tasks),  # the GPUs that it would give out; it cannot do with none
        gpus_per_task=1,
        auto_set_gpu=False,
    )
    workers = sorted(step.cluster_spec().job_tasks("worker"), key=_numbers)
    _, rank = step.get_task_info()
    node, found = os.environ.get("SLURMD_NODENAME"), workers[rank].rsplit(":", 1)[0]
    if node not in (None, found):
        raise ValueError(
            "Slurm must rank tasks in the order of their hosts' numbers, as --distribution=block does; "
            f"else set TF_CONFIG. Received: task {rank} on {node}, expected on {found}"
        )
    return tf.distribute.cluster_resolver.SimpleClusterResolver(
        tf.train.ClusterSpec({"worker": workers}),
        task_type="worker",
        task_id=rank,
        num_accelerators={"GPU": len(tf.config.list_physical_devices("GPU"))},
        rpc_layer="grpc",
    )


def _numbers(address):
    """Return a sort key that puts n9 before n10."""
    return [int(part) if part.isdecimal() else part for part in re.split(r"(\d+)", address)]
