"""Checks of Keras models' configurations, object by object, against the lists of `vocabulary`."""

from collections.abc import Iterable
from typing import Any, NoReturn

import keras

from tfgen.untrusted import vocabulary
from tfgen.untrusted.refusal import RefusedError

MAX_INTEGER = 1 << 31  # sizes; seeds and identities may be larger
MAX_CALLS = 10_000  # of layers, those of a network within a network at each of its own calls

_OBJECT = {
    "module",
    "class_name",
    "config",
    "registered_name",
    "build_config",
    "compile_config",
    "name",
    "inbound_nodes",
    "shared_object_id",
}
_ROUND = {"seed", "shared_object_id"}  # integers of any size stand here
_BASES = {
    "layer": keras.layers.Layer,
    "activation": keras.layers.Layer,
    "initializer": keras.initializers.Initializer,
    "regularizer": keras.regularizers.Regularizer,
    "constraint": keras.constraints.Constraint,
    "optimizer": keras.optimizers.Optimizer,
    "schedule": keras.optimizers.schedules.LearningRateSchedule,
    "loss": keras.losses.Loss,
    "metric": keras.metrics.Metric,
}
_CONSTANTS = ("mean", "variance")  # of keras.layers.Normalization
_SCALARS = (str, int, float, bool, type(None))


def check_configuration(config: dict[str, Any], model: type, packages: Iterable[str]) -> None:
    """Raise unless rebuilding a model from its configuration calls only listed classes and functions.

    Args:
        config: Configuration of a model, as Keras serializes it.
        model: Registered class of the model.
        packages: Top-level packages whose registered classes may be used.

    Raises:
        ValueError: The configuration names another class or function, or does not have Keras' form.
    """
    name = keras.saving.get_registered_name(model)
    if config.get("registered_name") != name or config.get("class_name") != model.__name__:
        _refuse(f"A file of {model.__name__} has the registered name {name!r}", config)
    _Walk({*packages, "tfgen", "__main__"}).model(config)
    if (calls := _calls(config["config"], {})) > MAX_CALLS:
        raise RefusedError(f"The networks of a file call at most {MAX_CALLS} layers", str(calls))


class _Walk:
    """One pass over a configuration."""

    def __init__(self, packages: set[str]) -> None:
        self.registered = keras.saving.get_custom_objects()
        self.packages = packages

    def model(self, node: dict[str, Any]) -> None:
        """Check a model of the zoo: networks under the players' names, plain values under other keys."""
        self._check_form(node)
        self._members(node)

    def value(self, value: Any, key: str, kind: str | None) -> None:
        """Check a value under a key; `kind` is the kind of objects that are allowed there."""
        if isinstance(value, dict) and "class_name" in value:
            self._object(value, kind)
        elif isinstance(value, dict):
            for name, inner in value.items():
                self.value(inner, name, vocabulary.kind_of(name) or kind)
        elif isinstance(value, list):
            for inner in value:
                self.value(inner, key, kind)
        elif isinstance(value, str):
            self._string(value, key, kind)
        elif isinstance(value, int) and abs(value) > MAX_INTEGER and key not in _ROUND:
            _refuse(f"An integer of a configuration is at most {MAX_INTEGER}", {key: value})
        elif value is True and key == "unroll":
            _refuse("A recurrent layer is not unrolled", {key: value})

    def _string(self, value: str, key: str, kind: str | None) -> None:
        known = vocabulary.STRINGS.get(kind or "")
        if value in self.registered or (known is not None and value not in known):
            _refuse_unlisted(kind, {key: value})

    def _object(self, node: dict[str, Any], kind: str | None) -> None:
        name = node["class_name"]
        if isinstance(name, str) and name.startswith("__"):
            self._marker(node, kind)
            return
        self._check_form(node)
        if name == "function":
            self._function(node, kind)
        elif ">" in (node["registered_name"] or ""):
            self._check_registered(node, kind)
        elif (node["module"], name) not in vocabulary.CLASSES.get(kind or "", ()):
            _refuse_unlisted(kind, node)
        elif node["registered_name"] not in (None, name):
            _refuse("Keras' own classes have no other registered name", node)
        if name == "Normalization" and not node["config"].keys().isdisjoint(_CONSTANTS):
            self._check_constants(node)
        self._members(node)

    def _check_constants(self, node: dict[str, Any]) -> None:
        """Check constants, which Keras broadcasts to an input's shape at once, unlike weights."""
        constants = [node["config"].get(key) for key in _CONSTANTS]
        if constants != [None, None] and node["config"].get("axis", -1) not in (None, []):
            _refuse("A normalization of given mean and variance has no axis", node)

    def _check_form(self, node: dict[str, Any]) -> None:
        texts = (node.get("module"), node.get("registered_name"))
        if not (
            node.keys() >= {"module", "class_name", "config", "registered_name"}
            and node.keys() <= _OBJECT
            and isinstance(node["class_name"], str)
            and all(isinstance(text, str | None) for text in texts)
            and isinstance(node["config"], str if node["class_name"] == "function" else dict)
            and isinstance(node.get("name"), str | None)
            and isinstance(node.get("shared_object_id"), int | None)
            and isinstance(node.get("build_config"), dict | None)
            and isinstance(node.get("compile_config"), dict | None)
            and isinstance(node.get("inbound_nodes", []), list)
        ):
            _refuse("An object must have the form in which Keras serializes it", node)

    def _function(self, node: dict[str, Any], kind: str | None) -> None:
        modules, names = vocabulary.FUNCTIONS.get(kind or "", ((), ()))
        same = node["registered_name"] in (None, node["config"])
        if node["module"] not in modules or node["config"] not in names or not same:
            _refuse_unlisted(kind, node)

    def _check_registered(self, node: dict[str, Any], kind: str | None) -> None:
        found = self.registered.get(node["registered_name"])
        base = _BASES.get(kind or "")
        if (
            not isinstance(found, type)
            or found.__name__ != node["class_name"]
            or found.__module__.split(".")[0] not in self.packages
            or base is None
            or not issubclass(found, base)
            or issubclass(found, keras.Model)
        ):
            _refuse_unlisted(kind, node)

    def _members(self, node: dict[str, Any]) -> None:
        if isinstance(node["config"], dict):
            self.value(node["config"], "config", None)
            self._check_layers(node["config"].get("layers", []))
        for member in ("build_config", "compile_config"):
            self.value(node.get(member), member, None)
        self.value(node.get("shared_object_id"), "shared_object_id", None)
        for call in node.get("inbound_nodes", []):
            self._call(call, node)

    def _check_layers(self, layers: Any) -> None:
        """Check layers; Keras reads a layer without a module as in its older formats."""
        if not isinstance(layers, list) or any(
            not isinstance(layer, dict) or "class_name" not in layer for layer in layers
        ):
            _refuse("The layers of a network are a list of objects", {"layers": layers})

    def _call(self, call: Any, node: dict[str, Any]) -> None:
        """Check one call of a layer in a graph; without a tensor of the graph it would run at once."""
        if not isinstance(call, dict) or call.keys() != {"args", "kwargs"}:
            _refuse("A call in a graph has args and kwargs", node)
        if not isinstance(call["args"], list) or not isinstance(call["kwargs"], dict):
            _refuse("A call in a graph has args and kwargs", node)
        if not _has_tensor(call):
            _refuse("A call in a graph reads a tensor of the graph", node)
        self.value(call, "call", "argument")

    def _marker(self, node: dict[str, Any], kind: str | None) -> None:
        """Check a value that JSON lacks: a tensor of the graph, a slice, an array."""
        config, name = node.get("config"), node["class_name"]
        arrays = name in ("__numpy__", "__tensor__")
        allowed = ("argument", "array") if arrays else ("argument",)
        if (
            name not in _MARKERS
            or not isinstance(config, dict)
            or config.keys() != _MARKERS[name]
            or kind not in allowed
            or node.keys() - {"class_name", "config"}
        ):
            _refuse_unlisted(kind, node)
        if "dtype" in config:
            self.value(config["dtype"], "dtype", "dtype")
            if not isinstance(config["dtype"], str):
                _refuse("A tensor has a dtype", node)
        plain = all(isinstance(value, _SCALARS) for value in _leaves([*config.values()]))
        if not plain or (name == "__keras_tensor__" and not _is_tensor(config)):
            _refuse("A tensor has a shape, a dtype and a place in the graph", node)
        if arrays and not all(isinstance(x, int | float) for x in _leaves(config["value"])):
            _refuse("An array holds numbers", node)


# Marker -> the keys of its configuration.
_MARKERS = {
    "__keras_tensor__": {"shape", "dtype", "keras_history"},
    "__numpy__": {"value", "dtype"},
    "__tensor__": {"value", "dtype"},
    "__slice__": {"start", "stop", "step"},
    "__ellipsis__": set(),
}


def _calls(value: Any, shared: dict[int, int]) -> int:
    """Return the number of calls of layers that building makes; networks within networks multiply it.

    Args:
        value: Value in a configuration, in the order in which Keras reads it.
        shared: Numbers of calls within the objects seen so far, by their identities.
    """
    if isinstance(value, list):
        return sum(_calls(inner, shared) for inner in value)
    if not isinstance(value, dict):
        return 0
    within = sum(_calls(inner, shared) for inner in value.values())
    if "class_name" not in value or value["class_name"] in _MARKERS:
        return within
    if (identity := value.get("shared_object_id")) is not None:
        within = shared[identity] = max(within, shared.get(identity, 0))
    return max(1, len(value.get("inbound_nodes", []))) * (1 + within)


def _is_tensor(config: dict[str, Any]) -> bool:
    shape, history = config["shape"], config["keras_history"]
    return (
        isinstance(shape, list)
        and all(isinstance(size, int | None) for size in shape)
        and isinstance(history, list)
        and len(history) == 3
        and isinstance(history[0], str)
        and all(isinstance(index, int) and index >= 0 for index in history[1:])
    )


def _has_tensor(value: Any) -> bool:
    if isinstance(value, dict):
        found = value.get("class_name") == "__keras_tensor__"
        return found or any(map(_has_tensor, value.values()))
    return isinstance(value, list) and any(map(_has_tensor, value))


def _leaves(value: Any) -> Iterable[Any]:
    if isinstance(value, list):
        for inner in value:
            yield from _leaves(inner)
    else:
        yield value


def _refuse_unlisted(kind: str | None, received: dict[str, Any]) -> NoReturn:
    _refuse(
        f"As {kind or 'a plain value'} a file may use only what tfgen.untrusted.vocabulary lists",
        received,
    )


def _refuse(rule: str, received: dict[str, Any]) -> NoReturn:
    name = received.get("config") if received.get("class_name") == "function" else None
    shown = {
        key: received[key] for key in ("module", "class_name", "registered_name") if key in received
    }
    if isinstance(name, str):
        shown["config"] = name
    raise RefusedError(rule, str(shown or received)[:200])
