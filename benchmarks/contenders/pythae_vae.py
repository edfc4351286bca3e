"""pythae's VAE on the networks of `benchmarks.contenders.pytorch`, stepped as its trainer does."""

import torch
from pythae.models import VAE, VAEConfig
from pythae.models.base.base_utils import ModelOutput
from pythae.models.nn import BaseDecoder, BaseEncoder
from torch import nn

from benchmarks.contenders import pytorch


class Encoder(BaseEncoder):
    """Images (b, 1, size, size) -> mean and log variance, (b, 64) each."""

    def __init__(self, width, size):
        super().__init__()
        self.trunk = pytorch.trunk(width, size)
        features = 16 * pytorch.channels(width, size)[-1]
        self.mean = nn.Linear(features, pytorch.LATENT_DIM)
        self.log_variance = nn.Linear(features, pytorch.LATENT_DIM)

    def forward(self, images):
        features = self.trunk(images)
        return ModelOutput(
            embedding=self.mean(features), log_covariance=self.log_variance(features)
        )


class Decoder(BaseDecoder):
    """Latents (b, 64) -> Bernoulli means (b, 1, size, size)."""

    def __init__(self, width, size):
        super().__init__()
        self.network = pytorch.generator(width, size)

    def forward(self, latents):
        return ModelOutput(reconstruction=self.network(latents))


def vae_step(width, size, batch, memory_format):
    """Return the step and its number of parameters."""
    config = VAEConfig(
        input_dim=(pytorch.CHANNELS, size, size),
        latent_dim=pytorch.LATENT_DIM,
        reconstruction_loss="bce",
    )
    model = VAE(config, encoder=Encoder(width, size), decoder=Decoder(width, size))
    model = pytorch.initialize(model).to(memory_format=memory_format).train()
    optimizer = torch.optim.Adam(model.parameters(), lr=2e-4, fused=True)
    batches = pytorch.pipeline(size, batch, memory_format)

    def step():
        optimizer.zero_grad()
        model({"data": next(batches)}).loss.backward()
        optimizer.step()

    return step, pytorch.trainable(model)


def vae_steps(cases):
    return pytorch.steps(vae_step, cases)
