"""Limits, token, health and metrics of the HTTP server."""

import base64
import contextlib
import gzip
import json
import re
import socket
import threading

import httpx
import numpy as np
import pytest
from running import running

from tfgen import serving

PREDICT = "/v1/models/toy:predict"


@pytest.fixture(scope="module")
def small(toys_folder):
    """A server with small limits and a token."""
    limits = serving.Limits(body=1000, reply=32, rows=4, seconds=4)
    source = serving.Source("toy", toys_folder / "toy")
    with (
        running(source, limits=limits, token="secret") as server,
        httpx.Client(base_url=server.address, headers={"authorization": "Bearer secret"}) as client,
    ):
        yield client


def test_errors_quote_256_bytes(client):
    [word] = json.loads(client.post(PREDICT, json={"instances": ["é" * 500]}).content).values()
    quoted = word.removeprefix("JSON Value: ").split(" Type: ")[0]
    assert 250 <= len(quoted.encode()) <= 256


def test_label(client):
    response = client.post("/v1/models/toy/labels/stable:predict", json={"instances": [[2, 4]]})
    assert response.json() == {"predictions": [[20.0, 40.0]]}
    assert (
        client.get("/v1/models/toy/labels/stable").json()["model_version_status"][0]["version"]
        == "1"
    )


def test_metadata(client):
    reply = client.get("/v1/models/toy/versions/2/metadata").json()
    assert reply["model_spec"] == {"name": "toy", "signature_name": "", "version": "2"}
    definitions = reply["metadata"]["signature_def"]["signature_def"]
    info = definitions["pair"]["inputs"]["b"]
    assert info["dtype"] == "DT_INT32"
    assert info["tensor_shape"] == {"dim": [{"size": "-1", "name": ""}], "unknown_rank": False}
    assert definitions["pair"]["method_name"] == "tensorflow/serving/predict"


def test_list_of_models(client):
    toy, examples = client.get("/v1/models").json()["models"]
    assert (toy["name"], examples["name"]) == ("toy", "examples")
    assert [v["version"] for v in toy["model_version_status"]] == ["2", "1"]
    assert toy["version_labels"] == {"stable": "1"}


@pytest.mark.parametrize("extra", [0, 1])
def test_bodies_are_bounded_packed_and_unpacked(small, extra):
    body = b'{"instances": [[2, 4]]}'
    padded = body + b" " * (1000 - len(body) + extra)
    expected = 413 if extra else 200
    assert small.post(PREDICT, content=padded).status_code == expected
    assert small.post(PREDICT, content=iter([padded])).status_code == expected  # no Content-Length
    packed = {"content-encoding": "gzip"}
    assert (
        small.post(PREDICT, content=gzip.compress(padded), headers=packed).status_code == expected
    )
    bomb = gzip.compress(b" " * 10_000_000)
    assert small.post(PREDICT, content=bomb[:900], headers=packed).status_code == 413


@pytest.mark.parametrize("body", [b"no gzip", gzip.compress(b"{}")[:-9]], ids=["other", "cut"])
def test_damaged_gzip_is_refused(small, body):
    response = small.post(PREDICT, content=body, headers={"content-encoding": "gzip"})
    assert response.status_code == 400
    assert response.json()["error"].startswith("The body is no gzip")
    assert small.post(PREDICT, content=b"", headers={"content-encoding": "br"}).status_code == 400


def test_rows_are_bounded(small):
    assert small.post(PREDICT, json={"instances": [[2, 4]] * 4}).status_code == 200
    response = small.post(PREDICT, json={"instances": [[2, 4]] * 5})
    assert response.status_code == 400
    assert response.json()["error"] == "Input x must have 1 to 4 rows. Received: 5 rows"


@pytest.mark.parametrize(("rows", "status"), [(2, 200), (3, 429)])
def test_replies_are_bounded(small, rows, status):
    """A row of `pair` has 12 bytes, a reply of this server at most 32."""
    inputs = {"a": [[1, 2]] * rows, "b": [3] * rows}
    reply = small.post(PREDICT, json={"signature_name": "pair", "inputs": inputs})
    assert reply.status_code == status
    if status == 429:
        assert reply.json() == {"error": "A reply has at most 32 bytes. Received: 36 bytes"}


def test_token(small):
    for header in ("", "Bearer", "Bearer wrong", "Basic secret", "Bearer secrét"):
        headers = {"authorization": header.encode()}
        for path in ("/v1/models", "/metrics", "/openapi.json", "/v2", "/v1/models/toy"):
            response = small.get(path, headers=headers)
            assert (response.status_code, response.headers["www-authenticate"]) == (401, "Bearer")
    assert small.get("/v1/models", headers={"authorization": "bearer secret"}).status_code == 200
    for path in ("/healthz", "/readyz"):
        assert small.get(path, headers={"authorization": ""}).status_code == 200


def test_a_slow_body_is_given_up(small):
    """The head says 100 bytes and 1 comes; others are answered meanwhile."""
    port = small.base_url.port
    lines = (
        f"POST {PREDICT} HTTP/1.1",
        "Host: x",
        "Authorization: Bearer secret",
        "Content-Length: 100",
    )
    head = "\r\n".join((*lines, "", "{"))
    with socket.create_connection(("127.0.0.1", port), timeout=30) as slow:
        slow.sendall(head.encode())
        assert small.post(PREDICT, json={"instances": [[2, 4]]}).status_code == 200
        assert slow.recv(100).startswith(b"HTTP/1.1 408 ")


def test_a_full_queue_answers_503_and_when_to_come_back(toys_folder):
    limits = serving.Limits(concurrency=1, queue=0)
    source = serving.Source("toy", toys_folder / "toy")
    with running(source, limits=limits) as server, httpx.Client(base_url=server.address) as client:
        hold, held = threading.Event(), threading.Event()

        def predict(*_):
            held.set()
            hold.wait(30)
            return [{"y": np.zeros((1, 2), "f")}]

        with server.service.registry.use("toy") as servable:
            servable.predict_together = predict
        replies = []
        body = {"instances": [[2, 4]]}
        thread = threading.Thread(
            target=lambda: replies.append(httpx.post(f"{server.address}{PREDICT}", json=body))
        )
        thread.start()
        assert held.wait(30)
        refused = client.post(PREDICT, json=body)
        hold.set()
        thread.join()
        assert (refused.status_code, refused.headers["retry-after"]) == (503, "1")
        assert replies[0].status_code == 200


def test_too_long_a_call_is_given_up_with_504(toys_folder):
    source = serving.Source("toy", toys_folder / "toy")
    limits = serving.Limits(seconds=0.2)
    with running(source, limits=limits) as server, httpx.Client(base_url=server.address) as client:
        hold = threading.Event()
        with server.service.registry.use("toy") as servable:
            servable.predict_together = lambda *_: hold.wait(30)
        response = client.post(PREDICT, json={"instances": [[2, 4]]})
        hold.set()
        assert response.status_code == 504


def test_metrics_count_requests_by_outcome(client):
    def count(text, code):
        labels = f'code="{code}",model="toy",protocol="rest",signature="log"'
        lines = dict(line.rsplit(" ", 1) for line in text.splitlines() if not line.startswith("#"))
        return float(lines.get(f"tfgen_requests_total{{{labels}}}", 0))

    before = client.get("/metrics").text
    client.post(PREDICT, json={"signature_name": "log", "instances": [1.0]})
    client.post(PREDICT, json={"signature_name": "log", "instances": ["a"]})
    after = client.get("/metrics").text
    assert count(after, "OK") - count(before, "OK") == 1
    assert count(after, "INVALID_ARGUMENT") - count(before, "INVALID_ARGUMENT") == 1
    assert 'tfgen_version_available{model="toy",version="2"} 1.0' in after


def test_loading_answers_200_and_is_not_ready(toys_folder, monkeypatch):
    hold, entered = threading.Event(), threading.Event()
    real = serving.server.Servable

    def slow(*arguments):
        entered.set()
        hold.wait(30)
        return real(*arguments)

    monkeypatch.setattr(serving.server, "Servable", slow)
    source = serving.Source("toy", toys_folder / "toy")
    server = serving.Server(serving.service([source]), port=0)
    loaded = threading.Event()
    thread = threading.Thread(target=server.run, args=(loaded.set,))
    thread.start()
    with httpx.Client(base_url=server.address, timeout=30) as client:
        assert entered.wait(30)
        [status] = client.get("/v1/models/toy").json()["model_version_status"]
        assert (status["version"], status["state"]) == ("2", "LOADING")
        assert client.get("/readyz").status_code == 503
        assert client.get("/healthz").status_code == 200
        assert client.post(PREDICT, json={"instances": [[2, 4]]}).status_code == 404
        hold.set()
        assert loaded.wait(30)
        assert client.get("/readyz").status_code == 200
        assert client.post(PREDICT, json={"instances": [[2, 4]]}).status_code == 200
    server.end()
    thread.join()


def test_base64_without_padding_is_read(client):
    body = {
        "signature_name": "pictures",
        "instances": [{"b64": base64.b64encode(b"a").decode()[:-2]}],
    }
    assert client.post(PREDICT, json=body).json()["predictions"][0]["length"] == 1


def test_an_offer_to_upgrade_is_ignored(client):
    offer = {
        "connection": "Upgrade, HTTP2-Settings",
        "upgrade": "h2c",
        "http2-settings": "AAMAAABk",
    }
    reply = client.post(PREDICT, json={"instances": [[2, 4]]}, headers=offer)
    assert reply.json() == {"predictions": [[1.0, 2.0]]}


def test_a_body_that_reads_like_an_offer_keeps_its_length(client):
    """Else its last bytes would be the beginning of the connection's next request."""
    body = b'{"instances":\r\nUpgrade: h2c}'
    head = f"POST {PREDICT} HTTP/1.1\r\nHost: x\r\nContent-Length: {len(body)}\r\n\r\n".encode()
    following = b"GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
    for segments in ([head + body, following], [head, body, following]):
        with socket.create_connection(("127.0.0.1", client.base_url.port), timeout=30) as one:
            for segment in segments:
                one.sendall(segment)
            replies = b"".join(iter(lambda: one.recv(4096), b""))
        assert re.findall(rb"HTTP/1.1 (\d+)", replies) == [b"400", b"200"]


def test_the_head_of_a_request_is_bounded(client, server):
    """An endless header is rejected, without effect on other clients."""
    with socket.create_connection(("127.0.0.1", client.base_url.port), timeout=30) as endless:
        endless.sendall(b"GET /v1/models HTTP/1.1\r\nHost: x\r\nX: ")
        with contextlib.suppress(ConnectionError):
            for _ in range(64):
                endless.sendall(b"x" * 16 * 1024)
        assert endless.recv(100).startswith(b"HTTP/1.1 400 ")
    assert client.get("/healthz").status_code == 200
    long = {"X": "x" * 32 * 1024}
    assert client.get("/healthz", headers=long).status_code == 200
    body = json.dumps({"instances": [[2, 4]] * 10_000})
    assert client.post(PREDICT, content=body).status_code == 400  # of its rows, not of its length
