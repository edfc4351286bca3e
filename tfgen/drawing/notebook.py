"""HTML view of a model in a notebook: class, networks, card, a few samples."""

import base64
import html
import inspect
import io
import weakref
from typing import Any

import keras

from tfgen.drawing import pictures

SAMPLES, COLUMNS = 16, 8
_LOADED: "weakref.WeakKeyDictionary[keras.Model, tuple]" = weakref.WeakKeyDictionary()


def introduce(model: keras.Model, card: dict[str, Any]) -> None:
    """Attach the preset's card to a model, for its view in a notebook.

    Args:
        model: Model of the zoo.
        card: Contents of the preset's `card.json`.
    """
    _LOADED[model] = card, int(model.steps)


def page(model: keras.Model) -> str:
    """Return the model's class, equations, networks and state as HTML, above samples of seed 0.

    Args:
        model: Model of the zoo. The page has a picture if the model has `sample`, and a description and
            scores if `zoo.load` loaded it from a preset.
    """
    rows = {
        "shape": " x ".join(map(str, model.image_shape)),
        "classes": model.num_classes,
        "endpoints": ", ".join(model.endpoints()),
        "trained": f"{int(model.steps):,} steps, {int(model.epochs):,} epochs",
    }
    networks = {
        name: f"{network.count_params():,} parameters" for name, network in model.players.items()
    }
    table = "".join(
        f"<tr><th style='text-align:left'>{key}</th><td style='text-align:left'>{value}</td></tr>"
        for key, value in {**rows, **networks, **_card_lines(model)}.items()
        if value is not None
    )
    summary = (inspect.getdoc(type(model)) or "").partition("\n")[0]
    title = f"<b>{html.escape(type(model).__name__)}</b> {html.escape(summary)}"
    return f"<div>{title}<table>{table}</table>{_picture(model)}</div>"


def _card_lines(model: keras.Model) -> dict[str, str]:
    """Return lines of a loaded preset's card; its scores are of the weights as published."""
    if model not in _LOADED:
        return {}
    card, steps = _LOADED[model]
    metrics = card.get("evaluation", {}).get("metrics", {})
    scores = "; ".join(f"{name} {number['value']:.4g}" for name, number in metrics.items())
    since = "" if int(model.steps) == steps else " (before it was trained further)"
    words = f"{card['name']}: {card['description']}"
    return {"preset": html.escape(words), "scores": html.escape(scores) + since}


def _picture(model: keras.Model) -> str:
    if "sample" not in model.endpoints():
        return ""
    file = io.BytesIO()
    pictures.grid(model.sample(SAMPLES, seed=0), columns=COLUMNS, scale=3).save(file, "PNG")
    data = base64.b64encode(file.getvalue()).decode()
    return f'<img alt="{SAMPLES} samples of seed 0" src="data:image/png;base64,{data}">'
