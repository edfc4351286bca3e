"""Recipes of MNIST, whole and in part."""

# fmt: off
ADVERSARIAL = {"batch_size": 64, "learning_rate": 2e-4, "beta_1": 0.5, "decay": None}
LIKELIHOOD = {"batch_size": 64, "learning_rate": 2e-3, "beta_1": 0.9, "decay": "cosine"}
SEMI_SUPERVISED = {"batch_size": 64, "learning_rate": 1e-3, "beta_1": 0.9, "decay": "cosine"}
CLASSIFIER = {"batch_size": 128, "learning_rate": 2e-3, "beta_1": 0.9, "decay": "cosine"}

RECIPES = {
    "gan_mnist": {
        "model": "GAN",
        "description": "Generative adversarial network, Eq. 3-5, on MNIST",
        "data": {"name": "mnist"},
        "build": {"width": 32, "latent_dim": 64, "average": 0.999},
        "training": {"epochs": 14, **ADVERSARIAL},
    },
    "iwgan_mnist": {
        "model": "GAN",
        "description": "Importance-weighted GAN, Eq. 36-43, on MNIST",
        "data": {"name": "mnist"},
        "build": {"width": 32, "latent_dim": 64, "average": 0.999, "importance_weighted": True},
        "training": {"epochs": 14, **ADVERSARIAL},
    },
    "cgan_mnist": {
        "model": "GAN",
        "description": "Class-conditional GAN, Eq. 3-5 given labels, on MNIST",
        "data": {"name": "mnist"},
        "build": {"width": 32, "latent_dim": 64, "conditional": True, "average": 0.999},
        "training": {"epochs": 10, **ADVERSARIAL},
    },
    "iwcgan_mnist": {
        "model": "GAN",
        "description": "Importance-weighted conditional GAN, Eq. 36-43 given labels, on MNIST",
        "data": {"name": "mnist"},
        "build": {"width": 32, "latent_dim": 64, "conditional": True, "average": 0.999, "importance_weighted": True},
        "training": {"epochs": 10, **ADVERSARIAL},
    },
    # T of adversary activation was chosen for aavae_mnist_1pct, see docs/studies/temperatures.md; the others
    # have the same.  From 1 % and 10 % no images are held out, so that all can learn from them.
    "vae_mnist": {
        "model": "VAE",
        "description": "Variational autoencoder, Eq. 11, on MNIST, dynamically binarized",
        "data": {"name": "mnist", "binarize": True, "held_out": 0.1},
        "build": {"width": 24, "latent_dim": 32, "normalization": None},
        "training": {"epochs": 18, "patience": 5, **LIKELIHOOD},
    },
    "vae_mnist_10pct": {
        "model": "VAE",
        "description": "Variational autoencoder, Eq. 11, on 10% of MNIST, dynamically binarized",
        "data": {"name": "mnist", "binarize": True, "fraction": 0.1},
        "build": {"width": 24, "latent_dim": 32, "normalization": None},
        "training": {"epochs": 40, **LIKELIHOOD},
    },
    "vae_mnist_1pct": {
        "model": "VAE",
        "description": "Variational autoencoder, Eq. 11, on 1% of MNIST, dynamically binarized",
        "data": {"name": "mnist", "binarize": True, "fraction": 0.01},
        "build": {"width": 24, "latent_dim": 32, "normalization": None},
        "training": {"epochs": 120, **LIKELIHOOD},
    },
    "aavae_mnist": {
        "model": "VAE",
        "description": "Adversary-activated VAE, Eq. 17, on MNIST, dynamically binarized",
        "data": {"name": "mnist", "binarize": True, "held_out": 0.1},
        "build": {"width": 24, "latent_dim": 32, "normalization": None, "adversary": True, "temperature": 5.0},
        "training": {"epochs": 18, "patience": 5, **LIKELIHOOD},
    },
    "aavae_mnist_10pct": {
        "model": "VAE",
        "description": "Adversary-activated VAE, Eq. 17, on 10% of MNIST, dynamically binarized",
        "data": {"name": "mnist", "binarize": True, "fraction": 0.1},
        "build": {"width": 24, "latent_dim": 32, "normalization": None, "adversary": True, "temperature": 5.0},
        "training": {"epochs": 40, **LIKELIHOOD},
    },
    "aavae_mnist_1pct": {
        "model": "VAE",
        "description": "Adversary-activated VAE, Eq. 17, on 1% of MNIST, dynamically binarized",
        "data": {"name": "mnist", "binarize": True, "fraction": 0.01},
        "build": {"width": 24, "latent_dim": 32, "normalization": None, "adversary": True, "temperature": 5.0},
        "training": {"epochs": 120, **LIKELIHOOD},
    },
    "cvae_mnist": {
        "model": "VAE",
        "description": "Conditional VAE, Eq. 11 given labels, on MNIST, dynamically binarized",
        "data": {"name": "mnist", "binarize": True, "held_out": 0.1},
        "build": {"width": 24, "latent_dim": 32, "normalization": None, "conditional": True},
        "training": {"epochs": 18, "patience": 5, **LIKELIHOOD},
    },
    "cvae_mnist_10pct": {
        "model": "VAE",
        "description": "Conditional VAE, Eq. 11 given labels, on 10% of MNIST, dynamically binarized",
        "data": {"name": "mnist", "binarize": True, "fraction": 0.1},
        "build": {"width": 24, "latent_dim": 32, "normalization": None, "conditional": True},
        "training": {"epochs": 40, **LIKELIHOOD},
    },
    "cvae_mnist_1pct": {
        "model": "VAE",
        "description": "Conditional VAE, Eq. 11 given labels, on 1% of MNIST, dynamically binarized",
        "data": {"name": "mnist", "binarize": True, "fraction": 0.01},
        "build": {"width": 24, "latent_dim": 32, "normalization": None, "conditional": True},
        "training": {"epochs": 120, **LIKELIHOOD},
    },
    "aacvae_mnist": {
        "model": "VAE",
        "description": "Adversary-activated conditional VAE, Eq. 17 given labels, on MNIST, dynamically binarized",
        "flagship": True,
        "data": {"name": "mnist", "binarize": True, "held_out": 0.1},
        "build": {
            "width": 24, "latent_dim": 32, "normalization": None, "conditional": True, "adversary": True,
            "temperature": 5.0,
        },
        "training": {"epochs": 18, "patience": 5, **LIKELIHOOD},
    },
    "aacvae_mnist_10pct": {
        "model": "VAE",
        "description": "Adversary-activated conditional VAE, Eq. 17 given labels, on 10% of MNIST, dynamically binarized",
        "flagship": True,
        "data": {"name": "mnist", "binarize": True, "fraction": 0.1},
        "build": {
            "width": 24, "latent_dim": 32, "normalization": None, "conditional": True, "adversary": True,
            "temperature": 5.0,
        },
        "training": {"epochs": 40, **LIKELIHOOD},
    },
    "aacvae_mnist_1pct": {
        "model": "VAE",
        "description": "Adversary-activated conditional VAE, Eq. 17 given labels, on 1% of MNIST, dynamically binarized",
        "flagship": True,
        "data": {"name": "mnist", "binarize": True, "fraction": 0.01},
        "build": {
            "width": 24, "latent_dim": 32, "normalization": None, "conditional": True, "adversary": True,
            "temperature": 5.0,
        },
        "training": {"epochs": 120, **LIKELIHOOD},
    },
    # With Kingma et al.'s alpha, 0.1, classes are fixed within the first epochs, before labels have an effect.
    # alpha is the choice of the labels that the setting allows, see `zoo.studies.settings`; the decoder's layer and
    # the pooled classifier were chosen on training images whose labels are hidden.  An epoch reads every label once.
    "svae_mnist_10pct": {
        "model": "SVAE",
        "description": "Semi-supervised VAE (M2), on MNIST, dynamically binarized, 10% labelled",
        "flagship": True,
        "data": {"name": "mnist", "binarize": True, "labelled": 0.1},
        "build": {
            "width": 32, "latent_dim": 32, "normalization": None, "decoder_units": 500, "classifier_units": 100,
            "alpha": 10.0,
        },
        "training": {"epochs": 15, **SEMI_SUPERVISED},
    },
    "svae_mnist_1pct": {
        "model": "SVAE",
        "description": "Semi-supervised VAE (M2), on MNIST, dynamically binarized, 1% labelled",
        "flagship": True,
        "data": {"name": "mnist", "binarize": True, "labelled": 0.01},
        "build": {
            "width": 32, "latent_dim": 32, "normalization": None, "decoder_units": 500, "classifier_units": 100,
            "alpha": 1.0,
        },
        "training": {"epochs": 20, **SEMI_SUPERVISED},
    },
    "aasvae_mnist_10pct": {
        "model": "SVAE",
        "description": "Adversary-activated semi-supervised VAE, Eq. 17, on MNIST, dynamically binarized, 10% labelled",
        "flagship": True,
        "data": {"name": "mnist", "binarize": True, "labelled": 0.1},
        "build": {
            "width": 32, "latent_dim": 32, "normalization": None, "decoder_units": 500, "classifier_units": 100,
            "alpha": 10.0, "adversary": True, "adversary_width": 16, "temperature": 5.0,
        },
        "training": {"epochs": 15, **SEMI_SUPERVISED},
    },
    "aasvae_mnist_1pct": {
        "model": "SVAE",
        "description": "Adversary-activated semi-supervised VAE, Eq. 17, on MNIST, dynamically binarized, 1% labelled",
        "flagship": True,
        "data": {"name": "mnist", "binarize": True, "labelled": 0.01},
        "build": {
            "width": 32, "latent_dim": 32, "normalization": None, "decoder_units": 500, "classifier_units": 100,
            "alpha": 1.0, "adversary": True, "adversary_width": 16, "temperature": 5.0,
        },
        "training": {"epochs": 20, **SEMI_SUPERVISED},
    },
    # From here on DCGANs are 24 wide instead of 32, as there is a third network.
    "infogan_mnist": {
        "model": "InfoGAN",
        "description": "InfoGAN, Eq. 9-10, on MNIST",
        "data": {"name": "mnist"},
        "build": {"width": 24, "latent_dim": 64, "average": 0.999},
        "training": {"epochs": 14, **ADVERSARIAL},
    },
    "iwinfogan_mnist": {
        "model": "InfoGAN",
        "description": "Importance-weighted InfoGAN, Eq. 9-10 and 43, on MNIST",
        "data": {"name": "mnist"},
        "build": {"width": 24, "latent_dim": 64, "average": 0.999, "importance_weighted": True},
        "training": {"epochs": 14, **ADVERSARIAL},
    },
    # With fewer codes the KL keeps them close to the prior.  R sums over 2048 features.
    "vaegan_mnist": {
        "model": "VAEGAN",
        "description": "VAE helped by a GAN, appendix F, on MNIST",
        "data": {"name": "mnist"},
        "build": {"width": 24, "latent_dim": 32, "gamma": 0.001, "average": 0.999},
        "training": {"epochs": 14, **ADVERSARIAL},
    },
    "ganvae_mnist": {
        "model": "GANVAE",
        "description": "GAN helped by an encoder, appendix F, on MNIST",
        "data": {"name": "mnist"},
        "build": {"width": 24, "latent_dim": 32, "average": 0.999},
        "training": {"epochs": 14, **ADVERSARIAL},
    },
    "aae_mnist": {
        "model": "AAE",
        "description": "Adversarial autoencoder, Eq. 29-32, on MNIST",
        "data": {"name": "mnist"},
        "build": {"width": 24, "latent_dim": 8, "hidden": 300},
        "training": {"epochs": 20, **ADVERSARIAL},
    },
    "iwaae_mnist": {
        "model": "AAE",
        "description": "Importance-weighted adversarial autoencoder, Eq. 29-32 and 43, on MNIST",
        "data": {"name": "mnist"},
        "build": {"width": 24, "latent_dim": 8, "hidden": 300, "importance_weighted": True},
        "training": {"epochs": 20, **ADVERSARIAL},
    },
    "saae_mnist_1pct": {
        "model": "AAE",
        "description": "Semi-supervised adversarial autoencoder, 1% labelled, on MNIST",
        "data": {"name": "mnist", "labelled": 0.01},
        "build": {"width": 24, "latent_dim": 8, "hidden": 300, "semi_supervised": True},
        "training": {"epochs": 20, **ADVERSARIAL},
    },
    "aae_mnist_clusters": {
        "model": "AAE",
        "description": "Adversarial autoencoder that finds 10 clusters without labels, on MNIST",
        "data": {"name": "mnist", "labelled": 0.0},
        "build": {"width": 24, "latent_dim": 8, "hidden": 300, "num_clusters": 10},
        "training": {"epochs": 20, **ADVERSARIAL},
    },
    "pm_mnist": {
        "model": "PM",
        "description": "Predictability minimization of 32 binary units, on MNIST",
        "data": {"name": "mnist"},
        "build": {"width": 24, "units": 32},
        "training": {"epochs": 15, "batch_size": 64, "learning_rate": 5e-4, "beta_1": 0.5, "decay": None},
    },
    # Dreams resemble digits only after many epochs.
    "helmholtz_mnist": {
        "model": "Helmholtz",
        "description": "Helmholtz machine, wake-sleep, Eq. 14, on MNIST, dynamically binarized",
        "data": {"name": "mnist", "binarize": True},
        "build": {"units": [200, 200, 10]},
        "training": {"epochs": 100, "batch_size": 64, "learning_rate": 1e-3, "beta_1": 0.9, "decay": "cosine"},
    },
    "resnet_mnist": {
        "model": "ResNet",
        "description": "Residual classifier, the evaluator of scores on MNIST",
        "data": {"name": "mnist"},
        "build": {"width": 16, "blocks": 2},
        "training": {"epochs": 8, **CLASSIFIER},
    },
}
