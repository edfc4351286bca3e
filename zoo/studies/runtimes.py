"""`python zoo/studies/runtimes.py FOLDER ...`: call exports in an old TensorFlow, in its own environment.

It needs only TensorFlow.  Every signature of every folder is called once with two rows; the exit status
is the number of folders that fail.

    python3.11 -m venv old && old/bin/pip install 'tensorflow-cpu==2.12.*'
    old/bin/python zoo/studies/runtimes.py saved_models/*/1
"""

import sys
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf

ROWS = 2


def argument(spec: tf.TensorSpec) -> Any:
    """Return a value for an input of a signature."""
    if spec.dtype == tf.string:
        file = tf.io.encode_png(np.zeros((5, 6, 3), np.uint8)).numpy()
        return tf.constant([file] * ROWS)
    return tf.ones([ROWS, *spec.shape[1:]] if spec.shape.rank else [], spec.dtype)


def call_all(folder: Path) -> Any:
    """Call every signature of a SavedModel; return their number."""
    signatures = tf.saved_model.load(folder).signatures
    for function in signatures.values():
        _, inputs = function.structured_input_signature
        function(**{name: argument(spec) for name, spec in inputs.items()})
    return len(signatures)


def main(folders: Any) -> None:
    """Print a line for each folder, and exit with the number of those that fail."""
    print("TensorFlow", tf.__version__)
    failed = 0
    for folder in folders:
        try:
            print(folder, call_all(folder), "signatures")
        except Exception as error:  # whatever an old runtime raises
            failed += 1
            print(folder, "FAILED:", str(error).splitlines()[0])
    sys.exit(min(failed, 255))


if __name__ == "__main__":
    main(sys.argv[1:])
