"""Requests that a server must reject or answer without failing, as a function of a seed."""

import gzip
import json
import random
from collections.abc import Iterator
from typing import Any, NamedTuple

NUMBERS = (
    0, 1, -1, 0.5, 2**31, -(2**63), 2**64, 10**30, 1e308, float("nan"), float("inf"), True, None, "", "a",
    {}, [], {"b64": "AAAA"}, {"b64": "?"}, {"b64": 3}, "\u0000", "é" * 300,
)  # fmt: skip
PATHS = (
    "/", "/v1", "/v1/", "/v1/models", "/v1/models/", "/v1/models/..%2f..%2fetc%2fpasswd:predict",
    "/v1/models/%00:predict", "/v1/models/%ff:predict", "/v1/models//:predict", "/../../etc/passwd",
    "/v1/models/{m}/versions/99999999999999999999:predict", "/v1/models/{m}/versions/-1:predict",
    "/v1/models/{m}/labels/%2e%2e:predict", "/v1/models/{m}:classify", "/v1/models/{m}:regress",
    "/v1/models/{m}/metadata", "/v1/models/{m}", "/v2/models/{m}/infer", "/v2/models/{m}.{s}/infer",
    "/v2/models/{m}.{s}", "/v2/models/..%2f/infer", "/openapi.json", "/metrics", "/page.js/..",
)  # fmt: skip
BROKEN = (
    b"",
    b"{",
    b"[" * 5000,
    b"\xff\xfe",
    b"null",
    b'{"instances": [1e999]}',
    b'{"a":' * 3000,
    b"{} {",
)


class Hostile(NamedTuple):
    """A request to send."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes


def requests(
    seed: int, count: int, model: str, inputs: dict[str, dict[str, tuple[str, int]]]
) -> Iterator[Hostile]:
    """Yield requests.

    Args:
        seed: Seed of all choices.
        count: Number of requests.
        model: Name of a served model.
        inputs: {signature: {input: (its type, its rank)}}.
    """
    draw = random.Random(seed)
    for _ in range(count):
        signature = draw.choice(sorted(inputs))
        path = f"/v1/models/{model}:predict"
        if draw.random() < 0.25:
            path = draw.choice(PATHS).format(m=model, s=signature)
        body = draw.choice(BROKEN)
        if draw.random() < 0.85:
            text = json.dumps(_document(draw, signature, inputs[signature]))
            body = text[: draw.randrange(1, len(text))] if draw.random() < 0.05 else text
            body = body.encode("utf-8", "surrogatepass")
        headers = {}
        if draw.random() < 0.1:
            headers["content-encoding"] = draw.choice(("gzip", "br", ""))
            body = gzip.compress(body)[: draw.choice((None, 12))] if draw.random() < 0.7 else body
        yield Hostile(draw.choice(("POST",) * 9 + ("PUT",)), path, headers, body)


def _document(draw: random.Random, name: str, inputs: dict[str, tuple[str, int]]) -> dict[str, Any]:
    """Return a valid body with one or two changes."""
    rows = draw.choice((0, 1, 1, 2, 3, 2000))
    columns = {key: _tensor(draw, *spec, rows) for key, spec in inputs.items()}
    changes = draw.choice(("none", "value", "value", "rank", "name", "missing", "type", "giant"))
    victim = draw.choice(sorted(columns)) if columns else ""
    if changes == "value":
        columns[victim] = _change(draw, columns[victim])
    elif changes == "rank":
        columns[victim] = draw.choice(([columns[victim]], 1, [1], [[1]], [[[[[1]]]]]))
    elif changes == "name":
        columns[draw.choice(("x", "", "__proto__", "é"))] = 1
    elif changes == "missing":
        columns.pop(victim, None)
    elif changes == "type":
        columns[victim] = draw.choice(NUMBERS)
    elif changes == "giant":
        columns[victim] = draw.choice(
            (10**9, -(10**9), 2**31 - 1, [[0.5] * 100] * 100, "x" * 100_000)
        )
    document: dict[str, Any] = {
        "signature_name": draw.choice((name, name, name, "none", "", 3, None))
    }
    document[draw.choice(("inputs", "inputs", "instances"))] = draw.choice(
        (columns, [columns], columns)
    )
    if draw.random() < 0.05:
        document |= {"inputs": 1, "instances": [1]}
    return document


def _tensor(draw: random.Random, dtype: str, rank: int, rows: int) -> Any:
    leaf: Any = draw.randrange(3) if "INT" in dtype else draw.random()
    if dtype == "DT_STRING":
        leaf = {"b64": draw.choice(("AAAA", "iVBORw0KGgo=", "/9j/4AAQ"))}
    for axis in reversed(range(rank)):
        leaf = [leaf] * (rows if axis == 0 else draw.choice((1, 2, 8, 28)))
    return leaf


def _change(draw: random.Random, value: Any) -> Any:
    if isinstance(value, list) and value and draw.random() < 0.8:
        index = draw.randrange(len(value))
        return [*value[:index], _change(draw, value[index]), *value[index + 1 :]]
    return draw.choice(NUMBERS)
