"""The machine of a run, by which records are paired."""

import pytest
import tensorflow as tf

from zoo.preset import provenance


@pytest.fixture(autouse=True)
def _no_gpu(monkeypatch):
    monkeypatch.setattr(tf.config, "list_physical_devices", lambda kind: [])


INTEL = ["model name\t: Intel Xeon", "flags\t\t: fpu avx2 avx512f amx_tile"]


@pytest.mark.parametrize(
    ("lines", "words"),
    [
        (INTEL, "Intel Xeon with AMX"),
        ([*INTEL[:1], "flags\t\t: fpu avx2 avx512f"], "Intel Xeon with AVX-512"),
        (["model name\t: AMD EPYC", "flags\t\t: fpu avx2 avx512vl"], "AMD EPYC with AVX2"),
        (["model name\t: Neoverse", "Features\t: fp asimd"], "Neoverse with NEON"),
        (["model name\t: old", "flags\t\t: fpu avx"], "old"),
    ],
)
def test_the_widest_vectors_are_part_of_the_machine(monkeypatch, lines, words):
    monkeypatch.setattr(provenance, "_cpuinfo", lambda: lines)
    assert provenance.in_words({**provenance.machine(), "cores": 2}) == f"{words}, 2 cores"


def test_a_system_without_cpuinfo_has_a_processor_and_cores(monkeypatch):
    monkeypatch.setattr(provenance, "_cpuinfo", list)
    found = provenance.machine()
    assert found.keys() == {"processor", "cores"}
    assert found["cores"] >= 1
    assert provenance.in_words({"processor": "P", "cores": 1}) == "P, 1 core"


def test_gpus_are_part_of_the_machine(monkeypatch):
    monkeypatch.setattr(provenance, "_cpuinfo", lambda: INTEL)
    monkeypatch.setattr(tf.config, "list_physical_devices", lambda kind: ["/GPU:0", "/GPU:1"])
    details = {"/GPU:0": {"device_name": "NVIDIA H200"}, "/GPU:1": {}}
    monkeypatch.setattr(tf.config.experimental, "get_device_details", details.get)
    found = {**provenance.machine(), "cores": 16}
    assert found["accelerators"] == ["NVIDIA H200", "GPU"]
    assert provenance.in_words(found) == "Intel Xeon with AMX, 16 cores, NVIDIA H200, GPU"
