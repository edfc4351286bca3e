"""Recipes of `tfgen train NAME` as flat tables, a file per data set, without heavy imports.

The published presets come from these recipes.  A recipe is plain data, so that a JSON file can hold one as
well, with the keys

    model        the class, a name in `zoo.MODELS`
    description  one line
    flagship     whether the published preset may be larger than others; by default not
    data         arguments of the class's `load_data`, by default those of `tfgen.data.load`
    build        arguments of the class's `build_networks`: network sizes and the paper's parameters
    training     epochs, batch_size, learning_rate and its decay, None or a name in `tfgen.schedules`;
                 rates, {player: learning rate}, for players with another rate;
                 optimizer "adam", the default, and its beta_1, or "sgd", Nesterov's, and its momentum
                 and weight_decay; with `held_out` in data also patience: training stops when the bound
                 on the images held out has not increased for so many epochs, and the epoch with the
                 highest bound is kept

The file of a model outside the zoo has its own RECIPES, {name: recipe}.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from zoo.recipes import cifar10, digits, mnist, mnist_m, pairs

LEARN_FROM_LABELS = (
    "ADA",
    "ResNet",
    "SVAE",
)  # classes with `needs_labels`, known without importing them
FILES = (cifar10, digits, mnist, mnist_m, pairs)


def test_set(data: Mapping[str, Any]) -> str:
    """Return the data set whose test split scores a model: the `target` if its recipe adapts to one."""
    return data.get("target", data["name"])


def evaluation_data(data: Mapping[str, Any], endpoints: Iterable[str]) -> str | tuple[str, str]:
    """Return the data for `tfgen.evaluate`: a name, or both names of a model of two domains.

    A classifier was adapted to the second domain, and is tested only there.
    """
    both = "target" in data and "classify" not in endpoints
    return (data["name"], data["target"]) if both else test_set(data)
