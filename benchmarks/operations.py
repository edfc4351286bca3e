"""Floating-point operations of the standard convolutions and dense layers, whatever computes them.

A layer's forward pass, the gradient of its filter and the gradient of its input take the same
number of multiply-adds, each of which counts as two operations.  Convolutions count every tap, also
those on the border's zeros; normalization, activations and the optimizer count nothing.
"""

import math

import keras


def multiply_adds(layer):
    """Multiply-adds of one example's forward pass through a layer; 0 without a kernel.

    Conv2D:           positions out x taps x channels in x channels out
    Conv2DTranspose:  positions in  x taps x channels in x channels out
    Dense:            channels in x channels out
    """
    if isinstance(layer, keras.layers.Dense):
        return math.prod(layer.kernel.shape)
    if isinstance(layer, keras.layers.Conv2D):
        return math.prod(layer.output.shape[1:3]) * math.prod(layer.kernel.shape)
    if isinstance(layer, keras.layers.Conv2DTranspose):
        return math.prod(layer.input.shape[1:3]) * math.prod(layer.kernel.shape)
    return 0


def forward(network):
    """Operations an example of a pass through every layer: forward, or its filters' or inputs' gradient."""
    return sum(2 * multiply_adds(layer) for layer in network.layers)


def training(network):
    """Operations an example of a forward pass and the gradient of all weights.

    The first layer's input needs no gradient, so that only the others' inputs get one.
    """
    first = next(filter(None, map(multiply_adds, network.layers)))
    return 3 * forward(network) - 2 * first


def gan_step(theta, phi):
    """Operations an example of `zoo.GAN`'s step.

    theta is trained, phi is trained on real and on generated images, and the gradient of theta's
    objective goes once more through phi, its first layer included.
    """
    return training(theta) + 2 * training(phi) + forward(phi)


def documentation_step(theta, phi):
    """Operations an example of the documentation's loop: theta and phi go forward once more."""
    return gan_step(theta, phi) + forward(theta) + forward(phi)


def vae_step(theta, eta):
    """Operations an example of a VAE's step: both networks trained, theta's input gradient included."""
    return training(eta) + 3 * forward(theta)
