"""PyTorch's usual loop on DCGAN's networks, on a GPU that also stores the images."""

import functools

import torch
from torch import nn

from benchmarks.contenders import pytorch
from benchmarks.worker import Contender

STEPS = 16  # in a unit, as of `benchmarks.contenders.gpu`, which PyTorch's process does not import


def gan_steps(
    cases: dict[str, dict], bfloat16: bool, compiled: bool, device: str = "cuda"
) -> Contender:
    """Units "<case>, <memory format>" of `STEPS` steps.

    Args:
        cases: {name: {"width", "size", "batch"}}.
        bfloat16: Whether to multiply in bfloat16 by autocast; else in float32, TF32 allowed.
        compiled: Whether to compile both networks by `torch.compile`, which chooses its own layout.
        device: "cuda", or "cpu" for a test.
    """
    torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = True
    torch.backends.cudnn.benchmark = True
    formats = ["channels_last"] if compiled else pytorch.MEMORY_FORMATS
    contender = Contender()
    for name, case in cases.items():
        for label in formats:
            step = gan_step(
                **case,
                memory_format=pytorch.MEMORY_FORMATS[label],
                bfloat16=bfloat16,
                compiled=compiled,
                device=device,
            )
            unit = functools.partial(_block, step, device)
            unit()  # compiled at the same time as the other contenders
            contender.units[f"{name}, {label}"] = unit
    return contender


def gan_step(width, size, batch, memory_format, bfloat16, compiled, device):
    """Return a step: phi learns from real and from detached generated images, then theta."""
    plain = [
        network(width, size).to(device, memory_format=memory_format)
        for network in (pytorch.generator, pytorch.discriminator)
    ]
    theta_optimizer, phi_optimizer = (
        torch.optim.Adam(network.parameters(), lr=2e-4, betas=(0.5, 0.999), fused=True)
        for network in plain
    )
    theta, phi = (torch.compile(n, dynamic=False) for n in plain) if compiled else plain
    loss = nn.BCEWithLogitsLoss()
    real, fake = torch.ones(batch, 1, device=device), torch.zeros(batch, 1, device=device)
    batches = pipeline(size, batch, memory_format, device)
    products = functools.partial(torch.autocast, device, torch.bfloat16, enabled=bfloat16)

    def cost(images, target):
        with products():
            logits = phi(images)
        return loss(logits.float(), target)

    def step():
        phi_optimizer.zero_grad()
        cost(next(batches), real).backward()
        with products():
            generated = theta(torch.randn(batch, pytorch.LATENT_DIM, device=device))
        cost(generated.detach(), fake).backward()
        phi_optimizer.step()
        theta_optimizer.zero_grad()
        cost(generated, real).backward()
        theta_optimizer.step()

    return step


def pipeline(size, batch, memory_format, device):
    """Yield endless batches of random 8-bit images, gathered and scaled on the device."""
    shape = (pytorch.STORED, pytorch.CHANNELS, size, size)
    pixels = torch.randint(256, shape, dtype=torch.uint8, device=device)
    while True:
        for indices in torch.randperm(pytorch.STORED, device=device).split(batch):
            yield (pixels[indices].float() / 255).contiguous(memory_format=memory_format)


def _block(step, device):
    for _ in range(STEPS):
        step()
    if device == "cuda":
        torch.cuda.synchronize()
