"""Numbers of the paper's Tables 2 to 4, and of the literature, for comparison with those of the presets."""

from zoo.recipes.reading import Recipe

# Table 2: the real test set's inception score; GAN, IWGAN; and the accuracies of CGAN, IWCGAN.
SCORES = {
    "mnist": (9.09, (8.34, 8.45), (0.985, 0.987)),
    "svhn_cropped": (6.55, (5.18, 5.34), (0.797, 0.798)),
    "cifar10": (8.77, (7.86, 7.89), None),
}

# Table 3: test bounds on MNIST, nats, by the share of its images or, of SVAE, of its labels.
BOUNDS = {
    "VAE": {0.01: -122.89, 0.1: -104.49, 1.0: -92.53},
    "AA-VAE": {0.01: -122.15, 0.1: -103.05, 1.0: -92.42},
    "CVAE": {0.01: -125.44, 0.1: -102.63, 1.0: -93.16},
    "AA-CVAE": {0.01: -122.88, 0.1: -101.63, 1.0: -92.75},
    "SVAE": {0.01: -108.22, 0.1: -99.44},
    "AA-SVAE": {0.01: -107.61, 0.1: -98.81},
}

# Table 4: test accuracies on MNIST by the share of its labels.
ACCURACIES = {"SVAE": {0.01: 0.9412, 0.1: 0.9768}, "AA-SVAE": {0.01: 0.9425, 0.1: 0.9797}}

# Bits per dimension of test images in other papers.
BITS = {
    "cifar10": {
        "uniform": "8.00",
        "a multivariate Gaussian": "4.70 (van den Oord et al. 2016)",
        "convolutional DRAW": "3.58 (Gregor et al. 2016)",
        "a VAE with inverse autoregressive flow": "3.11 (Kingma et al. 2016)",
        "PixelRNN": "3.00 (van den Oord et al. 2016)",
    }
}


def numbers(recipe: Recipe) -> dict[str, float]:
    """Return the paper's numbers for a recipe's model and data; its evaluators differ from ours.

    Returns:
        {"inception_score_ratio", "conditional_accuracy", "bound" or "accuracy": number}, empty if the paper
        has none.
    """
    model, data = recipe["model"], recipe["data"]
    if model == "GAN" and data["name"] in SCORES:
        return _scores(recipe)
    if model not in {"VAE", "SVAE"} or data["name"] != "mnist":
        return {}
    build = recipe["build"]
    row = f"{'AA-' * bool(build.get('adversary'))}{'C' * bool(build.get('conditional'))}{model}"
    share = data.get("labelled" if model == "SVAE" else "fraction", 1.0)
    found = {"bound": BOUNDS[row].get(share), "accuracy": ACCURACIES.get(row, {}).get(share)}
    return {metric: number for metric, number in found.items() if number is not None}


def _scores(recipe):
    real, scores, accuracies = SCORES[recipe["data"]["name"]]
    column = bool(recipe["build"].get("importance_weighted"))
    if not recipe["build"].get("conditional"):
        return {"inception_score_ratio": round(scores[column] / real, 3)}
    return {"conditional_accuracy": accuracies[column]} if accuracies else {}
