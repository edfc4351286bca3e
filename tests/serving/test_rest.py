"""TensorFlow Serving's REST interface, to the letter."""

import json

import pytest
from cases import CASES, exact


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_exchange(any_client, case):
    method, path = case.request.split(" ", 1)
    body = case.body if isinstance(case.body, bytes | None) else json.dumps(case.body).encode()
    response = any_client.request(method, path, content=body, headers=dict(case.headers))
    assert response.status_code == case.status, response.text
    if path.lower().startswith("/v1"):
        assert response.headers["content-type"] == "application/json"
    if case.status != 200 and path.lower().startswith("/v1"):
        reply = response.json()
        assert list(reply) == ["error"]
        assert reply["error"]
        if isinstance(case.reply, str):
            assert reply["error"] == case.reply
    elif case.status == 200 and case.reply is not ...:
        assert exact(json.loads(response.content)) == exact(case.reply)
