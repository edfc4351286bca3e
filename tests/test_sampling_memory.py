"""Sampling needs only the memory of its images, for any number of images and calls."""

import gc
import os

import numpy as np
import pytest
from models import build

from tfgen import sampling

PAGE = os.sysconf("SC_PAGE_SIZE")


@pytest.fixture(scope="module")
def model():
    return build("cgan_digits")


def resident():
    """Bytes that this process holds in memory."""
    gc.collect()
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * PAGE


def test_samples_in_a_loop_leave_memory_as_it_was(model):
    """A pipeline for each call grew by 20 kB a call: every stretch of calls would show it."""
    model.sample(8)
    grown = []
    for _ in range(4):
        before = resident()
        for seed in range(25):
            model.sample(8, seed=seed)
        grown.append(resident() - before)
    assert min(grown) < 25 * 5_000, grown
    assert model._graphs.decode.experimental_get_tracing_count() == 1


def test_images_are_those_of_the_seed_under_every_compile():
    """XLA draws other numbers: nothing of `sample` is compiled by it."""
    model = build("gan_digits")
    expected = model.sample(3, seed=5)
    model.compile("sgd", jit_compile=True)
    np.testing.assert_array_equal(model.sample(3, seed=5), expected)


def test_many_images_are_decoded_in_chunks(model, monkeypatch):
    """Of n images no more than `BATCH` are decoded at a time, and all are those of one call."""
    rows, decode = [], model._graphs.decode
    monkeypatch.setattr(model._graphs, "decode", lambda z, t: rows.append(len(z)) or decode(z, t))
    images = model.sample(10_000, seed=3)
    assert max(rows) == sampling.BATCH
    assert sum(rows) == 10_000
    np.testing.assert_array_equal(images[:5], model.sample(5, seed=3))


def test_the_endpoints_chunks_take_no_more_memory_than_their_images(model):
    """100,000 images of 8 x 8 pixels are 26 MB; decoded at once they take over ten times as much."""
    draw, _ = model.endpoints()["sample"]
    draw(n=np.int32(sampling.BATCH), seed=np.int32(0))
    before = resident()
    with open("/proc/self/clear_refs", "w") as file:
        file.write("5")  # resets the peak
    images = draw(n=np.int32(100_000), seed=np.int32(0))["images"]
    with open("/proc/self/status") as file:
        [peak] = [int(line.split()[1]) * 1024 for line in file if line.startswith("VmHWM")]
    assert images.shape == (100_000, 8, 8, 1)
    assert peak - before < 4 * images.numpy().nbytes + 50_000_000
