"""A server of the toy models, in a thread of the tests' own process."""

import importlib.util
import os
import shutil

import cases
import httpx
import pytest
from running import running

from tfgen import serving

# Only a browser can run the page; CI installs one. Ray is an extra that the tests do not install.
collect_ignore = (
    [] if shutil.which("chromium") and shutil.which("chromedriver") else ["test_page.py"]
)
if importlib.util.find_spec("ray") is None:
    collect_ignore.append("test_ray.py")


@pytest.fixture(scope="session")
def toys_folder(tmp_path_factory):
    """Folder of the models `toy`, with the versions 1 and 2, and `examples`."""
    folder = tmp_path_factory.mktemp("served")
    cases.write(folder)
    return folder


@pytest.fixture(scope="session")
def server(toys_folder):
    """A server of both, all versions of them, with the label `stable` on `toy`'s first."""
    policy = serving.Policy.parse("all")
    toy = serving.Source("toy", toys_folder / "toy", policy, (("stable", 1),))
    with running(toy, serving.Source("examples", toys_folder / "examples")) as server:
        yield server


@pytest.fixture(scope="session")
def client(server):
    with httpx.Client(base_url=server.address, timeout=30) as client:
        yield client


@pytest.fixture(scope="session")
def any_client(request):
    """The server that TFGEN_SERVING_URL names, or else `tfgen serve`."""
    if url := os.environ.get("TFGEN_SERVING_URL"):
        with httpx.Client(base_url=url, timeout=30) as client:
            yield client
    else:
        yield request.getfixturevalue("client")
