"""Recipes of scikit-learn's 8x8 digits and their negatives, which need no download."""

# fmt: off
ADVERSARIAL = {"batch_size": 64, "learning_rate": 5e-4, "beta_1": 0.5, "decay": None}
LIKELIHOOD = {"batch_size": 64, "learning_rate": 1e-3, "beta_1": 0.9, "decay": "cosine"}
CLASSIFIER = {"batch_size": 64, "learning_rate": 3e-3, "beta_1": 0.9, "decay": "cosine"}
TRANSLATION = {"batch_size": 32, "learning_rate": 5e-4, "beta_1": 0.5, "decay": None}
ADAPTATION = {"learning_rate": 1e-3, "beta_1": 0.5, "decay": "cosine"}

RECIPES = {
    "gan_digits": {
        "model": "GAN",
        "description": "Generative adversarial network, Eq. 3-5, on scikit-learn's 8x8 digits",
        "data": {"name": "digits"},
        "build": {"width": 32, "latent_dim": 32, "average": 0.99},
        "training": {"epochs": 150, **ADVERSARIAL},
    },
    "iwgan_digits": {
        "model": "GAN",
        "description": "Importance-weighted GAN, Eq. 36-43, on scikit-learn's 8x8 digits",
        "data": {"name": "digits"},
        "build": {"width": 32, "latent_dim": 32, "average": 0.99, "importance_weighted": True},
        "training": {"epochs": 150, **ADVERSARIAL},
    },
    "cgan_digits": {
        "model": "GAN",
        "description": "Class-conditional GAN, Eq. 3-5 given labels, on scikit-learn's 8x8 digits",
        "data": {"name": "digits"},
        "build": {"width": 32, "latent_dim": 32, "conditional": True, "average": 0.99},
        "training": {"epochs": 150, **ADVERSARIAL},
    },
    "iwcgan_digits": {
        "model": "GAN",
        "description": "Importance-weighted conditional GAN, Eq. 36-43 given labels, on scikit-learn's 8x8 digits",
        "data": {"name": "digits"},
        "build": {"width": 32, "latent_dim": 32, "conditional": True, "average": 0.99, "importance_weighted": True},
        "training": {"epochs": 150, **ADVERSARIAL},
    },
    # T of adversary activation is 1 on digits. A tenth of the images is held out to choose the epoch.
    "vae_digits": {
        "model": "VAE",
        "description": "Variational autoencoder, Eq. 11, on scikit-learn's 8x8 digits, dynamically binarized",
        "data": {"name": "digits", "binarize": True, "held_out": 0.1},
        "build": {"width": 16, "latent_dim": 16},
        "training": {"epochs": 100, "patience": 20, **LIKELIHOOD},
    },
    "aavae_digits": {
        "model": "VAE",
        "description": "Adversary-activated VAE, Eq. 17, on scikit-learn's 8x8 digits, dynamically binarized",
        "data": {"name": "digits", "binarize": True, "held_out": 0.1},
        "build": {"width": 16, "latent_dim": 16, "adversary": True, "temperature": 1.0},
        "training": {"epochs": 100, "patience": 20, **LIKELIHOOD},
    },
    "cvae_digits": {
        "model": "VAE",
        "description": "Conditional VAE, Eq. 11 given labels, on scikit-learn's 8x8 digits, dynamically binarized",
        "data": {"name": "digits", "binarize": True, "held_out": 0.1},
        "build": {"width": 16, "latent_dim": 16, "conditional": True},
        "training": {"epochs": 100, "patience": 20, **LIKELIHOOD},
    },
    "aacvae_digits": {
        "model": "VAE",
        "description": "Adversary-activated conditional VAE, Eq. 17 given labels, on scikit-learn's 8x8 digits, dynamically binarized",
        "data": {"name": "digits", "binarize": True, "held_out": 0.1},
        "build": {"width": 16, "latent_dim": 16, "conditional": True, "adversary": True, "temperature": 1.0},
        "training": {"epochs": 100, "patience": 20, **LIKELIHOOD},
    },
    "svae_digits_10pct": {
        "model": "SVAE",
        "description": "Semi-supervised VAE (M2), on scikit-learn's 8x8 digits, dynamically binarized, 10% labelled",
        "data": {"name": "digits", "binarize": True, "labelled": 0.1},
        "build": {"width": 16, "latent_dim": 16},
        "training": {"epochs": 100, **LIKELIHOOD},
    },
    "aasvae_digits_10pct": {
        "model": "SVAE",
        "description": "Adversary-activated semi-supervised VAE, Eq. 17, on scikit-learn's 8x8 digits, dynamically binarized, 10% labelled",
        "data": {"name": "digits", "binarize": True, "labelled": 0.1},
        "build": {"width": 16, "latent_dim": 16, "adversary": True, "temperature": 1.0},
        "training": {"epochs": 100, **LIKELIHOOD},
    },
    # From here on DCGANs are 24 wide instead of 32, as there is a third network.
    "infogan_digits": {
        "model": "InfoGAN",
        "description": "InfoGAN, Eq. 9-10, on scikit-learn's 8x8 digits",
        "data": {"name": "digits"},
        "build": {"width": 24, "latent_dim": 32, "average": 0.99},
        "training": {"epochs": 150, **ADVERSARIAL},
    },
    "iwinfogan_digits": {
        "model": "InfoGAN",
        "description": "Importance-weighted InfoGAN, Eq. 9-10 and 43, on scikit-learn's 8x8 digits",
        "data": {"name": "digits"},
        "build": {"width": 24, "latent_dim": 32, "average": 0.99, "importance_weighted": True},
        "training": {"epochs": 150, **ADVERSARIAL},
    },
    # With fewer codes the KL keeps them close to the prior.  R sums over 256 features.
    "vaegan_digits": {
        "model": "VAEGAN",
        "description": "VAE helped by a GAN, appendix F, on scikit-learn's 8x8 digits",
        "data": {"name": "digits"},
        "build": {"width": 24, "latent_dim": 16, "gamma": 0.01, "average": 0.99},
        "training": {"epochs": 150, **ADVERSARIAL},
    },
    "iwvaegan_digits": {
        "model": "VAEGAN",
        "description": "Importance-weighted VAE helped by a GAN, appendix F and Eq. 36-43, on scikit-learn's 8x8 digits",
        "data": {"name": "digits"},
        "build": {"width": 24, "latent_dim": 16, "gamma": 0.01, "average": 0.99, "importance_weighted": True},
        "training": {"epochs": 150, **ADVERSARIAL},
    },
    "aavaegan_digits": {
        "model": "VAEGAN",
        "description": "Adversary-activated VAE helped by a GAN, appendix F and Eq. 17, on scikit-learn's 8x8 digits",
        "data": {"name": "digits"},
        "build": {"width": 24, "latent_dim": 16, "gamma": 0.01, "temperature": 1.0, "average": 0.99},
        "training": {"epochs": 150, **ADVERSARIAL},
    },
    "ganvae_digits": {
        "model": "GANVAE",
        "description": "GAN helped by an encoder, appendix F, on scikit-learn's 8x8 digits",
        "data": {"name": "digits"},
        "build": {"width": 24, "latent_dim": 32, "average": 0.99},
        "training": {"epochs": 150, **ADVERSARIAL},
    },
    "iwganvae_digits": {
        "model": "GANVAE",
        "description": "Importance-weighted GAN helped by an encoder, appendix F and Eq. 36-43, on scikit-learn's 8x8 digits",
        "data": {"name": "digits"},
        "build": {"width": 24, "latent_dim": 32, "average": 0.99, "importance_weighted": True},
        "training": {"epochs": 150, **ADVERSARIAL},
    },
    "aae_digits": {
        "model": "AAE",
        "description": "Adversarial autoencoder, Eq. 29-32, on scikit-learn's 8x8 digits",
        "data": {"name": "digits"},
        "build": {"width": 24, "latent_dim": 8, "hidden": 200},
        "training": {"epochs": 150, **ADVERSARIAL},
    },
    "iwaae_digits": {
        "model": "AAE",
        "description": "Importance-weighted adversarial autoencoder, Eq. 29-32 and 43, on scikit-learn's 8x8 digits",
        "data": {"name": "digits"},
        "build": {"width": 24, "latent_dim": 8, "hidden": 200, "importance_weighted": True},
        "training": {"epochs": 150, **ADVERSARIAL},
    },
    "saae_digits_10pct": {
        "model": "AAE",
        "description": "Semi-supervised adversarial autoencoder, 10% labelled, on scikit-learn's 8x8 digits",
        "data": {"name": "digits", "labelled": 0.1},
        "build": {"width": 24, "latent_dim": 8, "hidden": 200, "semi_supervised": True},
        "training": {"epochs": 150, **ADVERSARIAL},
    },
    "aae_digits_clusters": {
        "model": "AAE",
        "description": "Adversarial autoencoder that finds 10 clusters without labels, on scikit-learn's 8x8 digits",
        "data": {"name": "digits", "labelled": 0.0},
        "build": {"width": 24, "latent_dim": 8, "hidden": 200, "num_clusters": 10},
        "training": {"epochs": 150, **ADVERSARIAL},
    },
    "pm_digits": {
        "model": "PM",
        "description": "Predictability minimization of 16 binary units, on scikit-learn's 8x8 digits",
        "data": {"name": "digits"},
        "build": {"width": 24, "units": 16},
        "training": {"epochs": 150, **ADVERSARIAL},
    },
    # Dreams resemble digits only after many epochs.
    "helmholtz_digits": {
        "model": "Helmholtz",
        "description": "Helmholtz machine, wake-sleep, Eq. 14, on scikit-learn's 8x8 digits, dynamically binarized",
        "data": {"name": "digits", "binarize": True},
        "build": {"units": [64, 32]},
        "training": {"epochs": 1_000, "batch_size": 64, "learning_rate": 1e-3, "beta_1": 0.9, "decay": "cosine"},
    },
    "cyclegan_digits": {
        "model": "CycleGAN",
        "description": "CycleGAN, appendix D, between scikit-learn's 8x8 digits and their negatives",
        "data": {"name": "digits", "target": "digits_negative"},
        "build": {"width": 16, "blocks": 2},
        "training": {"epochs": 40, **TRANSLATION},
    },
    "iwcyclegan_digits": {
        "model": "CycleGAN",
        "description": "Importance-weighted CycleGAN, appendix D, between scikit-learn's 8x8 digits and their negatives",
        "data": {"name": "digits", "target": "digits_negative"},
        "build": {"width": 16, "blocks": 2, "importance_weighted": True},
        "training": {"epochs": 40, **TRANSLATION},
    },
    # The ramp is the whole training, in steps.
    "ada_digits": {
        "model": "ADA",
        "description": "Adversarial domain adaptation, Eq. 1-3, from scikit-learn's 8x8 digits to their negatives",
        "data": {"name": "digits", "target": "digits_negative"},
        "build": {"width": 16, "units": 64, "adversarial_weight": 0.1, "ramp": 2_250},
        "training": {"epochs": 50, "batch_size": 64, **ADAPTATION},
    },
    "iwada_digits": {
        "model": "ADA",
        "description": "Importance-weighted adversarial domain adaptation, from scikit-learn's 8x8 digits to their negatives",
        "data": {"name": "digits", "target": "digits_negative"},
        "build": {"width": 16, "units": 64, "adversarial_weight": 0.1, "ramp": 2_250, "importance_weighted": True},
        "training": {"epochs": 50, "batch_size": 64, **ADAPTATION},
    },
    "resnet_digits": {
        "model": "ResNet",
        "description": "Residual classifier, the evaluator of scores on scikit-learn's 8x8 digits",
        "data": {"name": "digits"},
        "build": {"width": 16, "blocks": 2},
        "training": {"epochs": 30, **CLASSIFIER},
    },
    "resnet_digits_negative": {
        "model": "ResNet",
        "description": "Residual classifier, the evaluator of scores on the negatives of scikit-learn's 8x8 digits",
        "data": {"name": "digits_negative"},
        "build": {"width": 16, "blocks": 2},
        "training": {"epochs": 30, **CLASSIFIER},
    },
}
