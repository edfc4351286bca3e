"""One version of a model, loaded: signatures checked before they are called, and batched."""

import io
import sys
import threading
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import tensorflow as tf
from PIL import Image

from tfgen.serving import samples, signatures
from tfgen.serving.batching import Function, batch_calls
from tfgen.serving.errors import Code, ServingError, from_tensorflow, invalid
from tfgen.serving.limits import Batching, Limits
from tfgen.serving.signatures import Signature, Spec, Tensors

JPEG_XL = (b"\xff\x0a", b"\x00\x00\x00\x0cJXL ")
BINARY = (b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff", *JPEG_XL)  # no text begins so
PICTURES = (*BINARY, b"GIF8", b"BM", b"RIFF")  # what TensorFlow decodes


class Servable:
    """A SavedModel's signatures as functions of NumPy arrays.

    Attributes:
        name: Name of the model.
        version: Number of the version.
        signatures: Signatures by name.
    """

    def __init__(
        self, name: str, version: int, folder: Path, limits: Limits, batching: Batching
    ) -> None:
        self.name = name
        self.version = version
        self.signatures: Mapping[str, Signature] = signatures.read(folder)
        self._limits = limits
        self._batching = batching
        self._lock = threading.Lock()
        self._queues: dict[str, Function] = {}
        self._counts: dict[str, list[str]] = {}
        self._loaded = tf.saved_model.load(str(folder), tags=[tf.saved_model.SERVING])

    def signature(self, name: str) -> Signature:
        """Return a signature.

        Raises:
            ServingError: No signature has this name.
        """
        try:
            return self.signatures[name]
        except KeyError:
            raise invalid(f'Serving signature name: "{name}" not found in signature def') from None

    def predict(self, name: str, tensors: Tensors) -> Tensors:
        """Return the outputs of a signature.

        Args:
            name: Signature.
            tensors: Every input, as an array of the signature's type; strings as objects.

        Raises:
            ServingError: A tensor breaks a rule of the signature or a limit, the queue is full, or the
                graph rejects the values.
        """
        signature = self.signature(name)
        self.check(signature, tensors)
        if self.shares(signature):
            [found] = self.predict_together(signature, [tensors])
        else:
            found = self._by_itself(signature, tensors)
        if isinstance(found, ServingError):
            raise found
        return found

    def shares(self, signature: Signature) -> bool:
        """Return whether rows of several requests share calls of the graph."""
        return self._batching.enabled and signature.batches

    def check(self, signature: Signature, tensors: Tensors) -> None:
        """Raise unless the tensors may be passed to the graph.

        Raises:
            ServingError: A tensor breaks a rule of the signature or a limit.
        """
        signature.check(tensors, self._limits)
        self._check_counts(signature, tensors)
        self._check_pictures(tensors)

    def predict_together(
        self, signature: Signature, requests: list[Tensors]
    ) -> list[Tensors | ServingError]:
        """Return the outputs or the error of each request, with the rows of all computed as one task.

        Args:
            signature: Signature for which `shares` is True.
            requests: Checked tensors of each request.
        """
        rows = [signature.rows(tensors) for tensors in requests]
        if sum(rows) > self._limits.rows:
            return [self.predict_together(signature, [tensors])[0] for tensors in requests]
        joined = {k: np.concatenate([t[k] for t in requests]) for k in signature.inputs}
        try:
            outputs = _call(self._batched(signature.name), signature, joined)
        except tf.errors.UnavailableError as error:
            return [from_tensorflow(error)] * len(requests)
        except tf.errors.OpError:  # the fault may be another client's
            return [self._by_itself(signature, tensors) for tensors in requests]
        ends = np.cumsum(rows)[:-1]
        split = {name: np.split(array, ends) for name, array in outputs.items()}
        return [
            self._bounded(dict(zip(split, arrays, strict=True)))
            for arrays in zip(*split.values(), strict=True)
        ]

    def _by_itself(self, signature: Signature, tensors: Tensors) -> Tensors | ServingError:
        try:
            return self._bounded(_call(self._alone(signature.name), signature, tensors))
        except tf.errors.OpError as error:
            return from_tensorflow(error)

    def _bounded(self, outputs: Tensors) -> Tensors | ServingError:
        """Return the outputs, or the error if a reply may not be as large: a JSON writer would crash."""
        size = sum(map(_bytes, outputs.values()))
        if size <= self._limits.reply:
            return outputs
        message = f"A reply has at most {self._limits.reply} bytes. Received: {size} bytes"
        return ServingError(Code.RESOURCE_EXHAUSTED, message)

    def _alone(self, name: str) -> Function:
        try:
            return self._loaded.signatures[name]
        except KeyError:
            raise ServingError(Code.UNIMPLEMENTED, f"Signature {name} has no function") from None

    def _batched(self, name: str) -> Function:
        with self._lock:
            if name not in self._queues:
                arguments = (self.signatures[name], self._batching, self._limits.rows)
                self._queues[name] = batch_calls(self._alone(name), *arguments)
            return self._queues[name]

    def _check_counts(self, signature: Signature, tensors: Tensors) -> None:
        with self._lock:
            if signature.name not in self._counts:
                self._counts[signature.name] = counts(signature, self._alone(signature.name))
        most = self._limits.rows
        rows = signature.rows(tensors)
        for name in self._counts[signature.name]:
            value = int(tensors[name])
            rows *= value
            if not (value >= 1 and rows <= most):
                raise invalid(
                    f"Input {name} sets the number of rows, which must be 1 to {most}. "
                    f"Received: {name}={value}"
                )

    def _check_pictures(self, tensors: Tensors) -> None:
        strings = (array for array in tensors.values() if array.dtype == object)
        pictures = (s for array in strings for s in array.flat if s.startswith(PICTURES))
        if (pixels := sum(map(_pixels, pictures))) > self._limits.pixels:
            raise invalid(
                f"Pictures of a request must have at most {self._limits.pixels} pixels in all. "
                f"Received: {pixels}"
            )


def counts(signature: Signature, function: Function) -> list[str]:
    """Return the inputs that set a number of rows, such as `n` of `sample(n, seed)`.

    Signatures do not state this, so each integer scalar is tried with 1 and with 2.
    """
    candidates = [name for name, spec in signature.inputs.items() if spec.is_count]
    if not candidates:
        return []
    given = samples.tensors(signature)
    ones = {name: _constant(given[name], spec) for name, spec in signature.inputs.items()}

    def rows(**changed: tf.Tensor) -> list[int]:
        outputs = function(**{**ones, **changed})
        return [
            outputs[k].shape[0]
            for k, s in signature.outputs.items()
            if s.shape and outputs[k].shape
        ]

    try:
        before = rows()
        return [n for n in candidates if rows(**{n: 2 * ones[n]}) != before]
    except tf.errors.OpError:
        return []  # ones mean nothing to this signature


def _call(function: Function, signature: Signature, tensors: Tensors) -> Tensors:
    constants = {name: _constant(tensors[name], spec) for name, spec in signature.inputs.items()}
    return _arrays(function(**constants))


def _constant(array: np.ndarray, spec: Spec) -> tf.Tensor:
    return tf.constant(array.tolist() if array.dtype == object else array, spec.dtype, array.shape)


def _arrays(outputs: Mapping[str, tf.Tensor]) -> Tensors:
    """Return the outputs by name; a string scalar's `numpy()` is bytes, not an array."""
    arrays = {}
    for name in sorted(outputs):
        value = outputs[name].numpy()
        if isinstance(value, bytes):
            arrays[name] = np.empty((), object)
            arrays[name][()] = value
        else:
            arrays[name] = np.asarray(value)
    return arrays


def _bytes(array: np.ndarray) -> int:
    return sum(map(len, array.flat)) if array.dtype == object else array.nbytes


def _pixels(picture: bytes) -> int:
    """Return the number of pixels of all frames, read from a picture's headers; 0 for text.

    Raises:
        ServingError: A picture's size cannot be read, as that of JPEG XL.
    """
    try:
        with Image.open(io.BytesIO(picture)) as image:
            return image.width * image.height * getattr(image, "n_frames", 1)
    except (Image.DecompressionBombError, Image.DecompressionBombWarning):
        return sys.maxsize
    except Exception as error:  # Pillow raises many kinds on a malformed file
        if picture.startswith(BINARY):
            raise invalid("The header of a picture cannot be read") from error
        return 0
