"""The REST interface as a table of (request, status, reply), for any server of the toy models.

`TFGEN_SERVING_URL=http://localhost:8501 pytest tests/serving/test_rest.py` runs it against another
server, TensorFlow Serving for one, which serves the folders `toy` and `examples` that
`python tests/serving/cases.py FOLDER` writes, `toy` with the versions 1 and 2.
"""

import base64
import gzip
import json
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Case:
    """One exchange; a reply of text is the whole error message, `...` is any."""

    name: str
    request: str
    body: Any
    status: int
    reply: Any
    headers: tuple[tuple[str, str], ...] = ()


TOY = "/v1/models/toy"
PREDICT = f"POST {TOY}:predict"
B64 = {"b64": base64.b64encode(b"\x00\xffab").decode()}


def predict(name, body, status, reply, signature=None):
    if signature is not None:
        body = {"signature_name": signature, **body}
    return Case(name, PREDICT, body, status, reply)


def echo(dtype, sent, status, received=...):
    name = f"{dtype} of {str(sent)[:24]}"
    reply = {"predictions": [received]} if status == 200 else received
    return predict(name, {"instances": [sent]}, status, reply, f"echo_{dtype}")


ROUTES = [
    Case("a path is case-blind", "POST /V1/Models/toy:Predict", {"instances": [[2, 4]]}, 200,
         {"predictions": [[1.0, 2.0]]}),
    Case("an escaped name", "POST /v1/models/%74oy:predict", {"instances": [[2, 4]]}, 200,
         {"predictions": [[1.0, 2.0]]}),
    Case("a version", f"POST {TOY}/versions/1:predict", {"instances": [[2, 4]]}, 200,
         {"predictions": [[20.0, 40.0]]}),
    Case("leading zeros of a version", f"POST {TOY}/versions/01:predict", {"instances": [[2, 4]]}, 200,
         {"predictions": [[20.0, 40.0]]}),
    Case("a version that is not there", f"POST {TOY}/versions/3:predict", {"instances": [[2, 4]]}, 404,
         "Servable not found for request: Specific(toy, 3)"),
    Case("version 0 that is not there", f"POST {TOY}/versions/0:predict", {"instances": [[2, 4]]}, 404,
         "Servable not found for request: Specific(toy, 0)"),
    Case("a version past 64 bits", f"POST {TOY}/versions/{2**63}:predict", {}, 400, ...),
    Case("a model that is not there", "POST /v1/models/x:predict", {"instances": [1]}, 404,
         "Servable not found for request: Latest(x)"),
    Case("a label that is not there", f"POST {TOY}/labels/none:predict", {"instances": [[2, 4]]}, 400,
         "Unrecognized servable version label: none"),
    Case("no method", f"POST {TOY}", {}, 400, f"Malformed request: POST {TOY}"),
    Case("an unknown method", f"POST {TOY}:explain", {}, 400, f"Malformed request: POST {TOY}:explain"),
    Case("a version that is no number", f"POST {TOY}/versions/a:predict", {}, 400, ...),
    Case("GET of a method", f"GET {TOY}:predict", None, 400, f"Malformed request: GET {TOY}:predict"),
    Case("PUT", f"PUT {TOY}", {}, 400, f"Malformed request: PUT {TOY}"),
    Case("OPTIONS", f"OPTIONS {TOY}", None, 400, f"Malformed request: OPTIONS {TOY}"),
    Case("a slash too many", f"GET {TOY}/", None, 400, f"Malformed request: GET {TOY}/"),
    Case("a method in capitals", f"POST {TOY}:PREDICT", {"instances": [[2, 4]]}, 200,
         {"predictions": [[1.0, 2.0]]}),
    Case("a label and a version", f"POST {TOY}/labels/a/versions/1:predict", {}, 400, ...),
    Case("a version and a method that it lacks", f"POST {TOY}/versions/1:predict",
         {"signature_name": "pair", "instances": [1]}, 400,
         'Serving signature name: "pair" not found in signature def'),
    Case("below /v1", "GET /v1/elsewhere", None, 400, "Malformed request: GET /v1/elsewhere"),
    Case("outside /v1", "GET /elsewhere/there", None, 404, ...),
]  # fmt: skip

STATUS = [
    Case("status", f"GET {TOY}/versions/2", None, 200, {"model_version_status": [
        {"version": "2", "state": "AVAILABLE", "status": {"error_code": "OK", "error_message": ""}}]}),
    Case("status of no model", "GET /v1/models/x", None, 404,
         "Could not find any versions of model x"),
    Case("status of no version", f"GET {TOY}/versions/3", None, 404,
         "Could not find version 3 of model toy"),
    Case("status of an escaped name", "GET /v1/models/%74oy/versions/2", None, 200, ...),
    Case("a slash in a name", "GET /v1/models/a%2Fb", None, 404,
         "Could not find any versions of model a/b"),
    Case("status of a label that is not there", f"GET {TOY}/labels/none", None, 400,
         "Unrecognized servable version label: none"),
    Case("metadata of a version", f"GET {TOY}/versions/1/metadata", None, 200, ...),
    Case("metadata of no version", f"GET {TOY}/versions/3/metadata", None, 404,
         "Servable not found for request: Specific(toy, 3)"),
    Case("metadata of no model", "GET /v1/models/x/metadata", None, 404,
         "Servable not found for request: Latest(x)"),
]  # fmt: skip

BODIES = [
    predict("rows", {"instances": [[2, 4], [6, 8]]}, 200, {"predictions": [[1.0, 2.0], [3.0, 4.0]]}),
    predict("columns", {"inputs": [[2, 4]]}, 200, {"outputs": [[1.0, 2.0]]}),
    predict("named rows", {"instances": [{"x": [2, 4]}]}, 200, {"predictions": [[1.0, 2.0]]}),
    predict("a named column", {"inputs": {"x": [[2, 4]], "more": 1}}, 200, {"outputs": [[1.0, 2.0]]}),
    predict("a signature", {"instances": [[2, 4]]}, 200, {"predictions": [[1.0, 2.0]]}, "scale"),
    predict("an empty signature name", {"instances": [[2, 4]]}, 200, {"predictions": [[1.0, 2.0]]}, ""),
    predict("extra keys", {"instances": [[2, 4]], "parameters": 1}, 200, {"predictions": [[1.0, 2.0]]}),
    predict("an unknown signature", {"instances": [1]}, 400,
            'Serving signature name: "x" not found in signature def', "x"),
    predict("a signature that is no text", {"signature_name": 1, "instances": [1]}, 400, ...),
    predict("rows and columns", {"instances": [[1, 2]], "inputs": [[1, 2]]}, 400, ...),
    predict("neither", {"signature_name": "scale"}, 400, "Missing 'inputs' or 'instances' key"),
    predict("no rows", {"instances": []}, 400, ...),
    predict("rows that are no list", {"instances": 3}, 400, ...),
    predict("two outputs", {"instances": [{"a": [1, 2], "b": 3}]}, 200,
            {"predictions": [{"sum": [4.0, 5.0], "twice": 6}]}, "pair"),
    predict("two columns", {"inputs": {"a": [[1, 2]], "b": [3]}}, 200,
            {"outputs": {"sum": [[4.0, 5.0]], "twice": [6]}}, "pair"),
    predict("a name missing in a row", {"instances": [{"a": [1, 2]}]}, 400, ..., "pair"),
    predict("a name too many in a row", {"instances": [{"a": [1, 2], "b": 3, "c": 4}]}, 400, ..., "pair"),
    predict("bare rows for two inputs", {"instances": [[1, 2]]}, 400, ..., "pair"),
    predict("a bare column for two inputs", {"inputs": [[1, 2]]}, 400, ..., "pair"),
    predict("a name missing in columns", {"inputs": {"a": [[1, 2]]}}, 400,
            "Missing named input: b in 'inputs' object.", "pair"),
    predict("rows of two kinds", {"instances": [{"x": [2, 4]}, [2, 4]]}, 400, ...),
    predict("rows of two sizes", {"instances": [[2, 4], [2]]}, 400, ...),
    predict("scalars in columns", {"inputs": {"n": 1, "seed": 0}}, 200, ..., "draw"),
    predict("scalars in rows", {"instances": [{"n": 1, "seed": 0}]}, 400, ..., "draw"),
    predict("rows of an output without rows", {"instances": [1.0, 3.0]}, 400, ..., "total"),
    predict("columns of an output without rows", {"inputs": [1.0, 3.0]}, 200,
            {"outputs": {"mean": 2.0, "x": [1.0, 3.0]}}, "total"),
    predict("a scalar and its rows in columns", {"inputs": {"n": [1], "seed": 0}}, 400, ..., "draw"),
    predict("a name that is null", {"signature_name": None, "instances": [[2, 4]]}, 400, ...),
    predict("a column of another length", {"inputs": {"a": [[1, 2]], "b": [3, 4]}}, 400, ..., "pair"),
    predict("one axis too few", {"instances": [2.0]}, 400, ...),
    predict("one axis too many", {"instances": [[[2.0, 4.0]]]}, 400, ...),
    predict("another size", {"instances": [[2.0, 4.0, 6.0]]}, 400, ...),
    predict("a picture without its channel", {"instances": [[[1, 2], [3, 4]]]}, 400, ..., "cube"),
    predict("a value that the graph refuses", {"instances": [7]}, 400, ..., "lookup"),
    predict("half precision", {"instances": [1.0]}, 501, ..., "half"),
]  # fmt: skip

VALUES = [
    *(echo(dtype, 7, 200, 7) for dtype in ("int8", "int16", "int32", "int64", "uint8", "uint32", "uint64")),
    echo("int64", -(2**63), 200, -(2**63)),
    echo("uint64", 2**64 - 1, 200, 2**64 - 1),
    echo("int32", 2**31, 400),
    echo("int32", 1.0, 400),
    echo("int32", True, 400),
    echo("int32", "1", 400),
    echo("int32", None, 400),
    echo("uint32", -1, 400),
    echo("uint8", 256, 400),
    echo("int8", -129, 400),
    echo("float64", "1", 400),
    echo("bool", "true", 400),
    echo("string", "", 200, ""),
    echo("int64", 2**64, 400),
    echo("float64", 3, 200, 3.0),
    echo("float64", 2**53, 400),
    echo("float64", 0.1, 200, 0.1),
    echo("float64", True, 400),
    echo("bool", True, 200, True),
    echo("bool", 1, 400),
    echo("string", "é", 200, "é"),
    echo("string", {"b64": "w6k="}, 200, "é"),
    echo("string", {"b64": "?"}, 400),
    echo("string", {"b64": 1}, 400),
    echo("string", {"b64": "w6k=", "x": 1}, 400),
    echo("string", 1, 400),
    predict("a float in its shortest form", {"instances": [[0.2, 1e-7]]}, 200,
            {"predictions": [[0.1, 5e-8]]}),
    predict("an integer that a float cannot hold", {"instances": [[2**24 + 1, 0]]}, 400, ...),
    predict("a number that a float cannot hold", {"instances": [[1e39, 0]]}, 400, ...),
    predict("bytes for an output of bytes", {"instances": [B64]}, 200,
            {"predictions": [{"image_bytes": B64, "length": 4}]}, "pictures"),
    predict("text for an output of bytes", {"instances": [{"image_bytes": "ab"}]}, 200,
            {"predictions": [{"image_bytes": {"b64": "YWI="}, "length": 2}]}, "pictures"),
    predict("bytes in a column", {"inputs": [B64]}, 200,
            {"outputs": {"image_bytes": [B64], "length": [4]}}, "pictures"),
]  # fmt: skip

TEXTS = [
    Case("an empty body", PREDICT, b"", 400, "JSON Parse error: The document is empty"),
    Case("spaces", PREDICT, b"  \n", 400, "JSON Parse error: The document is empty"),
    Case("no JSON", PREDICT, b"{'instances': [[2, 4]]}", 400, ...),
    Case("an unfinished value", PREDICT, b'{"instances": [[2, 4', 400, ...),
    Case("no object", PREDICT, b"[1]", 400, ...),
    Case("text after the value", PREDICT, b'{"instances": [[2, 4]]} and more', 200,
         {"predictions": [[1.0, 2.0]]}),
    Case("a byte order mark", PREDICT, b'\xef\xbb\xbf{"instances": [[2, 4]]}', 200,
         {"predictions": [[1.0, 2.0]]}),
    Case("NaN and Infinity", PREDICT, b'{"instances": [[NaN, -Infinity]]}', 200,
         {"predictions": [[float("nan"), float("-inf")]]}),
    Case("NaN and Infinity out", PREDICT, {"signature_name": "log", "instances": [-1, 0, 1]}, 200,
         {"predictions": [float("nan"), float("-inf"), 0.0]}),
    Case("NaN in a column", PREDICT, b'{"inputs": [[NaN, Infinity]]}', 200,
         {"outputs": [[float("nan"), float("inf")]]}),
    Case("NaN among integers", PREDICT, b'{"signature_name": "echo_int32", "instances": [NaN]}', 400, ...),
    Case("no gzip that says it is", PREDICT, b'{"instances": [[2, 4]]}', 400, ...,
         (("Content-Encoding", "gzip"),)),
    Case("a number past double", PREDICT, b'{"instances": [[1e400, 0]]}', 400, ...),
    Case("depth", PREDICT, b'{"instances": ' + 500 * b"[" + 500 * b"]" + b"}", 400, ...),
    Case("gzip", PREDICT, gzip.compress(b'{"instances": [[2, 4]]}'), 200,
         {"predictions": [[1.0, 2.0]]}, (("Content-Encoding", "gzip"),)),
    Case("no content type", PREDICT, b'{"instances": [[2, 4]]}', 200, {"predictions": [[1.0, 2.0]]},
         (("Content-Type", "text/plain"),)),
]  # fmt: skip

EXAMPLES = [
    Case("classify", "POST /v1/models/examples:classify", {"examples": [{"x": 0.25}, {"x": 1.0}]}, 200,
         {"results": [[["yes", 0.25], ["no", 0.75]], [["yes", 1.0], ["no", 0.0]]]}),
    Case("regress", "POST /v1/models/examples:regress",
         {"signature_name": "regress", "context": {"x": 0.25}, "examples": [{}, {"x": [1.5]}]}, 200,
         {"results": [0.5, 3.0]}),
    Case("classify by regress", "POST /v1/models/examples:regress", {"examples": [{"x": 0.25}]}, 400, ...),
    Case("no examples", "POST /v1/models/examples:classify", {"instances": [1]}, 400, ...),
    Case("no list of examples", "POST /v1/models/examples:classify", {"examples": {"x": 1.0}}, 400, ...),
    Case("an example's bytes", "POST /v1/models/examples:classify",
         {"examples": [{"x": 0.25, "more": {"b64": "AP8="}}]}, 200,
         {"results": [[["yes", 0.25], ["no", 0.75]]]}),
    Case("an example that is no object", "POST /v1/models/examples:classify", {"examples": [1]}, 400, ...),
    Case("classify what predicts", f"POST {TOY}:classify", {"examples": [{"x": 0.25}]}, 400, ...),
]  # fmt: skip

CASES = [*ROUTES, *STATUS, *BODIES, *VALUES, *TEXTS, *EXAMPLES]


def exact(document):
    """A JSON value in which 1 and 1.0 differ, and NaN equals NaN."""
    return json.dumps(document, sort_keys=True)


def write(folder: Path) -> None:
    """Write the models of the table: `toy` multiplies by 10 in version 1, halves in version 2."""
    import toys

    toys.write(folder / "toy" / "1", 10.0, names=("scale",))
    toys.write(folder / "toy" / "2")
    toys.write_examples(folder / "examples" / "1")


if __name__ == "__main__":
    write(Path(sys.argv[1]))
