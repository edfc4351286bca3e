"""Recipes of CIFAR-10, 32x32 photographs of ten classes."""

# fmt: off
# Residual networks of 3x3 kernels, phi's spectrally normalized, theta modulated by z (and by the class).
PLAIN = {"latent_dim": 128, "residual": True, "spectral": True, "modulation": "latents", "average": 0.9995}
CONDITIONAL = {**PLAIN, "conditional": True, "modulation": "both"}
ADVERSARIAL = {"batch_size": 64, "learning_rate": 4e-4, "rates": {"phi": 8e-4}, "beta_1": 0.0, "decay": "linear"}

RECIPES = {
    "gan_cifar10": {
        "model": "GAN",
        "description": "Generative adversarial network, Eq. 3-5, on CIFAR-10",
        "flagship": True,
        "data": {"name": "cifar10", "flip": "random"},
        "build": {"width": 24, **PLAIN},
        "training": {"epochs": 22, **ADVERSARIAL},
    },
    "iwgan_cifar10": {
        "model": "GAN",
        "description": "Importance-weighted GAN, Eq. 36-43, on CIFAR-10",
        "flagship": True,
        "data": {"name": "cifar10", "flip": "random"},
        "build": {"width": 24, **PLAIN, "importance_weighted": True},
        "training": {"epochs": 22, **ADVERSARIAL},
    },
    "cgan_cifar10": {
        "model": "GAN",
        "description": "Class-conditional GAN, Eq. 3-5 given labels, on CIFAR-10",
        "flagship": True,
        "data": {"name": "cifar10", "flip": "random"},
        "build": {"width": 40, **CONDITIONAL, "truncation": 0.7},
        "training": {"epochs": 30, **ADVERSARIAL},
    },
    # Wider, for a GPU with --bfloat16; its card has the time on an NVIDIA H200.
    "iwcgan_cifar10": {
        "model": "GAN",
        "description": "Importance-weighted conditional GAN, Eq. 36-43 given labels, on CIFAR-10",
        "flagship": True,
        "data": {"name": "cifar10", "flip": "random"},
        "build": {"width": 128, **CONDITIONAL, "importance_weighted": True, "truncation": 0.7},
        "training": {"epochs": 36, **ADVERSARIAL, "learning_rate": 2e-4, "rates": {"phi": 4e-4}},
    },
    "vae_cifar10": {
        "model": "VAE",
        "description": "Variational autoencoder, Eq. 11, on CIFAR-10, a discretized logistic likelihood",
        "flagship": True,
        "data": {"name": "cifar10"},
        "build": {"width": 32, "latent_dim": 96, "normalization": None, "likelihood": "logistic"},
        "training": {"epochs": 40, "batch_size": 64, "learning_rate": 1e-3, "beta_1": 0.9, "decay": "cosine"},
    },
    "resnet_cifar10": {
        "model": "ResNet",
        "description": "Residual classifier, the evaluator of scores on CIFAR-10",
        "flagship": True,
        "data": {"name": "cifar10", "shift": 2, "flip": "alternating"},
        "build": {"widths": [48, 128, 256], "label_smoothing": 0.2},
        "training": {"epochs": 18, "batch_size": 256, "optimizer": "sgd", "learning_rate": 0.3, "momentum": 0.9, "weight_decay": 5e-3, "decay": "triangular"},
    },
}
