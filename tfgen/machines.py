"""`tf.distribute` strategies by name: all devices of a machine, or of machines that a launcher names."""

import os

import tensorflow as tf

STRATEGIES = ("mirrored", "multiworker")
TIMEOUT = (
    600  # seconds that a worker waits for the others: longer than the chief takes for its files
)


def strategy(name: str | None) -> tf.distribute.Strategy:
    """The strategy of a name; to be called before TensorFlow's first operation.

    Args:
        name: "mirrored" for all GPUs of this machine, "multiworker" for those of all workers; None: the
            strategy in whose scope this is called, by default that of one device.

    Raises:
        ValueError: an unknown name, or workers that nothing in the environment names.
    """
    if name is None:
        return tf.distribute.get_strategy()
    if name == "mirrored":
        return tf.distribute.MirroredStrategy()
    if name != "multiworker":
        raise ValueError(f"strategy must be one of {STRATEGIES}. Received: strategy={name!r}")
    options = tf.distribute.experimental.CommunicationOptions(timeout_seconds=TIMEOUT)
    return tf.distribute.MultiWorkerMirroredStrategy(cluster(), options)


def cluster() -> tf.distribute.cluster_resolver.ClusterResolver:
    """The workers that TF_CONFIG names, or else those of this Slurm step.

    Raises:
        ValueError: the environment has neither.
    """
    if os.environ.get("TF_CONFIG"):
        return tf.distribute.cluster_resolver.TFConfigClusterResolver()
    if "SLURM_STEP_ID" in os.environ:
        return tf.distribute.cluster_resolver.SlurmClusterResolver()
    raise ValueError(
        "Several workers need TF_CONFIG, or a Slurm step started by srun. Received: neither"
    )
