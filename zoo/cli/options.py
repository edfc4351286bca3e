"""Arguments and options that several commands share."""

import re
import tempfile
from pathlib import Path
from typing import Any

import click

import zoo

MOST_TILES = 10_000
MOST_SEEDS = 1000
LONGEST_NAME = 255  # bytes, in most file systems


class NewPath(click.ParamType):
    """A path to write, which ends in `suffix` and whose nearest existing folder is writable."""

    name = "path"

    def __init__(self, suffix: str | None = None):
        self.suffix = suffix

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context) -> Any:
        if "\0" in str(value) or len(Path(value).name.encode()) > LONGEST_NAME:
            self.fail(f"A path has no NUL and names of at most {LONGEST_NAME} bytes.", param, ctx)
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


class Folder(click.Path):
    """A folder that exists."""

    def __init__(self):
        super().__init__(exists=True, file_okay=False, path_type=Path)

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context) -> Any:
        if "\0" in str(value):
            self.fail("A path has no NUL.", param, ctx)
        return super().convert(value, param, ctx)


class Seeds(click.ParamType):
    """Seeds as a range, 0-4, or a list, 0,2,5, or both."""

    name = "seeds"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context) -> Any:
        seeds = []
        for part in value.split(","):
            ends = re.fullmatch(r"(\d{1,9})(?:-(\d{1,9}))?", part, re.ASCII)
            first, last = (int(ends[1]), int(ends[2] or ends[1])) if ends else (1, 0)
            seeds += range(first, min(last, first + MOST_SEEDS) + 1)
            if last < first:
                self.fail(f"Seeds are given as 0-4 or 0,2,5. Received: {value}", param, ctx)
        if len(seeds) > MOST_SEEDS or len(set(seeds)) < len(seeds):
            self.fail(f"At most {MOST_SEEDS} seeds, each once. Received: {value}", param, ctx)
        return tuple(seeds)


class CountOrFolder(click.ParamType):
    """A number of images, or a folder of them."""

    name = "number or folder"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context) -> Any:
        if isinstance(value, int) or value.isdecimal():
            return COUNT.convert(value, param, ctx)
        return Folder().convert(value, param, ctx)


def trusts() -> bool:
    """Whether the current command has the option --trusted."""
    context = click.get_current_context(silent=True)
    return context is not None and context.meta.get(_TRUSTED, False)


def _note_trust(ctx, param, value):
    ctx.meta[_TRUSTED] = value


_TRUSTED = f"{__name__}.trusted"
TRUSTED = click.option(
    "--trusted", is_flag=True, expose_value=False, callback=_note_trust,
    help="Load MODEL in Keras' safe mode only, for layers of your own; use it if you trust the author.",
)  # fmt: skip


COUNT = click.IntRange(4, 10_000_000)


def fetched_once(ctx: click.Context, param: click.Parameter, value: str | None) -> str | None:
    """Return the folder of a fetched repository in place of hf://owner/name, or the value itself."""
    return str(zoo.locate(value)) if value is not None and value.startswith("hf://") else value


def _with_model(command):
    """Add the argument MODEL, and --trusted, which `zoo.cli.loading.load_model` reads."""
    return click.argument("model", callback=fetched_once)(TRUSTED(command))


MODEL = _with_model
JSON = click.option("--json", "as_json", is_flag=True, help="Print JSON.")
SEED = click.option(
    "--seed", type=click.IntRange(0, 2**31 - 1), default=0, show_default=True, help="Seed."
)
PICTURE = click.option(
    "--out", type=NewPath(".png"), required=True, help="PNG file to write."
)  # fmt: skip
FOLDER = click.option("--out", type=NewPath(), required=True, help="Folder to write.")
SAMPLES = click.option(
    "--samples", type=COUNT, default=10_000, show_default=True,
    help="Number of generated images to score.",
)  # fmt: skip
EVALUATOR = click.option(
    "--evaluator", type=Folder(),
    help="Folder of the evaluator; by default the data set's own.",
)  # fmt: skip
