"""Number of floating-point operations of standard convolutions and dense layers.

A layer's forward pass, the gradient of its filter and the gradient of its input take the same number of
multiply-adds, of two operations each.  Convolutions count every tap, also those on padding;
normalization, activations and the optimizer are not counted.
"""

import math

import keras


def multiply_adds(layer):
    """Return the multiply-adds of one example's forward pass through a layer; 0 without a kernel.

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
    """Return operations per example of a pass: forward, or the gradient of all filters or all inputs."""
    return sum(2 * multiply_adds(layer) for layer in network.layers)


def training(network):
    """Return operations per example of a forward pass and the gradient of all weights.

    The input of the first layer needs no gradient.
    """
    first = next(filter(None, map(multiply_adds, network.layers)))
    return 3 * forward(network) - 2 * first


def gan_step(theta, phi):
    """Return operations per example of `zoo.GAN`'s step.

    theta is trained, phi is trained on real and on generated images, and the gradient of theta's
    objective goes once more through phi, its first layer included.
    """
    return training(theta) + 2 * training(phi) + forward(phi)


def documentation_step(theta, phi):
    """Return operations per example of the documentation's loop, with one more forward pass of both."""
    return gan_step(theta, phi) + forward(theta) + forward(phi)


def vae_step(theta, eta):
    """Return operations per example of a VAE's step: both networks trained, and theta's input gradient."""
    return training(eta) + 3 * forward(theta)
