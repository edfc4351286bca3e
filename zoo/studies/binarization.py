"""`python -m zoo.studies.binarization`: bounds of MNIST's test set under three binarizations.

The paper does not state which one its Table 3 is of.  VAEs of the zoo learn from pixels drawn anew in every
epoch; the test images are

    drawn        b ~ Bernoulli(x), once, as in every number of the zoo
    thresholded  b = 1 if x > 1/2, else 0
    gray         x itself in the cross-entropy, which is then no log-likelihood
"""

import json
from pathlib import Path

import numpy as np

import tfgen
import zoo
from tfgen.evaluation import likelihood, metrics
from tfgen.evaluation.intervals import Interval
from tfgen.markdown import table

PAGES = Path(__file__).resolve().parents[2] / "docs" / "studies"
PRESETS = ("vae_mnist", "aavae_mnist", "cvae_mnist", "aacvae_mnist")
SEED = 0


def forms(gray: np.ndarray) -> dict[str, np.ndarray]:
    """Return {binarization: images} of gray images (n, h, w, c) in [0, 1]."""
    return {
        "drawn": likelihood.prepare_images("bernoulli", gray),
        "thresholded": (gray > 0.5).astype(np.float32),
        "gray": gray,
    }


def bounds(name: str) -> dict[str, Interval]:
    """Return {binarization: the mean bound in nats} of a preset on its test set."""
    model = zoo.load(name)
    images, labels = tfgen.data.arrays(zoo.card(name)["data"]["name"], "test")
    given = labels if model.conditional else None
    return {
        form: metrics.mean_interval(likelihood.variational_bound(model, shown, given, SEED))
        for form, shown in forms(images / np.float32(255)).items()
    }


def page(results: dict[str, dict[str, Interval]]) -> str:
    """Return the results as Markdown."""
    header = ("preset", *next(iter(results.values())))
    rows = [
        (f"`{name}`", *("{:.2f} ({:.2f} to {:.2f})".format(*one) for one in found.values()))
        for name, found in results.items()
    ]
    return f"""# Bounds and binarization

`python -m zoo.studies.binarization`. The bound (Eq. 11, nats per image, its 95 % interval over images) of
MNIST's 10,000 test images: with pixels drawn once from Bernoulli(gray value), as everywhere else in these
pages; set to 1 above 1/2; and gray, for which the cross-entropy is no log-likelihood. All presets learned
from pixels drawn anew in every epoch. Bounds here and in cards have one draw of z per image each: other
draws move the mean by some hundredths. The paper does not state its binarization: its -92.53 (VAE) and
-92.42 (AA-VAE) may be of any column, and only differences between models of one column mean something.

{table(header, rows)}
"""


def main() -> None:
    """Measure all presets, and write the page."""
    results = {name: bounds(name) for name in PRESETS}
    (PAGES / "binarization.json").write_text(json.dumps(results, indent=1) + "\n")
    (PAGES / "binarization.md").write_text(page(results))


if __name__ == "__main__":
    main()
