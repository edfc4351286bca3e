"""One global batch over the replicas of a `tf.distribute` strategy, on one machine or several.

Replica r of R reads images floor(n r/R) to floor(n (r + 1)/R) - 1 of each global batch of n images, so
that order and noise, functions of an image's index in the global batch, are those of one device.
"""

import contextlib
import functools
import logging
import math
from collections.abc import Callable, Iterator
from typing import Any

import keras
import tensorflow as tf

from tfgen import feeding

_LOG = logging.getLogger("tfgen")


def are_several(strategy: tf.distribute.Strategy) -> bool:
    """Whether a strategy has more than one replica."""
    return strategy.num_replicas_in_sync > 1


def workers(strategy: tf.distribute.Strategy) -> int:
    """Return the number of processes of a strategy."""
    resolver = strategy.cluster_resolver
    cluster = {} if resolver is None else resolver.cluster_spec().as_dict()
    return max(1, sum(len(cluster.get(job, ())) for job in ("chief", "worker")))


def is_chief(strategy: tf.distribute.Strategy) -> bool:
    """Whether this process writes the files: the task `chief`, or worker 0 if there is no chief."""
    resolver = strategy.cluster_resolver
    if workers(strategy) == 1:
        return True
    if "chief" in resolver.cluster_spec().jobs:
        return resolver.task_type == "chief"
    return resolver.task_id == 0


def synchronize(model: keras.Model) -> None:
    """Compute batch statistics over the global batch, without which several replicas differ from one."""
    for layer in _batch_normalizations(model):
        layer.synchronized = True


def check_synchronized(model: keras.Model) -> None:
    """Log a warning if a model's replicas normalize by statistics of their own images."""
    own = [layer.path for layer in _batch_normalizations(model) if not layer.synchronized]
    if are_several(model.distribute_strategy) and own:
        _LOG.warning(
            "Several replicas equal one only with batch statistics of the global batch: build networks "
            "with synchronized batch normalization, or call tfgen.replicas.synchronize(model). "
            "Received: %d layers of %s with statistics of each replica",
            len(own),
            model.name,
        )


def _batch_normalizations(model):
    layers = [
        layer
        for network in model.players.values()
        for layer in network._flatten_layers(include_self=False)
    ]
    return [layer for layer in layers if isinstance(layer, keras.layers.BatchNormalization)]


def agree(strategy: tf.distribute.Strategy, **number: int) -> None:
    """Wait for all workers, and raise unless all have the same numbers.

    Raises:
        ValueError: The numbers differ.
    """
    ((name, value),) = number.items()
    if workers(strategy) == 1:
        return
    own = strategy.experimental_distribute_values_from_function(lambda _: tf.constant([value]))
    found = strategy.gather(own, axis=0).numpy().tolist()
    if len(set(found)) > 1:
        raise ValueError(
            "All workers must read the same files, as on a shared disk. "
            f"Received: {name}={found}, one for each replica"
        )


def count() -> int:
    """Return the number of replicas of the current step."""
    return tf.distribute.get_strategy().num_replicas_in_sync


@contextlib.contextmanager
def worker_loss_in_words(strategy: tf.distribute.Strategy) -> Iterator[None]:
    """Raise ConnectionError, with what to do, if a worker is lost.

    Raises:
        ConnectionError: A worker was lost.
    """
    try:
        yield
    except _LOST as error:
        if workers(strategy) == 1:
            raise
        raise ConnectionError(
            "All workers must stay up; start all of them again to resume training from the last "
            f"checkpoint. Received: {error.message.splitlines()[0]:.200}"
        ) from error


_LOST = (
    tf.errors.UnavailableError,
    tf.errors.AbortedError,
    tf.errors.CancelledError,
    tf.errors.DeadlineExceededError,
)


def shard_batch(batch: Any, index: int, parts: int) -> Any:
    """Return part `index` of `parts` of every tensor of a batch, consecutive rows of it."""

    def rows(tensor):
        count = tf.shape(tensor, tf.int64)[0]
        return tensor[count * index // parts : count * (index + 1) // parts]

    return tf.nest.map_structure(rows, batch)


def distribute(
    strategy: tf.distribute.Strategy, batches: Any, gathered: bool = False
) -> tuple[feeding.Stream, tf.Variable | None]:
    """Return the stream with each batch divided among the replicas, and the counter of its epochs.

    Args:
        strategy: Strategy of any number of replicas.
        batches: Global batches, the same on every worker; if they have `worker_shard`, as a pipeline of
            `tfgen.data.batches` has, every worker reads only its own part.
        gathered: Whether to order the parts as Keras' `predict` joins them.

    Raises:
        TypeError: The stream is a generator or a `PyDataset`, and there are several workers.
    """
    counters = [getattr(batches, "epoch", None)]
    if not are_several(strategy) or isinstance(batches, tf.distribute.DistributedDataset):
        return batches, counters[0]
    if not isinstance(batches, tf.data.Dataset):
        if workers(strategy) == 1:
            return batches, counters[0]
        raise TypeError(
            "Several workers learn from arrays or a tf.data.Dataset, which are the same on all of them. "
            f"Received: {type(batches).__name__}"
        )

    def parts_of_worker(context):
        worker, count = context.input_pipeline_id, context.num_input_pipelines
        local = context.num_replicas_in_sync // count
        if count > 1 and not gathered and hasattr(batches, "worker_shard"):
            mine = batches.worker_shard(worker, count)
            counters.append(mine.epoch)
            return _in_parts(mine, range(local), local)
        first, step = (worker, count) if gathered else (worker * local, 1)
        chosen = range(first, first + local * step, step)
        return _in_parts(batches, chosen, context.num_replicas_in_sync)

    return strategy.distribute_datasets_from_function(parts_of_worker), counters[-1]


def _in_parts(dataset, chosen, parts):
    """Return parts `chosen` of each batch, one after another."""

    def part(index, batch):
        return shard_batch(batch if len(batch) > 1 else batch[0], index, parts)

    if len(chosen) == 1:
        return dataset.map(lambda *batch: part(chosen[0], batch)).prefetch(2)
    indices = tf.data.Dataset.from_tensor_slices(tf.constant(chosen, tf.int64))
    flat = dataset.flat_map(lambda *batch: indices.map(lambda index: part(index, batch)))
    return flat.prefetch(2 * len(chosen))


class Replicated(keras.Model):
    """Abstract base of models whose steps run on every replica, and that are built at construction.

    Keras' own functions reduce scalar logs along axis 0 where there are several workers, average a
    batch of labels to build the model, and loop over collectives.
    """

    def make_train_function(self, force: bool = False) -> Callable:
        if not are_several(self.distribute_strategy):
            return super().make_train_function(force)
        if self.train_function is None or force:
            self.train_function = self._execution(self.train_step)
        return self.train_function

    def make_test_function(self, force: bool = False) -> Callable:
        if not are_several(self.distribute_strategy):
            return super().make_test_function(force)
        if self.test_function is None or force:
            self.test_function = self._execution(self.test_step)
        return self.test_function

    def average_statistics(self) -> None:
        """Replace each replica's own moving statistics by their mean over replicas.

        Samples, evaluation and files are then the same on every replica.
        """
        own = [layer for layer in _batch_normalizations(self) if not layer.synchronized]
        if are_several(self.distribute_strategy) and own:
            self._average_statistics()

    @functools.cached_property
    def _average_statistics(self):
        kept = [v for v in self.non_trainable_variables if v.aggregation == "none"]
        kept = [v for v in kept if tf.as_dtype(v.dtype).is_floating]

        def on_replica():
            context = tf.distribute.get_replica_context()
            for variable in kept:  # gathered, since all_reduce of a mean fails on several workers
                every = context.all_gather(variable.value[None], axis=0)
                variable.assign(tf.reduce_mean(every, axis=0))

        return tf.function(lambda: self.distribute_strategy.run(on_replica), autograph=False)

    def _maybe_symbolic_build(self, iterator=None, data_batch=None):
        if self.optimizer is not None and not self.optimizer.built:
            with self.distribute_strategy.scope():
                self.optimizer.build(self.trainable_variables)

    def _execution(self, step):
        """Return a function of `steps_per_execution` steps, or as many as there are batches left.

        Steps are launched one by one: in a graph's loop TensorFlow's collectives of one iteration meet
        those of another, "Shape mismatch in the collective instance".

        Raises:
            ValueError: `jit_compile` is True; collectives between steps are not compiled by XLA.
        """
        strategy, several = self.distribute_strategy, self.steps_per_execution
        if self.jit_compile:
            raise ValueError(
                "jit_compile must be False or 'auto' on several replicas. "
                f"Received: jit_compile=True, replicas={strategy.num_replicas_in_sync}"
            )

        def on_replica(data):
            step(data)
            return self._states()

        def one(data):
            states = strategy.reduce("SUM", strategy.run(on_replica, args=(data,)), axis=None)
            return self._results(states)

        def execution(iterator):
            return one(next(iterator))

        if not self.run_eagerly:
            options = {"reduce_retracing": True, "autograph": False}
            one, execution = (tf.function(step, **options) for step in (one, execution))

        def function(iterator):
            if isinstance(iterator, tf.distribute.DistributedIterator):
                return _repeat(lambda: execution(iterator), several)
            return one(self._own_parts(next(iterator)))

        return function

    def _states(self):
        """Return the sums in this replica's metrics as one vector, so that one reduction serves all."""
        variables = [variable for metric in self.metrics for variable in metric.variables]
        return tf.concat([tf.reshape(tf.cast(v, tf.float32), [-1]) for v in variables], axis=0)

    def _results(self, states):
        """Return {metric: result} of states summed over the replicas.

        A mean of the replicas' results would weight replicas equally, not images.
        """
        sizes = [math.prod(v.shape) for metric in self.metrics for v in metric.variables]
        parts = iter(tf.split(states, sizes))
        return {
            metric.name: metric.stateless_result(
                [tf.reshape(next(parts), variable.shape) for variable in metric.variables]
            )
            for metric in self.metrics
        }

    def _own_parts(self, data):
        """Divide a batch that is passed as arrays among the replicas."""
        data = tf.nest.map_structure(tf.convert_to_tensor, tuple(d for d in data if d is not None))
        return self.distribute_strategy.experimental_distribute_values_from_function(
            lambda context: shard_batch(
                data, context.replica_id_in_sync_group, context.num_replicas_in_sync
            )
        )


def _repeat(execution, count):
    """Return the last result of `count` executions, or of as many as there are batches left."""
    logs = execution()
    with contextlib.suppress(tf.errors.OutOfRangeError):
        for _ in range(count - 1):
            logs = execution()
    return logs
