"""`tfgen list`, `info` and `theory`: presets, recipes, models, and the paper's statements."""

import dataclasses
from pathlib import Path

import click

import zoo
from tfgen.quiet import quietly
from zoo.cli.loading import load_model
from zoo.cli.options import FOLDER, JSON, MODEL, NewPath
from zoo.cli.printing import print_json, print_metrics, print_table, short
from zoo.preset.load import all_cards


@click.command("list")
@JSON
@click.option("--recipes", is_flag=True, help="List the recipes of `tfgen train` instead.")
def list_presets(as_json: bool, recipes: bool) -> None:
    """List the published presets, or the recipes."""
    if recipes:
        _list_recipes(as_json)
        return
    if as_json:
        print_json(zoo.presets())
        return
    if not (cards := all_cards()):
        click.echo("No preset is published here.")
        return
    rows = [
        (name, card.model, " to ".join(_domains(card)), _headline(card))
        for name, card in cards.items()
    ]
    print_table(("preset", "model", "data", "on test data"), rows)


def _domains(card):
    data = card.recipe["data"]
    return [data[key] for key in ("name", "target") if key in data]


# Metric -> format of its value; a preset's line shows the first metric that it has.
_HEADLINES = {
    "bound": "{:.1f} nats",
    "accuracy": "{:.1%} right",
    "inception_score_ratio": "{:.0%} of real IS",
    "label_kept_ab": "{:.0%} keep class",
}


def _headline(card):
    metrics = card.metrics
    told = (
        text.format(metrics[name]["value"]) for name, text in _HEADLINES.items() if name in metrics
    )
    return next(told, "")


def _list_recipes(as_json):
    if as_json:
        print_json(zoo.RECIPES)
    else:
        rows = [(name, recipe["description"]) for name, recipe in zoo.RECIPES.items()]
        print_table(("recipe", "description"), rows)


@click.command()
@MODEL
@JSON
@click.option(
    "--figure", type=NewPath(".png"), help="PNG file for a drawing of the graphical model."
)
def info(model: str, as_json: bool, figure: Path | None) -> None:
    """Show MODEL's card and its row of the paper's Table 1.

    A .keras file has no card; facts are read from the file.
    """
    from tfgen.paper import graphs, table

    has_card = model in zoo.presets() or zoo.locate(model).is_dir()
    facts = zoo.card(model) if has_card else _facts(load_model(model))
    rows = table.find_rows(facts.get("table_row"))
    if figure is not None:
        if not rows:
            raise ValueError(f"Only a model of Table 1 can be drawn. Received: {model}")
        graphs.draw({f"{row.name} ({row.equations})": row.arcs for row in rows}, figure)
    if as_json:
        print_json({**facts, "table_1": {row.name: dataclasses.asdict(row) for row in rows}})
        return
    facts = dict(facts)
    metrics = facts.pop("evaluation", {}).get("metrics")
    facts.pop("sha256", None)
    print_table(None, [(key, short(value)) for key, value in facts.items() if value is not None])
    if metrics:
        print_metrics(metrics)
    for row in rows:
        click.echo(f"\nTable 1: {row.name}, {row.equations}")
        print_table(None, table.facts(row))


def _facts(model):
    from zoo.preset.publish import facts

    return {**facts(model), "epochs": int(model.epochs)}


@click.command()
@FOLDER
@click.option(
    "--seeds", type=click.IntRange(0, 100), default=5, show_default=True,
    help="Number of trainings of each model on each mixture of Gaussians, about a minute each.",
)  # fmt: skip
def theory(out: Path, seeds: int) -> None:
    """Check the paper's statements by exact computation.

    Write a page about Lemmas 1 and 2 and Eq. 8, 10, 14, 17, 26, 36, Fig. 1, 2 and 4, Table 1, and models
    of the zoo on mixtures of Gaussians.
    """
    with quietly():  # the processes that train models, too
        from tfgen.paper.theory import report

        section: str = report.NOT_RUN
        if seeds:
            from zoo.studies import gaussians

            section = gaussians.write(out, seeds)
    click.echo(report.write(out, f"tfgen theory --out {out} --seeds {seeds}", section))
