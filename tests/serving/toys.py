"""Small SavedModels with every kind of signature that a server meets."""

from pathlib import Path

import tensorflow as tf

ECHOED = (
    "int8",
    "int16",
    "int32",
    "int64",
    "uint8",
    "uint32",
    "uint64",
    "float64",
    "bool",
    "string",
)


def spec(shape, dtype=tf.float32):
    return tf.TensorSpec(shape, dtype)


def functions(factor):
    """{signature: (function, {input: spec})}."""

    def scale(x):
        return {"y": factor * x}

    def pair(a, b):
        return {"sum": a + tf.cast(b, tf.float32)[:, None], "twice": 2 * b}

    def draw(n, seed):
        return {"images": tf.random.stateless_uniform((n, 2), [seed, seed])}

    def lookup(index):
        return {"value": tf.gather(tf.constant([1.5, 2.5]), index)}

    def pictures(image_bytes):
        return {"image_bytes": image_bytes, "length": tf.strings.length(image_bytes)}

    def total(x):
        return {"mean": tf.reduce_mean(x), "x": x}

    def cube(x):
        return {"y": tf.reduce_sum(x, axis=(1, 2, 3))}

    found = {
        "scale": (scale, {"x": spec((None, 2))}),
        "pair": (pair, {"a": spec((None, 2)), "b": spec((None,), tf.int32)}),
        "draw": (draw, {"n": spec((), tf.int32), "seed": spec((), tf.int32)}),
        "log": (lambda x: {"y": tf.math.log(x)}, {"x": spec((None,))}),
        "lookup": (lookup, {"index": spec((None,), tf.int32)}),
        "pictures": (pictures, {"image_bytes": spec((None,), tf.string)}),
        "total": (total, {"x": spec((None,))}),
        "cube": (cube, {"x": spec((None, 2, 2, 1))}),
        "half": (lambda x: {"y": x}, {"x": spec((None,), tf.float16)}),
    }
    for name in ECHOED:
        found[f"echo_{name}"] = (lambda x: {"y": tf.identity(x)}, {"x": spec((None,), name)})
    return found


def write(folder: Path, factor: float = 0.5, names: tuple[str, ...] | None = None) -> Path:
    """Write a SavedModel whose default signature is `scale`, and return its folder."""
    module, signatures = tf.Module(), {}
    module.factor = tf.Variable(factor)
    for name, (function, inputs) in functions(module.factor).items():
        if names is None or name in names:
            signatures[name] = tf.function(function, input_signature=list(inputs.values()))
    signatures["serving_default"] = signatures["scale"]
    tf.saved_model.save(module, str(folder), signatures)
    return folder


def write_examples(folder: Path) -> Path:
    """Write a SavedModel of the older kind, with signatures for `:classify` and `:regress`."""
    graph = tf.Graph()
    with graph.as_default(), tf.compat.v1.Session(graph=graph) as session:
        serialized = tf.compat.v1.placeholder(tf.string, (None,))
        features = tf.io.parse_example(serialized, {"x": tf.io.FixedLenFeature((), tf.float32)})
        scores = tf.stack([features["x"], 1 - features["x"]], axis=1)
        classes = tf.tile([["yes", "no"]], [tf.shape(scores)[0], 1])
        definitions = tf.compat.v1.saved_model.signature_def_utils
        signatures = {
            "serving_default": definitions.classification_signature_def(
                serialized, classes, scores
            ),
            "regress": definitions.regression_signature_def(serialized, 2 * features["x"]),
        }
        builder = tf.compat.v1.saved_model.Builder(str(folder))
        builder.add_meta_graph_and_variables(session, [tf.saved_model.SERVING], signatures)
        builder.save()
    return folder
