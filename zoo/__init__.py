"""The zoo: every model of the paper, with trained weights.

    model = zoo.load("iwgan_mnist")
    model.sample(64, seed=0)

TensorFlow is imported with the first model, not by `import zoo`.
"""

import importlib
from typing import TYPE_CHECKING, Any

from zoo import registry
from zoo.registry import build as build

if TYPE_CHECKING:  # what `__getattr__` finds, for editors and type checkers
    from zoo.models.aae import AAE as AAE
    from zoo.models.ada import ADA as ADA
    from zoo.models.cyclegan import CycleGAN as CycleGAN
    from zoo.models.gan import GAN as GAN
    from zoo.models.helmholtz import Helmholtz as Helmholtz
    from zoo.models.infogan import InfoGAN as InfoGAN
    from zoo.models.pm import PM as PM
    from zoo.models.resnet import ResNet as ResNet
    from zoo.models.svae import SVAE as SVAE
    from zoo.models.vae import VAE as VAE
    from zoo.models.vaegan import GANVAE as GANVAE
    from zoo.models.vaegan import VAEGAN as VAEGAN
    from zoo.preset.load import card as card
    from zoo.preset.load import load as load
    from zoo.preset.load import locate as locate
    from zoo.preset.load import presets as presets
    from zoo.preset.trained import publish as publish
    from zoo.recipes.reading import Recipe

    MODELS: dict[str, str]
    RECIPES: dict[str, Recipe]

_HOMES: dict[str, str] = dict.fromkeys(("card", "load", "locate", "presets"), "zoo.preset.load")
_HOMES["publish"] = "zoo.preset.trained"


def __getattr__(name: str) -> Any:
    if name == "MODELS":
        return registry.MODELS
    if name == "RECIPES":
        return registry.recipes()
    if name in registry.MODELS:
        return registry.model_class(name)
    if home := _HOMES.get(name):
        return getattr(importlib.import_module(home), name)
    raise AttributeError(f"module 'zoo' has no attribute {name!r}")


def __dir__() -> list[str]:
    return [*globals(), *__all__]


__all__ = [
    "MODELS",
    "RECIPES",
    "build",
    "card",
    "load",
    "locate",
    "presets",
    "publish",
    *registry.MODELS,
]
