"""Bodies of `:predict`: rows (`instances`) or columns (`inputs`) in, the same out."""

import enum
from typing import Any

import numpy as np

from tfgen.serving import documents
from tfgen.serving.documents import is_base64, quote
from tfgen.serving.errors import invalid
from tfgen.serving.signatures import DEFAULT, Signature, Tensors


class Form(enum.Enum):
    """Key of a reply."""

    ROWS = "predictions"
    COLUMNS = "outputs"


def signature_name(document: dict[str, Any]) -> str:
    """Return the name of the signature that a body calls.

    Raises:
        ServingError: The name is not a string.
    """
    name = document.get("signature_name", "")
    if not isinstance(name, str):
        raise invalid(
            f"JSON Value: {quote(document)} not formatted correctly. "
            "'signature_name' key must be a string value."
        )
    return name or DEFAULT


def form(document: dict[str, Any]) -> Form:
    """Return the form that the reply to a body has."""
    return Form.ROWS if "instances" in document else Form.COLUMNS


def tensors(document: dict[str, Any], signature: Signature) -> Tensors:
    """Return the tensors of a body.

    Raises:
        ServingError: The body has another form than TensorFlow Serving's, or a value another type than
            its input.
    """
    both = "instances" in document and "inputs" in document
    if both:
        raise invalid(
            f"JSON Value: {quote(document)} Not formatted correctly expecting only one of "
            "'inputs' or 'instances' keys to exist"
        )
    if not signature.inputs:
        raise invalid(f"Failed to get input map for signature: {signature.name}")
    if "instances" in document:
        return _from_rows(document, signature)
    if "inputs" in document:
        return _from_columns(document["inputs"], signature)
    raise invalid("Missing 'inputs' or 'instances' key")


def _is_named(row: Any) -> bool:
    return isinstance(row, dict) and not is_base64(row)


def _from_rows(document: dict[str, Any], signature: Signature) -> Tensors:
    rows = document["instances"]
    if not isinstance(rows, list):
        raise invalid(f"JSON Value: {quote(document)} Expecting 'instances' to be a list/array")
    if not rows:
        raise invalid(f"JSON Value: {quote(document)} No values in 'instances' array")
    if not isinstance(rows[0], dict) and len(signature.inputs) > 1:
        raise invalid(
            "instances is a plain list, but expecting list of objects as multiple input tensors "
            "required as per tensorinfo_map"
        )
    named = _is_named(rows[0])
    wanted = set(signature.inputs)
    for index, row in enumerate(rows):
        if _is_named(row) != named:
            expected, received = ("object", "list") if named else ("value/list", "object")
            raise invalid(f"Expecting {expected} but got {received} at item {index} of input list")
        if named and row.keys() != wanted:
            raise invalid(
                f"Failed to process element: {index} of 'instances' list. JSON object: {quote(row)} "
                f"keys must be equal to: {','.join(sorted(wanted))}"
            )
    if not named and len(signature.inputs) > 1:  # rows of base64 alone
        raise invalid(f"keys must be equal to: {','.join(sorted(wanted))}")
    columns = {name: [row[name] for row in rows] if named else rows for name in signature.inputs}
    return {k: documents.tensor(v, signature.inputs[k].dtype) for k, v in columns.items()}


def _from_columns(value: Any, signature: Signature) -> Tensors:
    if not _is_named(value):
        if len(signature.inputs) > 1:
            raise invalid(
                "inputs is a plain value/list, but expecting an object as multiple input tensors "
                "required as per tensorinfo_map"
            )
        [(name, spec)] = signature.inputs.items()
        return {name: documents.tensor(value, spec.dtype)}
    for name in signature.inputs:
        if name not in value:
            raise invalid(f"Missing named input: {name} in 'inputs' object.")
    return {k: documents.tensor(value[k], spec.dtype) for k, spec in signature.inputs.items()}


def reply(outputs: dict[str, np.ndarray], form: Form) -> bytes:
    """Write the outputs of a call.

    Raises:
        ServingError: The reply has rows, and an output has none or not as many as the others.
    """
    if form is Form.ROWS:
        _check_rows(outputs)
    values = {k: documents.plain(v, k.endswith("_bytes")) for k, v in outputs.items()}
    if len(values) == 1:
        [content] = values.values()
    elif form is Form.COLUMNS:
        content = values
    else:
        split = {
            name: [documents.plain(row, name.endswith("_bytes")) for row in _rows_of(array)]
            for name, array in outputs.items()
        }
        content = [dict(zip(split, row, strict=True)) for row in zip(*split.values(), strict=True)]
    return documents.dump({form.value: content})


def _rows_of(array: np.ndarray) -> list[np.ndarray]:
    return [array[i : i + 1].reshape(array.shape[1:]) for i in range(len(array))]


def _check_rows(outputs: dict[str, np.ndarray]) -> None:
    size = None
    for name, array in outputs.items():
        if not array.ndim:
            raise invalid(f"Tensor name: {name} has no shape information ")
        if size not in (None, len(array)):
            raise invalid(
                f"Tensor name: {name} has inconsistent batch size: {len(array)} expecting: {size}"
            )
        size = len(array)
