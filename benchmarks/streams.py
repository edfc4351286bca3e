"""`python -m benchmarks.streams`: data read batch by batch against the same data in memory.

Folders of small pictures of many sizes, and the same in TFDS's TFRecord and ArrayRecord files, are read for
one epoch, each by its own process: seconds to the first batch, images per second after it, and peak memory
beyond that at the start.
"""

import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import click
import numpy as np
from PIL import Image

from benchmarks import machine
from tfgen.markdown import table

HERE = Path(__file__).parent
CLASSES = 10
SIDES = (24, 40)  # range of a picture's sides
GEOMETRY = {"size": 64, "channels": 3, "batch_size": 64}
MIB = 2**20
KINDS = ("folder", "TFRecord", "ArrayRecord")
STAND_IN = ("tf_flowers", "3.0.1")  # pictures of many sizes; the records replace its files


def make(root: Path, count: int) -> Path:
    """Make a folder of `count` pictures in class folders, RGB JPEG with sides from `SIDES`."""
    rng = np.random.default_rng(0)
    for i in range(count):
        path = root / str(i % CLASSES) / f"{i:06d}.jpg"
        path.parent.mkdir(parents=True, exist_ok=True)
        height, width = rng.integers(*SIDES, 2, endpoint=True)
        coarse = rng.integers(0, 256, (4, 4, 3), dtype=np.uint8)
        Image.fromarray(coarse).resize((width, height)).save(path)
    return root


def store(folder: Path, root: Path, kind: str) -> None:
    """Store the pictures of a folder as TFDS does, in files of a kind, in `root`."""
    import tensorflow_datasets as tfds

    features = {
        "image": tfds.features.Image(shape=(None, None, 3)),
        "label": tfds.features.ClassLabel(num_classes=CLASSES),
    }
    paths = sorted(folder.rglob("*.jpg"))
    examples = (
        (i, {"image": str(path), "label": int(path.parent.name)}) for i, path in enumerate(paths)
    )
    tfds.dataset_builders.store_as_tfds_dataset(
        *STAND_IN,
        tfds.features.FeaturesDict(features),
        split_datasets={"train": examples},
        data_dir=root,
        file_format={"TFRecord": "tfrecord", "ArrayRecord": "array_record"}[kind],
        disable_shuffling=True,
    )


def epoch(name: str, stream: bool) -> dict[str, float]:
    """Read one epoch of a data set in this process."""
    from tfgen import data

    before, began = _most_memory(), time.perf_counter()
    batches = iter(data.load(name, stream=stream, **GEOMETRY))
    images = len(next(batches)[0])
    first = time.perf_counter()
    rest = sum(len(batch) for batch, _ in batches)
    seconds = time.perf_counter() - first
    return {
        "images": images + rest,
        "first_batch_seconds": first - began,
        "images_per_second": rest / seconds,
        "memory_mib": (_most_memory() - before) / MIB,
    }


def _most_memory() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024  # Linux counts in KiB


def measure(counts: tuple[int, ...], kinds: tuple[str, ...]) -> list[dict[str, Any]]:
    """Return records of each kind at each number of pictures; folders are read both ways."""
    records = []
    with tempfile.TemporaryDirectory() as root:
        for count in counts:
            folder = make(Path(root) / str(count), count)
            for kind in kinds:
                name, stored = str(folder), Path(root) / f"{count}-{kind}"
                if kind != "folder":
                    name, _ = STAND_IN
                    store(folder, stored, kind)
                for stream in (True, False) if kind == "folder" else (True,):
                    found = _alone(name, stream, stored)
                    records.append({"kind": kind, "pictures": count, "stream": stream, **found})
    return records


def _alone(name: str, stream: bool, stored: Path) -> dict[str, float]:
    """Run `epoch` in a fresh process that keeps nothing on disk."""
    code = "import json, sys; from benchmarks.streams import epoch; "
    code += "print(json.dumps(epoch(sys.argv[1], sys.argv[2] == 'stream')))"
    run = subprocess.run(
        [sys.executable, "-c", code, name, "stream" if stream else "memory"],
        cwd=HERE.parent,
        env={
            **os.environ,
            "TFDS_DATA_DIR": str(stored),
            "TFGEN_CACHE": "off",
            "TF_CPP_MIN_LOG_LEVEL": "3",
        },
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    return json.loads(run.stdout.splitlines()[-1])


def page(results: dict[str, Any]) -> str:
    """STREAMS.md."""
    header = (
        "kept as", "pictures", "read", "seconds to the first batch", "images per second after it",
        "memory, MiB",
    )  # fmt: skip
    rows = [
        (
            record["kind"],
            f"{record['pictures']:,}",
            "stream" if record["stream"] else "in memory",
            f"{record['first_batch_seconds']:.1f}",
            f"{record['images_per_second']:,.0f}",
            f"{record['memory_mib']:,.0f}",
        )
        for record in results["records"]
    ]
    return f"""# Data read batch by batch, and in memory

`python -m benchmarks.streams`, on {results["processor"]}, {results["cores"]} cores. Folders of JPEGs
with sides from {SIDES[0]} to {SIDES[1]} pixels in {CLASSES} classes, the same in TFDS's files, brought to
{GEOMETRY["size"]} x {GEOMETRY["size"]} x {GEOMETRY["channels"]} in batches of {GEOMETRY["batch_size"]};
one epoch of split "train" in its own process, without a cache. Memory is the peak of the process beyond its
memory after the import of TensorFlow. Each rate is of one run, on a machine that
{"other work shared" if results["shared"] else "did nothing else"}.

{table(header, rows)}
"""


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--count", "counts", multiple=True, default=(12_500, 50_000), show_default=True)
@click.option(
    "--kind", "kinds", type=click.Choice(KINDS), multiple=True, default=KINDS, show_default=True
)
def main(counts, kinds):
    """Read COUNT pictures of each KIND, and write STREAMS.md; records of other kinds are kept."""
    here = machine.describe()
    before = json.loads((HERE / "streams.json").read_text())["records"]
    kept = [record for record in before if record["kind"] not in kinds]
    shared = os.getloadavg()[0] > 1
    results = {"processor": here["processor"], "cores": here["cores"], "shared": shared}
    found = [*kept, *measure(counts, kinds)]
    results["records"] = sorted(found, key=lambda record: KINDS.index(record["kind"]))
    text = page(results)
    click.echo(text)
    (HERE / "streams.json").write_text(json.dumps(results, indent=2) + "\n")
    (HERE / "STREAMS.md").write_text(text)


if __name__ == "__main__":
    main()
