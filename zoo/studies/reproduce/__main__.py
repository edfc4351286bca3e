"""One run of a cell in a process of its own: train, score, append its record.

    python -m zoo.studies.reproduce CELL ARM SEED SCALE FOLDER

It goes on where a run in FOLDER/runs was killed; the record ends up in FOLDER/records.
"""

import sys

from tfgen.quiet import quietly

with quietly():
    from zoo.studies.reproduce import run

if __name__ == "__main__":
    run.main(*sys.argv[1:])
