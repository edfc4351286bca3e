"""TFDS builders for data sets that TFDS lacks; importing them makes their names known to TFDS."""

from tfgen.data.builders.mnist_m import MnistM
from tfgen.data.builders.usps import Usps

__all__ = ["MnistM", "Usps"]
