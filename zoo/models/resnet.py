"""Residual classifiers, the evaluators of every score: f_omega(t|x) of Eq. 18 on its own."""

from collections.abc import Sequence
from typing import Any, Self

import keras
import tensorflow as tf

from tfgen import endpoints, networks
from tfgen.gate import unpack
from tfgen.layers import PatchWhitening
from tfgen.objectives import log_categorical, log_smoothed_categorical, remove_smoothing
from tfgen.unified import Unified


@keras.saving.register_keras_serializable("zoo")
class ResNet(Unified):
    """Eq. 18's classifier on its own, omega: E_pdata[log f_omega(t|x)].

    Args:
        omega: Images (b, h, w, c) -> {"logits": (b, num_classes), "features": (b, d)}.
        num_classes: Number of classes; by default the number of omega's logits.
        label_smoothing: Probability s in [0, 1) that training replaces the label by a uniform class;
            predictions are corrected for it, see `tfgen.objectives.remove_smoothing`.
        kwargs: `seed`, the seed of the order of arrays given to `fit`, see `tfgen.unified.Unified`.

    Source: He et al. (2016), pre-activation residual networks.

    Examples:
        >>> import tfgen, zoo
        >>> model = zoo.ResNet.build_networks((8, 8, 1), 10, width=4, blocks=1)
        >>> model.compile("adam")
        >>> history = model.fit(tfgen.data.load("digits"), steps_per_epoch=2, verbose=0)
        >>> sorted(history.history)
        ['accuracy', 'omega']
        >>> images, labels = tfgen.data.arrays("digits", split="test")
        >>> probabilities = model.predict(images[:3].astype("float32") / 255, verbose=0)
        >>> probabilities.shape, probabilities.sum(axis=1).round(3)
        ((3, 10), array([1., 1., 1.], dtype=float32))
    """

    needs_labels = True

    def __init__(
        self,
        omega: keras.Model,
        num_classes: int | None = None,
        label_smoothing: float = 0.0,
        **kwargs: Any,
    ):
        num_classes = num_classes or omega.output["logits"].shape[-1]
        if not 0 <= label_smoothing < 1:
            raise ValueError(
                f"label_smoothing must lie in [0, 1). Received: label_smoothing={label_smoothing}"
            )
        super().__init__({"omega": omega}, omega.input_shape[1:], num_classes=num_classes, **kwargs)
        self.label_smoothing = label_smoothing
        self.accuracy = keras.metrics.SparseCategoricalAccuracy(name="accuracy")

    @classmethod
    def build_networks(
        cls,
        shape: tuple[int, int, int],
        num_classes: int,
        *,
        width: int | None = None,
        blocks: int | None = None,
        widths: Sequence[int] | None = None,
        **kwargs: Any,
    ) -> Self:
        """Return a model with a fresh network: residual if `width` and `blocks` are given, else whitened.

        Args:
            shape: (h, w, c) of the images.
            num_classes: Number of classes.
            width, blocks: Size of a residual network, see `tfgen.networks.residual_network`.
            widths: Widths of a whitened network, see `tfgen.networks.whitened_network`.
            kwargs: Arguments of the constructor.

        Raises:
            ValueError: Neither `widths` nor `width` and `blocks` are given.
        """
        if widths is not None:
            omega = networks.whitened_network(shape, num_classes, widths)
        elif width is not None and blocks is not None:
            omega = networks.residual_network(shape, num_classes, width, blocks)
        else:
            raise ValueError(
                f"A classifier needs width and blocks, or widths. Received: {width=}, {blocks=}, {widths=}"
            )
        return cls(omega, **kwargs)

    def before_fit(self, dataset: Any) -> None:
        """Compute the filters of a new model's whitening layer, from one pass over the images."""
        for layer in self.omega.layers:
            if isinstance(layer, PatchWhitening) and not layer.adapted:
                before = keras.Model(self.omega.input, layer.input)
                layer.adapt(before(unpack(batch)[0]) for batch in dataset)

    @property
    def metrics(self) -> list[keras.metrics.Metric]:
        return [*super().metrics, self.accuracy]

    def objectives(
        self, images: tf.Tensor, labels: tf.Tensor | None = None, training: bool = True
    ) -> dict[str, tf.Tensor]:
        logits = self.call_network(self.omega, images, training=training)["logits"]
        self.accuracy.update_state(labels, logits)
        terms = (
            log_smoothed_categorical(logits, labels, self.label_smoothing)
            if self.label_smoothing
            else log_categorical(logits, labels)
        )
        return {"omega": self.mean(terms)}

    def probabilities(self, logits: tf.Tensor) -> tf.Tensor:
        """Return f_omega(t|x), corrected for the smoothing of the labels that it learned."""
        learned = tf.nn.softmax(logits)
        return remove_smoothing(learned, self.label_smoothing) if self.label_smoothing else learned

    def call(
        self, images: tf.Tensor, labels: tf.Tensor | None = None, training: bool = False
    ) -> tf.Tensor:
        """Return class probabilities f_omega(t|x), (b, num_classes)."""
        return self.probabilities(
            self.call_network(self.omega, images, training=training)["logits"]
        )

    def endpoints(self) -> endpoints.Endpoints:
        def features(images):
            outputs = self.call_network(self.omega, images, training=False)
            return {
                "features": outputs["features"],
                "probabilities": self.probabilities(outputs["logits"]),
            }

        functions = {"features": (features, {"images": endpoints.images_spec(self)})}
        return {**endpoints.classifier(self), **endpoints.complete(self, functions)}

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "num_classes": self.num_classes,
            "label_smoothing": self.label_smoothing,
        }
