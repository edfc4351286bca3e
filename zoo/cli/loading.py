"""Load the model and the data set of a command; TensorFlow is imported here, without its messages."""

from typing import Any

import zoo
from tfgen.quiet import quietly
from zoo.cli.options import trusts
from zoo.recipes import evaluation_data, test_set


def load_model(name: str, endpoint: str | None = None) -> Any:
    """Load the model, which must have the endpoint that a command needs."""
    zoo.locate(name)  # an unknown name raises before TensorFlow takes seconds to import
    with quietly():
        model = zoo.load(name, trusted=trusts())
    if endpoint is not None and endpoint not in model.endpoints():
        raise ValueError(
            f"MODEL must have the endpoint {endpoint!r}. "
            f"Received: {name} with {', '.join(model.endpoints())}"
        )
    return model


def data_of(model: str, name: str | None) -> str:
    """Return the data set of this name, by default the one that the model's card was scored on."""
    return test_set(zoo.card(model)["recipe"]["data"]) if name is None else name


def class_names(model: str) -> Any:
    """Return the names of the classes on a preset's card, if it has any."""
    known = (
        zoo.card(model).get("data", {}).get("class_names") if zoo.locate(model).is_dir() else None
    )
    return known or []


def evaluation_data_of(model: str, names: tuple[str, ...]) -> str | tuple[str, ...]:
    """Return one or two data sets of these names, by default those that the model's card was scored on."""
    if names:
        return names[0] if len(names) == 1 else names
    card = zoo.card(model)
    return evaluation_data(card["recipe"]["data"], card["endpoints"])


def fetch_evaluators(data: str | tuple[str, ...]) -> None:
    """Fetch the published evaluators of one or two data sets, for `tfgen.evaluate`."""
    for name in [data] if isinstance(data, str) else data:
        if (evaluator := f"resnet_{name}") in zoo.presets():
            zoo.locate(evaluator)
