"""Builders of the networks theta, phi, eta and omega: Functional Keras models.

Generators, discriminators and encoders follow DCGAN (Radford et al. 2015): 5x5 kernels at stride 2,
batch normalization except next to the image, weights from N(0, 0.02), LeakyReLU of slope 0.2 in
discriminators and encoders and ReLU in generators.  Images of 28 pixels are padded to 32, since three
strided layers learn far better than two.  The evaluators are pre-activation residual networks (He et al.
2016).

A saved model holds its networks' graphs, so an edit here breaks no older file.
"""

from tfgen.networks.adversary import adversary, image_generator, optional_adversary
from tfgen.networks.classification import extractor, pooled_classifier, residual_network
from tfgen.networks.dcgan import (
    PRIOR,
    classifier,
    code_encoder,
    code_posterior,
    discriminator,
    encoder,
    generator,
)
from tfgen.networks.layout import NORMALIZATIONS
from tfgen.networks.mlp import (
    mlp_classifier,
    mlp_discriminator,
    mlp_encoder,
    mlp_generator,
    predictors,
)
from tfgen.networks.posterior import HEAD, TRUNK
from tfgen.networks.residual import residual_discriminator, residual_generator
from tfgen.networks.translation import patch_discriminators, translator
from tfgen.networks.views import before_sigmoid, with_features
from tfgen.networks.whitened import whitened_network

__all__ = [
    "HEAD",
    "NORMALIZATIONS",
    "PRIOR",
    "TRUNK",
    "adversary",
    "before_sigmoid",
    "classifier",
    "code_encoder",
    "code_posterior",
    "discriminator",
    "encoder",
    "extractor",
    "generator",
    "image_generator",
    "mlp_classifier",
    "mlp_discriminator",
    "mlp_encoder",
    "mlp_generator",
    "optional_adversary",
    "patch_discriminators",
    "pooled_classifier",
    "predictors",
    "residual_discriminator",
    "residual_generator",
    "residual_network",
    "translator",
    "whitened_network",
    "with_features",
]
