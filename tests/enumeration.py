"""Exact tolerances, small functions of tables and random worlds that the tests of the theory share."""

import numpy as np
import tensorflow as tf

from tfgen.paper import theory
from tfgen.paper.theory import Autoencoder, World

EXACT = {"rtol": 0, "atol": 1e-12}
LEMMA = {"rtol": 0, "atol": 1e-8}


def softmax(logits, axis=-1):
    exponentials = np.exp(logits - np.max(logits, axis, keepdims=True))
    return exponentials / exponentials.sum(axis, keepdims=True)


def sigmoid(logits):
    return 1 / (1 + np.exp(-logits))


def random_worlds():
    return World.random(seed=0, worlds=500, images=7)


def one(worlds, index):
    return World(worlds.theta[index], worlds.data[index], worlds.logits[index])


def random_autoencoder():
    return Autoencoder.random(seed=5, codes=3, images=5)


def vae(world):
    """Eq. 11 over p_data, half of it as in Lemma 2."""

    def objective(theta, eta):
        return tf.reduce_sum(world.data * theory.evidence_bound(theta, eta, world.prior)) / 2

    return objective
