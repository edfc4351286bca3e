"""Reports of `fit` and `evaluate`: means over images for any batch sizes, and a stop at NaN."""

from typing import Any

import keras
import numpy as np
import tensorflow as tf


class Tracker(keras.metrics.Metric):
    """Sum over terms of the mean over the images of all batches, weighted by their numbers of images.

        sum_t sum_b n_tb m_tb / sum_b n_tb

    Its number of batches is the argument `batch` of `tfgen.noise.step_seed`.

    Args:
        name: Name of the player.
        terms: Number of means, each over its own images, in the sum.
    """

    def __init__(self, name: str, terms: int = 1):
        super().__init__(name=name)
        self.totals = self.add_variable((terms,), initializer="zeros", name="totals")
        self.counts = self.add_variable((terms,), initializer="zeros", name="counts")
        self.batches = self.add_variable((), initializer="zeros", name="batches")

    def update_state(self, means: Any, counts: Any) -> None:
        """Add a batch: the mean m of every term, and the number n of images of each mean."""
        means = tf.stack([tf.cast(mean, self.dtype) for mean in means])
        counts = tf.stack([tf.cast(count, self.dtype) for count in counts])
        self.totals.assign_add(means * counts)
        self.counts.assign_add(counts)
        self.batches.assign_add(1)

    def result(self) -> tf.Tensor:
        return tf.reduce_sum(tf.math.divide_no_nan(self.totals.value, self.counts.value))


class Watch(keras.callbacks.Callback):
    """Callback that counts epochs in the model, sets a `tfgen.data` pipeline's epoch, and stops at NaN.

    Keras' `TerminateOnNaN` reads a `loss`, which a game of several objectives does not have.

    Args:
        epoch: Counter of the pipeline, or None.
    """

    def __init__(self, epoch: tf.Variable | None):
        super().__init__()
        self._epoch = epoch
        self._previous = {}

    def on_epoch_begin(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        if self._epoch is not None:
            self._epoch.assign(self.model.epochs)

    def on_train_batch_end(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        # Logs of the previous execution: reading this one's would wait for the device.
        self._check(self._previous)
        self._previous = logs or {}

    def on_test_begin(self, logs: dict[str, Any] | None = None) -> None:
        self.model.average_statistics()

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        self.model.average_statistics()
        self._previous = {}
        self._check(logs or {})
        self.model.epochs.assign_add(1)

    def _check(self, logs):
        for player in self.model.trackers:
            value = float(logs.get(player, 0.0))
            if not np.isfinite(value):
                raise FloatingPointError(
                    "Every objective must stay finite; a lower learning rate may keep it so. "
                    f"Received: {player}={value} at step {int(self.model.steps.numpy())}"
                )


class Progress(keras.callbacks.ProgbarLogger):
    """Keras' progress bar, which counts every batch, also if an execution runs several."""

    def on_train_batch_end(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        super().on_train_batch_end(self._batches_seen(batch), logs)

    def on_test_batch_end(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        super().on_test_batch_end(self._batches_seen(batch), logs)

    def _batches_seen(self, batch):
        tracker = next(iter(self.model.trackers.values()))
        strategy = self.model.distribute_strategy
        # Of one replica: their sum would wait for the other workers, which show no bar.
        batches = strategy.experimental_local_results(tracker.batches.value)[0]
        return min(batch, int(batches.numpy()) - 1)
