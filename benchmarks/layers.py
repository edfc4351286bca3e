"""Compare the transposed convolution T by output phase with TensorFlow's operator, layer by layer."""

from benchmarks import comparison


def cases(width):
    """Return the three layers of DCGAN's generator for 28 and 32 pixels, from the smallest map upwards.

    The discriminator's input gradients are the same T in the other order.
    """
    for small, wide, narrow in ((4, 4 * width, 2 * width), (8, 2 * width, width), (16, width, 1)):
        name = f"{small}x{small}x{wide} to {2 * small}x{2 * small}x{narrow}"
        yield name, {"batch": 64, "small": small, "wide": wide, "narrow": narrow}


CASES = {name: case for width in (32, 64) for name, case in cases(width)}


def measure(effort):
    """Return records, see `benchmarks.comparison.compare`."""
    tasks = {"T": ("benchmarks.contenders.operators:transposed_convolutions", {"cases": CASES})}
    return {"records": comparison.compare(tasks, CASES, effort)}
