"""Signatures of a SavedModel, and the rules for tensors that are passed to its graph."""

import dataclasses
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import tensorflow as tf
from tensorflow.core.framework.tensor_pb2 import TensorProto
from tensorflow.core.protobuf import meta_graph_pb2, saved_model_pb2

from tfgen.serving.errors import Code, ServingError, invalid
from tfgen.serving.limits import Limits

Tensors = dict[str, np.ndarray]

DEFAULT = tf.saved_model.DEFAULT_SERVING_SIGNATURE_DEF_KEY
INITIALIZERS = ("__saved_model_init_op", "__saved_model_train_op")
COUNTS = (tf.int32, tf.int64)


@dataclasses.dataclass(frozen=True)
class Spec:
    """Type and shape of a tensor; None for an unknown size, `shape=None` for an unknown rank."""

    dtype: tf.DType
    shape: tuple[int | None, ...] | None

    @classmethod
    def of(cls, info: meta_graph_pb2.TensorInfo) -> "Spec":
        """Read an input or output of a SignatureDef."""
        proto = info.tensor_shape
        sizes = tuple(dim.size if dim.size >= 0 else None for dim in proto.dim)
        return cls(tf.as_dtype(info.dtype), None if proto.unknown_rank else sizes)

    @property
    def has_rows(self) -> bool:
        """Whether the first axis is free and the others are fixed, so that rows can be concatenated."""
        return bool(self.shape) and self.shape[0] is None and None not in self.shape[1:]

    @property
    def is_count(self) -> bool:
        """Whether the value could be a number of rows."""
        return self.shape == () and self.dtype in COUNTS

    def admits(self, shape: tuple[int, ...]) -> bool:
        """Return whether a shape fits."""
        if self.shape is None:
            return True
        sizes = zip(self.shape, shape, strict=False)
        return len(shape) == len(self.shape) and all(a in (None, b) for a, b in sizes)


@dataclasses.dataclass(frozen=True)
class Signature:
    """A served function of a SavedModel.

    Attributes:
        name: Key in the SavedModel.
        definition: SignatureDef in the SavedModel.
        inputs: Specs of inputs by name, sorted by name.
        outputs: Specs of outputs by name, sorted by name.
    """

    name: str
    definition: meta_graph_pb2.SignatureDef
    inputs: Mapping[str, Spec]
    outputs: Mapping[str, Spec]

    @classmethod
    def of(cls, name: str, definition: meta_graph_pb2.SignatureDef) -> "Signature":
        """Read a SignatureDef."""
        inputs = {key: Spec.of(definition.inputs[key]) for key in sorted(definition.inputs)}
        outputs = {key: Spec.of(definition.outputs[key]) for key in sorted(definition.outputs)}
        return cls(name, definition, inputs, outputs)

    @property
    def batches(self) -> bool:
        """Whether rows of several requests may share one call: every input and output has rows."""
        specs = (*self.inputs.values(), *self.outputs.values())
        return bool(self.inputs) and all(spec.has_rows for spec in specs)

    @property
    def defaults(self) -> Mapping[str, TensorProto]:
        """Default values of optional inputs."""
        return self.definition.defaults

    def rows(self, tensors: Tensors) -> int:
        """Return the number of rows of a request that `check` has accepted; 1 without a free axis."""
        free = [n for n, spec in self.inputs.items() if spec.shape and spec.shape[0] is None]
        return max((tensors[name].shape[0] for name in free), default=1)

    def check_names(self, names: set[str]) -> None:
        """Raise unless the names are those of the inputs.

        Raises:
            ServingError: An input is missing or unknown.
        """
        if names != set(self.inputs):
            raise invalid(
                f"Inputs must be those of the signature, {', '.join(self.inputs)}. "
                f"Received: {', '.join(sorted(names)) or 'none'}"
            )

    def check_shape(self, name: str, dtype: tf.DType, shape: tuple[int, ...], most: int) -> None:
        """Raise unless type and shape fit the input `name`, with 1 to `most` rows.

        Raises:
            ServingError: Type or shape do not fit.
        """
        spec = self.inputs[name]
        if dtype != spec.dtype:
            raise invalid(f"Input {name} must be of type {spec.dtype.name}. Received: {dtype.name}")
        if not spec.admits(shape):
            wanted = tf.TensorShape(spec.shape)
            raise invalid(f"Input {name} must have the shape {wanted}. Received: shape={shape}")
        if shape and not 1 <= shape[0] <= most and (spec.shape is None or spec.shape[0] is None):
            raise invalid(f"Input {name} must have 1 to {most} rows. Received: {shape[0]} rows")

    def check(self, tensors: Tensors, limits: Limits) -> None:
        """Raise unless the tensors fit the graph's inputs.

        Raises:
            ServingError: A name, type, rank, shape or number of rows differs.
        """
        self.check_names(set(tensors))
        for name, tensor in tensors.items():
            self.check_shape(name, self._dtype(name, tensor), tensor.shape, limits.rows)
        sizes = {tensor.shape[0] for tensor in tensors.values()} if self.batches else set()
        if len(sizes) > 1:
            raise invalid(
                "Batching Run() input tensors must have equal 0th-dimension size. "
                f"Received: {', '.join(f'{k}: {v.shape[0]}' for k, v in tensors.items())}"
            )

    def _dtype(self, name: str, tensor: np.ndarray) -> tf.DType:
        if tensor.dtype == object:  # NumPy's own string type has no room for zero bytes
            return tf.string
        try:
            return tf.as_dtype(tensor.dtype)
        except TypeError as error:
            raise invalid(f"Input {name} has no type of TensorFlow: {tensor.dtype}") from error


def read(folder: Path) -> dict[str, Signature]:
    """Read the signatures of the SavedModel in a folder, without loading it.

    Raises:
        ServingError: The folder holds no readable SavedModel, or the SavedModel has no signatures.
    """
    path = folder / "saved_model.pb"
    try:
        saved = saved_model_pb2.SavedModel.FromString(path.read_bytes())
    except OSError as error:
        raise ServingError(
            Code.NOT_FOUND, f"No SavedModel in {folder}: {error.strerror}"
        ) from error
    except Exception as error:  # protobuf's DecodeError is private to each of its implementations
        raise ServingError(Code.DATA_LOSS, f"{path} is no SavedModel: {error}") from error
    graphs = [g for g in saved.meta_graphs if tf.saved_model.SERVING in g.meta_info_def.tags]
    found = {
        key: Signature.of(key, definition)
        for graph in graphs[:1]
        for key, definition in sorted(graph.signature_def.items())
        if key not in INITIALIZERS
    }
    if not found:
        raise ServingError(Code.FAILED_PRECONDITION, f"No signatures to serve in {path}")
    return found
