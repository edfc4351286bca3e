"""Batches of ADA: half of a labelled domain, half of an unlabelled one."""

import numpy as np
import pytest

from tfgen import data
from tfgen.data.mixed import mixed_batches
from zoo.models.ada import ADA


def test_halves_of_both_domains_without_the_targets_labels():
    dataset = data.load_adaptation("digits", "digits_negative", "train[:100]", batch_size=16)
    sources, labels = data.arrays("digits", "train[:100]")
    targets, _ = data.arrays("digits_negative", "train[:100]")
    known = {image.tobytes(): label for image, label in zip(sources, labels, strict=True)}
    others = {image.tobytes() for image in targets}
    sizes = []
    for images, found in dataset:
        sizes.append(len(found))
        half = len(found) // 2
        stored = np.rint(images.numpy() * 255).astype("uint8")
        assert [known[image.tobytes()] for image in stored[:half]] == [*found[:half].numpy()]
        assert {image.tobytes() for image in stored[half:]} <= others
        assert (found[half:].numpy() == -1).all()
    assert sizes == [16] * 12 + [8]
    assert len(dataset) == 13


def batches(n, m, **arguments):
    """Image i of the source is filled with i, of the target with 100 + i."""
    source, target = (
        np.arange(start, start + size, dtype=np.uint8)[:, None, None, None]
        for start, size in ((0, n), (100, m))
    )
    labels = np.arange(n, dtype=np.int32)
    return mixed_batches(source, labels, target, **arguments)


def epoch(dataset):
    batches = [np.rint(images[:, 0, 0, 0] * 255).astype(int) for images, _ in dataset]
    both = [np.split(batch, 2) for batch in batches]
    return [np.concatenate(part) for part in zip(*both, strict=True)]


@pytest.mark.parametrize(("n", "m"), [(10, 3), (3, 10), (7, 7)])
def test_an_epoch_is_a_pass_through_the_larger_domain(n, m):
    dataset = batches(n, m, batch_size=4)
    longest = max(n, m)
    for _ in range(2):
        for size, start, order in zip((n, m), (0, 100), epoch(dataset), strict=True):
            assert len(order) == longest
            for first in range(0, longest, size):  # every pass is a permutation
                whole = order[first : first + size] - start
                assert len(set(whole)) == len(whole)
                assert set(whole) <= set(range(size))


def test_order_is_a_function_of_seed_and_epoch():
    dataset = batches(8, 8, batch_size=4, seed=3)
    first, second = epoch(dataset), epoch(dataset)
    assert not np.array_equal(first, second)
    assert not np.array_equal(first[0], first[1] - 100)  # the domains' orders differ
    assert dataset.epoch.numpy() == 2
    dataset.epoch.assign(1)
    np.testing.assert_array_equal(epoch(dataset), second)
    np.testing.assert_array_equal(epoch(batches(8, 8, batch_size=4, seed=3)), first)
    assert not np.array_equal(epoch(batches(8, 8, batch_size=4, seed=4)), first)


def test_shifts_are_drawn_for_every_place_of_an_epoch():
    """Every image is one pixel, which a shift by one moves to one of nine places."""
    image = np.zeros((1, 8, 8, 1), np.uint8)
    image[:, 3, 3] = 255
    source, target = np.repeat(image, 60, axis=0), np.repeat(image, 2, axis=0)
    dataset = mixed_batches(source, np.zeros(60, np.int32), target, 8, shift=1)

    def places():  # (2, 60) in an epoch, of the source and of the target
        batches = [images.numpy().reshape(2, -1, 64).argmax(2) for images, _ in dataset]
        return np.concatenate(batches, axis=1)

    first, second = places(), places()
    assert not np.array_equal(first, second)
    assert not np.array_equal(*first)  # the domains' shifts differ
    dataset.epoch.assign(1)
    np.testing.assert_array_equal(places(), second)
    expected = [8 * row + column for row in (2, 3, 4) for column in (2, 3, 4)]
    for half in first:  # also of the two targets, each of which is read thirty times
        assert np.unique(half).tolist() == expected


def test_a_shift_is_a_number_of_pixels():
    with pytest.raises(ValueError, match=r"shift must be a number of pixels.*shift=-1"):
        data.load_adaptation("digits", "digits_negative", shift=-1)


@pytest.mark.parametrize("batch_size", [0, 1, 7])
def test_batches_are_halved(batch_size):
    with pytest.raises(ValueError, match=f"must be even.*Received: batch_size={batch_size}"):
        batches(4, 4, batch_size=batch_size)


def test_domains_have_one_shape():
    images = np.zeros((4, 8, 8, 1), np.uint8)
    with pytest.raises(ValueError, match=r"images of one shape.*target=\(8, 8, 3\)"):
        mixed_batches(images, np.zeros(4, np.int32), np.repeat(images, 3, -1), batch_size=2)


def test_recipes_load_it():
    dataset = ADA.load_data(batch_size=8, seed=0, name="digits", target="digits_negative")
    images, labels = next(iter(dataset))
    assert images.shape == (8, 8, 8, 1)
    assert [*labels[4:]] == [-1] * 4
