"""
Serve and ask
=============

``tfgen.export`` writes a SavedModel whose endpoints are functions of their inputs, noise
included. ``tfgen serve`` serves it as TensorFlow Serving does; here the same server runs in a
thread.
"""

import json
import tempfile
import threading
import urllib.request
from pathlib import Path

import numpy as np

import tfgen
import zoo
from tfgen import serving
from tfgen.drawing import pictures

model = zoo.load("cgan_digits")
folder = Path(tempfile.mkdtemp()) / "cgan_digits"
tfgen.export(model, folder / "1")

server = serving.Server(serving.service([serving.Source("cgan_digits", folder)]), port=0)
loaded = threading.Event()
thread = threading.Thread(target=server.run, args=(loaded.set,))
thread.start()
loaded.wait()

# %%
# Any client of the REST interface can send rows of seeds and labels. A row's image depends only on
# that row.

rows = [{"seeds": seed, "labels": seed % 10} for seed in range(20)]
request = urllib.request.Request(
    f"{server.address}/v1/models/cgan_digits:predict",
    data=json.dumps({"instances": rows}).encode(),
    headers={"Content-Type": "application/json"},
)
with urllib.request.urlopen(request) as response:
    images = np.array(json.load(response)["predictions"], np.float32)

server.end()
thread.join()
picture = pictures.grid(images, [row["labels"] for row in rows], columns=10)
picture

# %%
# The reply equals the model's own image for that seed.

np.testing.assert_allclose(images[7:8], model.sample(1, seed=7, labels=[7]), atol=1e-5)
