"""Small requests answered together: each gets its own reply or error, in any order and number."""

import asyncio
import threading
from concurrent.futures import ThreadPoolExecutor

import httpx
import numpy as np
import pytest
from running import running

from tfgen import serving
from tfgen.serving.lanes import Lane


def test_requests_that_wait_are_answered_together():
    begun, go, seen = threading.Event(), threading.Event(), []

    def answer(requests):
        seen.append(requests)
        begun.set()
        assert go.wait(30)
        return [ValueError(k) if k % 3 == 2 else 10 * k for k in requests]

    async def ask():
        with ThreadPoolExecutor(4) as threads:
            lane = Lane(answer, threads, workers=1, most=4)
            first = asyncio.ensure_future(lane.ask(0))
            await asyncio.to_thread(begun.wait, 30)
            others = [asyncio.ensure_future(lane.ask(k)) for k in range(1, 8)]
            await asyncio.sleep(0)  # each is queued
            others[3].cancel()
            go.set()
            return await asyncio.gather(first, *others, return_exceptions=True)

    found = asyncio.run(ask())
    assert seen == [[0], [1, 2, 3], [5, 6, 7]]
    assert [found[k] for k in (0, 1, 3, 6, 7)] == [0, 10, 30, 60, 70]
    assert [str(found[k]) for k in (2, 5)] == ["2", "5"]
    assert isinstance(found[4], asyncio.CancelledError)


def test_a_fault_of_the_answer_reaches_all_and_ends_nothing():
    outcomes = iter([RuntimeError("broken"), [1]])

    def answer(requests):
        outcome = next(outcomes)
        if isinstance(outcome, Exception):
            raise outcome
        return outcome

    async def ask():
        with ThreadPoolExecutor(1) as threads:
            lane = Lane(answer, threads, workers=1, most=4)
            with pytest.raises(RuntimeError, match="broken"):
                await lane.ask(0)
            return await lane.ask(1)

    assert asyncio.run(ask()) == 1


@pytest.fixture(scope="module")
def patient(toys_folder):
    """A server whose rows wait for others."""
    batching = serving.Batching(rows=8, microseconds=100_000)
    source = serving.Source("toy", toys_folder / "toy")
    with running(source, batching=batching) as server:
        yield server.address


def test_good_and_bad_requests_of_many_clients(patient):
    """Replies are each client's own, for any mix of rows and columns in a batch."""

    def body(k):
        rows = [[k, 2 * k]] * (1 + k % 3)
        if k % 5 == 4:
            return {"signature_name": "lookup", "instances": [7 if k % 2 else 1]}
        return {"instances": rows} if k % 2 else {"inputs": rows}

    def reply(k):
        if k % 5 == 4:
            return None if k % 2 else {"predictions": [2.5]}
        rows = [[k / 2, k]] * (1 + k % 3)
        return {"predictions": rows} if k % 2 else {"outputs": rows}

    async def ask():
        limits = httpx.Limits(max_connections=48)
        async with httpx.AsyncClient(base_url=patient, timeout=60, limits=limits) as client:
            path = "/v1/models/toy:predict"
            return await asyncio.gather(*(client.post(path, json=body(k)) for k in range(48)))

    for k, response in enumerate(asyncio.run(ask())):
        expected = reply(k)
        assert response.status_code == (200 if expected else 400), response.text
        assert expected is None or response.json() == expected


def test_more_rows_than_a_request_may_have_are_not_joined(toys_folder):
    source = serving.Source("toy", toys_folder / "toy")
    served = serving.service([source], serving.Limits(rows=4))
    served.registry.poll()
    with served.registry.use("toy") as servable:
        signature = servable.signature("scale")
        given = [{"x": np.full((3, 2), k, "f")} for k in range(3)]
        found = servable.predict_together(signature, given)
        assert [outputs["y"].tolist() for outputs in found] == [[[k / 2] * 2] * 3 for k in range(3)]
    served.close()
