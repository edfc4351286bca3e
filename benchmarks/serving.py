"""Compare `sample` and `discriminate` of the exported SavedModel with Keras' export of stock layers."""

from benchmarks import comparison

BATCHES = (1, 64, 512)
CASES = [
    f"{endpoint}, batch {batch}" for endpoint in ("sample", "discriminate") for batch in BATCHES
]


def measure(effort):
    """Return records, see `benchmarks.comparison.compare`."""
    arguments = {"width": 64, "size": 28, "batches": BATCHES}
    tasks = {
        "tfgen": ("benchmarks.contenders.ours:served_gan", arguments),
        "keras": ("benchmarks.contenders.documentation:served_gan", arguments),
    }
    return {"records": comparison.compare(tasks, CASES, effort)}
