"""Shifts and flips are functions of (seed, epoch, index), and exact."""

import numpy as np
import pytest
import tensorflow as tf

from tfgen import data
from tfgen.data.augmentation import augment

COUNT = 40
IMAGES = np.random.default_rng(0).integers(0, 256, (COUNT, 6, 5, 3)).astype(np.uint8)


def seen(epoch, seed=0, indices=None, **options):
    indices = np.arange(COUNT) if indices is None else indices
    epoch = tf.constant(epoch, tf.int64)
    chosen = tf.gather(IMAGES, indices)
    return augment(chosen, tf.constant(indices), COUNT, seed, epoch, **options).numpy()


def mirrored(images):
    """Return whether each image is mirrored; check that all others equal their originals."""
    flips = (images == IMAGES[:, :, ::-1]).all(axis=(1, 2, 3))
    np.testing.assert_array_equal(images[~flips], IMAGES[~flips])
    return flips


def test_alternating_flips_show_an_image_both_ways_in_any_two_epochs():
    flips = [mirrored(seen(epoch, flip="alternating")) for epoch in range(4)]
    assert 0 < flips[0].sum() < COUNT
    for epoch in range(3):
        np.testing.assert_array_equal(flips[epoch + 1], ~flips[epoch])


def test_random_flips_are_drawn_anew_in_every_epoch():
    first, second = (mirrored(seen(epoch, flip="random")) for epoch in range(2))
    assert 0 < (first == second).sum() < COUNT


def test_a_shift_is_a_window_of_the_reflected_image():
    framed = np.pad(IMAGES, [(0, 0), (2, 2), (2, 2), (0, 0)], mode="reflect")
    windows = np.stack([framed[:, i : i + 6, j : j + 5] for i in range(5) for j in range(5)], 1)
    matches = (windows == seen(3, shift=2)[:, None]).all(axis=(2, 3, 4))  # (n, 25)
    assert matches.any(axis=1).all()
    assert len(set(matches.argmax(axis=1))) > 10


def test_an_image_is_treated_alike_in_whatever_batch_it_comes():
    options = {"shift": 2, "flip": "random"}
    whole = seen(5, **options)
    np.testing.assert_array_equal(seen(5, indices=[7, 3], **options), whole[[7, 3]])
    assert (seen(5, seed=1, **options) != whole).any()
    assert (seen(6, **options) != whole).any()


def test_a_pipeline_resumed_at_an_epoch_sees_its_images():
    def epochs(start, count):
        pipeline = data.batches(IMAGES, batch_size=16, shift=1, flip="alternating")
        pipeline.epoch.assign(start)
        return [np.concatenate(list(pipeline.as_numpy_iterator())) for _ in range(count)]

    unbroken = epochs(0, 3)
    np.testing.assert_array_equal(epochs(2, 1)[0], unbroken[2])
    plain = np.concatenate(list(data.batches(IMAGES, batch_size=16).as_numpy_iterator()))
    assert unbroken[0].shape == plain.shape
    assert (unbroken[0] != plain).any()


@pytest.mark.parametrize("options", [{"shift": -1}, {"shift": 1.5}, {"flip": "vertical"}])
def test_unknown_options_are_refused(options):
    (name, value) = next(iter(options.items()))
    with pytest.raises(ValueError, match=f"Received: {name}={value!r}"):
        data.batches(IMAGES, **options)
