"""`tfgen serve`: one line, an answer, a clean end; and plain refusals."""

import json
import os
import shlex
import shutil
import signal
import socket
import subprocess
import sys
from pathlib import Path

import httpx
import numpy as np
import pytest
from click.testing import CliRunner

import zoo
from zoo import cli
from zoo.cli.serving import _locate

ROOT = Path(__file__).parents[2]


def refusal(*arguments):
    result = CliRunner().invoke(cli.main, ["serve", *map(str, arguments)])
    assert result.exit_code == 1, result.output
    assert not result.stdout
    return result.stderr


@pytest.fixture(scope="module")
def process(tmp_path_factory):
    """`tfgen serve` of a model file, exported first, and a broken folder, and the line that it printed."""
    broken = tmp_path_factory.mktemp("broken") / "1"
    broken.mkdir()
    (broken / "saved_model.pb").write_bytes(b"no protobuf")
    command = [sys.executable, "-m", "zoo.cli", "serve", f"bad={broken.parent}"]
    command += ["gan_digits=saved_models/gan_digits/model.keras", "--port", "0", "--grpc-port", "0"]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    home = {**os.environ, "TFGEN_HOME": str(broken.parent / "home")}
    with subprocess.Popen(command, cwd=ROOT, env=home, **pipes) as server:
        yield server, server.stdout.readline()
        server.kill()


def test_the_line_is_pasted_and_a_picture_comes(process):
    server, line = process
    place, _, paste = line.partition("   try: ")
    address = place.removeprefix("bad, gan_digits at ")
    assert address.startswith("http://127.0.0.1:")
    words = shlex.split(paste)
    assert words[:2] == ["curl", "-d"]
    assert words[3].startswith(f"{address}/v1/models/gan_digits:predict")
    reply = httpx.post(words[3], content=words[2], timeout=60)
    assert reply.status_code == 200
    body = {"signature_name": "sample", "inputs": {"n": 2, "seed": 3}}
    images = httpx.post(words[3], json=body, timeout=60).json()["outputs"]
    np.testing.assert_allclose(images, zoo.load("gan_digits").sample(2, seed=3), atol=1e-5)


def test_a_wrong_rank_leaves_the_server_alive(process):
    url = process[1].split()[-1]
    body = {"signature_name": "discriminate", "instances": [[[0.5] * 8] * 8]}
    for _ in range(2):
        reply = httpx.post(url, json=body, timeout=60)
        assert reply.status_code == 400
        assert "shape (None, 8, 8, 1)" in reply.json()["error"]


def test_sigterm_answers_what_was_accepted(process):
    server, line = process
    url = httpx.URL(line.split()[-1])
    body = json.dumps({"signature_name": "sample", "inputs": {"n": 1, "seed": 0}})
    head = f"POST {url.path} HTTP/1.1\r\nHost: x\r\nContent-Length: {len(body)}\r\n\r\n"
    with socket.create_connection((url.host, url.port), timeout=60) as client:
        client.sendall((head + body[:10]).encode())
        assert httpx.get(url.join("/readyz"), timeout=60).status_code in (200, 503)
        server.send_signal(signal.SIGTERM)
        client.sendall(body[10:].encode())
        assert client.recv(1000).startswith(b"HTTP/1.1 200 OK")
    assert server.wait(60) == 0
    assert server.stdout.read() == ""
    [complaint] = server.stderr.read().splitlines()
    assert "bad 1 failed to load: " in complaint


def test_refusals(tmp_path):
    assert "nearest preset is 'gan_digits'" in refusal("gan_digit")
    assert "Received: versions='newest'" in refusal("gan_digits", "--versions", "newest")
    assert "Received: label='gan_digits'" in refusal("gan_digits", "--label", "gan_digits")
    assert "Received: name='a b'" in refusal("a b=gan_digits")
    assert "Received: gan_digits twice" in refusal("gan_digits", "gan_digits")
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        assert "in use" in refusal("gan_digits", "--port", port, "--grpc-port", 0)
        assert f"127.0.0.1:{port}" in refusal("gan_digits", "--port", 0, "--grpc-port", port)


def test_a_model_is_a_preset_or_a_folder(tmp_path, monkeypatch):
    preset = ROOT / "saved_models" / "gan_digits"
    assert _locate("gan_digits") == ("gan_digits", preset)
    assert _locate("mine=gan_digits") == ("mine", preset)
    assert _locate(str(preset)) == ("gan_digits", preset)
    assert _locate(str(preset / "1")) == ("gan_digits", preset / "1")
    monkeypatch.chdir(preset)
    assert _locate(".") == ("gan_digits", preset)
    assert _locate("1") == ("gan_digits", preset / "1")
    equals = tmp_path / "a=b"
    (equals / "1").mkdir(parents=True)
    assert _locate(str(equals)) == ("a=b", equals)


def test_the_server_listens_on_loopback_alone_unless_told():
    assert {o.name: o.default for o in cli.main.commands["serve"].params}["host"] == "127.0.0.1"


def test_a_preset_without_a_savedmodel_and_a_keras_file_are_exported_once(tmp_path, monkeypatch):
    monkeypatch.setenv("TFGEN_HOME", str(tmp_path / "home"))
    preset = tmp_path / "gan_digits"
    shutil.copytree(
        ROOT / "saved_models" / "gan_digits", preset, ignore=shutil.ignore_patterns("1")
    )
    name, folder = _locate(str(preset))
    assert (name, folder.name) == ("gan_digits", "gan_digits")
    written = (folder / "1" / "saved_model.pb").stat().st_mtime_ns
    assert _locate(f"mine={preset}") == ("mine", folder)
    assert (folder / "1" / "saved_model.pb").stat().st_mtime_ns == written
    file = tmp_path / "file.keras"
    shutil.copy(preset / "model.keras", file)
    name, folder = _locate(str(file))
    assert name == "file"
    assert (folder / "1" / "saved_model.pb").is_file()
