"""Place of a replica's examples in the global batch, which means, noise and weights depend on.

All replicas must call every function, each in its replica context.
"""

import contextlib
import contextvars
from collections.abc import Iterator
from typing import Any

import tensorflow as tf

_known_sizes = contextvars.ContextVar("known_sizes", default=None)


@contextlib.contextmanager
def sizes_known(examples: tf.Tensor) -> Iterator[None]:
    """Exchange the replicas' batch sizes once; within it all tensors have as many rows as `examples`."""
    token = _known_sizes.set(_sizes(examples) if _replicas() > 1 else None)
    try:
        yield
    finally:
        _known_sizes.reset(token)


def place(examples: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor | int]:
    """Return the number of examples in the global batch, and the index of this replica's first one.

    Args:
        examples: Tensor whose first axis is this replica's batch.
    """
    if _replicas() == 1:
        return tf.shape(examples)[0], 0
    known = _known_sizes.get()
    sizes = _sizes(examples) if known is None else known
    own = tf.distribute.get_replica_context().replica_id_in_sync_group
    return tf.reduce_sum(sizes), tf.reduce_sum(sizes[:own])


def gather(values: tf.Tensor) -> tf.Tensor:
    """Return the values of all replicas, (global batch, ...), as constants.

    Args:
        values: (b, ...), floating-point.
    """
    values = tf.stop_gradient(values)
    if _replicas() == 1:
        return values
    # Instead of `all_gather`, which would exchange the sizes once more.
    count, start = place(values)
    after = count - start - tf.shape(values)[0]
    return total(tf.pad(values, [[start, after], *[[0, 0]] * (values.shape.rank - 1)]))


def total(value: Any) -> tf.Tensor:
    """Return the sum over replicas of a floating-point tensor, or of each tensor of a list at once."""
    context = tf.distribute.get_replica_context()
    return context.all_reduce("SUM", value) if _replicas() > 1 else value


def _sizes(examples):
    """Return the number of examples on each replica, (R,)."""
    own = tf.distribute.get_replica_context().replica_id_in_sync_group
    # As floats, exact below 2^24: not all GPUs exchange integers, which stay in the host's memory.
    count = tf.cast(tf.shape(examples)[0], tf.float32)
    return tf.cast(total(tf.one_hot(own, _replicas(), count, 0.0)), tf.int32)


def _replicas():
    return tf.distribute.get_replica_context().num_replicas_in_sync
