"""Records of `tfgen reproduce`: lines that survive a crash, seeds that merge to pairs."""

import json

import pytest
from recorded import record

from zoo.studies.reproduce import records


def test_a_torn_line_is_passed_over_and_then_overwritten(tmp_path):
    records.append(tmp_path, record(seed=0))
    path = tmp_path / "gan_digits.jsonl"
    path.write_text(path.read_text() + '{"cell": "gan_di')
    assert [r["seed"] for r in records.read(tmp_path, "gan_digits")] == [0]
    records.append(tmp_path, record(seed=1))
    assert [r["seed"] for r in records.read(tmp_path, "gan_digits")] == [0, 1]
    assert len(path.read_text().splitlines()) == 2


def test_a_whole_last_line_without_its_end_is_kept(tmp_path):
    path = tmp_path / "gan_digits.jsonl"
    path.write_text(json.dumps(record(seed=0)))
    assert [r["seed"] for r in records.read(tmp_path, "gan_digits")] == [0]
    records.append(tmp_path, record(seed=1))
    assert [r["seed"] for r in records.read(tmp_path, "gan_digits")] == [0, 1]


@pytest.mark.parametrize(
    "line",
    [
        json.dumps(record(cell="gan_mnist")).encode(),
        b'{"cell": "gan_digits"}',
        json.dumps(record(seed="0")).encode(),
        json.dumps({**record(), "scores": None}).encode(),
        b"[]",
        b"\xff\xfe",
    ],
)
def test_a_line_that_is_no_record_of_the_cell_is_refused(tmp_path, line):
    (tmp_path / "gan_digits.jsonl").write_bytes(
        json.dumps(record()).encode() + b"\n" + line + b"\n"
    )
    with pytest.raises(ValueError, match="a record of gan_digits. Received: line 2 of"):
        records.read(tmp_path, "gan_digits")


def test_a_score_that_is_no_number_is_not_recorded(tmp_path):
    records.append(tmp_path, record())
    with pytest.raises(ValueError, match="finite. Received: fid=nan"):
        records.append(tmp_path, record(seed=1, scores={"fid": float("nan")}))
    assert len(records.read(tmp_path, "gan_digits")) == 1


def test_the_arms_of_a_seed_come_from_one_machine():
    other = {"machine": {"processor": "Q", "cores": 1}, "ended": "2025-01-01T00:00:00+00:00"}
    lone, one, two = record(**other), record("GAN"), record()
    assert records.merge([lone, one, two]) == {0: {"GAN": one, "IWGAN": two}}
    assert records.merge([lone]) == {0: {"IWGAN": lone}}


def test_the_files_of_several_machines_are_read_together(tmp_path):
    here, there = record(seed=0), record(seed=1, machine={"processor": "Q", "cores": 1})
    records.append(tmp_path, here)
    records.append(tmp_path / "there", there)
    (tmp_path / "there" / "gan_digits.jsonl").rename(tmp_path / "gan_digits.gpu.jsonl")
    (tmp_path / "gan_digits_2.jsonl").write_text("of another cell")
    found = records.read(tmp_path, "gan_digits")
    assert records.merge(found) == {0: {"IWGAN": here}, 1: {"IWGAN": there}}


def test_further_arms_of_another_machine_do_not_hide_a_claim():
    pair = {arm: record(arm) for arm in ("GAN", "IWGAN")}
    other = {"machine": {"processor": "Q", "cores": 1}}
    further = [record(arm, **other) for arm in ("GAN", "minimax GAN", "a third")]
    assert records.merge([*pair.values(), *further], ("IWGAN", "GAN")) == {0: pair}
    whole = [*further, record("IWGAN", **other)]
    assert set(records.merge([*pair.values(), *whole], ("IWGAN", "GAN"))[0]) == {
        r["arm"] for r in whole
    }


def test_of_repeated_runs_the_first_counts():
    first, again = record(), record(ended="2027-01-01T00:00:00+00:00", seconds=1.0)
    assert records.merge([again, first]) == {0: {"IWGAN": first}}


@pytest.mark.parametrize("changes", [{"data": "e"}, {"start": {"theta": "a", "phi": "c"}}])
def test_no_pair_is_made_of_other_images_or_weights(changes):
    with pytest.raises(
        ValueError, match="start from the same weights.*seed=0, (data|phi) of IWGAN"
    ):
        records.merge([record("GAN"), record(**changes, ended="2027")])


def test_a_player_of_one_arm_alone_needs_no_pair():
    records.check_pair(
        [record("VAE", start={"theta": "a"}), record("AA", start={"theta": "a", "phi": "b"})]
    )


def test_an_arm_has_one_recipe():
    with pytest.raises(ValueError, match="one recipe in all records. Received: two of IWGAN"):
        records.merge([record(), record(seed=1, recipe={})])
