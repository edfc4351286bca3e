"""The version, for the package, its setup and what is served."""

__version__ = "0.1.0"
