"""Keras' methods of a model, with every image and label checked by `tfgen.gate` first."""

import abc
import dataclasses
from pathlib import Path
from typing import Any, Self

import keras
import numpy as np
import tensorflow as tf

from tfgen import checks, feeding, layers, optimizers, policies, replicas, saved_model, tracking
from tfgen import data as datasets
from tfgen.gate import Gate, Images, Labels, in_words, refuse_weights, unpack

checks.check_backend()


class Gated(replicas.Replicated, abc.ABC):
    """Abstract base of models that Keras' loop trains on data checked against their rules.

    A subclass has `players`, `image_shape`, `num_classes`, `seed`, the steps of training and tests, and
    `trackers`, {player: tfgen.tracking.Tracker}.
    """

    # The data that it learns from, and their rules.

    @classmethod
    def load_data(
        cls, *, batch_size: int, seed: int, **data: Any
    ) -> tf.data.Dataset | tuple[tf.data.Dataset, tf.data.Dataset]:
        """Return the batches that a recipe's model learns from, by default `tfgen.data.load` of its data.

        With `held_out`, a share, return a pair: those batches, and batches that choose the best epoch.
        """
        load = datasets.load_with_validation if "held_out" in data else datasets.load
        return load(**data, batch_size=batch_size, seed=seed)

    # Function that makes batches of arrays (x, y) given to `fit`; keywords: batch_size, seed, shuffle.
    from_arrays = staticmethod(datasets.batches)

    def before_fit(self, dataset: Any) -> None:
        """Hook: compute statistics of the whole data set before training; by default nothing."""

    @property
    def image_rule(self) -> Images:
        """Rule of the images that this model learns from."""
        return Images(self.image_shape)

    @property
    def label_rule(self) -> Images | Labels | None:
        """Rule of their labels, or None if labels are ignored."""
        if self.num_classes is None:
            return None
        return Labels(self.num_classes, self.unlabelled)

    # Keras' entries.

    def __setattr__(self, name, value):
        # NumPy's scalars would promote a step to their own dtype.
        super().__setattr__(name, value.item() if isinstance(value, np.generic) else value)

    def compile(
        self, optimizer: Any = "rmsprop", loss: Any = None, metrics: Any = None, **kwargs: Any
    ) -> None:
        """`keras.Model.compile`, with one optimizer, or one per player: {"theta": .., "phi": ..}.

        Raises:
            ValueError: A loss or metrics are given, which the objectives replace, or the optimizers do not
                match the players.
        """
        kwargs = {"loss": loss, "metrics": metrics, **kwargs}
        for name in ("loss", "loss_weights", "metrics", "weighted_metrics"):
            value = kwargs.pop(name, None)
            if value is not None:
                raise ValueError(
                    f"A model's players ascend their own objectives. Received: {name}={value!r}"
                )
        if isinstance(optimizer, dict) and "class_name" not in optimizer:
            single: Any = optimizers.PlayerOptimizers(optimizer)
        else:
            single = optimizer
        if isinstance(single, optimizers.PlayerOptimizers):
            single.route({n: net.trainable_variables for n, net in self.players.items()})
        super().compile(single, **kwargs)

    def compile_from_config(self, config: dict[str, Any]) -> None:
        """Compile as the saved model was; Keras' own method refuses if `compile` is overridden."""
        self.compile(**keras.saving.deserialize_keras_object(config))
        self.optimizer.build(self.trainable_variables)

    def fit(
        self,
        x: Any = None,
        y: Any = None,
        batch_size: int | None = None,
        epochs: int = 1,
        verbose: str | int = "auto",
        **kwargs: Any,
    ) -> keras.callbacks.History:
        """`keras.Model.fit`, with the data checked first and the order a function of (seed, epoch).

        Arrays become a `tfgen.data` pipeline.  Epochs are counted by the model and saved with it, so that
        a loaded model continues with the order and the noise of an uninterrupted run.

        Raises:
            ValueError, TypeError: The data break a rule; the message states it and the value received.
            FloatingPointError: An objective became NaN or infinite; the message names the player.
        """
        feeding.check_numbers({**kwargs, "batch_size": batch_size, "epochs": epochs})
        held_out = kwargs.pop("validation_data", None)
        share = kwargs.pop("validation_split", 0.0)
        size = kwargs.pop("validation_batch_size", None) or batch_size
        weights = {n: kwargs.pop(n, None) for n in ("sample_weight", "class_weight")}
        refuse_weights(**weights)
        if share and held_out is None:
            (*arrays,) = self.gate().take(x if y is None else (x, y))
            (x, *y), held_out = feeding.split(arrays, share)
            y = y[0] if y else None
        order = {"seed": self.seed, "shuffle": kwargs.pop("shuffle", True)}
        batches = self._stream(x, y, batch_size, **order)
        if held_out is not None:
            held_out = self._stream(held_out, None, size, shuffle=False)
            kwargs["validation_data"], _ = replicas.distribute(self.distribute_strategy, held_out)
        self.before_fit(feeding.one_epoch(batches, kwargs.get("steps_per_epoch")))
        batches, epoch = replicas.distribute(self.distribute_strategy, batches)
        replicas.check_synchronized(self)
        callbacks = kwargs.pop("callbacks", None) or []
        if self.compiled:  # else Keras says so
            optimizers.check_schedules(self.optimizer, callbacks)
        if not isinstance(callbacks, keras.callbacks.CallbackList):
            watch = tracking.Watch(epoch)
            callbacks = [watch, *keras.tree.flatten(callbacks), *self._progress(verbose)]
        kwargs["shuffle"] = isinstance(batches, keras.utils.PyDataset) and order["shuffle"]
        words = in_words(may_end=kwargs.get("steps_per_epoch") is None)
        with replicas.worker_loss_in_words(self.distribute_strategy), words:
            return super().fit(
                batches, epochs=epochs, verbose=verbose, callbacks=callbacks, **kwargs
            )

    def evaluate(
        self,
        x: Any = None,
        y: Any = None,
        batch_size: int | None = None,
        verbose: str | int = "auto",
        sample_weight: Any = None,
        **kwargs: Any,
    ) -> Any:
        """`keras.Model.evaluate`, with the data checked first; every result is a mean over images."""
        if kwargs.get("_use_cached_eval_dataset"):  # by `fit`, which has checked them
            with in_words(may_end=True):
                return super().evaluate(x, verbose=verbose, **kwargs)
        feeding.check_numbers({**kwargs, "batch_size": batch_size})
        refuse_weights(sample_weight=sample_weight)
        batches = self._stream(x, y, batch_size, shuffle=False)
        batches, _ = replicas.distribute(self.distribute_strategy, batches)
        callbacks = kwargs.pop("callbacks", None) or []
        if not isinstance(callbacks, keras.callbacks.CallbackList):
            callbacks = [*keras.tree.flatten(callbacks), *self._progress(verbose)]
        with in_words(may_end=kwargs.get("steps") is None):
            return super().evaluate(batches, verbose=verbose, callbacks=callbacks, **kwargs)

    def predict(
        self, x: Any, batch_size: int | None = None, verbose: str | int = "auto", **kwargs: Any
    ) -> Any:
        """`keras.Model.predict`, with the data checked first; labels are read only if `call` reads them."""
        feeding.check_numbers({**kwargs, "batch_size": batch_size})
        batches = self._stream(x, None, batch_size, predicting=True, shuffle=False)
        batches, _ = replicas.distribute(self.distribute_strategy, batches, gathered=True)
        with in_words(may_end=kwargs.get("steps") is None):
            return super().predict(batches, verbose=verbose, **kwargs)

    def train_on_batch(
        self,
        x: Any,
        y: Any = None,
        sample_weight: Any = None,
        class_weight: Any = None,
        **kwargs: Any,
    ) -> Any:
        """`keras.Model.train_on_batch`, with the data checked first."""
        refuse_weights(sample_weight=sample_weight, class_weight=class_weight)
        logs = super().train_on_batch(*self.gate().take(x if y is None else (x, y)), **kwargs)
        self.average_statistics()
        return logs

    def test_on_batch(self, x: Any, y: Any = None, sample_weight: Any = None, **kwargs: Any) -> Any:
        """`keras.Model.test_on_batch`, with the data checked first."""
        refuse_weights(sample_weight=sample_weight)
        return super().test_on_batch(*self.gate().take(x if y is None else (x, y)), **kwargs)

    def predict_on_batch(self, x: Any) -> Any:
        """`keras.Model.predict_on_batch`, with the data checked first."""
        taken = [*self.gate(predicting=True).take(x)]
        return super().predict_on_batch(tuple(taken) if len(taken) > 1 else taken[0])

    def predict_step(self, data: dict[str, Any]) -> Any:
        return self(*unpack(data), training=False)

    def gate(self, predicting: bool = False) -> Gate:
        """Return the rules of the data of `fit` and `evaluate`, or of `predict`, as a `tfgen.gate.Gate`."""
        read = not predicting or (self.conditional and not self.unlabelled)
        count = self.distribute_strategy.num_replicas_in_sync
        return Gate(self.image_rule, self.label_rule if read else None, count)

    def _stream(self, x, y, batch_size, *, predicting=False, **order):
        gate = self.gate(predicting)
        make_batches = datasets.batches if predicting else self.from_arrays
        return feeding.stream(gate, x, y, make_batches, batch_size, **order)

    def _step_data(self, data):
        """Return images and labels of a step; those of a distributed data set are checked only here."""
        if tf.distribute.has_strategy() and not self.jit_compile:
            data = dataclasses.replace(self.gate(), replicas=1).hold(data)
        return unpack(data)

    def _progress(self, verbose):
        return [] if verbose == 0 else [tracking.Progress()]

    # Files.

    def release(self) -> Self:
        """Return a copy to publish: theta is its average; the average and optimizer slots are left out.

        Returns:
            A model of the same class, compiled if this one is; it computes in float32 where this one's
            policy is a mixed one.
        """
        config = policies.in_float32(self.get_config())
        released = type(self).from_config({**config, "average": None})
        for name, network in self.players.items():
            source = self.sampler if name == "theta" else network
            released.players[name].set_weights(source.get_weights())
        if self.compiled:
            released.compile(type(self.optimizer).from_config(self.optimizer.get_config()))
        return released

    def serving_copy(self) -> Self:
        """Return a copy to export: theta is its average, and filters are laid out for inference."""
        copied = self.release()
        for name, network in copied.players.items():
            setattr(copied, name, layers.fold(network))
        return copied

    def save(self, filepath: str | Path, overwrite: bool = True, **kwargs: Any) -> None:
        """`keras.Model.save`, to `.keras`, the only format that holds all of a model's state.

        Raises:
            ValueError: The path has another suffix.
        """
        if not str(filepath).endswith(".keras"):
            raise ValueError(f"A model is saved as .keras. Received: filepath={str(filepath)!r}")
        super().save(filepath, overwrite=overwrite, **kwargs)

    def export(self, filepath: str | Path, format: str = "tf_saved_model", **kwargs: Any) -> None:
        """Write the endpoints as a SavedModel, as `tfgen.export` does, to a folder of any name.

        Raises:
            ValueError: The format is another, or further arguments are given.
        """
        if format != "tf_saved_model" or any(v is not None for v in kwargs.values()):
            raise ValueError(
                "A model is exported as a SavedModel of its endpoints, format='tf_saved_model'; other "
                f"converters read that. Received: format={format!r}, {kwargs}"
            )
        saved_model.write(self, filepath)

    def _repr_html_(self):
        from tfgen.drawing import notebook

        return notebook.page(self)

    def __repr__(self):
        kind = self.table_row if isinstance(self.table_row, str) else type(self).__name__
        sizes = ", ".join(f"{name}={net.count_params():,}" for name, net in self.players.items())
        return f"<{kind} {self.name} of images {self.image_shape}; parameters: {sizes}>"
