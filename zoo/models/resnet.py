"""Residual classifiers, the evaluators of every score: f_omega(t|x) of Eq. 18 on its own."""

import keras
import tensorflow as tf

from tfgen import endpoints, networks
from tfgen.objectives import log_categorical
from tfgen.unified import Unified


@keras.saving.register_keras_serializable("zoo")
class ResNet(Unified):
    """Eq. 18's classifier alone, omega: E_pdata[log f_omega(t|x)].

    Args:
        omega: images (b, h, w, c) -> {"logits": (b, num_classes), "features": (b, d)}.
        num_classes: number of classes; by default as many as omega has logits.
        seed: of the order of arrays given to `fit`.

    Source: He et al. (2016), pre-activation residual networks.
    """

    def __init__(self, omega, num_classes=None, **kwargs):
        num_classes = num_classes or omega.output["logits"].shape[-1]
        super().__init__({"omega": omega}, omega.input_shape[1:], num_classes=num_classes, **kwargs)
        self.accuracy = keras.metrics.SparseCategoricalAccuracy(name="accuracy")

    @classmethod
    def build_networks(cls, shape, num_classes, *, width, blocks, **kwargs):
        """A model with a fresh residual network; other arguments are the constructor's."""
        return cls(networks.residual_network(shape, num_classes, width, blocks), **kwargs)

    @property
    def metrics(self):
        return [*super().metrics, self.accuracy]

    def objectives(self, images, labels=None, training=True):
        logits = self.omega(images, training=training)["logits"]
        self.accuracy.update_state(labels, logits)
        return {"omega": self.mean(log_categorical(logits, labels))}

    def call(self, images, labels=None, training=False):
        """Class probabilities f_omega(t|x), (b, num_classes)."""
        return tf.nn.softmax(self.omega(images, training=training)["logits"])

    def endpoints(self):
        def features(images):
            outputs = self.omega(images, training=False)
            return {
                "features": outputs["features"],
                "probabilities": tf.nn.softmax(outputs["logits"]),
            }

        served = {"features": (features, {"images": endpoints.images_spec(self)})}
        return {**endpoints.classifying(self), **served}

    def get_config(self):
        return {**super().get_config(), "num_classes": self.num_classes}
