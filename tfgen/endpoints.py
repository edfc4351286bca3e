"""Served functions that several models share; each is {name: (function, {argument: TensorSpec})}.

Noise is stateless, so that the same seed gives the same images in every process and on every device.
"""

import tensorflow as tf

from tfgen import noise

INT = tf.TensorSpec((), tf.int32)
LABELS = tf.TensorSpec((None,), tf.int32)


def images_spec(model):
    return tf.TensorSpec((None, *model.image_shape), tf.float32)


def generating(model):
    """`sample`, `decode` and, with classes, `sample_labels`: images G_theta(z [, t])."""
    latents_spec = tf.TensorSpec((None, model.latent_dim), tf.float32)

    def draw(labels, seed):
        n = tf.shape(labels)[0]
        return {"images": model.decode(model.prior(n, seed), labels)}

    def sample(n, seed):
        if model.conditional:
            return draw(tf.range(n) % model.num_classes, seed)
        return {"images": model.decode(model.prior(n, seed))}

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


def classifying(model, read=None):
    """`classify`: the probabilities that `read`, by default the model, gives, and the likeliest label."""
    read = read or model

    def classify(images):
        probabilities = read(images)
        labels = tf.argmax(probabilities, axis=-1, output_type=tf.int32)
        return {"probabilities": probabilities, "labels": labels}

    return {"classify": (classify, {"images": images_spec(model)})}


def translating(model):
    """`translate_ab` and `translate_ba`: images of either domain as images of the other."""

    def translate_ab(images):
        return {"images": model.translate_ab(images)}

    def translate_ba(images):
        return {"images": model.translate_ba(images)}

    spec_b = tf.TensorSpec((None, *model.image_shape_b), tf.float32)
    return {
        "translate_ab": (translate_ab, {"images": images_spec(model)}),
        "translate_ba": (translate_ba, {"images": spec_b}),
    }


def autoencoding(model):
    """`encode` and `reconstruct`: the code z = E_eta(x), and the image of it, whatever the seed."""

    def encode(images):
        return {"latents": model.infer(images)}

    def reconstruct(images, seed):
        del seed  # E_eta is deterministic
        return {"images": model(images)}

    read = {"images": images_spec(model)}
    return {"encode": (encode, read), "reconstruct": (reconstruct, {**read, "seed": INT})}


def encoding(model):
    """`encode` and `reconstruct`: z of a Gaussian q_eta(z|x [, t]), and its images."""

    def posterior(images, labels):
        return model.play(model.eta, images, labels)

    def encode(images, labels=None):
        outputs = posterior(images, labels)
        return {"latents": outputs["mean"], "scale": outputs["scale"]}

    def reconstruct(images, seed, labels=None):
        outputs = posterior(images, labels)
        latents = outputs["mean"] + outputs["scale"] * _draws(model, images, seed)
        return {"images": model.decode(latents, labels)}

    read = {"images": images_spec(model)}
    labels = {"labels": LABELS} if model.conditional else {}
    return {
        "encode": (encode, {**read, **labels}),
        "reconstruct": (reconstruct, {**read, "seed": INT, **labels}),
    }


def inferring(model):
    """`encode`, `reconstruct` and `bound`: as `encoding`, and the bound on log p_theta(x [|t])."""

    def bound(images, seed, labels=None):
        return {"bound": model.bound(images, labels, _draws(model, images, seed)[:, None])}

    signature = {"images": images_spec(model), "seed": INT}
    if model.conditional and not model.unlabelled:
        signature["labels"] = LABELS
    return {**encoding(model), "bound": (bound, signature)}


def _draws(model, images, seed):
    return noise.Samples(tf.shape(images)[0], seed).gaussian(model.latent_dim)
