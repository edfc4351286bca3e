"""Recipes of two data sets, and of the evaluators of the second."""

# fmt: off
ADAPTATION = {"learning_rate": 1e-3, "beta_1": 0.5, "decay": "cosine"}
TRANSLATION = {"batch_size": 32, "learning_rate": 5e-4, "beta_1": 0.5, "decay": None}

RECIPES = {
    "cyclegan_mnist_usps": {
        "model": "CycleGAN",
        "description": "CycleGAN, appendix D, between MNIST and USPS at 16x16 pixels",
        "data": {"name": "mnist", "target": "usps", "size": 16, "length": 12_000},
        "build": {"width": 16, "blocks": 2},
        "training": {"epochs": 30, **TRANSLATION},
    },
    "cyclegan_mnist_mnist_m": {
        "model": "CycleGAN",
        "description": "CycleGAN, appendix D, between MNIST and MNIST-M",
        "data": {"name": "mnist", "target": "mnist_m", "size": 32, "channels": 3, "length": 12_000},
        "build": {"width": 16, "blocks": 2},
        "training": {"epochs": 30, **TRANSLATION},
    },
    # The ramp is the number of steps of the whole training; an epoch reads the larger domain in half batches.
    # Between MNIST and USPS, ADA has the weight above 0 that zoo.studies.validators chooses most often and the
    # epochs of its runs; IW-ADA, which it does not study, has the same.
    "ada_mnist_mnist_m": {
        "model": "ADA",
        "description": "Adversarial domain adaptation, Eq. 1-3, from MNIST to MNIST-M",
        "data": {"name": "mnist", "target": "mnist_m", "size": 28, "channels": 3},
        "build": {"width": 32, "units": 100, "adversarial_weight": 0.1, "ramp": 5_628},
        "training": {"epochs": 6, "batch_size": 128, **ADAPTATION},
    },
    "ada_mnist_usps": {
        "model": "ADA",
        "description": "Adversarial domain adaptation, Eq. 1-3, from MNIST to USPS",
        "data": {"name": "mnist", "target": "usps", "size": 28, "channels": 1, "shift": 2},
        "build": {"width": 32, "units": 100, "adversarial_weight": 0.1, "ramp": 5_628},
        "training": {"epochs": 6, "batch_size": 128, **ADAPTATION},
    },
    "ada_usps_mnist": {
        "model": "ADA",
        "description": "Adversarial domain adaptation, Eq. 1-3, from USPS to MNIST",
        "data": {"name": "usps", "target": "mnist", "size": 28, "channels": 1},
        "build": {"width": 32, "units": 100, "adversarial_weight": 0.1, "ramp": 7_504},
        "training": {"epochs": 8, "batch_size": 128, **ADAPTATION},
    },
    "iwada_mnist_mnist_m": {
        "model": "ADA",
        "description": "Importance-weighted adversarial domain adaptation, from MNIST to MNIST-M",
        "data": {"name": "mnist", "target": "mnist_m", "size": 28, "channels": 3},
        "build": {"width": 32, "units": 100, "adversarial_weight": 0.1, "ramp": 5_628, "importance_weighted": True},
        "training": {"epochs": 6, "batch_size": 128, **ADAPTATION},
    },
    "iwada_mnist_usps": {
        "model": "ADA",
        "description": "Importance-weighted adversarial domain adaptation, from MNIST to USPS",
        "data": {"name": "mnist", "target": "usps", "size": 28, "channels": 1, "shift": 2},
        "build": {"width": 32, "units": 100, "adversarial_weight": 0.1, "ramp": 5_628, "importance_weighted": True},
        "training": {"epochs": 6, "batch_size": 128, **ADAPTATION},
    },
    "iwada_usps_mnist": {
        "model": "ADA",
        "description": "Importance-weighted adversarial domain adaptation, from USPS to MNIST",
        "data": {"name": "usps", "target": "mnist", "size": 28, "channels": 1},
        "build": {"width": 32, "units": 100, "adversarial_weight": 0.1, "ramp": 7_504, "importance_weighted": True},
        "training": {"epochs": 8, "batch_size": 128, **ADAPTATION},
    },
    "resnet_usps": {
        "model": "ResNet",
        "description": "Residual classifier, the evaluator of scores on USPS",
        "data": {"name": "usps"},
        "build": {"width": 16, "blocks": 2},
        "training": {"epochs": 30, "batch_size": 64, "learning_rate": 3e-3, "beta_1": 0.9, "decay": "cosine"},
    },
    "resnet_mnist_m": {
        "model": "ResNet",
        "description": "Residual classifier, the evaluator of scores on MNIST-M",
        "data": {"name": "mnist_m"},
        "build": {"width": 16, "blocks": 2},
        "training": {"epochs": 8, "batch_size": 128, "learning_rate": 2e-3, "beta_1": 0.9, "decay": "cosine"},
    },
}
