"""Recipes of MNIST-M, MNIST's digits blended with photographs."""

# fmt: off
ADVERSARIAL = {"batch_size": 64, "learning_rate": 2e-4, "rates": {"phi": 4e-4}, "beta_1": 0.5, "decay": "linear"}

RECIPES = {
    "cgan_mnist_m": {
        "model": "GAN",
        "description": "Class-conditional GAN, Eq. 3-5 given labels, on MNIST-M",
        "flagship": True,
        "data": {"name": "mnist_m"},
        "build": {"width": 32, "latent_dim": 64, "conditional": True, "spectral": True, "modulation": "both", "average": 0.999, "truncation": 0.5},
        "training": {"epochs": 100, **ADVERSARIAL},
    },
    "iwcgan_mnist_m": {
        "model": "GAN",
        "description": "Importance-weighted conditional GAN, Eq. 36-43 given labels, on MNIST-M",
        "flagship": True,
        "data": {"name": "mnist_m"},
        "build": {"width": 32, "latent_dim": 64, "conditional": True, "spectral": True, "modulation": "both", "average": 0.999, "importance_weighted": True, "truncation": 0.5},
        "training": {"epochs": 100, **ADVERSARIAL},
    },
    "cvae_mnist_m": {
        "model": "VAE",
        "description": "Conditional VAE, Eq. 11 given labels, on MNIST-M, a discretized logistic likelihood",
        "flagship": True,
        "data": {"name": "mnist_m"},
        "build": {"width": 24, "latent_dim": 64, "conditional": True, "normalization": None, "likelihood": "logistic"},
        "training": {"epochs": 60, "batch_size": 64, "learning_rate": 1e-3, "beta_1": 0.9, "decay": "cosine"},
    },
}
