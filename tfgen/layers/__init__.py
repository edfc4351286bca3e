"""Layers that Keras lacks, and faster versions of Keras' own, with the same weights and results."""

from tfgen.layers.augmentation import Augmentation
from tfgen.layers.convolutions import Conv2D, Conv2DTranspose, fold
from tfgen.layers.mixtures import FittedMixture, MixturePrior
from tfgen.layers.modulation import Modulation
from tfgen.layers.normalization import BatchNormalization, frozen_statistics
from tfgen.layers.pool import ImagePool
from tfgen.layers.spectral import SpectralNormalization
from tfgen.layers.strided import filter_gradient, strided_convolution, transposed_convolution
from tfgen.layers.units import ChannelScale, LeaveOneOut, OneHot
from tfgen.layers.whitening import PatchWhitening

__all__ = [
    "Augmentation",
    "BatchNormalization",
    "ChannelScale",
    "Conv2D",
    "Conv2DTranspose",
    "FittedMixture",
    "ImagePool",
    "LeaveOneOut",
    "MixturePrior",
    "Modulation",
    "OneHot",
    "PatchWhitening",
    "SpectralNormalization",
    "filter_gradient",
    "fold",
    "frozen_statistics",
    "strided_convolution",
    "transposed_convolution",
]
