"""`python -m zoo.preset.results`: pages that are functions of the presets' cards, written anew.

They are each preset's own, the table of MNIST's models in the README, and all tables in the docs.
"""

import json
from pathlib import Path

from zoo.preset import page as pages

BEGIN, END = "<!-- results -->\n", "\n<!-- /results -->"

_METRICS = {  # header -> metric
    "IS": "inception_score",
    "share of real": "inception_score_ratio",
    "FID": "fid",
    "precision": "precision",
    "recall": "recall",
    "label kept": "conditional_accuracy",
    "bound, nats": "bound",
    "accuracy": "accuracy",
    "clusters": "clustering_accuracy",
    "label kept, A to B": "label_kept_ab",
    "B to A": "label_kept_ba",
}

_PAGE = """\
# Results of all presets

Made by `python -m zoo.preset.results` from the cards in [`saved_models/`](../saved_models). A preset's
page has intervals, further metrics and the commands from which its numbers come again. One seed each.

Generators are scored on 10,000 samples by the evaluator of their data set. *share of real* is the
inception score over the real test set's; *label kept* the share of samples, or of translated test
images, that the evaluator gives the class asked for; *clusters* the accuracy of classes found without
labels under the best assignment; *bound* the variational bound on the test set, given the labels for
conditional models. *paper* is the paper's number for the same model on the same data, a share of real,
a label accuracy, a bound, an accuracy, each by its own evaluators. Cores are those that the training
could use, on a machine shared with other work.
{sections}"""


def table(cards, folder="saved_models"):
    """Numbers beside the paper's, as a Markdown table; "-" is a number that does not apply.

    Args:
        cards: of the presets, in the order of the rows. Metrics that none of them has are left out.
        folder: of the presets, as seen from the page.
    """
    measured = {
        header: metric
        for header, metric in _METRICS.items()
        if any(metric in card["evaluation"]["metrics"] for card in cards)
    }
    headers = ["preset", *measured, "paper", "epochs", "minutes", "machine"]
    lines = ["| " + " | ".join(headers) + " |", "|---" * len(headers) + "|"]
    for card in cards:
        metrics = card["evaluation"]["metrics"]
        numbers = [
            pages.digits(metrics[m]["value"]) if m in metrics else "-" for m in measured.values()
        ]
        cells = [
            f"[`{card['name']}`]({folder}/{card['name']}/README.md)",
            *numbers,
            ", ".join(f"{value:g}" for value in card["paper"].values()) or "-",
            str(card["epochs"]),
            f"{card['wall_seconds'] / 60:.1f}",
            pages.machine(card).replace("(R)", "").replace(" Processor", ""),
        ]
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines)


def main_table(cards):
    """The README's: models of MNIST alone; a suffix is the share of its images or, of SVAE, its labels."""
    return table([card for card in cards if _title(card) == "mnist"])


def page(cards):
    """All presets, a section for each data set or pair of them, in Markdown."""
    sections = {}
    for card in sorted(cards, key=lambda card: card["name"]):
        sections.setdefault(_title(card), []).append(card)
    return _PAGE.format(
        sections="".join(
            f"\n## {title}\n\n{table(found, '../saved_models')}\n"
            for title, found in sorted(sections.items())
        )
    )


def _title(card):
    data = card["data"]
    return " and ".join(data[key] for key in ("name", "target") if key in data)


def _write(root):
    cards = [json.loads(path.read_text()) for path in sorted(root.glob("saved_models/*/card.json"))]
    for card in cards:
        (root / "saved_models" / card["name"] / "README.md").write_text(pages.page(card))
    (root / "docs" / "results.md").write_text(page(cards))
    readme = root / "README.md"
    head, rest = readme.read_text().split(BEGIN)
    readme.write_text(f"{head}{BEGIN}{main_table(cards)}{END}{rest.split(END)[1]}")


if __name__ == "__main__":
    _write(Path(__file__).resolve().parents[2])
