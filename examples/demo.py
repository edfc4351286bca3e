"""The zoo in three minutes: sample, score, fine-tune, export, load without Keras, serve.

    python examples/demo.py          (or `make demo`; no data set is downloaded)

Everything is written to the folder `demo/`.
"""

import base64
import contextlib
import json
import re
import subprocess
import sys
import urllib.request
from pathlib import Path

import numpy as np

import tfgen
import zoo
from tfgen.quiet import quietly

with quietly():
    from tfgen.drawing import pictures
    from tfgen.evaluation.evaluator import find_evaluator, load_evaluator

OUT = Path("demo").resolve()
SEED = 2018

# A server needs only TensorFlow and the exported folder.  TensorFlow imports Keras if it is installed; here
# an import of Keras or of this package fails.
SERVER = """
import sys
sys.modules.update(dict.fromkeys(["keras", "tf_keras", "tfgen", "zoo"]))

import numpy as np
import tensorflow as tf

folder, seed, path = sys.argv[1:]
model = tf.saved_model.load(folder)
outputs = model.signatures["sample"](n=tf.constant(64), seed=tf.constant(int(seed)))
np.save(path, outputs["images"].numpy())
"""


def main():
    """Run the tour, and print the path of every file."""
    print("1. Sixty-four samples of the pretrained iwgan_mnist, labelled by resnet_mnist")
    model = zoo.load("iwgan_mnist")
    images = model.sample(64, seed=SEED)  # (64, 28, 28, 1) float32 in [0, 1]
    # The model is unconditional: its samples have no true class, only the one that an evaluator predicts.
    _, probabilities = load_evaluator(find_evaluator("mnist")).observe(images)
    picture = pictures.grid(images, labels=probabilities.argmax(axis=-1))
    report(pictures.save(picture, OUT / "iwgan_mnist.png"))

    print("2. Their score by resnet_mnist, beside the real test set's")
    scores = tfgen.evaluate(model, "mnist", samples=2000)
    for name in ("inception_score", "inception_score_real", "inception_score_ratio", "fid"):
        print("   {0:22} {value:7.3f}  [{low:.3f}, {high:.3f}]".format(name, **scores[name]))

    print("3. Fine-tuning the pretrained iwgan_digits on the embedded digits")
    model = zoo.load("iwgan_digits")
    model.fit(tfgen.data.load("digits", batch_size=64, seed=SEED), epochs=3, verbose=2)

    print("4. The fine-tuned model as a SavedModel")
    folder = tfgen.export(model, OUT / "iwgan_digits" / "1")
    report(folder)

    print("5. Samples of that SavedModel, drawn by a process without Keras and tfgen")
    drawn = OUT / "drawn.npy"
    command = [sys.executable, "-c", SERVER, str(folder), str(SEED), str(drawn)]
    done = subprocess.run(command, stderr=subprocess.PIPE, text=True, check=False)
    if done.returncode:
        sys.exit(done.stderr)
    images = np.load(drawn)
    np.testing.assert_allclose(images, model.sample(64, seed=SEED), atol=1e-6)
    print("   the same seed gave the same images as model.sample")
    report(pictures.save(pictures.grid(images), OUT / "iwgan_digits.png"))

    print("6. The image of a seed over HTTP, from `tfgen serve` with the same SavedModel")
    picture = OUT / "served.png"
    with served(folder) as address:
        picture.write_bytes(ask(address, seed=7))
    report(picture)

    print("The site (guides, gallery, catalog, API) is built by `make docs`; its first page:")
    report(Path(__file__).resolve().parents[1] / "build" / "docs" / "index.html")


@contextlib.contextmanager
def served(folder):
    """Serve a SavedModel in its own process; yield its address."""
    command = [sys.executable, "-m", "zoo.cli", "serve", str(folder.parent)]
    command += ["--port", "0", "--grpc-port", "0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        line = process.stdout.readline()  # comes when the model is loaded
        print(f"   {line.strip()}")
        try:
            yield re.search(r"http://\S+", line)[0]
        finally:
            process.terminate()


def ask(address, seed):
    """Return the PNG of a seed from TensorFlow Serving's REST interface."""
    body = {"signature_name": "generate_png", "instances": [seed]}
    request = urllib.request.Request(
        f"{address}/v1/models/iwgan_digits:predict", json.dumps(body).encode()
    )
    with urllib.request.urlopen(request) as response:
        [png] = json.load(response)["predictions"]
    return base64.b64decode(png["b64"])


def report(path):
    """Print the path of a file."""
    print(f"   {path}", flush=True)


if __name__ == "__main__":
    main()
