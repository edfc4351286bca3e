"""One run of a cell in its own process: train, score, append the record.

    python -m zoo.studies.reproduce CELL ARM SEED SCALE FOLDER [PARENT]

A killed run in FOLDER/runs is resumed; the record is appended in FOLDER/records. With the process number of
its PARENT a run ends when that ends, so that none goes on unseen.
"""

import sys

from tfgen.quiet import quietly

with quietly():
    from zoo.studies.reproduce import run

if __name__ == "__main__":
    run.main(*sys.argv[1:])
