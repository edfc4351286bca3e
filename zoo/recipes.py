"""The presets as plain data: which model, on which data, with which networks, trained how.

A recipe is what `tfgen train NAME` runs; the numbers beside published weights came from it.  Keys:

    model        the class, a name in `zoo.MODELS`
    description  one line
    data         arguments of `tfgen.data.load`
    build        arguments of the class's `build`: network sizes and the paper's parameters
    training     epochs, batch_size, learning_rate, beta_1, decay ("cosine" or None)
"""

_GANS = {
    "gan": ("Generative adversarial network, Eq. 3-5", {}),
    "iwgan": ("Importance-weighted GAN, Eq. 36-43", {"importance_weighted": True}),
    "cgan": ("Class-conditional GAN, Eq. 3-5 given labels", {"conditional": True}),
    "iwcgan": (
        "Importance-weighted conditional GAN, Eq. 36-43 given labels",
        {"conditional": True, "importance_weighted": True},
    ),
}

_VAES = {
    "vae": ("Variational autoencoder, Eq. 11", {}),
    "aavae": ("Adversary-activated VAE, Eq. 17", {"adversary": True}),
    "cvae": ("Conditional VAE, Eq. 11 given labels", {"conditional": True}),
    "aacvae": (
        "Adversary-activated conditional VAE, Eq. 17 given labels",
        {"conditional": True, "adversary": True},
    ),
}

_SVAES = {
    "svae": ("Semi-supervised VAE (M2)", {}),
    "aasvae": ("Adversary-activated semi-supervised VAE, Eq. 17", {"adversary": True}),
}

_DATA = {
    "digits": {
        "title": "scikit-learn's 8x8 digits",
        "gan": {"width": 32, "latent_dim": 32, "average": 0.99},
        "gan_training": {"batch_size": 64, "learning_rate": 5e-4},
        "gan_epochs": {"unconditional": 150, "conditional": 150},
        "vae": {"width": 16, "latent_dim": 16},
        "vae_training": {"epochs": 100, "batch_size": 64, "learning_rate": 1e-3},
        "resnet": {"width": 16, "blocks": 2},
        "resnet_training": {"epochs": 30, "batch_size": 64, "learning_rate": 3e-3},
    },
    "mnist": {
        "title": "MNIST",
        "gan": {"width": 32, "latent_dim": 64, "average": 0.999},
        "gan_training": {"batch_size": 64, "learning_rate": 2e-4},
        "gan_epochs": {"unconditional": 14, "conditional": 10},
        "resnet": {"width": 16, "blocks": 2},
        "resnet_training": {"epochs": 8, "batch_size": 128, "learning_rate": 2e-3},
    },
}


def _adversarial_side(data, sizes):
    recipes = {}
    for name, (description, parameters) in _GANS.items():
        kind = "conditional" if parameters.get("conditional") else "unconditional"
        training = {"epochs": sizes["gan_epochs"][kind], **sizes["gan_training"]}
        recipes[f"{name}_{data}"] = {
            "model": "GAN",
            "description": f"{description}, on {sizes['title']}",
            "data": {"name": data},
            "build": {**sizes["gan"], **parameters},
            "training": {**training, "beta_1": 0.5, "decay": None},
        }
    return recipes


def _likelihood_side(data, sizes):
    if "vae" not in sizes:
        return {}
    common = {
        "build": sizes["vae"],
        "training": {**sizes["vae_training"], "beta_1": 0.9, "decay": None},
    }
    recipes = {}
    for name, (description, parameters) in _VAES.items():
        recipes[f"{name}_{data}"] = {
            "model": "VAE",
            "description": f"{description}, on {sizes['title']}, dynamically binarised",
            "data": {"name": data, "binarise": True},
            **common,
            "build": {**common["build"], **parameters},
        }
    for name, (description, parameters) in _SVAES.items():
        recipes[f"{name}_{data}_10pct"] = {
            "model": "SVAE",
            "description": f"{description}, on {sizes['title']}, dynamically binarised, 10% labelled",
            "data": {"name": data, "binarise": True, "labelled": 0.1},
            **common,
            "build": {**common["build"], **parameters},
        }
    return recipes


def _evaluators(data, sizes):
    return {
        f"resnet_{data}": {
            "model": "ResNet",
            "description": f"Residual classifier, the evaluator of scores on {sizes['title']}",
            "data": {"name": data},
            "build": sizes["resnet"],
            "training": {**sizes["resnet_training"], "beta_1": 0.9, "decay": "cosine"},
        }
    }


RECIPES = {
    name: recipe
    for data, sizes in _DATA.items()
    for family in (_adversarial_side, _likelihood_side, _evaluators)
    for name, recipe in family(data, sizes).items()
}
