"""Compare DCGAN's training step with the Keras documentation's loop and PyTorch's two-step loop."""

from benchmarks import comparison

CASES = {
    f"width {width}, {size} px": {"width": width, "size": size, "batch": 64}
    for width in (32, 64)
    for size in (28, 32)
}


def measure(effort):
    """Return records, see `benchmarks.comparison.compare`, and the peers that were skipped."""
    tasks = {
        "tfgen": ("benchmarks.contenders.ours:gan_steps", {"cases": CASES}),
        "keras": ("benchmarks.contenders.documentation:gan_steps", {"cases": CASES}),
    }
    peer = ("benchmarks.contenders.pytorch:gan_steps", {"cases": CASES})
    tasks, skipped = comparison.with_peer(tasks, "torch", "pytorch", peer)
    return {"records": comparison.compare(tasks, CASES, effort), "skipped": skipped}
