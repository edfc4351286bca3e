"""Classifiers on the test split."""

import numpy as np
import tensorflow as tf

from tfgen.evaluation import metrics
from tfgen.evaluation.metrics import Interval
from tfgen.evaluation.task import Task, batches, part


def classification(task: Task) -> dict[str, Interval]:
    """The share of the test split's labelled images that the model classifies right.

    If the model's classes are clusters, found without labels, it is the share under the best
    one-to-one assignment of clusters to classes.
    """
    classify = tf.function(part(task.model, "classify"), reduce_retracing=True)
    probabilities, labels = [], []
    for images, truth in batches(task, labelled=True):
        probabilities.append(classify(tf.constant(images, tf.float32))["probabilities"].numpy())
        labels.append(truth)
    probabilities, labels = np.concatenate(probabilities), np.concatenate(labels)
    if getattr(task.model, "clusters", False):
        share = metrics.clustering_accuracy(probabilities.argmax(axis=1), labels)
        return {"clustering_accuracy": metrics.proportion_interval(share, len(labels))}
    share = metrics.accuracy(probabilities, labels)
    return {"accuracy": metrics.proportion_interval(share, len(labels))}
