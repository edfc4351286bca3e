"""Arguments and options that several commands share."""

import tempfile
from pathlib import Path

import click

MOST_TILES = 10_000


class NewPath(click.ParamType):
    """A path to write: its nearest existing folder must be writable, and it ends in `suffix`."""

    name = "path"

    def __init__(self, suffix=None):
        self.suffix = suffix

    def convert(self, value, param, ctx):
        path = Path(value)
        if self.suffix and (path.suffix.lower() != self.suffix or path.is_dir()):
            self.fail(f"A file that ends in {self.suffix} is needed. Received: {value}", param, ctx)
        folder = path.parent if self.suffix else path
        while not folder.exists():
            folder = folder.parent
        try:
            with tempfile.TemporaryFile(dir=folder):
                return path
        except OSError as error:
            self.fail(f"{folder} cannot be written: {error.strerror}", param, ctx)


MODEL = click.argument("model")
JSON = click.option("--json", "as_json", is_flag=True, help="Print JSON.")
SEED = click.option(
    "--seed", type=click.IntRange(0, 2**31 - 1), default=0, show_default=True, help="Seed."
)
PICTURE = click.option(
    "--out", type=NewPath(".png"), required=True, help="PNG file to write."
)  # fmt: skip
FOLDER = click.option("--out", type=NewPath(), required=True, help="Folder to write.")
SAMPLES = click.option(
    "--samples", type=click.IntRange(4, 10_000_000), default=10_000, show_default=True,
    help="Number of generated images to score.",
)  # fmt: skip
EVALUATOR = click.option(
    "--evaluator", type=click.Path(exists=True, file_okay=False),
    help="Folder of the evaluator, if not the data set's own.",
)  # fmt: skip
