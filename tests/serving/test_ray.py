"""Ray Serve, if installed: replies equal the server's, and a replica killed under load loses none."""

import asyncio
import os
import signal
import socket
from pathlib import Path

import httpx
import pytest
from toys import write

from tfgen import serving

CLIENTS = 16
pytestmark = pytest.mark.filterwarnings("default")  # Ray's and FastAPI's own


@pytest.fixture(scope="module")
def address(tmp_path_factory):
    import ray

    from tfgen.serving import ray as replicated

    folder = tmp_path_factory.mktemp("replicated") / "toy"
    write(folder / "1", names=("scale", "lookup"))
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    ray.init(num_cpus=4, include_dashboard=False, log_to_driver=False)
    try:
        replicated.run([serving.Source("toy", folder)], port=port, least=2, most=2)
        yield f"http://127.0.0.1:{port}"
    finally:
        ray.serve.shutdown()
        ray.shutdown()


def replicas():
    """Process ids of the replicas that hold models."""
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            words = path.read_text()
        except OSError:
            continue
        if words.startswith("ray::") and ("tfgen#Replica#" in words or ":tfgen:Replica" in words):
            yield int(path.parent.name)


def test_the_dialects_and_the_page_answer_as_ours(address):
    with httpx.Client(base_url=address, timeout=60) as client:
        reply = client.post("/v1/models/toy:predict", json={"instances": [[2, 4]]})
        assert reply.json() == {"predictions": [[1.0, 2.0]]}
        assert reply.headers["content-type"] == "application/json"
        refused = client.post("/v1/models/toy:predict", json={"instances": [[2]]})
        assert refused.status_code == 400
        assert "must have the shape" in refused.json()["error"]
        assert client.get("/v2/health/ready").json() == {"ready": True}
        assert "<title>tfgen serve</title>" in client.get("/").text


def test_a_replica_killed_under_load_loses_no_request(address):
    victim = next(replicas())
    seen = []

    async def client(http, number):
        for k in range(200):
            values = [[number, k]]
            reply = await http.post("/v1/models/toy:predict", json={"instances": values})
            expected = {"predictions": [[number / 2, k / 2]]}
            seen.append((reply.status_code, reply.json() == expected))

    async def killer():
        while len(seen) < 400:
            await asyncio.sleep(0.01)
        os.kill(victim, signal.SIGKILL)

    async def scene():
        limits = httpx.Limits(max_connections=CLIENTS)
        async with httpx.AsyncClient(base_url=address, timeout=60, limits=limits) as http:
            await asyncio.gather(killer(), *(client(http, n) for n in range(CLIENTS)))

    asyncio.run(scene())
    assert victim not in replicas()
    assert set(seen) == {(200, True)}
    assert len(seen) == 200 * CLIENTS
