"""The Open Inference Protocol and the OpenAPI document, made of the same signatures."""

import json

import pytest

INFER = "/v2/models/toy.pair/infer"


def tensor(name, datatype, shape, data, **more):
    return {"name": name, "datatype": datatype, "shape": shape, "data": data, **more}


A, B = tensor("a", "FP32", [1, 2], [1, 2]), tensor("b", "INT32", [1], [3])


def test_server(client):
    reply = client.get("/v2").json()
    assert (reply["name"], reply["extensions"]) == ("tfgen", [])
    assert client.get("/v2/health/live").json() == {"live": True}
    assert client.get("/v2/health/ready").json() == {"ready": True}


def test_metadata(client):
    assert client.get("/v2/models/toy.pair").json() == {
        "name": "toy.pair",
        "versions": ["1", "2"],
        "platform": "tensorflow_savedmodel",
        "inputs": [
            {"name": "a", "datatype": "FP32", "shape": [-1, 2]},
            {"name": "b", "datatype": "INT32", "shape": [-1]},
        ],
        "outputs": [
            {"name": "sum", "datatype": "FP32", "shape": [-1, 2]},
            {"name": "twice", "datatype": "INT32", "shape": [-1]},
        ],
    }
    assert client.get("/v2/models/toy/ready").json() == {"name": "toy", "ready": True}


@pytest.mark.parametrize("data", [[1, 2], [[1, 2]]])
def test_infer_flat_or_nested(client, data):
    inputs = [tensor("a", "FP32", [1, 2], data), B]
    body = {"id": "7", "inputs": inputs, "outputs": [{"name": "twice"}, {"name": "sum"}]}
    assert client.post(INFER, json=body).json() == {
        "model_name": "toy.pair",
        "model_version": "2",
        "id": "7",
        "outputs": [tensor("twice", "INT32", [1], [6]), tensor("sum", "FP32", [1, 2], [4.0, 5.0])],
    }


def test_versions_and_the_default_signature(client):
    body = {"inputs": [tensor("x", "FP32", [1, 2], [2, 4])]}
    for path, values in (("toy", [1.0, 2.0]), ("toy/versions/1", [20.0, 40.0])):
        assert (
            client.post(f"/v2/models/{path}/infer", json=body).json()["outputs"][0]["data"]
            == values
        )


def test_bytes(client):
    parameters = {"content_type": "base64", "more": 1}
    packed = tensor("image_bytes", "BYTES", [1], ["AP8="], parameters=parameters)
    plain = tensor("image_bytes", "BYTES", [1], ["ab"])
    for entry, encoded in ((packed, "AP8="), (plain, "YWI=")):
        reply = client.post("/v2/models/toy.pictures/infer", json={"inputs": [entry]}).json()
        image, length = reply["outputs"]
        assert (image["data"], image["parameters"]) == ([encoded], {"content_type": "base64"})
        assert length["data"] == [2]


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [
        (INFER, {}, 400),
        (INFER, {"inputs": [A]}, 400),
        (INFER, {"inputs": [A, B, tensor("c", "FP32", [1], [1])]}, 400),
        (INFER, {"inputs": [A, tensor("b", "INT64", [1], [3])]}, 400),
        (INFER, {"inputs": [A, tensor("b", "INT32", [2], [3])]}, 400),
        (INFER, {"inputs": [A, tensor("b", "INT32", [10**12], [3])]}, 400),
        (INFER, {"inputs": [A, tensor("b", "INT32", [-1], [3])]}, 400),
        (INFER, {"inputs": [A, tensor("b", "INT32", 1, [3])]}, 400),
        (INFER, {"inputs": [A, tensor("b", "INT32", [1], [3.5])]}, 400),
        (INFER, {"inputs": [A, B], "outputs": [{"name": "none"}]}, 400),
        (INFER, {"inputs": [A, B], "outputs": "all"}, 400),
        (INFER, {"inputs": [A, B, B]}, 400),
        (INFER, {"inputs": "all"}, 400),
        ("/v2/models/toy.none/infer", {"inputs": [A]}, 400),
        ("/v2/models/none/infer", {"inputs": [A]}, 404),
        ("/v2/models/toy/versions/9/infer", {"inputs": [A]}, 404),
        ("/v2/elsewhere", {}, 404),
    ],
)
def test_refusals(client, path, body, status):
    reply = client.post(path, json=body)
    assert reply.status_code == status
    assert list(reply.json()) == ["error"]


def test_the_openapi_document_says_how_to_ask(client):
    """Each example in it is a request that is answered."""
    document = client.get("/openapi.json").json()
    assert document["openapi"] == "3.1.0"
    asked = 0
    for path, methods in document["paths"].items():
        if "get" in methods:
            assert client.get(path).status_code == 200
            continue
        content = methods["post"]["requestBody"]["content"]["application/json"]
        titles = {one["title"] for one in content["schema"]["oneOf"]}
        for name, example in content.get("examples", {}).items():
            assert name in titles
            expected = 501 if name == "half" else 400 if "examples" in path else 200
            assert client.post(path, json=example["value"]).status_code == expected, (path, name)
            asked += 1
    assert asked > 15
    [columns, rows] = next(
        one["oneOf"] for one in content_of(document, "toy") if one["title"] == "cube"
    )
    assert columns["required"] == ["signature_name", "inputs"]
    assert json.dumps(rows["properties"]["instances"]).count('"maxItems"') == 6


def content_of(document, name):
    post = document["paths"][f"/v1/models/{name}:predict"]["post"]
    return post["requestBody"]["content"]["application/json"]["schema"]["oneOf"]
