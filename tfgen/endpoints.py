"""Served functions that several models share; each is {name: (function, {argument: TensorSpec})}.

Noise is stateless: row i of a batch depends on its own seed alone, so that a server may batch the rows
of several clients, and one seed gives the same images in every process and on every device.
"""

import functools
import inspect
from collections.abc import Callable
from typing import Any

import tensorflow as tf

from tfgen import noise
from tfgen.data import encoded
from tfgen.sampling import BATCH

Endpoints = dict[str, tuple[Callable, dict[str, tf.TensorSpec]]]

INT = tf.TensorSpec((), tf.int32)
SEEDS = LABELS = tf.TensorSpec((None,), tf.int32)
BYTES = tf.TensorSpec((None,), tf.string)
MOST_SERVED = 100_000  # images of one call of `sample`
PIXELS = 1  # stream of the noise that makes gray pixels binary; that of latents is 0


def images_spec(model: Any) -> tf.TensorSpec:
    """Images (b, h, w, c) as the model reads them."""
    return tf.TensorSpec((None, *model.image_shape), tf.float32)


def complete(model: Any, functions: Endpoints) -> Endpoints:
    """Add the checks that every endpoint makes, and `<name>_bytes` for each that reads images.

    Assertions in the graph check that inputs have equally many rows, that images and latents are finite,
    that `labels` lie in the model's range and that n is at most `MOST_SERVED`.  Floats are returned as
    float32 under every policy.
    `<name>_bytes` reads PNG or JPEG files of any size, `image_bytes`, in place of `images`, and decodes
    them as `tfgen.data` decodes a folder's (see `tfgen.data.encoded`).

    Args:
        model: Model of the zoo.
        functions: Functions that return {output: tensor}, with arguments named as in their signatures.
    """
    served = {}
    for name, (function, signature) in functions.items():
        if "images" in signature:
            function = stored_once(function)
        served[name] = _guard(model, function, signature), signature
        if "images" in signature:
            twin, read = _of_bytes(function, signature)
            served[f"{name}_bytes"] = _guard(model, twin, read), read
    return served


def generator(model: Any) -> Endpoints:
    """`generate`, `generate_png`, `sample`, `decode`, with classes `sample_labels`: G_theta(z [, t])."""
    latents_spec = tf.TensorSpec((None, model.latent_dim), tf.float32)
    labels = {"labels": LABELS} if model.conditional else {}

    @tf.function(autograph=False)  # stored once for all that call it
    def decoded(latents, labels=None):
        columns = [latents] if labels is None else [latents, labels]
        return _in_chunks(model.decode, columns, model.image_shape)

    @stored_once
    def generate(seeds, labels=None):
        latents = each(lambda seed: model.prior(1, seed)[0], seeds)
        return {"images": decoded(latents, labels)}

    def generate_png(seeds, labels=None):
        pixels = tf.cast(tf.round(255.0 * generate(seeds, labels)["images"]), tf.uint8)
        return {"png_bytes": tf.map_fn(tf.io.encode_png, pixels, fn_output_signature=tf.string)}

    prior = stored_once(model.prior)

    def sample(n, seed):
        drawn = tf.range(n) % model.num_classes if model.conditional else None
        return {"images": decoded(prior(n, seed), drawn)}

    def sample_labels(labels, seed):
        return {"images": decoded(prior(tf.shape(labels)[0], seed), labels)}

    def decode(latents, labels=None):
        return {"images": model.decode(latents, labels)}

    functions = {
        "generate": (generate, {"seeds": SEEDS, **labels}),
        "generate_png": (generate_png, {"seeds": SEEDS, **labels}),
        "sample": (sample, {"n": INT, "seed": INT}),
        "sample_labels": (sample_labels, {"labels": LABELS, "seed": INT}),
        "decode": (decode, {"latents": latents_spec, **labels}),
    }
    if not model.conditional:
        del functions["sample_labels"]
    return complete(model, functions)


def second_sampler(model: Any) -> Endpoints:
    """`generate_aggregate` or `generate_truncated`: images of codes from the model's `second_prior`."""
    if model.second_prior is None:
        return {}

    def generate(seeds, labels=None):
        def draw(row):
            seed, label = row if isinstance(row, tuple) else (row, None)
            given = None if label is None else label[None]
            return model.second_codes(1, seed, given)[0]

        rows = seeds if labels is None else (seeds, labels)
        latents = tf.map_fn(draw, rows, fn_output_signature=tf.float32)
        columns = [latents] if labels is None else [latents, labels]
        return {"images": _in_chunks(model.decode, columns, model.image_shape)}

    labels = {"labels": LABELS} if model.conditional else {}
    return complete(
        model, {f"generate_{model.second_prior}": (generate, {"seeds": SEEDS, **labels})}
    )


def discriminator(model: Any) -> Endpoints:
    """`discriminate`: the logits l_phi(x [, t]) and the probabilities q_phi(y=1|x)."""

    def discriminate(images, labels=None):
        logits = model.logits(binary(model, images), labels, training=False)
        return {"logits": logits, "probabilities": tf.sigmoid(logits)}

    signature = {"images": images_spec(model)}
    if len(model.phi.inputs) == 2:
        signature["labels"] = LABELS
    return complete(model, {"discriminate": (discriminate, signature)})


def classifier(model: Any, read: Callable | None = None) -> Endpoints:
    """`classify`: the probabilities that `read`, by default the model, returns, and the likeliest label."""
    probabilities_of: Callable = read or model

    def classify(images):
        probabilities = probabilities_of(images)
        labels = tf.argmax(probabilities, axis=-1, output_type=tf.int32)
        return {"probabilities": probabilities, "labels": labels}

    return complete(model, {"classify": (classify, {"images": images_spec(model)})})


def translator(model: Any) -> Endpoints:
    """`translate_ab` and `translate_ba`: images of each domain translated to the other."""

    def translate_ab(images):
        return {"images": model.translate_ab(images)}

    def translate_ba(images):
        return {"images": model.translate_ba(images)}

    spec_b = tf.TensorSpec((None, *model.image_shape_b), tf.float32)
    functions = {
        "translate_ab": (translate_ab, {"images": images_spec(model)}),
        "translate_ba": (translate_ba, {"images": spec_b}),
    }
    return complete(model, functions)


def autoencoder(model: Any) -> Endpoints:
    """`encode` and `reconstruct`: the code z = E_eta(x), and its image; seeds have no effect."""

    def encode(images):
        return {"latents": model.infer(images)}

    def reconstruct(images, seeds):
        del seeds  # E_eta is deterministic
        return {"images": model(images)}

    read = {"images": images_spec(model)}
    functions = {"encode": (encode, read), "reconstruct": (reconstruct, {**read, "seeds": SEEDS})}
    return complete(model, functions)


def encoder(model: Any) -> Endpoints:
    """`encode` and `reconstruct`: z of a Gaussian q_eta(z|x [, t]), and its images.

    Under a likelihood of binary pixels gray pixels are binarized first, see `binary`.
    """

    def encode(images, labels=None):
        outputs = model.call_network(model.eta, binary(model, images), labels)
        return {"latents": outputs["mean"], "scale": outputs["scale"]}

    def reconstruct(images, seeds, labels=None):
        outputs = model.call_network(model.eta, binary(model, images, seeds), labels)
        latents = outputs["mean"] + outputs["scale"] * _latent_noise(model, seeds)
        return {"images": model.decode(latents, labels)}

    read = {"images": images_spec(model)}
    labels = {"labels": LABELS} if model.conditional else {}
    functions = {
        "encode": (encode, {**read, **labels}),
        "reconstruct": (reconstruct, {**read, "seeds": SEEDS, **labels}),
    }
    return complete(model, functions)


def variational(model: Any) -> Endpoints:
    """`encode` and `reconstruct` as in `encoder`, and `bound`, the bound on log p_theta(x [|t])."""

    def bound(images, seeds, labels=None):
        latent_noise = _latent_noise(model, seeds)[:, None]
        return {"bound": model.bound(binary(model, images, seeds), labels, latent_noise)}

    signature = {"images": images_spec(model), "seeds": SEEDS}
    if model.conditional and not model.unlabelled:
        signature["labels"] = LABELS
    return {**encoder(model), **complete(model, {"bound": (bound, signature)})}


def binary(model: Any, images: tf.Tensor, seeds: tf.Tensor | None = None) -> tf.Tensor:
    """x ~ Bernoulli(gray), as in training, for models whose p_theta(x|z) is of binary pixels.

    A gray image is many nats less likely than any image that such a model has learned from.  Binary
    images stay as they are.

    Args:
        model: Model whose `binary_pixels` says whether pixels are drawn.
        images: (b, h, w, c).
        seeds: (b,) int32; None for seed 0 in every row.
    """
    if not model.binary_pixels:
        return images

    shape = tuple(model.image_shape)
    uniform = _uniform_of_zero(shape)() if seeds is None else _uniform(shape)(seeds)
    return tf.cast(uniform < images, images.dtype)


def each(draw: Callable[[tf.Tensor], tf.Tensor], seeds: tf.Tensor) -> tf.Tensor:
    """Return rows of float32 noise, the i-th a function of seeds[i] alone.

    Args:
        draw: Function of a seed () that returns one row.
        seeds: (b,) int32.
    """
    return tf.map_fn(draw, seeds, fn_output_signature=tf.float32)


def stored_once(function: Callable) -> Callable:
    """Return the function as a `tf.function` while a graph is traced, so that an export stores it once.

    Args:
        function: Function of tensors; all callers pass tensors of the same ranks.
    """
    graph = tf.function(function, autograph=False)

    @functools.wraps(function)
    def called(*args, **kwargs):
        return (graph if tf.inside_function() else function)(*args, **kwargs)

    return called


@functools.cache
def _uniform(shape):
    return stored_once(lambda seeds: each(lambda s: noise.uniform(shape, [s, PIXELS]), seeds))


@functools.cache
def _uniform_of_zero(shape):
    return stored_once(lambda: noise.uniform(shape, [0, PIXELS]))


@functools.cache
def _gaussian(size):
    return stored_once(lambda seeds: each(lambda s: noise.Samples(1, s).gaussian(size)[0], seeds))


def _latent_noise(model, seeds):
    return _gaussian(model.latent_dim)(seeds)


def _in_chunks(decode, columns, shape):
    """Return decode(*columns), computed in chunks of `BATCH` rows to bound memory."""
    count = tf.shape(columns[0])[0]
    chunks = -(-count // BATCH)
    images = tf.TensorArray(
        tf.float32, chunks, infer_shape=False, element_shape=(None, *shape), clear_after_read=True
    )

    def body(index, images):
        rows = slice(index * BATCH, (index + 1) * BATCH)
        return index + 1, images.write(index, decode(*[column[rows] for column in columns]))

    _, images = tf.while_loop(
        lambda index, _: index < chunks, body, (0, images), parallel_iterations=1
    )
    return tf.ensure_shape(images.concat(), (None, *shape))


def _guard(model, function, signature):
    """Return the function with the assertions of `complete` before it and its floats as float32."""

    @functools.wraps(function)
    def served(*args, **kwargs):
        arguments = inspect.Signature(parameters).bind(*args, **kwargs).arguments
        given = {
            name: tf.convert_to_tensor(value, signature[name].dtype)
            for name, value in arguments.items()
        }
        with tf.control_dependencies(_assertions(model, given)):
            given = {name: tf.identity(value) for name, value in given.items()}
        return tf.nest.map_structure(_as_float32, function(**given))

    parameters = [
        inspect.Parameter(name, inspect.Parameter.POSITIONAL_OR_KEYWORD) for name in signature
    ]
    served.__dict__["__signature__"] = inspect.Signature(parameters)
    return served


def _assertions(model, given):
    batches = [tf.shape(value)[0] for value in given.values() if value.shape.rank]
    for other in batches[1:]:
        rule = f"{' and '.join(given)} must have equally many rows. Received:"
        yield tf.debugging.Assert(other == batches[0], [rule, *batches])
    if "n" in given:
        rule = f"n must be from 0 to {MOST_SERVED:,}. Received: n ="
        inside = (given["n"] >= 0) & (given["n"] <= MOST_SERVED)
        yield tf.debugging.Assert(inside, [rule, given["n"]])
    if "labels" in given:
        rule = f"labels must be from 0 to {model.num_classes - 1}. Received: labels ="
        inside = (given["labels"] >= 0) & (given["labels"] < model.num_classes)
        yield tf.debugging.Assert(tf.reduce_all(inside), [rule, given["labels"]])
    for name in ("images", "latents"):
        if name in given:
            finite = tf.reduce_all(tf.math.is_finite(given[name]))
            yield tf.debugging.Assert(finite, [f"{name} must be finite"])


def _as_float32(value):
    return tf.cast(value, tf.float32) if value.dtype.is_floating else value


def _of_bytes(function, signature):
    """Return the function of `image_bytes` in place of `images`, and its signature."""
    shape = signature["images"].shape[1:]

    def of_bytes(image_bytes, **others):
        return function(images=encoded.images(image_bytes, tuple(shape)), **others)

    read = {
        **{("image_bytes" if name == "images" else name): spec for name, spec in signature.items()},
        "image_bytes": BYTES,
    }
    return of_bytes, read
