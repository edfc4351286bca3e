"""The zoo in three minutes: sample, score, fine-tune, export, and serve without Keras.

    python examples/demo.py          (or `make demo`; no data set is downloaded)

Everything is written to the folder `demo/`.
"""

import subprocess
import sys
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

# What a server needs is TensorFlow and the exported folder.  TensorFlow imports Keras if it is there;
# here an import of Keras or of this package fails.
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
    """Runs the tour, and says where every file is."""
    print("1. Sixty-four samples of the pretrained iwgan_mnist, labelled by resnet_mnist")
    model = zoo.load("iwgan_mnist")
    images = model.sample(64, seed=SEED)  # (64, 28, 28, 1) float32 in [0, 1]
    # The model is unconditional: its samples have no true class, only the one an evaluator sees.
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

    print("5. Samples of that SavedModel, drawn by a process without Keras and without tfgen")
    drawn = OUT / "drawn.npy"
    command = [sys.executable, "-c", SERVER, str(folder), str(SEED), str(drawn)]
    done = subprocess.run(command, stderr=subprocess.PIPE, text=True, check=False)
    if done.returncode:
        sys.exit(done.stderr)
    images = np.load(drawn)
    np.testing.assert_allclose(images, model.sample(64, seed=SEED), atol=1e-6)
    print("   the same seed gave the same images as model.sample")
    report(pictures.save(pictures.grid(images), OUT / "iwgan_digits.png"))

    print("The site (guides, gallery, catalog, API) is built by `make docs`; its first page:")
    report(Path(__file__).resolve().parents[1] / "build" / "docs" / "index.html")


def report(path):
    """Prints where a file is."""
    print(f"   {path}", flush=True)


if __name__ == "__main__":
    main()
