"""Malicious model files; `python tests/hostile_files.py FOLDER` writes them all.

Each case changes one thing of an honest file: an object of its configuration (CONFIGURATIONS), the text
of its JSON (`hostile_documents`), its weights (`hostile_weights`), or the zip around them
(`hostile_archives`).
"""

import json
import sys
import tempfile
import zipfile
from collections.abc import Callable
from pathlib import Path

import hostile_archives
import hostile_documents
import hostile_weights

CONFIG, METADATA, WEIGHTS_FILE = "config.json", "metadata.json", "model.weights.h5"


def write(folder: Path) -> list[str]:
    """Write every case as `<name>.keras`; return the names."""
    members = honest()
    for name, change in CONFIGURATIONS.items():
        config = json.loads(members[CONFIG])
        changed = change(config)
        text = json.dumps(config if changed is None else changed).encode()
        _write(folder, name, {**members, CONFIG: text})
    for name, text in hostile_documents.DOCUMENTS.items():
        _write(folder, name, {**members, CONFIG: text})
        if name.startswith("json_top"):
            _write(folder, f"metadata_{name}", {**members, METADATA: text})
    _write(folder, "metadata_number", {**members, METADATA: b'{"keras_version": 3}'})
    for name, change in hostile_weights.WEIGHTS.items():
        path = folder / "changed.h5"
        path.write_bytes(members[WEIGHTS_FILE])
        change(path)
        _write(folder, name, {**members, WEIGHTS_FILE: path.read_bytes()})
        path.unlink()
    for name, change in hostile_archives.ARCHIVES.items():
        (folder / f"{name}.keras").write_bytes(change(members))
    return sorted(path.stem for path in folder.glob("*.keras"))


def _write(folder: Path, name: str, members: dict[str, bytes]) -> None:
    with zipfile.ZipFile(folder / f"{name}.keras", "w") as archive:
        for member, content in members.items():
            archive.writestr(member, content)


def honest() -> dict[str, bytes]:
    """Members of a small GAN's file: theta is Sequential, phi Functional, with an optimizer."""
    import keras

    import zoo

    theta = keras.Sequential(
        [
            keras.Input((3,)),
            keras.layers.Dense(16, activation="sigmoid"),
            keras.layers.Reshape((4, 4, 1)),
        ]
    )
    images = keras.Input((4, 4, 1))
    features = keras.layers.Flatten()(images)
    logits = keras.layers.Dense(1)(keras.layers.LeakyReLU()(features) + features)
    model = zoo.GAN(theta, keras.Model(images, logits))
    model.compile(keras.optimizers.Adam(1e-3))
    with tempfile.TemporaryDirectory() as folder:
        model.save(f"{folder}/m.keras")
        with zipfile.ZipFile(f"{folder}/m.keras") as archive:
            return {name: archive.read(name) for name in archive.namelist()}


# Configurations.


def thing(module, name, registered=None, /, **config):
    """An object as Keras serializes it."""
    return {
        "module": module,
        "class_name": name,
        "config": config,
        "registered_name": registered,
    }


def function(module, name, registered=None):
    return {**thing(module, "function", registered or name), "config": name}


def layer(name, /, module="keras.layers", **config):
    """Puts a layer into theta, after its first."""
    made = thing(module, name, name if ".src." in module else None, name="added", **config)
    return lambda config: config["config"]["theta"]["config"]["layers"].insert(1, made)


def operation(module, name, /, args=None, **config):
    """Puts an operation into the graph of phi, called on its input or on `args`."""
    node = {**thing(module, name, name, name="added", **config), "name": "added"}

    def change(config):
        layers = config["config"]["phi"]["config"]["layers"]
        [call] = layers[1]["inbound_nodes"]
        node["inbound_nodes"] = [{"args": call["args"] if args is None else args, "kwargs": {}}]
        layers.insert(1, node)

    return change


def dense(**changes):
    """Changes the arguments of theta's Dense layer."""
    return lambda config: config["config"]["theta"]["config"]["layers"][1]["config"].update(changes)


def form(**changes):
    """Changes the object of theta's Dense layer itself."""
    return lambda config: config["config"]["theta"]["config"]["layers"][1].update(changes)


def phi(**changes):
    """Changes the object of phi's Flatten layer, which stands in a graph."""
    return lambda config: config["config"]["phi"]["config"]["layers"][1].update(changes)


def top(**changes):
    return lambda config: config.update(changes)


def model(**changes):
    return lambda config: config["config"].update(changes)


def compiled(**changes):
    return lambda config: config["compile_config"].update(changes)


def without(key):
    return lambda config: config.pop(key) and None


def nested(config):
    """Sequential models, one in the other, 40 times."""
    inner = config["config"]["theta"]
    for depth in range(40):
        inner = thing("keras", "Sequential", name=f"s{depth}", trainable=True, layers=[inner])
    config["config"]["theta"] = inner


def multiplied(config):
    """Seven networks, one in the other, each calling the next 20 times: a billion calls."""
    inner = config["config"]["phi"]
    for depth in range(7):
        outer = json.loads(json.dumps(inner))
        first, *_, last = outer["config"]["layers"]
        call = {"args": [last["inbound_nodes"][0]["args"][0]], "kwargs": {}}
        call["args"][0]["config"].update(shape=[None, 4, 4, 1], keras_history=[first["name"], 0, 0])
        inner = {**inner, "name": f"n{depth}", "inbound_nodes": [call] * 20}
        outer["config"] |= {"name": f"m{depth}", "layers": [first, inner]}
        outer["config"]["output_layers"] = [f"n{depth}", 0, 0]
        inner = outer
    config["config"]["phi"] = inner


def itself(config):
    """A model of the zoo as a layer of its own network."""
    copied = json.loads(json.dumps(config))
    config["config"]["theta"]["config"]["layers"].insert(1, copied)


PLOT = function("keras.visualization", "plot_image_gallery")
SWITCH = {"branches": [PLOT, function("keras.config", "set_floatx")]}
CORE, NUMPY = "keras.src.ops.core", "keras.src.ops.numpy"
ARRAY = {"value": [1.0], "dtype": "float32"}

CONFIGURATIONS: dict[str, Callable] = {
    # Operations and layers that call functions, read files or hold code.
    **{
        f"operation_{name}": operation(CORE, name, **SWITCH)
        for name in ("Switch", "Cond", "ForiLoop", "WhileLoop", "Map", "Scan", "VectorizedMap")
    },
    "operation_switch_in_args": operation(NUMPY, "Add", args=[0, SWITCH["branches"]]),
    "operation_vectorize": operation(NUMPY, "Vectorize", pyfunc=PLOT),
    "operation_at_once": operation(NUMPY, "Add", args=[1, 2]),
    "operation_array_at_once": operation(
        NUMPY, "Add", args=[{"class_name": "__numpy__", "config": ARRAY}, 2]
    ),
    "operation_tile": operation(NUMPY, "Tile", args=[[1.0], 1 << 30]),
    "layer_switch": layer("Switch", module=CORE, **SWITCH),
    "layer_lambda": layer("Lambda", function={"class_name": "__lambda__", "config": {"value": []}}),
    "layer_lambda_function": layer("Lambda", function=PLOT),
    "layer_tfsm": layer("TFSMLayer", filepath="/tmp/model"),
    "layer_string_lookup": layer("StringLookup", vocabulary="/etc/passwd"),
    "layer_integer_lookup": layer("IntegerLookup", vocabulary="/etc/passwd"),
    "layer_text": layer("TextVectorization", vocabulary="/etc/passwd"),
    "layer_jax": layer("JaxLayer", call_fn=PLOT),
    "layer_flax": layer("FlaxLayer"),
    "layer_torch": layer("TorchModuleWrapper", module="gASV"),
    "layer_base": layer("Layer"),
    "layer_rnn": layer("RNN", cell=thing("keras.layers", "TFSMLayer", filepath="/tmp/model")),
    "layer_wrapped": layer(
        "SpectralNormalization", layer=thing("keras.layers", "TFSMLayer", filepath="/tmp/m")
    ),
    "layer_pipeline": layer("Pipeline", layers=[PLOT]),
    "layer_augment": layer("RandAugment"),
    "layer_of_the_zoo": itself,
    "layer_by_its_file": layer("Dense", module="keras.src.layers.core.dense", units=16),
    "layer_of_another_library": layer("system", module="os"),
    "layer_of_builtins": layer("eval", module="builtins"),
    "layer_hub": layer("Backbone", module="keras_hub.models"),
    "layer_function": lambda config: config["config"]["theta"]["config"]["layers"].insert(1, PLOT),
    # Functions and objects in places of other kinds.
    "activation_plot": dense(activation=PLOT),
    "activation_get_file": dense(activation=function("keras.utils", "get_file")),
    "activation_datasets": dense(activation=function("keras.datasets.mnist", "load_data")),
    "activation_set_floatx": dense(activation=function("keras.config", "set_floatx")),
    "activation_unsafe": dense(
        activation=function("keras.config", "enable_unsafe_deserialization")
    ),
    "activation_deserialize": dense(activation=function("builtins", "deserialize")),
    "activation_eval": dense(activation=function("builtins", "eval")),
    "activation_registered": dense(activation=function("builtins", "relu", "tfgen>Adam")),
    "activation_name": dense(activation="plot_image_gallery"),
    "activation_layer": dense(activation=thing("keras.layers", "RepeatVector", n=1 << 30)),
    "initializer_layer": dense(kernel_initializer=thing("keras.layers", "RepeatVector", n=1 << 30)),
    "initializer_function": dense(kernel_initializer=PLOT),
    "initializer_name": dense(kernel_initializer="tfgen>Adam"),
    "regularizer_function": dense(kernel_regularizer=PLOT),
    "constraint_layer": dense(kernel_constraint=thing("keras.layers", "Flatten")),
    "argument_object": dense(units=thing("keras.initializers", "Zeros")),
    "argument_registered_name": dense(name="zoo>GAN"),
    "quantization": dense(quantization_config=thing("keras.quantizers", "Int8QuantizationConfig")),
    "dtype_quantized": dense(dtype="int8_from_float32"),
    "dtype_object": dense(dtype=thing("keras.dtype_policies", "QuantizedDTypePolicy", mode="int8")),
    "optimizer_layer": compiled(optimizer=thing("keras.layers", "Flatten")),
    "optimizer_rate": compiled(optimizer=thing("keras.optimizers", "Adam", learning_rate=PLOT)),
    "loss_function": compiled(loss=PLOT),
    "loss_in_a_dictionary": compiled(loss={"theta": PLOT}),
    "metric_wrapper": compiled(
        metrics=[thing("keras.metrics", "MeanMetricWrapper", fn=PLOT, name="m")]
    ),
    "compiled_network": lambda config: config["config"]["theta"].update(
        compile_config={"optimizer": "adam", "loss": PLOT}
    ),
    # Values that JSON lacks.
    "marker_lambda": dense(activation={"class_name": "__lambda__", "config": {"value": ["", 0]}}),
    "marker_bytes": dense(name={"class_name": "__bytes__", "config": {"value": "a"}}),
    "marker_typespec": dense(units={**thing("os", "__typespec__"), "spec_name": "system"}),
    "marker_unknown": dense(units={"class_name": "__tuple__", "config": {}}),
    "marker_string_array": layer(
        "Rescaling",
        scale={"class_name": "__numpy__", "config": {"value": ["a"], "dtype": "U1000000000"}},
    ),
    "marker_objects": dense(
        kernel_initializer=thing(
            "keras.initializers",
            "Constant",
            value={"class_name": "__numpy__", "config": {"value": [1], "dtype": "object"}},
        )
    ),
    # Unusual forms.
    "form_module_null": form(module=None),
    "form_registered": form(registered_name="zoo>GAN"),
    "form_registered_other": form(registered_name="Dense2"),
    "form_registered_list": form(registered_name=["tfgen>Adam"]),
    "form_class_null": form(class_name=None),
    "form_class_list": form(class_name=["Dense"]),
    "form_class_case": form(class_name="dense"),
    "form_config_null": form(config=None),
    "form_config_list": form(config=[1]),
    "form_more": form(spec_name="x"),
    "form_shared_list": form(shared_object_id=[1]),
    "form_build": form(build_config=[3]),
    "form_compile": form(compile_config="adam"),
    "form_name": phi(name=7),
    "form_nodes": phi(inbound_nodes={"args": []}),
    "form_nodes_legacy": phi(inbound_nodes=[[["images", 0, 0, {}]]]),
    "form_nodes_null": phi(inbound_nodes=[None]),
    "form_layers": lambda config: config["config"]["theta"]["config"].update(layers={"a": 1}),
    "form_layer_string": lambda config: config["config"]["theta"]["config"]["layers"].append("x"),
    "form_layer_legacy": lambda config: (
        config["config"]["theta"]["config"]["layers"][1].pop("module") and None
    ),
    "form_deep": nested,
    "top_class": top(class_name="Dense"),
    "top_class_list": top(class_name=["GAN"]),
    "top_class_missing": without("class_name"),
    "top_registered": top(registered_name="zoo>VAE"),
    "top_registered_null": top(registered_name=None),
    "top_config": top(config=[1]),
    "top_config_missing": without("config"),
    "model_network_null": model(theta=None),
    "model_network_string": model(theta="theta"),
    "model_network_list": model(theta=[1, 2]),
    "model_network_class": model(theta=thing("keras.layers", "Flatten", name="f")),
    "model_average": model(average="much"),
    "model_unknown": model(command="ls"),
    # Sizes.
    "size_units": dense(units=50_000_000),
    "size_units_huge": dense(units=1 << 40),
    "size_units_float": dense(units=1e12),
    "size_filters": layer("Conv2D", filters=1 << 28, kernel_size=[9, 9]),
    "size_embedding": layer("Embedding", input_dim=1 << 30, output_dim=1 << 20),
    "size_build": form(build_config={"input_shape": [None, 1 << 30]}),
    "size_calls": multiplied,
    "size_constants": layer("Normalization", mean=0.0, variance=1.0, axis=[1]),
    "size_between": lambda config: config["config"]["theta"]["config"]["layers"].__setitem__(
        slice(1, 2),
        [
            thing("keras.layers", "Dense", units=50_000_000, name="first"),
            thing("keras.layers", "Dense", units=16, name="second"),
        ],
    ),
    "size_units_out": lambda config: config["config"]["theta"]["config"].update(
        layers=[
            thing("keras.layers", "InputLayer", batch_shape=[None, 100_000], name="z"),
            thing("tfgen.layers.units", "LeaveOneOut", "tfgen>LeaveOneOut", name="others"),
        ]
    ),
    "size_unrolled": lambda config: config["config"]["theta"]["config"].update(
        layers=[
            thing("keras.layers", "InputLayer", batch_shape=[None, 10**6, 2], name="z"),
            thing("keras.layers", "LSTM", units=2, unroll=True, name="steps"),
        ]
    ),
}

if __name__ == "__main__":
    print(*write(Path(sys.argv[1])), sep="\n")
