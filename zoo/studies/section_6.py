"""`python -m zoo.studies.section_6`: section 6's symmetry of data and labels, on three generators."""

import json
from pathlib import Path

import click

from zoo.studies import symmetry

PAGES = Path(__file__).resolve().parents[2] / "docs" / "studies"
RUNS = {  # preset: data set, generated images, passes over them
    "cgan_digits": ("digits", 5_000, 10),
    "iwcgan_digits": ("digits", 5_000, 10),
    "cgan_mnist": ("mnist", 10_000, 3),
}


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--seed", default=0, show_default=True)
def main(seed):
    """Train the students of each generator, and write symmetry.md."""
    reports = []
    for name, (data, samples, epochs) in RUNS.items():
        reports.append(symmetry.report(name, data, samples, epochs=epochs, seed=seed))
        click.echo(json.dumps(reports[-1]), err=True)
    (PAGES / "symmetry.md").write_text(symmetry.page(reports))


if __name__ == "__main__":
    main()
