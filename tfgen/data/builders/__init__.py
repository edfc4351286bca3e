"""TFDS builders for data sets that TFDS lacks; importing them registers their names with TFDS."""

from tfgen.data.builders.mnist_m import MnistM
from tfgen.data.builders.usps import Usps

__all__ = ["MnistM", "Usps"]
