"""Batches of two domains that are not paired."""

import numpy as np
import pytest
import tensorflow as tf

from tfgen import data


def values(dataset):
    """The gray values of A's and of B's images, in the order of an epoch."""
    batches = [[images[:, 0, 0, 0].numpy() for images in batch] for batch in dataset]
    domains = [np.concatenate(domain) for domain in zip(*batches, strict=True)]
    return [values.astype(float).round(2).tolist() for values in domains]


@pytest.fixture
def domains():
    """Gray values 0/100 to 9/100 in A, and to 3/100 in B."""
    images = (np.arange(10, dtype=np.float32) / 100)[:, None, None, None]
    return images, images[:4]


def test_goes_through_the_longer_domain_and_cycles_the_shorter(domains):
    dataset = data.unpaired_batches(*domains, batch_size=4, seed=1)
    assert [len(a) for a, _ in dataset] == [4, 4, 2]
    a, b = values(dataset)
    assert sorted(a) == [i / 100 for i in range(10)]
    assert sorted(b[:4]) == sorted(b[4:8]) == [i / 100 for i in range(4)]


def test_orders_are_functions_of_seed_and_epoch(domains):
    first, second = (data.unpaired_batches(*domains, batch_size=4, seed=1) for _ in range(2))
    epochs = [values(first) for _ in range(3)]
    assert epochs[0] != epochs[1] != epochs[2]
    second.epoch.assign(2)
    assert values(second) == epochs[2]
    assert int(second.epoch) == 3
    assert values(data.unpaired_batches(*domains, batch_size=4, seed=2)) != epochs[0]


def test_equal_domains_are_not_paired():
    images = (np.arange(100, dtype=np.uint8))[:, None, None, None]
    a, b = values(data.unpaired_batches(images, images))
    assert np.mean(np.equal(a, b)) < 0.1


def test_an_epoch_can_be_shorter(domains):
    dataset = data.unpaired_batches(*domains, batch_size=4, length=6)
    assert int(dataset.cardinality()) == 2
    drawn = [values(dataset)[0] for _ in range(6)]
    assert all(len(set(a)) == 6 for a in drawn)
    assert len(set(sum(drawn, []))) == 10


def test_of_named_sets_have_one_shape():
    dataset = data.load_unpaired("digits", "digits_negative", size=12, channels=3, batch_size=10)
    a, b = next(iter(dataset))
    assert a.shape == b.shape == (10, 12, 12, 3)
    assert float(tf.reduce_mean(a)) < 0.5 < float(tf.reduce_mean(b))
    test = data.load_unpaired("digits", "digits_negative", "test", batch_size=1000)
    a, b = next(iter(test))
    np.testing.assert_allclose(a, 1 - b, atol=1e-6)  # unshuffled


@pytest.mark.parametrize(
    ("arguments", "message"),
    [({"batch_size": 0}, "Received: batch_size=0"), ({"length": 0}, "Received: length=0")],
)
def test_faults(domains, arguments, message):
    with pytest.raises(ValueError, match=message):
        data.unpaired_batches(*domains, **arguments)
