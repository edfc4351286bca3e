"""Accuracy of classifiers on the test split."""

import numpy as np
import tensorflow as tf

from tfgen.evaluation import metrics
from tfgen.evaluation.context import EvaluationContext, batches, endpoint_function, statement
from tfgen.evaluation.evaluator import BATCH
from tfgen.evaluation.intervals import Interval
from tfgen.evaluation.likelihood import prepare_images


def classification(context: EvaluationContext) -> dict[str, Interval]:
    """Return the model's accuracy on the labelled images of the test split.

    A model with a likelihood of binary pixels has learned from binarized images: beside its accuracy on the
    gray test images stands `accuracy_binarized`, its accuracy on one draw of their pixels.

    If the model's classes are clusters, found without labels, accuracy is that of the best one-to-one
    assignment of clusters to classes.
    """
    classify = tf.function(endpoint_function(context.model, "classify"), reduce_retracing=True)
    images, labels = map(np.concatenate, zip(*batches(context, labelled=True), strict=True))
    probabilities = _probabilities(classify, images)
    if statement(context.model, "clustering"):
        share = metrics.clustering_accuracy(probabilities.argmax(axis=1), labels)
        return {"clustering_accuracy": metrics.proportion_interval(share, len(labels))}
    found = {"accuracy": probabilities}
    if statement(context.model, "likelihood") == "bernoulli":
        found["accuracy_binarized"] = _probabilities(classify, prepare_images("bernoulli", images))
    return {
        name: metrics.proportion_interval(metrics.accuracy(given, labels), len(labels))
        for name, given in found.items()
    }


def _probabilities(classify, images):
    """Return (n, K) probabilities of images (n, h, w, c), computed in batches."""
    parts = np.split(images, range(BATCH, len(images), BATCH))
    return np.concatenate([classify(tf.constant(x))["probabilities"].numpy() for x in parts])
