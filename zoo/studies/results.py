"""`python -m zoo.studies.results`: write the pages made from cards: of each preset, and docs/results.md."""

from pathlib import Path

import numpy as np

from tfgen import markdown
from zoo.preset import cards
from zoo.preset import page as pages
from zoo.preset.provenance import in_words
from zoo.studies.reproduce.cells import SEMI_SUPERVISED
from zoo.studies.reproduce.page import RECORDS, claim_rows, of_scale

ARMS = ("classifier alone", "SVAE", "AA-SVAE")  # of the records
_METRICS = {  # header -> metric
    "IS": "inception_score",
    "share of real": "inception_score_ratio",
    "FID": "fid",
    "precision": "precision",
    "recall": "recall",
    "share, aggregate codes": "aggregate_inception_score_ratio",
    "share, truncated z": "truncated_inception_score_ratio",
    "label kept": "conditional_accuracy",
    "label kept, aggregate codes": "aggregate_conditional_accuracy",
    "label kept, truncated z": "truncated_conditional_accuracy",
    "ESS/k": "ess_share",
    "bound, nats": "bound",
    "accuracy": "accuracy",
    "clusters": "clustering_accuracy",
    "label kept, A to B": "label_kept_ab",
    "B to A": "label_kept_ba",
}

_PAGE = """\
# Results of all presets

Made by `python -m zoo.studies.results` from the cards in [`saved_models/`](../saved_models). The page of a
preset has intervals, further metrics and the commands that reproduce its numbers. Each preset has one seed.
A preset with the recipe of an arm of `tfgen reproduce`, as the GANs of digits and the VAEs of 1 % and 10 %
of MNIST, has a seed near the arm's median when it was trained; its page has its rank and the spread. Other
presets differ from the arms in width, length or the images held out.

Generators are scored on 10,000 samples by the evaluator of their data set. *share of real* is the
inception score divided by the real test set's; *label kept* the share of samples, or of translated test
images, that the evaluator classifies as their label; *clusters* the accuracy of classes found without
labels under the best assignment; *bound* the variational bound on the test set, given the labels for
conditional models. *paper* is the paper's number for the same model on the same data, a share of real,
a label accuracy, a bound or an accuracy, by the paper's own evaluators. Cores are those available to the
training, on a machine shared with other work. Presets trained in bfloat16 and in float32, or on different
machines, do not form pairs. *share, aggregate codes* is of the second sampler of likelihood models, see
`fit_sampler`; *truncated z* of a GAN's, see [studies/truncation.md](studies/truncation.md). *ESS/k* is the
effective sample size of the weights of Eq. 43: at 1 an IWGAN's update is the GAN's. MNIST-M is a subset:
12,000 of 59,001 training images, 4,000 of 9,001 test images.

Bounds are of the test set binarized once, each pixel a draw from Bernoulli(gray value). The paper does not
state its binarization. Accuracies are of gray test images. These single runs do not show whether one model
is better than another; `tfgen reproduce` measures that over paired seeds.

## The paper's claims

Over paired seeds; the pages of [Table 2](studies/table2.md), [3](studies/table3.md) and
[4](studies/table4.md) have every cell and every control.

{claims}

## Departures from the paper

The paper takes "the DCGAN architecture and hyperparameter setting" (Radford et al. 2015) for all models.

| | DCGAN | GANs of MNIST | GANs of MNIST-M | GANs of CIFAR-10 |
|---|---|---|---|---|
| batch, the k of IWGAN | 128 | 64 | 64 | 64 |
| z | uniform on [-1, 1], 100 dimensions | N(0, I), 64 dimensions | N(0, I), 64 | N(0, I), 128 |
| width of the layer nearest the image | 64 | 32, or 24 with a third network | 32 | 24, 40 or 128 |
| networks | strided convolutions of 5x5 | the same | the same | residual blocks of 3x3 |
| 28 pixels | two layers of stride 2 | padded to 32, three layers of stride 2 | - | - |
| phi's normalization | batch | batch | spectral | spectral |
| theta's normalization | batch | batch | batch, modulated by z and the class \
| the same, without labels by z |
| labels in phi | - | inner product with the features (Miyato & Koyama 2018) | the same | the same |
| learning rates of theta and phi | 2e-4 | 2e-4 | 2e-4, 4e-4, linear decay \
| 4e-4, 8e-4, or of width 128 half of them; linear decay |
| beta_1 of Adam | .5 | .5 | .5 | 0 |
| updates of theta and phi | alternating | simultaneous | simultaneous | simultaneous |
| samples are drawn from | theta | a moving average, .999 | .999 | .9995 |
| training images | - | - | - | mirrored at random |
| phi after training | - | 1,200 steps with the statistics it is served with | - | - |
| SVAE's decoder, classifier, alpha | the generator, the discriminator, 0.1 (Kingma et al. 2014) \
| a multilayer perceptron, a pooled classifier, 1 (at 10 % of the labels 10) | - | - |

SVAE's alpha is the choice, of 1, 10 and 100, of the labels that a setting allows: at 1 % by 2 of 180
images, at 10 % by 4 of 1,800 ([settings](studies/settings.md)). The decoder and the classifier were
chosen on training images whose labels the setting hides, and that choice was not recorded. VAEs of
MNIST are 24 wide, without batch normalization, with z of 32 dimensions, a rate of 2e-3 with cosine
decay, beta_1 of .9, and samples from theta. z of AAE has 8 dimensions, of VAE/GAN and GAN/VAE 32.

## Aims of the color presets

{aims}

What bounds the GANs of CIFAR-10 is compute, as far as this was measured. Share and FID of `gan_cifar10`
improve [to the last epoch](studies/convergence.md), those of `iwgan_cifar10` hardly in the last quarter,
where the rate decays; both had 2.3 hours of one core, in networks 24 wide. With labels the recipe reaches
.687 in two hours of two cores (`cgan_cifar10`, 40 wide) and .828 in six minutes of a GPU
(`iwcgan_cifar10`, 128 wide): the two differ in width, rates and importance weights, and form no pair.
Whether FID of these two falls to the end was not measured. The GANs of MNIST-M learn from 12,000 images,
in 35 minutes of two cores; residual networks were not tried there. `resnet_cifar10` had 18 epochs in 111
minutes of two cores; its weights are not averaged.

[Options](studies/options.md) measures what each option of these GANs gains in ten minutes of one core. Of
the eleven only theta's modulation by z improves share and FID by much, with both seeds (the others have
one); lazy R1 doubles the effective sample size at equal scores. Spectral normalization and residual
networks, which the recipes have for longer trainings, lose within these minutes.
[Few pictures](studies/few_pictures.md) measures `cgan_cifar10` fine-tuned on another data set.

Truncated samples gain precision at the expense of recall ([truncation](studies/truncation.md)): their
shares may pass 1, since the Inception Score does not see a lack of variety. The factor was chosen by FID
to training images, which does. Without labels truncation raises precision, but neither share nor FID gets
better.

`vae_cifar10` has more bits per dimension than a Gaussian of all pixels (4.70): one vector of 96 codes, and
pixels that are independent given it, blur. `cvae_mnist_m` keeps labels if its codes are drawn from the
aggregate posterior, not from p(z).
{classifiers}{sections}"""


def table(cards: list[cards.Card], folder: str = "saved_models") -> str:
    """Return numbers beside the paper's as a Markdown table; "-" is a number that does not apply.

    Args:
        cards: Cards of the presets, in the order of the rows. Metrics that none of them has are left out.
        folder: Folder of the presets, relative to the page.
    """
    measured = {
        header: metric
        for header, metric in _METRICS.items()
        if any(metric in card.metrics for card in cards)
    }
    rows = []
    for card in cards:
        metrics = card.metrics
        numbers = [
            pages.digits(metrics[m]["value"]) if m in metrics else "-" for m in measured.values()
        ]
        rows.append(
            (
                f"[`{card.name}`]({folder}/{card.name}/README.md)",
                *numbers,
                ", ".join(f"{value:g}" for value in card.paper.values()) or "-",
                card.epochs,
                f"{card.wall_seconds / 60:.1f}",
                _machine(card),
            )
        )
    return markdown.table(["preset", *measured, "paper", "epochs", "minutes", "machine"], rows)


def _machine(card):
    reduced = ", bfloat16" if card.bfloat16 else ""
    return in_words(card.machine).replace("(R)", "").replace(" Processor", "") + reduced


def page(cards: list[cards.Card]) -> str:
    """Return the page of all presets, with a section per data set or pair of data sets."""
    sections = {}
    for card in sorted(cards, key=lambda card: card.name):
        sections.setdefault(_title(card), []).append(card)
    return _PAGE.format(
        claims=claim_rows(RECORDS, "studies"),
        aims=_aims(cards),
        classifiers=_classifiers(cards),
        sections="".join(
            f"\n## {title}\n\n{table(found, '../saved_models')}\n"
            for title, found in sorted(sections.items())
        ),
    )


_UNCONDITIONAL = {"inception_score_ratio": 0.75}
_CONDITIONAL = {"inception_score_ratio": 0.85, "conditional_accuracy": 0.8}
_AIMS = {  # preset: {metric: aim}
    "gan_cifar10": _UNCONDITIONAL,
    "iwgan_cifar10": _UNCONDITIONAL,
    "cgan_cifar10": _CONDITIONAL,
    "iwcgan_cifar10": _CONDITIONAL,
    "cgan_mnist_m": _CONDITIONAL,
    "iwcgan_mnist_m": _CONDITIONAL,
    "resnet_cifar10": {"accuracy": 0.93},
}


def _aims(cards):
    """Return the numbers of color presets beside those that the zoo aims at, met in bold."""
    names = {metric: header for header, metric in _METRICS.items()}
    known = {card.name: card.metrics for card in cards}
    rows = []
    for name, aims in _AIMS.items():
        for metric, aim in aims.items():
            found = known.get(name, {})
            cells = [_met(found.get(prefix + metric), aim) for prefix in ("", "truncated_")]
            rows.append((f"`{name}`", names[metric], aim, *cells))
    return markdown.table(("preset", "number", "aim", "reached", "truncated z"), rows)


def _met(number, aim):
    if number is None:
        return "-"
    shown = pages.digits(number["value"])
    return f"**{shown}**" if number["value"] >= aim else shown


def _classifiers(cards):
    """Return the accuracies of SVAEs beside those of their classifier alone, from the records."""
    rows = []
    for cell, (_, _, share, alpha, _) in SEMI_SUPERVISED.items():
        paired = [
            found for found in of_scale(RECORDS, cell, "here").values() if set(found) >= set(ARMS)
        ]
        for metric, of in (("accuracy", "gray"), ("accuracy_binary", "binarized")):
            spreads = [_spread([found[arm]["scores"][metric] for found in paired]) for arm in ARMS]
            presets = [_accuracy(cards, kind, share, alpha, of) for kind in ("svae", "aasvae")]
            rows.append((f"{share:.0%}", f"{alpha:g}", of, len(paired), *spreads, *presets))
    header = ("labels", "alpha", "test images", "seeds", *ARMS, "SVAE preset", "AA-SVAE preset")
    return (
        "\n## SVAE and its classifier alone\n\n"
        "Over paired seeds, with width 16, half the presets', from the records of "
        "`tfgen reproduce table4`:\n"
        "mean and standard deviation. The classifier alone is the pooled classifier, trained only on the\n"
        "labelled images, in about 1,600 steps with a cosine schedule and dynamic binarization. Presets\n"
        "were trained for the epochs in brackets, so that the two of a row do not form a pair.\n\n"
        f"{markdown.table(header, rows)}\n"
    )


def _spread(values):
    if len(values) < 2:
        return "not run here"
    return f"{np.mean(values):.4f} ± {np.std(values, ddof=1):.4f}"


def _accuracy(cards, kind, share, alpha, of):
    """Return the accuracy of MNIST's preset of a kind, a share of labels and an alpha, or "-"."""
    metric = "accuracy" if of == "gray" else "accuracy_binarized"
    found = [
        card
        for card in cards
        if card.name == f"{kind}_mnist_{share * 100:.0f}pct"
        and card.recipe["build"]["alpha"] == alpha
        and metric in card.metrics
    ]
    return f"{found[0].metrics[metric]['value']:.4f} ({found[0].epochs})" if found else "-"


def _title(card):
    data = card.data
    return " and ".join(data[key] for key in ("name", "target") if key in data)


def _write(root):
    folders = sorted(path.parent for path in root.glob("saved_models/*/card.json"))
    found = [cards.read(folder) for folder in folders]
    for card in found:
        (root / "saved_models" / card.name / "README.md").write_text(pages.page(card))
    (root / "docs" / "results.md").write_text(page(found))


if __name__ == "__main__":
    _write(Path(__file__).resolve().parents[2])
