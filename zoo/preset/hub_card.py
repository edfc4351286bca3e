"""A preset's page in the Hugging Face Hub's form: metadata in YAML, then the page."""

import re
from collections.abc import Iterator
from typing import Any

from zoo.preset import hub
from zoo.preset.cards import Card
from zoo.preset.page import page

# Endpoint -> task on the Hub; the first endpoint that a model has counts.
_TASKS = {
    "sample": "unconditional-image-generation",
    "translate_ab": "image-to-image",
    "classify": "image-classification",
}
_DATASETS = {"mnist": "ylecun/mnist", "cifar10": "uoft-cs/cifar10"}  # ours -> the Hub's
_INWARD = re.compile(r"\[([^\]]*)\]\(\.\./[^)]*\)")  # links into the source tree


def hub_card(card: Card, address: str | None, license: str | None) -> str:
    """Return the README.md of a repository.

    Args:
        card: Card of the preset.
        address: "hf://owner/name" to load it by, or None to load it by its name.
        license: License of the weights, or None.
    """
    data = hub.package().ModelCardData(
        library_name="keras",
        license=license,
        pipeline_tag=_task(card),
        tags=["tfgen", card.model.lower(), card.data["name"]],
        datasets=[_DATASETS[name] for name in [card.data["name"]] if name in _DATASETS] or None,
        model_name=card.name,
        eval_results=list(_results(card)) or None,
    )
    text = _INWARD.sub(r"\1", page(card))
    if address is not None:
        text = text.replace(f'zoo.load("{card.name}")', f'zoo.load("{address}")')
    return f"---\n{data.to_yaml()}\n---\n\n{text}"


def _task(card: Card) -> str:
    return next(task for endpoint, task in _TASKS.items() if endpoint in card.endpoints)


def _results(card: Card) -> Iterator[Any]:
    """Return the card's metrics, each with its interval and the evaluator."""
    evaluation, name = card.evaluation, card.data["name"]
    facts = {key: evaluation[key] for key in ("evaluator", "samples", "seed") if key in evaluation}
    for metric, number in card.metrics.items():
        interval = {key: number[key] for key in ("low", "high") if key in number}
        yield hub.package().EvalResult(
            task_type=_task(card),
            dataset_type=_DATASETS.get(name, name),
            dataset_name=name,
            dataset_split="test",
            metric_type=metric,
            metric_value=number["value"],
            metric_args={**facts, **interval},
        )
