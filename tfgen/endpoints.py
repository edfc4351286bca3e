"""Served functions that several models share; each is {name: (function, {argument: TensorSpec})}.

Noise is stateless, so that the same seed gives the same images in every process and on every device.
"""

import tensorflow as tf

from tfgen.unified import prior

INT = tf.TensorSpec((), tf.int32)
LABELS = tf.TensorSpec((None,), tf.int32)


def images_spec(model):
    return tf.TensorSpec((None, *model.image_shape), tf.float32)


def generating(model):
    """`sample`, `decode` and, with classes, `sample_labels`: images G_theta(z [, t])."""
    latents_spec = tf.TensorSpec((None, model.latent_dim), tf.float32)

    def draw(labels, seed):
        n = tf.shape(labels)[0]
        return {"images": model.decode(prior(n, model.latent_dim, seed), labels)}

    def sample(n, seed):
        if model.conditional:
            return draw(tf.range(n) % model.num_classes, seed)
        return {"images": model.decode(prior(n, model.latent_dim, seed))}

    def sample_labels(labels, seed):
        return draw(labels, seed)

    def decode(latents, labels=None):
        return {"images": model.decode(latents, labels)}

    functions = {"sample": (sample, {"n": INT, "seed": INT})}
    if not model.conditional:
        return {**functions, "decode": (decode, {"latents": latents_spec})}
    return {
        **functions,
        "sample_labels": (sample_labels, {"labels": LABELS, "seed": INT}),
        "decode": (decode, {"latents": latents_spec, "labels": LABELS}),
    }


def discriminating(model):
    """`discriminate`: the logits l_phi(x [, t]) and the probabilities q_phi(y=1|x)."""

    def discriminate(images, labels=None):
        logits = model.logits(images, labels, training=False)
        return {"logits": logits, "probabilities": tf.sigmoid(logits)}

    signature = {"images": images_spec(model)}
    if model.conditional:
        signature["labels"] = LABELS
    return {"discriminate": (discriminate, signature)}
