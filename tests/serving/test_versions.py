"""Versions come and go while requests run; a broken one never replaces a good one."""

import shutil
import threading

import pytest

from tfgen.serving.errors import Code, ServingError
from tfgen.serving.registry import KEPT_ENDS, Registry
from tfgen.serving.versions import Policy, Source, State


class Loads:
    """Stands for loading: notes each call, and fails for folders that hold a file `broken`."""

    def __init__(self):
        self.calls = []
        self.seen = None

    def __call__(self, name, version):
        self.calls.append((name, version.number))
        if self.seen is not None:
            self.seen()
        if (version.folder / "broken").exists():
            raise ServingError(Code.DATA_LOSS, "no SavedModel")
        return f"{name}/{version.number}"


@pytest.fixture
def load():
    return Loads()


def folders(root, *numbers, broken=()):
    for number in numbers:
        (root / str(number)).mkdir(parents=True)
        if number in broken:
            (root / str(number) / "broken").touch()


def serving(registry, name="m"):
    return registry.models[name].available()


def test_the_latest_version_replaces_the_one_before(tmp_path, load):
    folders(tmp_path, 1, 2)
    (tmp_path / "notes").mkdir()
    (tmp_path / "9").touch()
    registry = Registry([Source("m", tmp_path)], load)
    registry.poll()
    assert serving(registry) == [2]
    folders(tmp_path, 10)
    load.seen = lambda: load.calls.append(serving(registry))
    registry.poll()
    registry.poll()
    assert load.calls == [("m", 2), ("m", 10), [2]]  # 2 serves while 10 loads
    assert serving(registry) == [10]
    with registry.use("m") as servable:
        assert servable == "m/10"
    assert [(v.number, v.state) for v in registry.status("m")] == [
        (10, State.AVAILABLE), (2, State.END)
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("text", "chosen"),
    [("all", {1, 2, 3}), ("latest:1", {3}), ("latest:2", {2, 3}), ("latest:9", {1, 2, 3}),
     ("1", {1}), ("1,3", {1, 3}), ("4", set())],
)  # fmt: skip
def test_policies(text, chosen):
    assert Policy.parse(text).choose({1, 2, 3}) == chosen


@pytest.mark.parametrize("text", ["", "latest", "latest:0", "1,", "a", "1.0", "-1"])
def test_policies_that_mean_nothing_are_refused(text):
    with pytest.raises(ValueError, match="Received: versions="):
        Policy.parse(text)


def test_a_broken_version_never_replaces_a_good_one(tmp_path, load):
    folders(tmp_path, 1)
    registry = Registry([Source("m", tmp_path)], load)
    registry.poll()
    folders(tmp_path, 2, broken=[2])
    registry.poll()
    registry.poll()
    assert serving(registry) == [1]
    assert load.calls == [("m", 1), ("m", 2)]  # no second attempt at the same files at once
    [broken] = registry.status("m", 2)
    assert (broken.state, broken.code_name, broken.message) == (
        State.END,
        "DATA_LOSS",
        "no SavedModel",
    )
    (tmp_path / "2" / "broken").unlink()
    registry.poll()
    assert serving(registry) == [2]
    assert registry.status("m", 2)[0].code_name == "OK"


def test_of_two_wanted_versions_a_broken_one_keeps_one_old(tmp_path, load):
    folders(tmp_path, 1, 2)
    registry = Registry([Source("m", tmp_path, Policy(latest=2))], load)
    registry.poll()
    folders(tmp_path, 3, 4, broken=[4])
    registry.poll()
    assert serving(registry) == [2, 3]


def test_versions_that_vanish(tmp_path, load):
    folders(tmp_path / "m", 1, 2)
    registry = Registry([Source("m", tmp_path / "m")], load)
    registry.poll()
    shutil.move(tmp_path / "m", tmp_path / "away")
    registry.poll()
    assert serving(registry) == [2]  # the whole path is away: nothing is unloaded
    shutil.move(tmp_path / "away", tmp_path / "m")
    shutil.rmtree(tmp_path / "m" / "2")
    registry.poll()
    assert serving(registry) == [1]
    shutil.rmtree(tmp_path / "m" / "1")
    registry.poll()
    assert serving(registry) == []
    with pytest.raises(ServingError, match=r"Servable not found for request: Latest\(m\)"):
        registry._acquire("m", None)


def test_an_unloaded_version_answers_what_it_began(tmp_path, load):
    folders(tmp_path, 1)
    registry = Registry([Source("m", tmp_path)], load)
    registry.poll()
    with registry.use("m") as servable:
        folders(tmp_path, 2)
        registry.poll()
        assert servable == "m/1"
        assert registry.status("m", 1)[0].state is State.UNLOADING
        with registry.use("m") as newer:
            assert newer == "m/2"
    [ended] = registry.status("m", 1)
    assert (ended.state, ended.servable) == (State.END, None)


def test_ended_versions_are_forgotten_in_time(tmp_path, load):
    registry = Registry([Source("m", tmp_path)], load)
    for number in range(KEPT_ENDS + 5):
        folders(tmp_path, number)
        registry.poll()
        shutil.rmtree(tmp_path / str(number))
    assert len(registry.status("m")) == KEPT_ENDS + 1


def test_lazy_models_load_when_first_asked_for(tmp_path, load):
    folders(tmp_path / "a", 1)
    folders(tmp_path / "b", 1)
    registry = Registry([Source("a", tmp_path / "a"), Source("b", tmp_path / "b")], load, lazy=True)
    registry.poll()
    assert load.calls == []
    assert registry.ready
    assert registry.status("a") == []
    begin = threading.Barrier(4)

    def ask():
        begin.wait()
        with registry.use("b") as servable:
            assert servable == "b/1"

    threads = [threading.Thread(target=ask) for _ in range(4)]
    [thread.start() for thread in threads]
    [thread.join() for thread in threads]
    registry.poll()
    assert load.calls == [("b", 1)]


def test_a_version_folder_is_a_model_of_one_version(tmp_path, load):
    (tmp_path / "7").mkdir()
    (tmp_path / "7" / "saved_model.pb").touch()
    (tmp_path / "plain").mkdir()
    (tmp_path / "plain" / "saved_model.pb").touch()
    assert list(Source("m", tmp_path / "7").folders()) == [7]
    assert list(Source("m", tmp_path / "plain").folders()) == [1]
    assert Source("m", tmp_path / "none").folders() is None


def test_labels_stand_for_loaded_versions_only(tmp_path, load):
    folders(tmp_path, 1, 2)
    labels = (("old", 1), ("new", 2))
    registry = Registry([Source("m", tmp_path, labels=labels)], load)
    registry.poll()
    with registry.use("m", label="new") as servable:
        assert servable == "m/2"
    for label in ("old", "none"):
        with pytest.raises(ServingError, match=f"Unrecognized servable version label: {label}"):
            registry.version_of_label("m", label)


def test_names_that_no_address_can_hold_are_refused(tmp_path, load):
    for name in ("", "a/b", "a:b", "a b"):
        with pytest.raises(ValueError, match="Received: name="):
            Source(name, tmp_path)
    with pytest.raises(ValueError, match="Received: label="):
        Source("m", tmp_path, labels=(("a-b", 1),))
    with pytest.raises(ValueError, match="Received: m twice"):
        Registry([Source("m", tmp_path), Source("m", tmp_path)], load)
