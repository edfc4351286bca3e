"""The models of the paper, a file each; importing this package registers them with Keras."""

from zoo.models.aae import AAE
from zoo.models.ada import ADA
from zoo.models.cyclegan import CycleGAN
from zoo.models.gan import GAN
from zoo.models.helmholtz import Helmholtz
from zoo.models.infogan import InfoGAN
from zoo.models.pm import PM
from zoo.models.resnet import ResNet
from zoo.models.svae import SVAE
from zoo.models.vae import VAE
from zoo.models.vaegan import GANVAE, VAEGAN

__all__ = [
    "AAE",
    "ADA",
    "GAN",
    "GANVAE",
    "PM",
    "SVAE",
    "VAE",
    "VAEGAN",
    "CycleGAN",
    "Helmholtz",
    "InfoGAN",
    "ResNet",
]
