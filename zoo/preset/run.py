"""A run: the folder of a recipe's training, with its record, history and checkpoints.

A run's folder holds

    run.json          recipe, seed, start, versions and machine, written before the first step
    checkpoint.keras  the whole model with its optimizer's slots; its epoch is the progress of the run
    history.jsonl     one line per epoch
    previous.keras    and previous.jsonl: the same one epoch ago, in case one of the two is damaged
    best.keras        the whole model at the best epoch so far, if images are held out to choose it
    epochs/           whole models of earlier epochs, if they were asked for
    samples/          one grid of samples per epoch
    logs/             for TensorBoard
"""

import contextlib
import dataclasses
import functools
import logging
import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from tfgen import old_names, untrusted
from tfgen.atomic import replace_file
from zoo.preset.load import load
from zoo.recipes import reading

if TYPE_CHECKING:
    from tfgen.unified import Unified

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None

_LOG = logging.getLogger("tfgen")

LARGEST_HISTORY, LARGEST_ENTRY = 1 << 28, 1 << 14  # bytes; an entry takes 200
MONITORED = "val_bound"  # on the images held out; higher is better

EPOCHS = "epochs"  # folder of the models that are kept

Entry = dict[str, Any]  # entry of an epoch: "epoch", "seconds", objectives and metrics


def kept_at(epoch: int) -> str:
    """Return the path, in a run's folder, of the model that is kept after an epoch."""
    return f"{EPOCHS}/{epoch:03d}.keras"


@dataclasses.dataclass(frozen=True)
class Record:
    """Everything that determines a run's numbers, the contents of `run.json`.

    Args:
        name: Name of the recipe in `zoo.RECIPES`; None for a recipe that has no name there.
        recipe: Recipe that is trained, with all changes of the named one.
        seed: Seed of the starting weights, the order of the data and the noise.
        init: Model whose networks' weights the run started from; None for fresh weights.
        bfloat16: Whether products are computed in bfloat16.
        versions: {package: version}.
        machine: {"processor", "instructions", "cores", ..}, see `zoo.preset.provenance.machine`.
    """

    name: str | None
    recipe: reading.Recipe
    seed: int
    init: str | None
    bfloat16: bool
    versions: dict[str, str]
    machine: dict[str, Any]

    def __post_init__(self):
        types = {"name": str | None, "seed": int, "init": str | None, "bfloat16": bool}
        for name, kind in {**types, "versions": dict, "machine": dict}.items():
            if not isinstance(getattr(self, name), kind):
                raise ValueError(f"{name} must be {kind}. Received: {getattr(self, name)!r:.80}")
        reading.check(self.recipe)

    @classmethod
    def read(cls, path: Path) -> Self:
        """Read a `run.json`.

        Raises:
            FileNotFoundError: The file does not exist.
            ValueError: The file is damaged.
        """
        if not path.is_file():
            raise FileNotFoundError(
                f"A run's folder must hold run.json. Received: {str(path.parent)!r}"
            )
        try:
            found = {"bfloat16": False, **old_names.renew(untrusted.read_document(path))}
            return cls(**{field.name: found[field.name] for field in dataclasses.fields(cls)})
        except (ValueError, KeyError) as error:
            raise ValueError(
                "run.json must hold the recipe and arguments of the run; without it, start a new run in "
                "another folder, with --init to start from the weights of this one. "
                f"Received: {path}, damaged: {error}"
            ) from error

    def to_dict(self) -> dict[str, Any]:
        return dataclasses.asdict(self)


class Run:
    """A run's folder; its files are read when they are needed.

    Args:
        folder: Folder of the run.
    """

    def __init__(self, folder: str | Path):
        self.folder = Path(folder)

    @functools.cached_property
    def record(self) -> Record:
        return Record.read(self.folder / "run.json")

    @property
    def recorded_epochs(self) -> list[Entry]:
        """Entries of the epochs in `history.jsonl`; the last epoch may be later than the checkpoint's.

        A damaged line is replaced by the line of its epoch in `previous.jsonl`, or skipped.
        """
        found = {
            **_entries(self.folder / "previous.jsonl"),
            **_entries(self.folder / "history.jsonl"),
        }
        whole = []
        while (entry := found.get(len(whole) + 1)) and entry.keys() == found[1].keys():
            whole.append(entry)
        return whole

    @functools.cached_property
    def checkpoint(self) -> "Unified | None":
        """Load the model at the last whole checkpoint that the history reaches; None before the first.

        A damaged checkpoint, or one without its history, warns and is replaced by the one before it.

        Raises:
            ValueError: Neither the checkpoint nor the one before it can be resumed.
        """
        faults = []
        for name in ("checkpoint.keras", "previous.keras"):
            path = self.folder / name
            if path.is_file():
                try:
                    model = self._load_checkpoint(path)
                except ValueError as error:
                    faults.append(str(error))
                else:
                    if faults:
                        _LOG.warning("%s The run is resumed from %s.", faults[0], path)
                    self._source = path
                    return model
        if faults:
            raise ValueError(
                f"{' '.join(faults)} No whole checkpoint is left: start the run again in a new folder."
            )
        return None

    def restore(self) -> None:
        """Replace a damaged checkpoint by the previous one, from which the run was resumed."""
        if self.checkpoint is not None and self._source.name != "checkpoint.keras":
            with replace_file(self.folder / "checkpoint.keras") as aside:
                shutil.copyfile(self._source, aside)

    @property
    def history(self) -> list[Entry]:
        """Entries of the epochs up to the checkpoint."""
        return self.recorded_epochs[
            : 0 if self.checkpoint is None else int(self.checkpoint.epochs.numpy())
        ]

    @property
    def best_epoch(self) -> int | None:
        return best_epoch(self.history)

    @property
    def is_finished(self) -> bool:
        return is_finished(self.record, self.history)

    def model(self) -> "Unified":
        """Load the trained model, at its best epoch if images were held out to choose it.

        Raises:
            ValueError: The run is not finished, or its files are damaged.
        """
        if not self.is_finished:
            epochs, done = self.record.recipe["training"]["epochs"], len(self.history)
            raise ValueError(
                "Only a finished run has a trained model; `tfgen train --resume` continues it. "
                f"Received: {str(self.folder)!r} after {done} of {epochs} epochs"
            )
        return self.checkpoint if self.best_epoch is None else load(self.folder / "best.keras")

    @contextlib.contextmanager
    def lock(self) -> Iterator[None]:
        """Lock the folder against other trainers; a killed process leaves no lock.

        Raises:
            BlockingIOError: Another process trains there.
            OSError: The folder cannot be created.
        """
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise OSError(
                f"A run's folder must be writable. Received: out={str(self.folder)!r}, {error.strerror}"
            ) from error
        with contextlib.ExitStack() as stack:
            if fcntl is not None:
                handle = os.open(self.folder, os.O_RDONLY)
                stack.callback(os.close, handle)
                try:
                    fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
                except BlockingIOError as error:
                    raise BlockingIOError(
                        "A run's folder must have one trainer at a time. "
                        f"Received: out={str(self.folder)!r}, in which another process trains"
                    ) from error
            try:
                yield
            finally:
                if not any(self.folder.iterdir()):
                    self.folder.rmdir()

    def _load_checkpoint(self, path: Path) -> "Unified":
        """Load a checkpoint that this run can be resumed from."""
        try:
            model = load(path)
        except Exception as error:  # flipped bits raise whatever the reader makes of them
            raise ValueError(
                f"A checkpoint must be whole. Received: {path}, damaged: {error}."
            ) from error
        epochs = int(model.epochs.numpy())
        if type(model).__name__ != self.record.recipe["model"]:
            raise ValueError(
                f"A checkpoint must be a {self.record.recipe['model']}, as the run's recipe says. "
                f"Received: a {type(model).__name__} in {path}."
            )
        if not 0 < int(model.steps.numpy()) == int(model.optimizer.iterations.numpy()):
            raise ValueError(
                "A checkpoint must hold its optimizer's slots, which a released preset does not. "
                f"Received: {path}."
            )
        if len(self.recorded_epochs) < epochs:
            raise ValueError(
                f"history.jsonl must have a line for each of the {epochs} epochs of {path.name}. "
                f"Received: {len(self.recorded_epochs)} whole ones in {self.folder}."
            )
        return model


def best_epoch(history: list[Entry]) -> int | None:
    """Return the first epoch with the highest bound on the images held out; None if none were."""
    if not history or MONITORED not in history[0]:
        return None
    return max(history, key=lambda entry: entry[MONITORED])["epoch"]


def is_finished(record: Record, history: list[Entry]) -> bool:
    """Return whether a run has done its epochs, or has not improved for as many as its patience.

    Args:
        record: Record of the run.
        history: Entries of its epochs so far.
    """
    training = record.recipe["training"]
    patience, best = training.get("patience"), best_epoch(history)
    stopped = patience is not None and best is not None and len(history) - best >= patience
    return stopped or len(history) >= training["epochs"]


def _entries(path: Path) -> dict[int, Entry]:
    """Return {epoch: entry} of the undamaged lines of a history."""
    if not path.is_file():
        return {}
    with open(path, "rb") as file:
        text = file.read(LARGEST_HISTORY)
    found = {}
    for line in text.splitlines():
        with contextlib.suppress(ValueError):
            entry = untrusted.parse(line, path.name, LARGEST_ENTRY)
            if _is_entry(entry):
                found[entry["epoch"]] = entry
    return found


def _is_entry(entry: Entry) -> bool:
    if "epoch" not in entry or "seconds" not in entry:
        return False
    numbers = [isinstance(value, int | float) for value in entry.values()]
    return all(numbers) and type(entry["epoch"]) is int
