"""One of several workers that go on with a run; one of them may die in the middle of it.

    python rehearsal.py RUN EPOCHS DYING

Worker 1 kills itself when it has done DYING epochs; 0: no worker does.
"""

import os
import signal
import sys

import keras
import workers  # noqa: F401  quiet

from zoo.preset import train as training


class Dying(training._Checkpoints):
    """Kills the process in the middle of an epoch."""

    def on_train_batch_end(self, batch, logs=None):
        if int(self.model.epochs.numpy()) == DYING:
            os.kill(os.getpid(), signal.SIGKILL)


if __name__ == "__main__":
    out, epochs, DYING = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    if DYING and '"index": 1' in os.environ["TF_CONFIG"]:
        training._Checkpoints = Dying
    keras.utils.disable_interactive_logging()
    training.train(None, out, epochs=epochs, resume=True, strategy="multiworker", verbose=0)
