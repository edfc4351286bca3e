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
    if len(model.phi.inputs) == 2:
        signature["labels"] = LABELS
    return {"discriminate": (discriminate, signature)}


def classifying(model):
    """`classify`: the probabilities f_omega(t|x) and the likeliest label."""

    def classify(images):
        probabilities = model(images)
        labels = tf.argmax(probabilities, axis=-1, output_type=tf.int32)
        return {"probabilities": probabilities, "labels": labels}

    return {"classify": (classify, {"images": images_spec(model)})}


def inferring(model):
    """`encode`, `reconstruct` and `bound`: z of q_eta(z|x [, t]), its images, and the bound on log p(x)."""

    def posterior(images, labels):
        return model.play(model.eta, images, labels)

    def draws(images, seed):
        return prior(tf.shape(images)[0], model.latent_dim, seed)

    def encode(images, labels=None):
        outputs = posterior(images, labels)
        return {"latents": outputs["mean"], "scale": outputs["scale"]}

    def reconstruct(images, seed, labels=None):
        outputs = posterior(images, labels)
        latents = outputs["mean"] + outputs["scale"] * draws(images, seed)
        return {"images": model.decode(latents, labels)}

    def bound(images, seed, labels=None):
        return {"bound": model.bound(images, labels, draws(images, seed)[:, None])}

    read = {"images": images_spec(model)}
    labels = {"labels": LABELS} if model.conditional else {}
    bounded_labels = {} if model.unlabelled else labels
    return {
        "encode": (encode, {**read, **labels}),
        "reconstruct": (reconstruct, {**read, "seed": INT, **labels}),
        "bound": (bound, {**read, "seed": INT, **bounded_labels}),
    }
