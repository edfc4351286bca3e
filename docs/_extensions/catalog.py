"""Make the catalog from the cards: a page per preset, one table of all, and the numbers as data."""

import csv
import html
import json
from pathlib import Path
from typing import Any

from PIL import Image
from sphinx.application import Sphinx
from sphinx.util.typing import ExtensionMetadata

from zoo.preset import cards
from zoo.preset import page as pages
from zoo.preset.cards import Card

ROOT = Path(__file__).resolve().parents[2]
MARK = "<!-- catalog -->"

# Header -> metric; columns of the table.
COLUMNS = {
    "IS / real": "inception_score_ratio",
    "FID": "fid",
    "precision": "precision",
    "recall": "recall",
    "label kept": "conditional_accuracy",
    "bound, nats": "bound",
    "accuracy": "accuracy",
}


def read_cards(root: Path = ROOT) -> list[Card]:
    """Return the cards of the source tree's presets, by name."""
    return [cards.read(path.parent) for path in sorted(root.glob("saved_models/*/card.json"))]


def record(card: Card) -> dict[str, Any]:
    """Return the entry of `results.json` for a preset.

    Returns:
        Plain data: name, model, data, equation, evaluator, parameters, epochs, seed, wall time and
        {metric: {"value", "low", "high"}}, with intervals of level .95.
    """
    evaluation, data = card.evaluation, card.recipe["data"]
    return {
        "name": card.name,
        "model": card.model,
        "data": data["name"],
        "target": data.get("target"),
        "fraction": data.get("fraction", 1.0),
        "labelled": data.get("labelled", 1.0),
        "parameters": sum(card.parameters.values()),
        "megabytes": round(card.bytes / 1e6, 3),
        "epochs": card.epochs,
        "seed": card.seed,
        "wall_seconds": card.wall_seconds,
        "processor": card.machine["processor"],
        "cores": card.machine["cores"],
        "accelerators": card.machine.get("accelerators", []),
        "evaluator": evaluation.get("evaluator"),
        "samples": evaluation.get("samples"),
        "metrics": evaluation["metrics"],
        "paper": card.paper,
    }


def write_data(found: list[Card], folder: Path) -> None:
    """Write `results.json` and `results.csv`, whose columns are `metric`, `metric_low`, `metric_high`."""
    folder.mkdir(parents=True, exist_ok=True)
    records = [record(card) for card in found]
    (folder / "results.json").write_text(json.dumps(records, indent=1) + "\n", encoding="utf-8")
    metrics = list(dict.fromkeys(metric for row in records for metric in row["metrics"]))
    facts = [key for key in records[0] if key not in ("metrics", "paper")]
    numbers = [
        (f"{metric}{suffix}", metric, key)
        for metric in metrics
        for suffix, key in (("", "value"), ("_low", "low"), ("_high", "high"))
    ]
    with open(folder / "results.csv", "w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow([*facts, *(header for header, _, _ in numbers)])
        for row in records:
            cells = [row["metrics"].get(metric, {}).get(key) for _, metric, key in numbers]
            writer.writerow([*(row[key] for key in facts), *cells])


def table(found: list[Card]) -> str:
    """Return an HTML table of all presets, which `catalog.js` sorts and filters."""
    headers = ["", "preset", "model", "data", *COLUMNS, "weights"]
    head = "".join(f'<th scope="col">{header}</th>' for header in headers)
    return (
        '<table id="presets-table" class="table">\n'
        f"<thead><tr>{head}</tr></thead>\n<tbody>\n"
        + "\n".join(_row(card) for card in found)
        + "\n</tbody></table>"
    )


def _row(card: Card) -> str:
    facts, name = record(card), html.escape(card.name)
    data = " to ".join(filter(None, (facts["data"], facts["target"])))
    data += f", {facts['fraction']:.0%}" if facts["fraction"] < 1 else ""
    data += f", {facts['labelled']:.0%} labeled" if 0 < facts["labelled"] < 1 else ""
    cells = [
        f'<td><img src="presets/{name}.png" alt="" width="48" height="48" loading="lazy"></td>',
        f'<td><a href="presets/{name}.html">{name}</a></td>',
        f"<td>{html.escape(facts['model'])}</td>",
        f"<td>{html.escape(data)}</td>",
    ]
    for metric in COLUMNS.values():
        number = facts["metrics"].get(metric)
        cells.append(
            f'<td data-value="{number["value"]}">{pages.digits(number["value"])}</td>'
            if number
            else "<td></td>"
        )
    cells.append(f'<td data-value="{facts["megabytes"]}">{facts["megabytes"]:.1f} MB</td>')
    return f"<tr>{''.join(cells)}</tr>"


def preset_page(card: Card) -> str:
    """Return the page of a preset, the README of its folder with the paths of the site."""
    picture = f"](../../saved_models/{card.name}/samples.png)"
    return pages.page(card).replace("](samples.png)", picture)


def generate(app: Sphinx, config: object) -> None:
    """Write a source page per preset before Sphinx looks for pages."""
    folder = Path(app.srcdir) / "presets"
    folder.mkdir(exist_ok=True)
    found = {f"{card.name}.md": preset_page(card) for card in read_cards()}
    for path in folder.glob("*.md"):
        if path.name not in found:
            path.unlink()
    for name, text in found.items():
        path = folder / name
        if not path.exists() or path.read_text(encoding="utf-8") != text:
            path.write_text(text, encoding="utf-8")  # Sphinx does not read an unchanged page again


def thumbnails(found: list[Card], folder: Path) -> None:
    """Write the upper left quarter of each preset's picture, 96 pixels wide."""
    folder.mkdir(parents=True, exist_ok=True)
    for card in found:
        with Image.open(ROOT / "saved_models" / card.name / "samples.png") as picture:
            side = min(picture.size) // 2
            small = picture.crop((0, 0, side, side)).resize((96, 96), Image.Resampling.LANCZOS)
            small.save(folder / f"{card.name}.png", optimize=True)


def fill(app: Sphinx, docname: str, content: list[str]) -> None:
    """Replace the page's mark by the table."""
    if MARK in content[0]:
        content[0] = content[0].replace(MARK, f"```{{raw}} html\n{table(read_cards())}\n```")


def finish(app: Sphinx, error: Exception | None) -> None:
    """Write the numbers as data, and the pictures of the table."""
    if error is None and app.builder.format == "html":
        out = Path(app.outdir)
        write_data(read_cards(), out)
        thumbnails(read_cards(), out / "presets")


def setup(app: Sphinx) -> ExtensionMetadata:
    """Make pages before the build, and data after it."""
    app.connect("config-inited", generate)
    app.connect("source-read", fill)
    app.connect("build-finished", finish)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
