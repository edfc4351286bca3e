"""Make RESULTS.md from results.json."""

import json

from benchmarks.comparison import PRODUCT
from benchmarks.timing import ratio, spread
from tfgen import markdown

REGIME_TITLES = {"own": "own", "avx2": "AVX2"}
GROWN = {"batch": "batch", "width": "width", "size": "pixels"}
OPERATORS = 8  # rows of a profile
TARGETS = (  # benchmark, peer, title, {case: at least}
    (
        "training_step",
        "keras",
        "step against the Keras documentation's loop",
        {"width 32, 28 px": 2.5, "width 32, 32 px": 2.5}
        | {"width 64, 28 px": 3.0, "width 64, 32 px": 3.0},
    ),
    (
        "training_step",
        "pytorch",
        "step against PyTorch's loop",
        dict.fromkeys(
            ("width 32, 28 px", "width 32, 32 px", "width 64, 28 px", "width 64, 32 px"), 1.2
        ),
    ),
    ("serving", "keras", "exported against stock layers", {"sample, batch 64": 4.0}),
)
UTILIZATION_TARGET = 0.75
INTRODUCTION = """\
# Benchmarks

Made by `python -m benchmarks` (`make bench`) from `results.json`; `--help` names the parts and the
quick mode.  The server under load has [its own page](../docs/serving.md).

Every contender runs in its own process.  Blocks of their work alternate, one process at a time, each block
after one untimed unit; ratios are computed per round.  Numbers are medians, with quartiles in brackets.
Time is per step or call; 1 GFLOP is 10^9 operations.

Two regimes: *own* is the machine as it is; *AVX2* is a process with `TF_ENABLE_ONEDNN_OPTS=0` and
`ONEDNN_MAX_CPU_ISA=AVX2` (for PyTorch also `ATEN_CPU_CAPABILITY=avx2`,
`MKL_ENABLE_INSTRUCTIONS=AVX2`), as TensorFlow runs on processors with AVX2 and no VNNI, where
oneDNN's convolutions are off by default.
"""
TRAINING = """\
## Training step

DCGAN, batch 64, one gray channel, latents of 64, Adam; compiled as `fit` runs it, input pipeline
included.  Keras is the documentation's loop for GANs on the same networks of stock layers: generated
and real images in one batch, then a second generation.  PyTorch is the usual two-step loop with fused
Adam, in the faster of two memory formats; its generator step also computes the discriminator's filter
gradients, as that loop does.
"""
PROFILE = """\
## Time by operator

Milliseconds per step by type of operator, from TensorFlow's profiler, with operators run one by one.
"""
VAE = """\
## VAE training step

Batch 64, 28 pixels, the same encoder and decoder; pythae in the faster of two memory formats.
"""
SERVING = """\
## Serving

Exported SavedModels, width 64, 28 pixels: `tfgen.export` against the same networks of stock layers in
a `keras.export.ExportArchive`.
"""
UTILIZATION = """\
## Utilization

Operations of the standard convolutions and dense layers, two per multiply-add, divided by the time of the
step and the rate of a 2048x2048 float32 matrix product in the same rounds.  A step of `zoo.GAN` is a
forward pass, filter gradients and input gradients of the generator and, on real and on generated
images, of the discriminator, and the input gradients of the discriminator once more for the
generator's objective; the first layer of a network gets an input gradient for that last one only.
28 pixels, batch 64.  The input pipeline is measured alone; its share should stay below 3%.
"""
GROWTH = """\
## Growth

One of batch, width and size varies from 64, 64 and 28; own regime.  The peak is the largest resident size
of the training process.
"""
LAYERS = """\
## Layers

The transposed convolution, also a strided convolution's input gradient, 5x5 kernels, stride 2, batch
64, in GFLOP/s of the standard operations.  Forward is the strided convolution of the same filter.
"""


def as_json(results):
    """Return the text of results.json."""
    return json.dumps(results, indent=1) + "\n"


def render(results):
    """Return the text of RESULTS.md."""
    benchmarks = results["benchmarks"]
    parts = [INTRODUCTION, machine(results["machine"])]
    if targets := target_rows(benchmarks):
        parts.append(target_section(targets))
    parts += [
        f"{section(benchmarks[name])}\nMeasured on {benchmarks[name]['date']}.\n"
        for name, section in SECTIONS.items()
        if name in benchmarks
    ]
    return "\n".join(parts)


def machine(described):
    onednn = ", ".join(
        f"{REGIME_TITLES[regime]} {'on' if on else 'off'}"
        for regime, on in described["onednn"].items()
    )
    rows = [
        ("processor", described["processor"]),
        ("cores", described["cores"]),
        ("instruction sets", ", ".join(described["instruction_sets"])),
        ("software", ", ".join(f"{k} {v}" for k, v in described["versions"].items())),
        ("oneDNN's kernels in TensorFlow", onednn),
        ("against PyTorch on a GPU", "not run"),
        ("contract on a GPU: float32, mixed_bfloat16, XLA", "[GPU.md](GPU.md), in part"),
    ]
    return table(("machine", ""), rows)


# Targets.


def target_rows(benchmarks):
    """Return (target, regime, case, at least, measured, met, bound) of every measured target."""
    rows = []
    for benchmark, peer, title, cases in TARGETS:
        for record in benchmarks.get(benchmark, {"records": ()})["records"]:
            contender = fastest(record, peer)
            if record["case"] not in cases or contender is None:
                continue
            target, peer_seconds = cases[record["case"]], record["seconds"][contender]
            measured = ratio(peer_seconds, record["seconds"]["tfgen"])
            bound = ratio(peer_seconds, ideal_seconds(record))
            names = (title, REGIME_TITLES[record["regime"]], record["case"])
            rows.append((*names, target, factor(measured), measured.median >= target, bound.median))
    for record in benchmarks.get("utilization", {"records": ()})["records"]:
        if record["case"] == "width 64":
            measured = utilization(record)
            names = ("utilization", REGIME_TITLES[record["regime"]], "width 64, 28 px")
            met = measured.median >= UTILIZATION_TARGET
            rows.append((*names, UTILIZATION_TARGET, factor(measured), met, 1.0))
    return rows


def target_section(rows):
    shown = [
        (title, regime, case, f"{target:g}", measured, "yes" if met else "no", f"{bound:.2f}")
        for title, regime, case, target, measured, met, bound in rows
    ]
    beyond = sum(bound < target for *_, target, _, _, bound in rows)
    missed = sum(not met for *_, met, _ in rows)
    text = (
        "The bound is what the ratio would be if this library did all operations of its step at the "
        "rate of the\nmatrix product, and everything else in no time. "
        f"{missed} of {len(rows)} cells miss their target; in {beyond} the target lies beyond\n"
        "the bound: there, the peer itself runs too near the matrix product's rate. "
        "The profiles below show what\nfills the rest of the step.\n"
    )
    head = ("target", "regime", "case", "at least", "measured", "met", "bound")
    return f"## Targets\n\n{table(head, shown)}\n{text}"


# Sections.


def training_section(benchmark):
    head = ("regime", "case", "tfgen ms", "GFLOP/s", "Keras ms", "GFLOP/s", "Keras / tfgen")
    rows = []
    for record in benchmark["records"]:
        seconds, facts = record["seconds"], record["facts"]
        rows.append(
            (
                REGIME_TITLES[record["regime"]],
                record["case"],
                milliseconds(seconds["tfgen"]),
                rate(facts["tfgen"], seconds["tfgen"]),
                milliseconds(seconds["keras"]),
                rate(facts["keras"], seconds["keras"]),
                factor(ratio(seconds["keras"], seconds["tfgen"])),
            )
        )
    return f"{TRAINING}\n{table(head, rows)}\n{peer_table(benchmark, 'pytorch', 'PyTorch')}"


def vae_section(benchmark):
    return f"{VAE}\n{peer_table(benchmark, 'pythae', 'pythae')}"


def peer_table(benchmark, peer, title):
    """Return a table of the library and a peer of two memory formats, or why there is none."""
    if peer in benchmark["skipped"]:
        return f"{title} was skipped: {benchmark['skipped'][peer]}.\n"
    rows = []
    for record in benchmark["records"]:
        best = fastest(record, peer)
        seconds = record["seconds"]
        rows.append(
            (
                REGIME_TITLES[record["regime"]],
                record["case"],
                milliseconds(seconds["tfgen"]),
                rate(record["facts"]["tfgen"], seconds["tfgen"]),
                milliseconds(seconds[best]),
                best.partition(", ")[2],
                factor(ratio(seconds[best], seconds["tfgen"])),
            )
        )
    head = ("regime", "case", "tfgen ms", "GFLOP/s", f"{title} ms", "format", f"{title} / tfgen")
    return table(head, rows)


def profile_section(benchmark):
    parts = [PROFILE]
    for regime in dict.fromkeys(record["regime"] for record in benchmark["records"]):
        records = [record for record in benchmark["records"] if record["regime"] == regime]
        for case in dict.fromkeys(record["case"] for record in records):
            columns = {r["loop"]: r["seconds"] for r in records if r["case"] == case}
            parts.append(profile_table(f"{case}, {REGIME_TITLES[regime]}", columns))
    return "\n".join(parts)


def profile_table(title, columns):
    """Return a table of the operators that take longest in any column, the rest and the sum."""
    longest = {
        kind: max(seconds.get(kind, 0) for seconds in columns.values())
        for kind in {kind for seconds in columns.values() for kind in seconds}
    }
    kinds = sorted(longest, key=lambda kind: (-longest[kind], kind))[:OPERATORS]
    values = {kind: [s.get(kind, 0) for s in columns.values()] for kind in kinds}
    sums = [sum(seconds.values()) for seconds in columns.values()]
    named = [sum(column) for column in zip(*values.values(), strict=True)]
    values["others"] = [total - part for total, part in zip(sums, named, strict=True)]
    values["sum"] = sums
    rows = [(kind, *(f"{1e3 * value:.1f}" for value in row)) for kind, row in values.items()]
    return table((title, *columns), rows)


def serving_section(benchmark):
    rows = [
        (
            REGIME_TITLES[record["regime"]],
            record["case"],
            milliseconds(record["seconds"]["tfgen"]),
            milliseconds(record["seconds"]["keras"]),
            factor(ratio(record["seconds"]["keras"], record["seconds"]["tfgen"])),
        )
        for record in benchmark["records"]
    ]
    head = ("regime", "endpoint", "tfgen ms", "Keras ms", "Keras / tfgen")
    return f"{SERVING}\n{table(head, rows)}"


def utilization_section(benchmark):
    rows = []
    for record in benchmark["records"]:
        seconds, facts = record["seconds"], record["facts"]
        share = ratio(seconds["pipeline"], seconds["tfgen"])
        rows.append(
            (
                REGIME_TITLES[record["regime"]],
                record["case"],
                milliseconds(seconds["tfgen"]),
                rate(facts["tfgen"], seconds["tfgen"]),
                rate(facts[PRODUCT], seconds[PRODUCT]),
                factor(utilization(record)),
                f"{100 * share.median:.2f}%",
            )
        )
    head = ("regime", "case", "step ms", "GFLOP/s", "matrix product", "utilization", "pipeline")
    return f"{UTILIZATION}\n{table(head, rows)}\n{growth_section(benchmark['growth'])}"


def growth_section(records):
    rows = [
        (
            f"{GROWN[record['grown']]} {record['value']}",
            milliseconds(record["seconds"]),
            f"{record['operations'] / 1e9:.1f}",
            rate(record, record["seconds"]),
            f"{record['peak_bytes'] / 2**20:.0f}",
        )
        for record in records
    ]
    return f"{GROWTH}\n{table(('grown', 'step ms', 'GFLOP', 'GFLOP/s', 'peak MiB'), rows)}"


def layers_section(benchmark):
    rows = []
    for record in benchmark["records"]:
        seconds, facts = record["seconds"], record["facts"]
        rates = [rate(facts["T"], seconds[f"T, {n}"]) for n in ("phases", "operator", "forward")]
        gain = factor(ratio(seconds["T, operator"], seconds["T, phases"]))
        rows.append((REGIME_TITLES[record["regime"]], record["case"], *rates, gain))
    head = ("regime", "layer", "by phase", "TensorFlow", "forward", "TensorFlow / by phase")
    return f"{LAYERS}\n{table(head, rows)}"


SECTIONS = {
    "training_step": training_section,
    "profile": profile_section,
    "vae_step": vae_section,
    "serving": serving_section,
    "utilization": utilization_section,
    "layers": layers_section,
}


# Numbers and tables.


def fastest(record, peer):
    """Return the name of the peer's fastest variant in a record, or None if it was skipped."""
    variants = [name for name in record["seconds"] if name.partition(", ")[0] == peer]
    return min(variants, key=lambda name: spread(record["seconds"][name]).median, default=None)


def ideal_seconds(record):
    """Return, per round, the time of the library's operations at the rate of the matrix product."""
    scale = record["facts"]["tfgen"]["operations"] / record["facts"][PRODUCT]["operations"]
    return [scale * product for product in record["seconds"][PRODUCT]]


def utilization(record):
    return ratio(ideal_seconds(record), record["seconds"]["tfgen"])


def milliseconds(seconds):
    return f"{1e3 * spread(seconds).median:.3g}"


def rate(facts, seconds):
    """GFLOP/s."""
    return f"{facts['operations'] / spread(seconds).median / 1e9:.0f}"


def factor(spread):
    return f"{spread.median:.2f} ({spread.low:.2f}-{spread.high:.2f})"


def table(head, rows):
    return markdown.table(head, rows) + "\n"
