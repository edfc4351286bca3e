"""Layers that the field lacks, and Keras' own where ours are faster: same weights, same results."""

from tfgen.layers.convolutions import Conv2D, Conv2DTranspose, folded
from tfgen.layers.mixtures import FittedMixture, MixturePrior
from tfgen.layers.normalisation import BatchNormalization, frozen_statistics
from tfgen.layers.pool import ImagePool
from tfgen.layers.strided import filter_gradient, strided_convolution, transposed_convolution
from tfgen.layers.units import ChannelScale, LeaveOneOut, OneHot
from tfgen.layers.whitening import PatchWhitening

__all__ = [
    "BatchNormalization",
    "ChannelScale",
    "Conv2D",
    "Conv2DTranspose",
    "FittedMixture",
    "ImagePool",
    "LeaveOneOut",
    "MixturePrior",
    "OneHot",
    "PatchWhitening",
    "filter_gradient",
    "folded",
    "frozen_statistics",
    "strided_convolution",
    "transposed_convolution",
]
