"""Signals are heeded between batches, the second at once, and handlers are those before afterwards."""

import signal
import threading

import pytest

from zoo.preset.interrupts import between_batches


class Stop(BaseException):
    """What the handler of these tests raises."""


@pytest.fixture(params=[signal.SIGINT, signal.SIGTERM])
def number(request):
    """A signal whose handler raises its number."""

    def stop(number, frame):
        raise Stop(number)

    before = signal.signal(request.param, stop)
    yield request.param
    assert signal.getsignal(request.param) is stop
    signal.signal(request.param, before)


def train(events, reached):
    """Train by events: a signal is received, a method of the name is called, an error is raised."""
    with between_batches() as heeded:
        for event in events:
            if isinstance(event, str):
                getattr(heeded, event)(0)
            elif isinstance(event, signal.Signals):
                signal.raise_signal(event)
            else:
                raise event
            reached.append(event)


@pytest.mark.parametrize("event", ["on_train_batch_end", "on_test_batch_end", "on_epoch_end"])
def test_a_signal_waits_for_the_end_of_the_batch(number, event):
    reached = []
    with pytest.raises(Stop, match=str(int(number))):
        train([event, number, event, event], reached)
    assert reached == [event, number]


def test_a_second_signal_does_not_wait(number):
    reached = []
    with pytest.raises(Stop):
        train([number, number, "on_train_batch_end"], reached)
    assert reached == [number]


def test_a_signal_after_the_last_batch_is_not_lost(number):
    reached = []
    with pytest.raises(Stop):
        train(["on_epoch_end", number], reached)
    assert reached == ["on_epoch_end", number]


def test_an_error_of_the_training_is_raised_as_it_is(number):
    with pytest.raises(ZeroDivisionError):
        train([number, ZeroDivisionError()], [])


def test_a_signal_without_a_handler_of_pythons_is_left_alone():
    before = signal.signal(signal.SIGTERM, signal.SIG_DFL)
    try:
        with between_batches():
            assert signal.getsignal(signal.SIGTERM) is signal.SIG_DFL
    finally:
        signal.signal(signal.SIGTERM, before)


def test_another_thread_trains_without_handlers(number):
    handler, found = signal.getsignal(number), []

    def observe():
        with between_batches() as heeded:
            heeded.on_train_batch_end(0)
            found.append(signal.getsignal(number))

    thread = threading.Thread(target=observe)
    thread.start()
    thread.join()
    assert found == [handler]
