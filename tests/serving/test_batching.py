"""Rows of several clients in one call equal those of separate calls; clients do not affect each other."""

import io
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf
import toys
from PIL import Image

from tfgen.serving import Batching, Limits
from tfgen.serving.errors import Code, ServingError
from tfgen.serving.servable import Servable, counts
from tfgen.serving.signatures import Signature, Spec

PRESET = Path(__file__).parents[2] / "saved_models" / "iwgan_mnist" / "1"


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return toys.write(tmp_path_factory.mktemp("batched") / "1")


def servable(folder, batching, limits=None):
    return Servable("toy", 1, folder, limits or Limits(), batching)


@pytest.fixture(scope="module")
def patient(folder):
    """A servable whose queue waits long enough for all callers of a test."""
    return servable(folder, Batching(rows=8, microseconds=200_000))


def together(calls):
    """Return the results or errors of the calls, all started at once."""
    barrier = threading.Barrier(len(calls))

    def run(call):
        barrier.wait()
        try:
            return call()
        except ServingError as error:
            return error

    with ThreadPoolExecutor(len(calls)) as pool:
        return list(pool.map(run, calls))


def test_rows_of_several_clients_equal_their_own_calls(patient):
    sizes = [1, 3, 1, 20, 2, 5, 1, 8]  # 20 is split over calls of 8
    inputs = [np.random.default_rng(k).normal(size=(k, 2)).astype("f") for k in sizes]
    calls = [lambda x=x: patient.predict("scale", {"x": x})["y"] for x in inputs]
    for x, y in zip(inputs, together(calls), strict=True):
        np.testing.assert_array_equal(y, x / 2)


def test_outputs_of_one_call_stay_together(patient):
    def call(k):
        a, b = np.full((1, 2), k, "f"), np.array([k], "i4")
        return patient.predict("pair", {"a": a, "b": b})

    for k, outputs in enumerate(together([lambda k=k: call(k) for k in range(8)])):
        np.testing.assert_array_equal(outputs["sum"], [[2 * k, 2 * k]])
        np.testing.assert_array_equal(outputs["twice"], [2 * k])


def test_a_value_that_the_graph_refuses_fails_its_own_client_only(patient):
    def call(index):
        return patient.predict("lookup", {"index": np.array([index], "i4")})["value"]

    found = together([lambda k=k: call(k) for k in (0, 1, 7, 0)])
    np.testing.assert_array_equal([found[0], found[1], found[3]], [[1.5], [2.5], [1.5]])
    assert found[2].code is Code.INVALID_ARGUMENT
    assert "\n" not in str(found[2])
    assert ".py" not in str(found[2])


def test_several_clients_share_a_call(folder):
    """The mean over the batch tells who was in it."""
    module = tf.Module()
    module.mean = tf.function(
        lambda x: {"y": tf.reduce_mean(x) + 0 * x},
        input_signature=[tf.TensorSpec((None,), name="x")],
    )
    path = folder.parent / "2"
    tf.saved_model.save(module, str(path), {"serving_default": module.mean})

    def means(batching):
        served = servable(path, batching)
        call = lambda k: served.predict("serving_default", {"x": np.array([k], "f")})["y"][0]  # noqa: E731
        return together([lambda k=k: call(k) for k in (0.0, 2.0, 4.0, 6.0)])

    assert means(Batching(rows=4, microseconds=5_000_000)) == [3, 3, 3, 3]
    assert means(Batching(enabled=False)) == [0, 2, 4, 6]


def test_a_full_queue_is_refused_with_503(folder):
    """One thread and one waiting batch: of calls that each fill a batch some find no place."""
    module = tf.Module()
    spin = lambda x: tf.while_loop(lambda i, _: i < 20_000, lambda i, y: (i + 1, y), (0, x))[1]  # noqa: E731
    module.spin = tf.function(
        lambda x: {"y": spin(x)}, input_signature=[tf.TensorSpec((None,), name="x")]
    )
    path = folder.parent / "3"
    tf.saved_model.save(module, str(path), {"serving_default": module.spin})
    served = servable(path, Batching(rows=1, microseconds=0, batches=1, threads=1))
    served.predict("serving_default", {"x": np.zeros(1, "f")})
    calls = [lambda: served.predict("serving_default", {"x": np.ones(1, "f")})["y"]] * 16
    found = together(calls)
    refused = [error for error in found if isinstance(error, ServingError)]
    assert refused
    assert {(error.code, error.status) for error in refused} == {(Code.UNAVAILABLE, 503)}
    assert all(np.array_equal(y, [1]) for y in found if not isinstance(y, ServingError))


@pytest.mark.parametrize(
    "batching", [Batching(), Batching(enabled=False)], ids=["batched", "alone"]
)
@pytest.mark.parametrize(
    ("name", "tensors"),
    [
        ("scale", {}),
        ("scale", {"x": np.zeros((1, 2), "f"), "y": np.zeros((1, 2), "f")}),
        ("scale", {"x": np.zeros((1, 2), "f8")}),
        ("scale", {"x": np.zeros((1, 3), "f")}),
        ("scale", {"x": np.zeros(2, "f")}),
        ("scale", {"x": np.zeros((0, 2), "f")}),
        ("scale", {"x": np.zeros((1025, 2), "f")}),
        ("scale", {"x": np.array([[b"a", b"b"]], object)}),
        ("cube", {"x": np.zeros((2, 2, 1), "f")}),
        ("pair", {"a": np.zeros((1, 2), "f"), "b": np.zeros(2, "i4")}),
        ("draw", {"n": np.array(0, "i4"), "seed": np.array(0, "i4")}),
        ("draw", {"n": np.array(-1, "i4"), "seed": np.array(0, "i4")}),
        ("draw", {"n": np.array(10**9, "i4"), "seed": np.array(0, "i4")}),
        ("draw", {"n": np.array([1], "i4"), "seed": np.array(0, "i4")}),
        ("missing", {}),
    ],
)
def test_nothing_reaches_the_graph_unchecked(folder, name, tensors, batching):
    with pytest.raises(ServingError) as caught:
        servable(folder, batching).predict(name, tensors)
    assert caught.value.code is Code.INVALID_ARGUMENT


def test_only_the_inputs_that_set_rows_are_bounded(folder):
    served = servable(folder, Batching())
    most = {"n": np.array(1024, "i4"), "seed": np.array(10**9, "i4")}
    assert served.predict("draw", most)["images"].shape == (1024, 2)
    integer = Spec(tf.int32, ())
    repeat = Signature("repeat", None, {"k": integer, "x": Spec(tf.float32, (None,))},
                       {"y": Spec(tf.float32, (None,))})  # fmt: skip
    assert counts(repeat, lambda k, x: {"y": tf.repeat(x, k)}) == ["k"]
    assert counts(repeat, lambda k, x: {"y": x * tf.cast(k, tf.float32)}) == []


def test_a_picture_with_too_many_pixels_is_refused_by_its_header(folder):
    picture = tf.io.encode_png(np.zeros((64, 64, 1), "u1")).numpy()
    served = servable(folder, Batching(), Limits(pixels=64 * 64))
    one = np.array([picture], object)
    assert served.predict("pictures", {"image_bytes": one})["length"] == [len(picture)]
    with pytest.raises(ServingError, match="pixels in all. Received: 8192"):
        served.predict("pictures", {"image_bytes": np.array([picture] * 2, object)})


def drawn(form, frames=1):
    file, (first, *others) = io.BytesIO(), [Image.new("L", (64, 32), k) for k in range(frames)]
    first.save(file, form, **({"save_all": True, "append_images": others} if others else {}))
    return file.getvalue()


@pytest.mark.parametrize(
    ("content", "words"),
    [
        *((drawn(form), "") for form in ("PNG", "JPEG", "GIF", "BMP", "WEBP")),
        *((text, "") for text in (b"BMW", b"RIFF and raff", b"GIF89a", b"")),
        (drawn("GIF", 2), "pixels in all. Received: 4096"),  # both frames may be decoded
        (b"\xff\x0a" + bytes(9), "header of a picture cannot be read"),  # JPEG XL
        (drawn("PNG")[:20], "header of a picture cannot be read"),
    ],
)
def test_pixels_of_every_format_that_tensorflow_decodes_are_counted(few_pixels, content, words):
    given = {"image_bytes": np.array([content], object)}
    if not words:
        assert few_pixels.predict("pictures", given)["length"] == [len(content)]
        return
    with pytest.raises(ServingError, match=words):
        few_pixels.predict("pictures", given)


@pytest.fixture(scope="module")
def few_pixels(folder):
    return servable(folder, Batching(), Limits(pixels=64 * 32))


def test_sizes_are_powers_of_two_and_the_largest():
    assert Batching(rows=64).sizes() == [1, 2, 4, 8, 16, 32, 64]
    assert Batching(rows=5).sizes() == [1, 2, 4, 5]
    assert Batching(rows=1).sizes() == [1]


@pytest.mark.parametrize("bad", [{"rows": 0}, {"batches": 0}, {"threads": 0}, {"microseconds": -1}])
def test_parameters_out_of_range_are_refused(bad):
    with pytest.raises(ValueError, match=f"Received: {next(iter(bad))}="):
        Batching(**bad)
    for name in ("body", "rows", "pixels", "concurrency", "connections", "seconds"):
        with pytest.raises(ValueError, match=f"Received: {name}=0"):
            Limits(**{name: 0})


def test_pictures_of_several_clients_share_a_call():
    """Pictures decoded by this preset have no known rank in a batch function, where oneDNN could abort."""
    served = servable(PRESET, Batching(rows=4, microseconds=200_000))
    assert served.signature("discriminate_bytes").batches
    images = [np.full((28, 28, 1), level, "u1") for level in (0, 102, 255)]
    files = [tf.io.encode_png(image).numpy() for image in images]

    def call(file):
        return served.predict("discriminate_bytes", {"image_bytes": np.array([file], object)})

    found = together([lambda f=f: call(f) for f in [*files, b"no picture"]])
    rows = served.predict("discriminate", {"images": np.stack(images).astype("f") / 255})["logits"]
    logits = [outputs["logits"] for outputs in found[:3]]
    np.testing.assert_allclose(np.concatenate(logits), rows, rtol=1e-5)
    assert found[3].code is Code.INVALID_ARGUMENT
