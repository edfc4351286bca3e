"""Compare the VAE's training step with pythae's VAE on the same networks."""

from benchmarks import comparison

CASES = {f"width {width}, 28 px": {"width": width, "size": 28, "batch": 64} for width in (32, 64)}


def measure(effort):
    """Return records, see `benchmarks.comparison.compare`, and the peers that were skipped."""
    tasks = {"tfgen": ("benchmarks.contenders.ours:vae_steps", {"cases": CASES})}
    peer = ("benchmarks.contenders.pythae_vae:vae_steps", {"cases": CASES})
    tasks, skipped = comparison.with_peer(tasks, "pythae", "pythae", peer)
    return {"records": comparison.compare(tasks, CASES, effort), "skipped": skipped}
