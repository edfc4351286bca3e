"""Serve a signature of seeds by LitServe: `python benchmarks/litserve_peer.py FOLDER SIGNATURE PORT`.

This is the code of a LitServe user: its batching stacks rows of several requests, and each reply is the
row's image, as JSON numbers or as a PNG in base64.
"""

import base64
import sys

import litserve
import numpy as np
import tensorflow as tf

ROWS, WAIT_SECONDS = 64, 0.001


class Generate(litserve.LitAPI):
    """Images of seeds."""

    def __init__(self, folder: str, signature: str) -> None:
        super().__init__(max_batch_size=ROWS, batch_timeout=WAIT_SECONDS)
        self.folder, self.signature = folder, signature

    def setup(self, device: str) -> None:
        """Load the SavedModel."""
        self.model = tf.saved_model.load(self.folder)
        self.function = self.model.signatures[self.signature]

    def decode_request(self, request: dict) -> int:
        """Return the seed."""
        return request["seed"]

    def batch(self, inputs: list[int]) -> np.ndarray:
        """Stack the seeds."""
        return np.array(inputs, np.int32)

    def predict(self, x: np.ndarray) -> np.ndarray:
        """Return the images."""
        [images] = self.function(seeds=tf.constant(x)).values()
        return images.numpy()

    def unbatch(self, output: np.ndarray) -> list:
        """Return the rows."""
        return list(output)

    def encode_response(self, output: np.ndarray | bytes) -> dict:
        """Return one row as JSON."""
        if isinstance(output, bytes):
            return {"b64": base64.b64encode(output).decode()}
        return {"image": output.tolist()}


if __name__ == "__main__":
    folder, signature, port = sys.argv[1:]
    server = litserve.LitServer(Generate(folder, signature), accelerator="cpu")
    server.run(host="127.0.0.1", port=int(port), generate_client_file=False, log_level="warning")
