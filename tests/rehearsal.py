"""`tfgen` on one of several workers of two devices each; the second worker may die in the middle.

    python rehearsal.py DYING ARGUMENT...

Worker 1 kills itself in the epoch after the DYING-th.
"""

import os
import signal
import sys

import workers

from zoo import cli
from zoo.preset import train as training


class Dying(training._Checkpoints):
    """Kills the process in the middle of an epoch."""

    def on_train_batch_end(self, batch, logs=None):
        if int(self.model.epochs.numpy()) == DYING:
            os.kill(os.getpid(), signal.SIGKILL)


if __name__ == "__main__":
    DYING = int(sys.argv[1])
    workers.pretend_two_devices()
    if '"index": 1' in os.environ["TF_CONFIG"]:
        training._Checkpoints = Dying
    cli.main(sys.argv[2:])
