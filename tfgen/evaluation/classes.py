"""Classifiers on the test split."""

import numpy as np
import tensorflow as tf

from tfgen.evaluation import metrics
from tfgen.evaluation.context import EvaluationContext, batches, endpoint_function, statement
from tfgen.evaluation.evaluator import BATCH
from tfgen.evaluation.likelihood import prepare_images
from tfgen.evaluation.metrics import Interval


def classification(context: EvaluationContext) -> dict[str, Interval]:
    """The share of the test split's labelled images that the model classifies right.

    A model whose likelihood is of binary pixels has learned from binarized images: its share of the test
    images as they are, gray, stands beside that of one draw of their pixels, `accuracy_binarized`.

    If the model's classes are clusters, found without labels, it is the share under the best
    one-to-one assignment of clusters to classes.
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
    """(n, K) of images (n, h, w, c), in batches."""
    parts = np.split(images, range(BATCH, len(images), BATCH))
    return np.concatenate([classify(tf.constant(x))["probabilities"].numpy() for x in parts])
