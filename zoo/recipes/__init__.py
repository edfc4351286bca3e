"""Sizes and training that the recipes of several models share, as plain data by data set.

A recipe is what `tfgen train NAME` runs; the numbers beside published weights came from it.  Every
file of a model ends in its RECIPES, {name: recipe}, with the keys

    model        the class, a name in `zoo.MODELS`
    description  one line
    flagship     whether a preset may have twice the size, see `zoo.preset.publish`; by default not
    data         arguments of the class's `load_data`, by default those of `tfgen.data.load`
    build        arguments of the class's `build_networks`: network sizes and the paper's parameters
    training     epochs, batch_size, learning_rate, beta_1, decay ("cosine" or None); with `held_out`
                 in data also patience: training stops once the bound on the images held out has not
                 risen for so many epochs, and the epoch with the highest is kept
"""

TITLES = {"digits": "scikit-learn's 8x8 digits", "mnist": "MNIST"}


def tested(data):
    """Name of the data set whose test split scores a model: the `target` where its recipe adapts to one."""
    return data.get("target", data["name"])


def scored(data, endpoints):
    """What `tfgen.evaluate` takes of a recipe's data: a name, or both of a model that translates."""
    return (data["name"], data["target"]) if "translate_ab" in endpoints else tested(data)


ADVERSARIAL = {  # DCGAN's networks and training; epochs are each model's own
    "digits": {
        "build": {"width": 32, "latent_dim": 32},
        "training": {"batch_size": 64, "learning_rate": 5e-4, "beta_1": 0.5, "decay": None},
    },
    "mnist": {
        "build": {"width": 32, "latent_dim": 64},
        "training": {"batch_size": 64, "learning_rate": 2e-4, "beta_1": 0.5, "decay": None},
    },
}

FAMILY_WIDTH = 24  # of the family's DCGANs, narrower than 32: they have a third network to keep

# T of adversary activation: on MNIST chosen on images held out, see docs/studies/temperatures.md.
TEMPERATURES = {"digits": 1.0, "mnist": 5.0}

LIKELIHOOD = {  # of every run a tenth of its images is held out, to choose the epoch by
    "digits": {
        "data": {"name": "digits", "binarise": True, "held_out": 0.1},
        "build": {"width": 16, "latent_dim": 16},
        "training": {"batch_size": 64, "learning_rate": 1e-3, "beta_1": 0.9, "decay": "cosine"},
    },
    "mnist": {
        "data": {"name": "mnist", "binarise": True, "held_out": 0.1},
        "build": {"width": 24, "latent_dim": 32, "normalisation": None},
        "training": {"batch_size": 64, "learning_rate": 2e-3, "beta_1": 0.9, "decay": "cosine"},
    },
}
