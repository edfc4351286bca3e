"""The page of the study: the ranking of the validators, and the accuracies of the chosen models."""

import json
import statistics
from pathlib import Path
from typing import Any

import zoo
from tfgen.markdown import table
from zoo.preset.provenance import in_words
from zoo.studies import adaptation
from zoo.studies.validators.choice import (
    best_validator,
    candidates,
    choices,
    ranking,
    source_only,
)
from zoo.studies.validators.runs import (
    EVERY_WEIGHT,
    HELD,
    PLAIN,
    RANKED,
    SHIFTED,
    VALIDATORS,
    WEIGHTS,
)

PAGES = Path(__file__).resolve().parents[3] / "docs" / "studies"


def page(results: dict[str, Any], bounds: dict[str, tuple[float, float]]) -> str:
    """Return validators.md.

    Args:
        results: Contents of validators.json.
        bounds: {recipe: mean accuracy of the floor and of the ceiling} of `zoo.studies.adaptation`.
    """
    runs, facts = results["runs"], results["facts"]
    ranked = ranking(runs)
    rows = [
        (name, source, f"{ranked[name][0]:.3f}", f"{ranked[name][1]:.4f}")
        if ranked
        else (name, source, "not run here", "not run here")
        for name, source in VALIDATORS.items()
    ]
    best = best_validator(runs)
    sections = "\n".join(
        _section(runs, pair, best, bounds.get(pair[0].recipe))
        for pair in zip(PLAIN, SHIFTED, strict=True)
    )
    software, weights = facts["versions"], ", ".join(f"{weight:g}" for weight in WEIGHTS)
    # The first recorded runs have no machine of their own.
    machines = [in_words(r.get("machine", facts["machine"])) for r in runs]
    return f"""# Domain adaptation, chosen without labels of the target

`python -m zoo.studies.validators`, with TensorFlow {software["tensorflow"]} and Keras
{software["keras"]}, on {"; ".join(dict.fromkeys(machines))}. The weight of a run's adversarial term,
{weights}, is reached at its end; each epoch of a run gives one model.
Validators read {HELD:,} source images that are held out and {HELD:,} target images without labels.

## Rank correlation with accuracy

MNIST to MNIST-M, {len(candidates(runs, [RANKED]))} seeds of {len(WEIGHTS) * RANKED.epochs} models.
*Lost* is the accuracy of the best model minus that of the model with the highest value. MNIST-M's test
labels choose the validator here; no label of the target is read for a choice between MNIST and USPS.
The domain classifier of importance-weighted accuracy is ADA's own phi, which theta learns to mislead, and
which has seen the target's images; Sugiyama et al. fit one of its own.

{table(("validator", "source", "rank correlation", "lost"), rows)}

## Chosen models

The floor, which learns from the source alone, and the ceiling, which learns from the target's labels, are
those of [adaptation](adaptation.md). *Source only* is a run with weight 0 of this study, after its last
epoch: the images, shifts and steps of ADA. Shifts are of up to two pixels, of images of both domains, as
French et al. (2018) shift them for this pair; the digits of USPS touch the border, where a shift cuts them
and mirrors their strokes. The shifts were first tried, and their gain seen, on the test split; the choice
among all models was added when the rows on ADA and on shifts alone were known. From MNIST to USPS it is the
shifts that close the gap: an adversary beside them lowers the accuracy. From USPS to MNIST it is ADA.

{sections}"""


def _section(runs, pair, validator, bounds):
    plain, shifted = pair
    data = zoo.RECIPES[plain.recipe]["data"]
    title = f"### {data['name']} to {data['target']}\n\n"
    every = candidates(runs, pair, EVERY_WEIGHT)
    ada = {
        "as they are": candidates(runs, [plain]),
        "shifted": candidates(runs, [shifted]),
    }
    chosen = {
        "chosen among all models": choices(every, validator),
        **{f"chosen among ADA's, images {how}": choices(f, validator) for how, f in ada.items()},
        "best of all by the test labels": choices(every, "accuracy"),
        **{
            f"best of ADA's by the test labels, images {how}": choices(f, "accuracy")
            for how, f in ada.items()
        },
    }
    accuracies = {name: [m["accuracy"] for m in models] for name, models in chosen.items()}
    alone = {"as they are": source_only(runs, plain), "shifted": source_only(runs, shifted)}
    accuracies |= {f"source only, images {how}": found for how, found in alone.items()}
    rows = [
        (*_row(name, found, bounds), _gain(found, alone.get(name.partition("images ")[2])))
        for name, found in accuracies.items()
    ]
    text = f"{plain.epochs} epochs, {shifted.epochs} with shifts."
    if bounds is not None:
        text += " Floor {:.4f}, ceiling {:.4f}.".format(*bounds)
    picked = "; ".join(
        f"shifts of {m['shift']}, weight {m['weight']:g}, epoch {m['epoch']}"
        for m in chosen["chosen among all models"]
    )
    if picked:
        text += f" Chosen among all:\n{picked}."
    header = ("", "accuracy", "seeds", "gap closed", "over source only, same images")
    return f"{title}{text}\n\n{table(header, rows)}\n"


def _row(title, accuracies, bounds):
    if not accuracies:
        return title, "not run here", "", ""
    mean = statistics.mean(accuracies)
    spread = f" ± {statistics.stdev(accuracies):.4f}" if len(accuracies) > 1 else ""
    closed = ""
    if bounds is not None:
        floor, ceiling = bounds
        closed = f"{(mean - floor) / (ceiling - floor):.0%}"
    return title, f"{mean:.4f}{spread}", len(accuracies), closed


def _gain(accuracies, alone):
    """Return the mean gain over the models that learn from the source alone, or "" without them."""
    if not accuracies or not alone or accuracies is alone:
        return ""
    return f"{statistics.mean(accuracies) - statistics.mean(alone):+.4f}"


def recorded_bounds() -> dict[str, tuple[float, float]]:
    """Return {recipe: mean accuracy of floor and ceiling} from the records of `zoo.studies.adaptation`."""
    recorded = json.loads((PAGES / "adaptation.json").read_text())["recipes"]
    return {
        name: tuple(
            statistics.mean(r["accuracy"] for r in entry["runs"] if r["method"] == method)
            for method in (adaptation.FLOOR, adaptation.CEILING)
        )
        for name, entry in recorded.items()
    }
