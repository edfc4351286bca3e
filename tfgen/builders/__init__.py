"""TFDS builders for data sets that TFDS lacks; importing them makes their names known to TFDS."""

from tfgen.builders.mnist_m import MnistM
from tfgen.builders.usps import Usps

__all__ = ["MnistM", "Usps"]
