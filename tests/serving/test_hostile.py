"""Generated requests are rejected or answered, never with a fault, and the server stays up."""

from pathlib import Path

import httpx
import pytest
from running import running

from benchmarks.hostile_requests import requests
from tfgen import serving

ROOT = Path(__file__).parents[2]


def inputs_of(client, model):
    reply = client.get(f"/v1/models/{model}/metadata").json()
    definitions = reply["metadata"]["signature_def"]["signature_def"]
    return {
        name: {
            key: (info["dtype"], len(info["tensor_shape"].get("dim", [])))
            for key, info in definition.get("inputs", {}).items()
        }
        for name, definition in definitions.items()
        if name != "half"  # 501 is its answer
    }


@pytest.fixture(scope="module")
def preset():
    source = serving.Source("gan_digits", ROOT / "saved_models" / "gan_digits")
    with running(source) as server, httpx.Client(base_url=server.address, timeout=60) as client:
        yield client


@pytest.mark.parametrize(("name", "seed"), [("toy", 0), ("gan_digits", 1)])
def test_no_request_is_a_fault(client, preset, name, seed):
    asked = client if name == "toy" else preset
    seen = set()
    for request in requests(seed, 250, name, inputs_of(asked, name)):
        reply = asked.request(
            request.method, request.path, content=request.body, headers=request.headers
        )
        assert reply.status_code < 500 or reply.status_code == 503, (request, reply.text)
        seen.add(reply.status_code)
    assert {200, 400, 404} <= seen
    assert asked.get("/healthz").status_code == 200
