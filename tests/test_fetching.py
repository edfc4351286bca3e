"""Presets fetched from a server on the loopback, faults of the server and of the disk included."""

import http.server
import json
import resource
import shutil
import socket
import subprocess
import sys
import threading
import types
from pathlib import Path

import numpy as np
import pytest

import zoo
from tfgen import home
from zoo.preset import fetch, load

NAME = "cgan_small"
PROCESS = """
import sys
from pathlib import Path

from zoo.preset import fetch

fetch.preset(Path(sys.argv[1]))
"""


class Handler(http.server.SimpleHTTPRequestHandler):
    """Serves a folder; a file under `faults` is answered by the function there."""

    faults = {}
    asked = []

    def do_GET(self):
        self.asked.append(self.path.removeprefix(f"/{NAME}/"))
        fault = self.faults.get(self.asked[-1])
        if fault is None or not fault(self):
            super().do_GET()

    def answer(self, content, length=None):
        self.send_response(200)
        self.send_header("Content-Length", str(len(content) if length is None else length))
        self.end_headers()
        self.wfile.write(content)
        return True

    def log_message(self, *_):
        pass


@pytest.fixture
def server(presets, monkeypatch, tmp_path):
    """The handler's class of a running server, which TFGEN_PRESETS names."""
    handler = type("Served", (Handler,), {"faults": {}, "asked": []})
    running = http.server.ThreadingHTTPServer(
        ("127.0.0.1", 0), lambda *arguments: handler(*arguments, directory=str(presets))
    )
    thread = threading.Thread(target=running.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    monkeypatch.setenv("TFGEN_PRESETS", f"http://127.0.0.1:{running.server_port}")
    yield handler
    running.shutdown()
    thread.join()
    running.server_close()


@pytest.fixture
def card(presets, monkeypatch, tmp_path):
    """Folder of the card alone, as a wheel has it; TFGEN_HOME is empty."""
    folder = tmp_path / "wheel" / NAME
    folder.mkdir(parents=True)
    shutil.copy(presets / NAME / "card.json", folder)
    monkeypatch.setenv("TFGEN_HOME", str(tmp_path / "home"))
    monkeypatch.setattr(load, "_roots", lambda: [folder.parent, home.presets()])
    return folder


def listed(folder):
    return sorted(p.relative_to(folder).as_posix() for p in folder.rglob("*") if p.is_file())


def fetched(folder):
    """What a fetch brings of a preset's folder: its page is made from the card."""
    return [name for name in listed(folder) if name != "README.md"]


def is_absent():
    """Nothing that would pass for the preset, and nothing half-written."""
    whole = json.loads((load._folders()[NAME] / "card.json").read_text())["sha256"]
    target = home.presets() / NAME
    return not (target / "card.json").exists() and set(listed(target)) <= set(whole)


def test_a_preset_is_fetched_once(presets, card, server):
    loaded = zoo.load(NAME)
    assert listed(home.presets() / NAME) == fetched(presets / NAME)
    files = json.loads((card / "card.json").read_text())["sha256"]
    assert sorted(server.asked) == sorted(files)
    assert zoo.locate(NAME) == home.presets() / NAME
    assert len(server.asked) == len(files)
    np.testing.assert_array_equal(loaded.sample(2), zoo.load(presets / NAME).sample(2))


def test_a_preset_of_another_release_is_fetched_again(presets, card, server):
    zoo.locate(NAME)
    kept = home.presets() / NAME / "card.json"
    kept.write_text(kept.read_text().replace('"model.keras": "', '"model.keras": "0'))
    server.asked.clear()
    zoo.locate(NAME)
    assert server.asked == []  # every file is as this release has it
    assert kept.read_bytes() == (presets / NAME / "card.json").read_bytes()


def cut(handler):
    return handler.answer(b"half", length=1000)


FAULTS = {
    "cut": (cut, ConnectionError, "fetched once, from http.*model.keras.*TFGEN_PRESETS"),
    "altered": (
        lambda h: h.answer(b"altered"),
        ValueError,
        "checksum of its card, sha256 .* Received",
    ),
    "missing": (lambda h: h.send_error(404) or True, ConnectionError, "404"),
    "broken": (lambda h: h.send_error(500) or True, ConnectionError, "500"),
}


@pytest.mark.parametrize(("fault", "error", "message"), FAULTS.values(), ids=FAULTS)
def test_a_fault_leaves_no_preset_and_the_next_fetch_goes_on(card, server, fault, error, message):
    server.faults["model.keras"] = fault
    with pytest.raises(error, match=message):
        zoo.load(NAME)
    assert is_absent()
    before = server.asked[:-1]
    server.asked.clear()
    server.faults.clear()
    zoo.locate(NAME)
    assert server.asked[0] == "model.keras"
    assert not set(before) & set(server.asked)


def test_a_server_that_falls_silent_is_given_up(card, server, monkeypatch):
    monkeypatch.setattr(fetch, "_TIMEOUT", 0.2)
    released = threading.Event()
    server.faults["model.keras"] = lambda handler: released.wait(60)
    with pytest.raises(ConnectionError, match="must be within reach"):
        zoo.load(NAME)
    released.set()
    assert is_absent()


def test_offline_is_one_sentence(card, monkeypatch):
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        port = unused.getsockname()[1]
    monkeypatch.setenv("TFGEN_PRESETS", f"http://127.0.0.1:{port}/presets/")
    with pytest.raises(ConnectionError, match=rf"from http://127.0.0.1:{port}/presets/{NAME}/"):
        zoo.load(NAME)


def test_a_full_disk_is_one_sentence(card, server):
    """A file may have no more than 1000 bytes."""
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, limits[1]))
    try:
        with pytest.raises(OSError, match="must be written to .*TFGEN_HOME"):
            zoo.load(NAME)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert is_absent()


def test_two_processes_fetch_at_once(presets, card, server):
    both = threading.Barrier(2, timeout=120)
    server.faults["model.keras"] = lambda handler: both.wait() is None
    command = [sys.executable, "-c", PROCESS, card]
    running = [subprocess.Popen(command, stderr=subprocess.PIPE, text=True) for _ in range(2)]
    for process in running:
        _, errors = process.communicate()
        assert process.returncode == 0, errors
    assert server.asked.count("model.keras") == 2
    assert listed(home.presets()) == [f"{NAME}/{name}" for name in fetched(presets / NAME)]


def test_a_card_cannot_name_files_elsewhere(card, server):
    text = json.loads((card / "card.json").read_text())
    text["sha256"] = {"../above": "0" * 64, **text["sha256"]}
    (card / "card.json").write_text(json.dumps(text))
    with pytest.raises(ValueError, match=r"lie in its folder. Received: '\.\./above'"):
        zoo.load(NAME)
    assert server.asked == []


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("", "https://huggingface.co/tfgen-zoo/presets/resolve/main/a/b"),
        ("hf://me/mine", "https://huggingface.co/me/mine/resolve/main/a/b"),
        ("https://example.org/x/", "https://example.org/x/a/b"),
    ],
)
def test_the_place_is_one_setting(monkeypatch, source, expected):
    monkeypatch.setenv("TFGEN_PRESETS", source)
    monkeypatch.delenv("HF_ENDPOINT", raising=False)
    assert fetch.address("a", "b") == expected


@pytest.mark.parametrize("source", ["hf://mine", "hf://../..", "file:///etc", "ftp://a/b", "a"])
def test_other_places_are_refused(monkeypatch, source):
    monkeypatch.setenv("TFGEN_PRESETS", source)
    with pytest.raises(ValueError, match="TFGEN_PRESETS must be a URL or hf://owner/repository"):
        fetch.address("a", "b")


def test_a_repository_comes_as_files_without_programs(presets, card, monkeypatch):
    """The Hub's client is given a folder, where it writes files, and the names of those wanted."""

    def snapshot_download(name, local_dir, allow_patterns):
        assert name == "me/mine"
        for pattern in allow_patterns:
            Path(local_dir).mkdir(parents=True, exist_ok=True)
            shutil.copy(presets / NAME / pattern, local_dir)

    hub = types.SimpleNamespace(snapshot_download=snapshot_download)
    monkeypatch.setitem(sys.modules, "huggingface_hub", hub)
    loaded = zoo.load("hf://me/mine")
    np.testing.assert_array_equal(loaded.sample(2), zoo.load(presets / NAME).sample(2))
    assert listed(home.folder()) == [
        f"hub/me--mine/{name}" for name in ("README.md", "card.json", "model.keras", "samples.png")
    ]
    hub.snapshot_download = lambda *_, **__: 1 / 0
    with pytest.raises(ConnectionError, match="Received: 'hf://me/mine', ZeroDivisionError"):
        zoo.load("hf://me/mine")
