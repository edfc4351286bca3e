"""PyTorch's usual loops on DCGAN's networks, with the same layers, sizes, initial scale and optimizer."""

import math

import torch
from torch import nn

from benchmarks.worker import Contender

LATENT_DIM = 64
CHANNELS = 1
STORED = 4096  # images of the pipeline
MEMORY_FORMATS = {"NCHW": torch.contiguous_format, "channels_last": torch.channels_last}


def channels(width, size):
    """Return the channels of the maps between images of more than 16 pixels and the smallest map, 4x4."""
    return [width * 2**level for level in range(math.ceil(math.log2(size)) - 2)]


def border(width, size):
    """Return the rows to pad on each side to reach 4 times a power of two."""
    return (4 * 2 ** len(channels(width, size)) - size) // 2


def generator(width, size):
    """Return the network of latents (b, 64) -> images (b, 1, size, size) in [0, 1]."""
    *narrower, top = channels(width, size)
    steps = [nn.Linear(LATENT_DIM, 16 * top, bias=False), nn.Unflatten(1, (top, 4, 4))]
    steps += [nn.BatchNorm2d(top), nn.ReLU()]
    for outputs in narrower[::-1]:
        steps += [_up(2 * outputs, outputs, bias=False), nn.BatchNorm2d(outputs), nn.ReLU()]
    steps += [_up(width, CHANNELS, bias=True), nn.ZeroPad2d(-border(width, size)), nn.Sigmoid()]
    return initialize(nn.Sequential(*steps))


def trunk(width, size):
    """Return the network of images (b, 1, size, size) in [0, 1] -> features (b, 16 * 4 * width)."""
    first, *wider = channels(width, size)
    steps = [nn.ZeroPad2d(border(width, size)), _down(CHANNELS, first, bias=True)]
    steps += [nn.LeakyReLU(0.2)]
    for outputs in wider:
        steps += [_down(outputs // 2, outputs, bias=False), nn.BatchNorm2d(outputs)]
        steps += [nn.LeakyReLU(0.2)]
    return nn.Sequential(*steps, nn.Flatten())


def discriminator(width, size):
    """Return the network of images (b, 1, size, size) in [0, 1] -> logits (b, 1)."""
    features = 16 * channels(width, size)[-1]
    return initialize(nn.Sequential(trunk(width, size), nn.Linear(features, 1)))


def _up(inputs, outputs, bias):
    return nn.ConvTranspose2d(inputs, outputs, 5, 2, padding=2, output_padding=1, bias=bias)


def _down(inputs, outputs, bias):
    return nn.Conv2d(inputs, outputs, 5, 2, padding=2, bias=bias)


def initialize(network):
    """Return the network with kernels from N(0, 0.02) and zero biases, as in `tfgen.networks`."""
    for module in network.modules():
        if isinstance(module, (nn.Conv2d, nn.ConvTranspose2d, nn.Linear)):
            nn.init.normal_(module.weight, 0.0, 0.02)
            if module.bias is not None:
                nn.init.zeros_(module.bias)
    return network


def pipeline(size, batch, memory_format, seed=0):
    """Yield endless batches of random 8-bit images, gathered and scaled."""
    generator = torch.Generator().manual_seed(seed)
    shape = (STORED, CHANNELS, size, size)
    pixels = torch.randint(256, shape, dtype=torch.uint8, generator=generator)
    while True:
        for indices in torch.randperm(STORED, generator=generator).split(batch):
            yield (pixels[indices].float() / 255).contiguous(memory_format=memory_format)


def gan_step(width, size, batch, memory_format):
    """Return the step and its number of parameters.

    The discriminator learns from real and from detached generated images, then the generator from
    the same ones.
    """
    theta, phi = (
        network(width, size).to(memory_format=memory_format)
        for network in (generator, discriminator)
    )
    theta_optimizer, phi_optimizer = (
        torch.optim.Adam(network.parameters(), lr=2e-4, betas=(0.5, 0.999), fused=True)
        for network in (theta, phi)
    )
    loss = nn.BCEWithLogitsLoss()
    real, fake = torch.ones(batch, 1), torch.zeros(batch, 1)
    batches = pipeline(size, batch, memory_format)

    def step():
        phi_optimizer.zero_grad()
        loss(phi(next(batches)), real).backward()
        generated = theta(torch.randn(batch, LATENT_DIM))
        loss(phi(generated.detach()), fake).backward()
        phi_optimizer.step()

        theta_optimizer.zero_grad()
        loss(phi(generated), real).backward()
        theta_optimizer.step()

    return step, trainable(theta, phi)


def trainable(*networks):
    """Return the number of trainable parameters."""
    return sum(p.numel() for network in networks for p in network.parameters())


def gan_steps(cases):
    return steps(gan_step, cases)


def steps(build, cases):
    """Return units "<name>, <memory format>"; `build` returns a step and its number of parameters."""
    contender = Contender()
    for name, case in cases.items():
        for label, memory_format in MEMORY_FORMATS.items():
            step, parameters = build(**case, memory_format=memory_format)
            contender.units[f"{name}, {label}"] = step
            contender.facts[name] = {"parameters": parameters}
    return contender
