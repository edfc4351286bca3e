"""Runs whose files were damaged, whose folder is taken or full, and that were stopped by a signal."""

import json
import os
import re
import resource
import shutil
import signal
import subprocess
import sys

import pytest
import small
from models import large_but
from test_training import assert_equal

import zoo
from zoo.preset import train as training
from zoo.preset.run import Run

SEED = 3


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """A run of three epochs."""
    recipe = {**small.GAN, "training": {**small.GAN["training"], "epochs": 3}}
    out = tmp_path_factory.mktemp("runs") / "gan"
    small.train(recipe, out, seed=SEED)
    return out


@pytest.fixture
def run(whole, tmp_path):
    """A copy to damage."""
    return shutil.copytree(whole, tmp_path / "run")


def resume(out, epochs=4):
    return small.train(None, out, epochs=epochs, resume=True)


def numbers(out):
    return [
        {key: value for key, value in entry.items() if key != "seconds"}
        for entry in Run(out).history
    ]


@pytest.fixture(scope="module")
def longer(whole, tmp_path_factory):
    """The run with a fourth epoch."""
    out = shutil.copytree(whole, tmp_path_factory.mktemp("runs") / "longer")
    return out, resume(out)


def cut(text):
    return text[: len(text) - 20]


DAMAGE = {
    "cut mid-line": cut,
    "NULs": lambda text: cut(text) + b"\0" * 20,
    "empty": lambda text: b"",
    "another type": lambda text: text.replace(b'"epoch": 3', b'"epoch": "3"'),
    "a list": lambda text: text.replace(text.splitlines()[1], b"[1, 2]"),
    "nested": lambda text: text.replace(text.splitlines()[1], b"[" * 100_000),
}
HARMLESS = {
    "a blank line": lambda text: text.replace(b"\n", b"\n\n", 1),
    "a doubled line": lambda text: text.splitlines(keepends=True)[0] + text,
    "a line too many": lambda text: text + text.splitlines()[-1].replace(b"3", b"4", 1) + b"\n",
}


@pytest.mark.parametrize(
    "kind", large_but({"cut mid-line", "nested", "a doubled line"}, [*DAMAGE, *HARMLESS])
)
def test_a_damaged_history_is_made_good(run, kind, longer, caplog):
    path = run / "history.jsonl"
    path.write_bytes({**DAMAGE, **HARMLESS}[kind](path.read_bytes()))
    lost = len(Run(run).recorded_epochs) < 3
    model = resume(run)
    if lost:  # the last epochs are done again
        [warning] = [r.message for r in caplog.records if r.name == "tfgen"]
        assert re.search(r"history\.jsonl .* resumed from .*previous\.keras", warning)
    out, expected = longer
    assert_equal(model, expected)
    assert numbers(run) == numbers(out)


def flipped(text):
    return text[: len(text) // 2] + bytes([text[len(text) // 2] ^ 1]) + text[len(text) // 2 + 1 :]


@pytest.mark.parametrize(
    "damage",
    [flipped, lambda text: text[: len(text) // 2], lambda text: b"", lambda text: b"\0" * 5000],
    ids=["a bit", "cut", "empty", "NULs"],
)
def test_a_damaged_checkpoint_gives_way_to_the_one_before(run, damage, longer, caplog):
    path = run / "checkpoint.keras"
    path.write_bytes(damage(path.read_bytes()))
    model = resume(run)
    [warning] = [r.message for r in caplog.records if r.name == "tfgen"]
    assert re.search(r"must be whole.*checkpoint\.keras.*previous\.keras", warning)
    assert_equal(model, longer[1])
    assert int(zoo.load(run / "previous.keras").epochs) == 3


def test_without_a_whole_checkpoint_a_run_is_refused(run):
    for name in ("checkpoint.keras", "previous.keras"):
        (run / name).write_bytes(b"PK")
    with pytest.raises(ValueError, match=r"checkpoint\.keras.*start the run again in a new folder"):
        resume(run)
    assert (run / "checkpoint.keras").read_bytes() == b"PK"


@pytest.mark.parametrize(
    "damage",
    [
        cut,
        lambda text: b"",
        lambda text: b"\0" * len(text),
        lambda text: b"[]",
        lambda text: text.replace(b'"seed": 3', b'"seed": "3"'),
        lambda text: text.replace(b'"epochs": 3', b'"epochs": null'),
        lambda text: text.replace(b'"recipe"', b'"recite"'),
        lambda text: b"[" * 100_000,
    ],
)
def test_a_damaged_record_is_named_with_what_to_do(run, damage):
    path = run / "run.json"
    path.write_bytes(damage(path.read_bytes()))
    with pytest.raises(ValueError, match=r"another folder, with --init .*Received: .*run\.json"):
        resume(run)


def test_a_checkpoint_of_another_class_is_refused(run, presets):
    for name in ("checkpoint.keras", "previous.keras"):
        shutil.copyfile(presets.parent / "resnet" / "checkpoint.keras", run / name)
    with pytest.raises(ValueError, match=r"must be a GAN, .*Received: a ResNet in .*checkpoint"):
        resume(run)


def test_a_released_preset_is_no_checkpoint(run, presets):
    for name in ("checkpoint.keras", "previous.keras"):
        shutil.copyfile(presets / "cgan_small" / "model.keras", run / name)
    with pytest.raises(ValueError, match="its optimizer's slots, which a released preset does not"):
        resume(run)


TRAINER = """
import json, sys
import zoo.recipes
from zoo import cli
zoo.recipes.digits.RECIPES["small"] = json.loads(sys.argv[1])
cli.main(sys.argv[2:], prog_name="tfgen")
"""


def trainer(out, *options, epochs=2000, **arguments):
    recipe = {**small.GAN, "training": {**small.GAN["training"], "epochs": epochs}}
    command = ["train", "small", "--out", str(out), *options]
    return subprocess.Popen(
        [sys.executable, "-c", TRAINER, json.dumps(recipe), *command],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, **arguments,
    )  # fmt: skip


def first_epoch(process):
    """Waits until the progress bar has ended a first epoch, and returns."""
    for line in process.stdout:
        if "Epoch 3/" in line:
            return


def heeding_interrupts():
    """A shell's background jobs, and so what they start, ignore SIGINT."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_stopped_trainer_says_how_to_go_on(tmp_path, number, code):
    out = tmp_path / "my run"
    process = trainer(out, preexec_fn=heeding_interrupts)
    first_epoch(process)
    with pytest.raises(BlockingIOError, match="one trainer at a time"):  # the folder is taken
        small.train(None, out, resume=True)
    process.send_signal(number)
    _, err = process.communicate()
    assert process.returncode == code, err
    assert err.splitlines()[-1] == (
        "Stopped. To resume from the last whole epoch: "
        f"tfgen train --resume --out '{out.resolve()}'"
    )
    assert "Traceback" not in err
    assert len(Run(out).history) >= 2
    with Run(out).lock():  # the lock went with the process
        pass


def limited():
    resource.setrlimit(resource.RLIMIT_FSIZE, (60_000, 60_000))


def test_a_full_disk_is_said_in_words_and_leaves_nothing_half_written(tmp_path):
    out = tmp_path / "run"
    process = trainer(out, preexec_fn=limited)
    _, err = process.communicate()
    assert process.returncode == 1
    assert err.splitlines()[-1].startswith("Error: A run's folder must be writable, with room")
    assert err.splitlines()[-1].endswith(os.strerror(27))
    assert not any(path.name.startswith(".") for path in out.rglob("*"))
    assert not (out / "checkpoint.keras").exists()
    assert Run(out).record.name == "small"


def test_a_full_disk_keeps_the_last_checkpoint(run, monkeypatch, longer):
    good = (run / "checkpoint.keras").read_bytes()

    def full(self, path):
        path.write_bytes(b"half")
        raise OSError(28, os.strerror(28))

    with monkeypatch.context() as patch:
        patch.setattr(training.tfgen.Unified, "save", full)
        with pytest.raises(OSError, match="--resume --out .* resumes .*No space left"):
            resume(run)
    assert (run / "checkpoint.keras").read_bytes() == good
    assert_equal(resume(run), longer[1])


def test_a_file_is_no_folder(tmp_path):
    (tmp_path / "file").write_text("mine")
    with pytest.raises(OSError, match=r"A run's folder must be writable\. Received: .*file"):
        small.train(small.GAN, tmp_path / "file")
    assert (tmp_path / "file").read_text() == "mine"
