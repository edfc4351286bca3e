"""Presets fetched from a server on the loopback, faults of the server and of the disk included."""

import contextlib
import http.server
import json
import resource
import shutil
import socket
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

import zoo
from tfgen import home
from tfgen.evaluation.evaluator import load_evaluator
from zoo import cli
from zoo.cli import loading
from zoo.preset import fetch, load, resume

NAME = "cgan_small"
PROCESS = """
import sys
from pathlib import Path

from zoo.preset import fetch

print("begun", flush=True)
fetch.preset(Path(sys.argv[1]))
"""


class Handler(http.server.SimpleHTTPRequestHandler):
    """Serves a folder; a file under `faults` is answered by the function there."""

    faults: dict[str, Callable]
    asked: list[str]
    ranges: list[str | None]

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
    handler = type("Served", (Handler,), {"faults": {}, "asked": [], "ranges": []})
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


# A page is made from the card, and a SavedModel of the weights.
FETCHED = ["card.json", "model.keras", "samples.png"]


def is_absent():
    """Nothing that would pass for the preset, and nothing half-written."""
    whole = json.loads((load._folders()[NAME] / "card.json").read_text())["sha256"]
    target = home.presets() / NAME
    known = {*whole, *(f"{name}.part" for name in whole)}
    return not (target / "card.json").exists() and set(listed(target)) <= known


def test_a_preset_is_fetched_once(presets, card, server):
    loaded = zoo.load(NAME)
    assert listed(home.presets() / NAME) == FETCHED
    assert server.asked == ["model.keras", "samples.png"]
    assert zoo.locate(NAME) == home.presets() / NAME
    assert len(server.asked) == 2
    np.testing.assert_array_equal(loaded.sample(2), zoo.load(presets / NAME).sample(2))


def test_a_card_is_read_without_a_fetch(presets, card, server):
    found = zoo.card(NAME)
    assert found == zoo.card(presets / NAME)
    ended = CliRunner().invoke(cli.main, ["info", NAME, "--json"])
    assert ended.exit_code == 0, ended.output
    assert json.loads(ended.output)["sha256"] == found["sha256"]
    assert server.asked == []


def test_evaluating_fetches_the_evaluator_with_what_scores(presets, card, server):
    """Its SavedModel is needed, which scores without Keras."""
    other = card.with_name("resnet_small")
    other.mkdir()
    shutil.copy(presets / other.name / "card.json", other)
    loading.fetch_evaluators("small")
    found = load_evaluator(home.presets() / other.name)
    assert found.image_shape == (8, 8, 1)


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


def ranged(handler):
    """Answer a request for a range by the rest, and note it."""
    asked = handler.headers["Range"]
    handler.ranges.append(asked)
    whole = Path(handler.translate_path(handler.path)).read_bytes()
    if asked is None:
        return handler.answer(whole[:5000], length=len(whole))
    start = int(asked.removeprefix("bytes=").removesuffix("-"))
    if start >= len(whole):
        return handler.send_error(416) or True
    handler.send_response(206)
    handler.send_header("Content-Range", f"bytes {start}-{len(whole) - 1}/{len(whole)}")
    handler.send_header("Content-Length", str(len(whole) - start))
    handler.end_headers()
    handler.wfile.write(whole[start:])
    return True


def test_a_cut_file_is_gone_on_with_at_the_byte(presets, card, server):
    server.faults["model.keras"] = ranged
    with pytest.raises(ConnectionError):
        zoo.locate(NAME)
    part = home.presets() / NAME / "model.keras.part"
    assert part.stat().st_size == 4096  # the last chunk is lost
    zoo.load(NAME)
    assert server.ranges == [None, "bytes=4096-"]
    assert not part.exists()


@pytest.mark.parametrize("left", ["longer than the file", "of another file"])
def test_what_is_no_part_of_the_file_is_dropped(presets, card, server, left):
    size = (presets / NAME / "model.keras").stat().st_size
    part = home.presets() / NAME / "model.keras.part"
    part.parent.mkdir(parents=True)
    part.write_bytes(b"x" * (2 * size if left == "longer than the file" else 5000))
    server.faults["model.keras"] = ranged
    for _ in range(2):  # the first fails by the checksum, or starts again and is cut
        with contextlib.suppress(ValueError, ConnectionError):
            zoo.locate(NAME)
    zoo.load(NAME)
    assert server.ranges[0] == f"bytes={2 * size if left == 'longer than the file' else 5000}-"


def endless(handler):
    handler.send_response(200)
    handler.end_headers()
    with contextlib.suppress(OSError):
        while True:
            handler.wfile.write(b"x" * 65536)
    return True


@pytest.mark.parametrize(
    "fault", [endless, lambda handler: handler.answer(b"", length=1 << 40)], ids=["sent", "stated"]
)
def test_a_file_larger_than_its_card_says_is_refused(card, server, fault):
    size = json.loads((card / "card.json").read_text())["bytes"]
    server.faults["model.keras"] = fault
    with pytest.raises(ValueError, match=rf"at most the {size} bytes .* Received: more from http"):
        zoo.load(NAME)
    assert listed(home.presets()) == []


def test_a_server_that_falls_silent_is_given_up(card, server, monkeypatch):
    monkeypatch.setattr(resume, "TIMEOUT", 0.2)
    released = threading.Event()
    server.faults["model.keras"] = lambda handler: released.wait(60)
    with pytest.raises(ConnectionError, match="must be reachable"):
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


def test_of_two_processes_one_fetches_and_both_have_it(presets, card, server):
    both = threading.Event()
    server.faults["model.keras"] = lambda handler: not both.wait(120)
    command, pipes = [sys.executable, "-c", PROCESS, card], {"stdout": -1, "stderr": -1}
    running = [subprocess.Popen(command, **pipes, text=True) for _ in range(2)]
    for process in running:
        assert process.stdout.readline() == "begun\n"
    both.set()
    for process in running:
        _, errors = process.communicate()
        assert process.returncode == 0, errors
    assert server.asked == ["model.keras", "samples.png"]
    assert listed(home.presets()) == [f"{NAME}/{name}" for name in FETCHED]


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
