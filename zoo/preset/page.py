"""A preset's page, `README.md`, made from its card."""

import shlex

from tfgen import markdown
from tfgen.evaluation import capabilities
from zoo import registry
from zoo.preset import lookup
from zoo.preset.cards import Card
from zoo.preset.paper import BITS
from zoo.preset.provenance import in_words
from zoo.recipes import evaluation_data

_COLUMNS = ("metric", "value", "95 % interval", "ceiling", "paper")

_PAGE = """\
# {name}

{description}.

![{caption}](samples.png)

{caption}.

`zoo.{model}` - {equation}

## Use

```python
import zoo

model = zoo.load("{name}")
{use}
```

`model.fit` trains it further, `tfgen.export(model, "{name}/1")` writes the SavedModel in `1/`, with
the endpoints {endpoints}{bytes}.

## Numbers

{scored}

{numbers}
{notes}
## How it was made

{commands}

{facts}

`card.json` holds all of this as data, with the checksum of each file.

## Limits

{limits}
"""


def page(card: Card) -> str:
    """Return the page of a preset in Markdown."""
    capability = capabilities.main_capability(card.endpoints)
    names = evaluation_data(card.recipe["data"], card.endpoints)
    facts = {**card.evaluation, "data": names if isinstance(names, str) else _join(names)}
    return _PAGE.format(
        name=card.name,
        description=card.description,
        model=card.model,
        equation=card.equation,
        caption=capability.caption,
        use=capability.example.format(
            shape=", ".join(map(str, card.image_shape)), label=_label(card)
        ),
        endpoints=_join(f"`{name}`" for name in card.endpoints if not _of_bytes(name)),
        bytes=_BYTES if any(map(_of_bytes, card.endpoints)) else "",
        scored=capability.scored.format(**facts),
        numbers=markdown.table(_COLUMNS, [_row(card, metric) for metric in _shown_metrics(card)]),
        notes="".join(f"\n{note}\n" for note in _notes(card)),
        commands=_commands(card),
        facts=markdown.table(("", ""), _training_facts(card)),
        limits=f"{capability.limits.format(**facts)} {_seeds(card)}".strip(),
    )


def _label(card):
    """Return the argument that selects a class of a conditional model."""
    if "sample_labels" not in card.endpoints:
        return ""
    return f", labels=[{min(3, card.num_classes - 1)}] * 64"


def _training_facts(card):
    """Return (fact, value) pairs on how a preset was made."""
    data = card.data
    splits = ", ".join(f"{split} {count:,}" for split, count in data["splits"].items())
    return [
        ("data", "; ".join([f"{data['name']} ({splits})", *_subset(card)])),
        ("networks", _arguments(card.recipe["build"]) or "given in Python"),
        ("parameters", _arguments({k: f"{v:,}" for k, v in card.parameters.items()})),
        ("training", _training(card)),
        ("seed", card.seed),
        ("wall time", f"{_minutes(card)} on {in_words(card.machine)}"),
        ("versions", _arguments(card.versions)),
        ("size", f"{card.bytes / 1e6:.1f} MB"),
    ]


_BYTES = ", and `<name>_bytes` for PNG or JPEG files instead of `images`"


def _seeds(card):
    """Tell what one seed is worth: the spread over seeds, or that it is unknown."""
    arm = card.arm
    if arm is None:
        return "One seed was trained: differences between presets may be chance."
    spreads = [
        f"{metric} {digits(mean)} ± {digits(arm['deviations'][metric])}"
        for metric, mean in arm["means"].items()
    ]
    return (
        f"Of {arm['seeds']} recorded runs of this recipe, the one of this seed is number {arm['rank']} "
        f"from the lowest {arm['metric']}; these weights are of another run of the seed. "
        f"Mean and deviation of the recorded ones, as scored in [{arm['table']}]"
        f"(../../docs/studies/{arm['table']}.md): {_join(spreads)}."
    )


def _of_bytes(endpoint):
    """Whether an endpoint is the `_bytes` form of another."""
    return endpoint.endswith("_bytes")


def _subset(card):
    """Describe the part of the data that a run learned from, and its form."""
    data = card.recipe["data"]
    if "mnist_m" in (data["name"], data.get("target")):
        yield (
            "a subset of MNIST-M, 12,000 of 59,001 training images and 4,000 of 9,001 test images"
        )
    if "target" in data and "classify" in card.endpoints:
        yield f"labelled images of {data['name']} and unlabelled ones of {data['target']}"
    elif "target" in data:
        yield f"unpaired with images of {data['target']}"
    if "fraction" in data:
        yield f"{data['fraction']:.0%} of the training images, stratified by class"
    if "labelled" in data:
        yield f"the labels of {data['labelled']:.0%} of them, stratified by class, the rest unlabelled"
    if data.get("shift"):
        yield f"shifted by up to {data['shift']} pixels in each direction, at random"
    if data.get("flip"):
        yield {"random": "mirrored at random", "alternating": "mirrored in every other epoch"}[
            data["flip"]
        ]
    if data.get("binarize"):
        yield (
            "dynamically binarized: pixels are drawn from Bernoulli(gray value), in every epoch in "
            "training and once in testing"
        )
    if "held_out" in data:
        yield (
            f"{data['held_out']:.0%} of these images (and labels) held out of training, for early "
            f"stopping after {card.recipe['training']['patience']} epochs without a higher bound on "
            f"them; the weights are of the epoch with the highest, {card.best_epoch} of {card.epochs}"
        )


def _shown_metrics(card):
    """Return the card's metrics without bounds of fewer images whose gains on these images are known.

    Annealed bounds of an SVAE are of ten images, and are left out altogether.
    """
    return [name for name in card.metrics if not _is_of_few_images(card, name)]


def _is_of_few_images(card, metric):
    if card.model == "SVAE" and metric.startswith("ais_bound"):
        return True
    return metric.startswith(("iw_bound", "ais_bound")) and f"{metric}_gain" in card.metrics


def _notes(card):
    """Return remarks on the numbers."""
    metrics, data = card.metrics, card.recipe["data"]
    binary = data.get("binarize")
    if "bound" in metrics and binary:
        yield (
            "Bounds are of binarized test images, each pixel one draw from Bernoulli(gray value). The "
            "paper does not state its binarization, which alone changes a bound by many nats, see "
            "[binarization](../../docs/studies/binarization.md)."
        )
    if "bound" in card.paper and card.recipe["build"].get("conditional"):
        yield (
            "The bound is on log p(x|t). The paper's may contain log p(t) = -2.30 nats, which it does not "
            "say, see [theory](../../docs/theory/README.md#where-the-paper-fails)."
        )
    if "iw_bound_64_gain" in metrics:
        yield (
            "A *gain* is of the importance-weighted bound of 64 or 1,024 draws over `bound`, on the first "
            "images in a random order, as many as 1,024,000 decoded images allow."
        )
    elif "iw_bound_64" in metrics:
        yield (
            "`iw_bound_64` and `iw_bound_1024` are of fewer images than `bound`: their differences from it "
            "are no gains."
        )
    if "ais_bound_gain" in metrics:
        yield (
            "`ais_bound_gain` is of the annealed bound over that of 1,024 draws, on the same 100 images."
        )
    if "bits_per_dim" in metrics and data["name"] in BITS:
        known = "; ".join(f"{model} {bits}" for model, bits in BITS[data["name"]].items())
        yield (
            f"`bits_per_dim` in the literature, test set: {known}. Here z is one layer of a vector, and "
            "the channels of all pixels are independent given z."
        )
    if "accuracy" in metrics and binary:
        yield "`accuracy` is of gray test images, though the model learned from binarized ones."
    if card.model == "SVAE" and data["name"] == "mnist":
        yield (
            "[The results](../../docs/results.md#svae-and-its-classifier-alone) compare a narrower model "
            "with its classifier alone on the same labels. alpha (0.1 in Kingma et al.), the multilayer "
            "decoder and the pooled classifier depart from Kingma et al. and from the paper. alpha is "
            "the choice of labels that this setting allows, see "
            "[settings](../../docs/studies/settings.md); decoder and classifier were chosen on training "
            "images whose labels it hides, a choice that was not recorded."
        )
    if card.model == "ADA":
        yield (
            "[adaptation](../../docs/studies/adaptation.md) has the floor, the same network from the "
            "source alone, and the ceiling."
        )
    if card.model == "ADA" and "usps" in (data["name"], data["target"]):
        yield (
            "Of the weights above 0, this is the one that [validators](../../docs/studies/validators.md) "
            "choose most often without labels of the target; the number of epochs is that of the study's "
            "runs, and the last one is kept."
        )
    if card.model == "ADA" and data.get("shift"):
        yield (
            "The gain of the shifts was first seen on the test split. Among all models the validators "
            "choose weight 0: shifted images of the source alone are more accurate than this model, see "
            "*source only, images shifted* there."
        )
    if "sample" in card.endpoints and card.model in ("GAN", "InfoGAN", "VAEGAN", "GANVAE"):
        yield (
            "The recipe departs from DCGAN's as listed in "
            "[the results](../../docs/results.md#departures-from-the-paper)."
        )
    if "ess_share" in metrics:
        yield (
            "`ess_share` is the effective sample size of Eq. 43's weights of 64 samples, as a share of 64: "
            "at 1 all weights are equal, and the update is that of the GAN."
        )
    if any(metric.startswith("aggregate_") for metric in metrics):
        yield (
            'Metrics with the prefix `aggregate_` are of `model.sample(n, prior="aggregate")`, with codes '
            "from Gaussians fitted to the codes of the training images."
        )
    if any(metric.startswith("truncated_") for metric in metrics):
        yield (
            'Metrics with the prefix `truncated_` are of `model.sample(n, prior="truncated")`, images of z '
            "times the model's `truncation`: precision for recall, see "
            "[the factors](../../docs/studies/truncation.md)."
        )


def _row(card, metric):
    number = card.metrics[metric]
    ceiling = capabilities.ceilings().get(metric, "")
    if isinstance(ceiling, str) and ceiling:
        ceiling = card.metrics[ceiling]["value"]
    return (
        metric,
        digits(number["value"]),
        f"{digits(number['low'])} to {digits(number['high'])}",
        digits(ceiling) if ceiling != "" else "",
        card.paper.get(metric, ""),
    )


def _minutes(card):
    return f"{card.wall_seconds / 60:.1f} min" if card.wall_seconds else "not recorded"


def _commands(card):
    if not card.commands:
        return "It was trained by `fit` in Python; no command reproduces it."
    shown = "```\n" + " && \\\n".join(card.commands) + "\n```"
    words = shlex.split(card.commands[0])
    changes = lookup.changes_of(words[2], card.recipe)
    stated = {*words, f'data.name="{card.recipe["data"]["name"]}"'}
    stated |= {f"training.epochs={card.recipe['training']['epochs']}"}
    if words[2] in registry.recipes() and (changes is None or not stated.issuperset(changes)):
        shown += (
            "\n\nThe recipe of this name has changed since. `card.json` holds the recipe of this "
            f"preset, which `tfgen train --from {card.name}` runs."
        )
    return shown


def _training(card):
    reduced = ", products in bfloat16" if card.bfloat16 else ""
    start = f", from the weights of {card.init}" if card.init else ""
    return _arguments(card.recipe["training"]) + reduced + start


def _arguments(values):
    return ", ".join(f"{name} {value}" for name, value in values.items() if value is not None)


def _join(words):
    *first, last = words
    return f"{', '.join(first)} and {last}" if first else last


def digits(number: float) -> str:
    """Return a number to four digits."""
    return f"{number:.4g}" if abs(number) < 1000 else f"{number:,.0f}"
