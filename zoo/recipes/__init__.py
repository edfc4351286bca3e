"""Recipes as flat tables, a file per data set: what `tfgen train NAME` runs, importing nothing heavy.

The numbers beside published weights came from these recipes.  A recipe is plain data, so that a JSON file
can hold one as well, with the keys

    model        the class, a name in `zoo.MODELS`
    description  one line
    flagship     whether the published preset may be larger than others; by default not
    data         arguments of the class's `load_data`, by default those of `tfgen.data.load`
    build        arguments of the class's `build_networks`: network sizes and the paper's parameters
    training     epochs, batch_size, learning_rate and its decay, None or as `tfgen.schedules` names it;
                 rates, {player: learning rate}, where a player has another;
                 optimizer "adam", the default, and its beta_1, or "sgd", Nesterov's, and its momentum
                 and weight_decay; with `held_out` in data also patience: training stops once the bound
                 on the images held out has not risen for so many epochs, and the epoch with the
                 highest is kept

The file of a model outside the zoo holds its own RECIPES, {name: recipe}.
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
    """Name of the data set whose test split scores a model: the `target` where its recipe adapts to one."""
    return data.get("target", data["name"])


def evaluation_data(data: Mapping[str, Any], endpoints: Iterable[str]) -> str | tuple[str, str]:
    """What `tfgen.evaluate` takes of a recipe's data: a name, or both of a model of two domains.

    One that classifies was adapted to the second, and is tested there alone.
    """
    both = "target" in data and "classify" not in endpoints
    return (data["name"], data["target"]) if both else test_set(data)
