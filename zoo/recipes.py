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

_DATA = {
    "digits": {
        "title": "scikit-learn's 8x8 digits",
        "gan": {"width": 32, "latent_dim": 32, "average": 0.99},
        "gan_training": {"batch_size": 64, "learning_rate": 5e-4},
        "gan_epochs": {"unconditional": 150, "conditional": 150},
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


def _recipes():
    for data, sizes in _DATA.items():
        for name, (description, parameters) in _GANS.items():
            kind = "conditional" if parameters.get("conditional") else "unconditional"
            yield (
                f"{name}_{data}",
                {
                    "model": "GAN",
                    "description": f"{description}, on {sizes['title']}",
                    "data": {"name": data},
                    "build": {**sizes["gan"], **parameters},
                    "training": {
                        "epochs": sizes["gan_epochs"][kind],
                        **sizes["gan_training"],
                        "beta_1": 0.5,
                        "decay": None,
                    },
                },
            )
        yield (
            f"resnet_{data}",
            {
                "model": "ResNet",
                "description": f"Residual classifier, the evaluator of scores on {sizes['title']}",
                "data": {"name": data},
                "build": sizes["resnet"],
                "training": {**sizes["resnet_training"], "beta_1": 0.9, "decay": "cosine"},
            },
        )


RECIPES = dict(_recipes())
