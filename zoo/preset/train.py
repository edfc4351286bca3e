"""Train a recipe in a run's folder, from which an interrupted training resumes exactly."""

import contextlib
import copy
import dataclasses
import errno
import json
import os
import shlex
import shutil
import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import keras
import tensorflow as tf

import tfgen
from tfgen import machines, replicas
from tfgen.atomic import replace_file, write_json
from tfgen.data import naming
from tfgen.drawing import pictures
from zoo import registry
from zoo.building import check_build
from zoo.preset import lookup, summaries
from zoo.preset.interrupts import between_batches
from zoo.preset.load import load
from zoo.preset.provenance import machine, versions
from zoo.preset.run import Entry, Record, Run, best_epoch, is_finished, kept_at
from zoo.recipes import reading

LARGEST_SEED = 2**31 - 1
_SUFFIXES = (".json", ".jsonl", ".keras", ".png")


def train(
    recipe: str | reading.Recipe | None,
    out: str | Path,
    *,
    changes: Iterable[str] = (),
    data: str | None = None,
    epochs: int | None = None,
    seed: int | None = None,
    init: str | Path | None = None,
    bfloat16: bool | None = None,
    resume: bool = False,
    every: int = 1,
    keep: int | None = None,
    strategy: str | None = None,
    trusted: bool = False,
    verbose: str | int = "auto",
) -> tfgen.Unified:
    """Train a fresh model on a recipe's data, with an atomic checkpoint after every epoch.

    A resumed run equals an uninterrupted one: order and noise are functions of (seed, epoch) and of (seed,
    step), and the checkpoint holds both counters. They are equal bit for bit if TensorFlow is
    deterministic, as under `tf.config.experimental.enable_op_determinism`.

    Args:
        recipe: Name in `zoo.RECIPES`, or a dictionary like its entries; None resumes the run in `out`.
        out: Folder of the run; new or empty, unless the run is resumed.
        changes: Changes of the recipe, such as "build.width=16"; see `zoo.recipes.reading.apply_changes`.
        data: Data set in place of the recipe's.
        epochs: Number of epochs in place of the recipe's.
        seed: Seed of the starting weights, the order of the data and the noise; by default 0.
        init: Preset, folder or `.keras` file whose networks' weights are the starting weights.
        bfloat16: Whether to multiply in bfloat16 and add in float32; see `products_in_bfloat16`, and on a
            GPU `networks_in_bfloat16`.
        resume: Whether to continue the run in `out`, with its values for arguments that are None. The
            number of epochs may grow if the learning rate does not depend on it.
        every: Number of epochs per checkpoint and grid of samples; the last epoch has both, too.
        keep: Number of epochs per model that stays in `out/epochs`; None keeps no model of earlier epochs.
        strategy: "mirrored" or "multiworker", see `tfgen.machines.strategy`; the run is the same on any
            number of devices, up to rounding.  Only the chief writes in `out`, which all workers read.
        trusted: Whether to load `init` as a file whose author you trust, see `zoo.load`.
        verbose: Verbosity of `keras.Model.fit`.

    Returns:
        The trained model, at its best epoch if images are held out to choose it.

    Raises:
        FileExistsError: `out` is not empty, and either `resume` is False or it holds no run.
        BlockingIOError: Another process trains in `out`.
        ValueError: The recipe is unknown, a number is out of range, the run in `out` has other arguments
            or damaged files, or `init` has other networks.
        OSError: `out` cannot be written.
    """
    for option, epochs_between in {"every": every, "keep": 1 if keep is None else keep}.items():
        reading.check_number(option, epochs_between, int, 1, LARGEST_SEED)
    name = recipe if isinstance(recipe, str) else None
    recipe = lookup.find_recipe(recipe) if isinstance(recipe, str) else recipe
    if recipe is not None:
        recipe = reading.apply_changes(recipe, changes)
    run, distribution = Run(out), machines.strategy(strategy)
    chief = replicas.is_chief(distribution)
    with run.lock() if chief else contextlib.nullcontext():
        replicas.agree(distribution, ready=1)  # the chief has made the folder
        recorded = _read_record(run.folder, resume)
        if recipe is None and recorded is None:
            raise FileNotFoundError(
                f"Without a recipe, the folder must hold a run. Received: out={str(out)!r}"
            )
        asked = _requested_record(name, recipe, data, epochs, seed, init, bfloat16, recorded)
        run.record = asked if recorded is None else _merge_records(recorded, asked)
        with distribution.scope():
            checkpoint = run.checkpoint
        done = 0 if checkpoint is None else int(checkpoint.epochs.numpy())
        replicas.agree(distribution, epochs=done)
        return _train(run, every, keep, distribution, verbose if chief else 0, trusted)


def fresh_model(recipe: reading.Recipe, seed: int, batches: int) -> tfgen.Unified:
    """Return the model that a run of a recipe starts from, a function of the seed alone.

    Args:
        recipe: Dictionary like the entries of `zoo.RECIPES`.
        seed: Seed of the starting weights and the noise.
        batches: Number of batches per epoch.
    """
    data = recipe["data"]
    geometry = {key: data[key] for key in ("name", "size", "channels") if key in data}
    keras.utils.set_random_seed(seed)
    return registry.build(recipe, tfgen.data.info(**geometry), seed=seed, batches=batches)


@contextlib.contextmanager
def products_in_bfloat16(wanted: bool) -> Iterator[None]:
    """Compute convolutions and matrix products in bfloat16, if `wanted`; all state is float32.

    Steps are 1.2 to 1.7 times as fast on a processor with AMX (benchmarks/BFLOAT16.md).  TensorFlow ignores
    this on a GPU, see `networks_in_bfloat16`, and without oneDNN's kernels.
    """
    option = "auto_mixed_precision_onednn_bfloat16"
    before = tf.config.optimizer.get_experimental_options().get(option, False)
    tf.config.optimizer.set_experimental_options({option: wanted})
    try:
        yield
    finally:
        tf.config.optimizer.set_experimental_options({option: before})


@contextlib.contextmanager
def networks_in_bfloat16(wanted: bool) -> Iterator[None]:
    """Build networks under Keras' policy mixed_bfloat16, if `wanted` and on a GPU.

    Weights and statistics stay float32, and a published preset computes in float32.
    """
    before = keras.config.dtype_policy()
    if wanted and tf.config.list_physical_devices("GPU"):
        keras.config.set_dtype_policy("mixed_bfloat16")
    try:
        yield
    finally:
        keras.config.set_dtype_policy(before)


def _train(
    run: Run,
    every: int,
    keep: int | None,
    strategy: tf.distribute.Strategy,
    verbose: str | int,
    trusted: bool,
) -> tfgen.Unified:
    recipe, training = run.record.recipe, run.record.recipe["training"]
    kind, data, seed = registry.model_class(recipe["model"]), recipe["data"], run.record.seed
    check_build(kind, recipe["build"])
    found = summaries.summarize(recipe, run.record.name or recipe["model"])
    if verbose:
        print(*found, sep="\n")
    dataset = kind.load_data(**data, batch_size=training["batch_size"], seed=seed)
    dataset, held_out = dataset if isinstance(dataset, tuple) else (dataset, None)

    if (model := run.checkpoint) is None:
        # Not while files are written: new variables meet other collectives.
        with strategy.scope(), networks_in_bfloat16(run.record.bfloat16):
            model = fresh_model(recipe, seed, int(dataset.cardinality()))
            if run.record.init is not None:
                _copy_networks(load(run.record.init, trusted), model)
    if replicas.are_several(strategy):
        replicas.synchronize(model)
    chief = replicas.is_chief(strategy)
    with _writing(run.folder):
        if chief:
            write_json(run.folder / "run.json", run.record.to_dict())
            _sweep(run.folder)
            run.restore()
        if not run.is_finished:
            board = keras.callbacks.TensorBoard(run.folder / "logs", write_graph=False)
            boards = [board] if chief else []
            with products_in_bfloat16(run.record.bfloat16), between_batches() as heeded:
                model.fit(
                    dataset,
                    validation_data=held_out,
                    initial_epoch=int(model.epochs.numpy()),
                    epochs=training["epochs"],
                    callbacks=[*boards, _Checkpoints(run, every, keep, writes=chief), heeded],
                    verbose=verbose,
                )
        replicas.agree(
            strategy, epochs=int(model.epochs.numpy())
        )  # the chief has written its files
    return model if held_out is None else load(run.folder / "best.keras")


@contextlib.contextmanager
def _writing(folder: Path) -> Iterator[None]:
    """Raise one OSError for a file that cannot be written, which TensorFlow and HDF5 report differently."""
    try:
        yield
    except (OSError, RuntimeError, tf.errors.OpError) as error:
        reasons = (errno.ENOSPC, errno.EFBIG, errno.EDQUOT, errno.EROFS, errno.EACCES)
        reason = next((os.strerror(n) for n in reasons if os.strerror(n) in str(error)), None)
        if reason is None:
            raise
        raise OSError(
            f"A run's folder must be writable, with room for its files; when it is, `tfgen train "
            f"--resume --out {shlex.quote(str(folder.resolve()))}` resumes from the last whole "
            f"epoch. Received: {reason}"
        ) from error


class _Checkpoints(keras.callbacks.Callback):
    """Callback that writes an epoch's line of history, its samples and, last, its checkpoint.

    A run killed in between repeats the epoch and overwrites its files.
    """

    def __init__(self, run: Run, every: int, keep: int | None, *, writes: bool):
        super().__init__()
        self._writes = writes
        self._out, self._record, self._history = run.folder, run.record, run.history
        self._every, self._keep = every, keep

    def on_epoch_begin(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        self._began = time.perf_counter()

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        seconds = round(time.perf_counter() - self._began, 3)
        done = int(self.model.epochs.numpy())
        entry = {
            "epoch": done,
            "seconds": seconds,
            **{k: float(v) for k, v in (logs or {}).items()},
        }
        before, self._history = self._history, [*self._history, entry]
        self.model.stop_training = is_finished(self._record, self._history)
        if self._writes:
            self._write(done, before)

    def _write(self, done: int, before: list[Entry]) -> None:
        self._write_history("previous.jsonl", before)
        self._write_history("history.jsonl", self._history)
        if best_epoch(self._history) == done:
            self._save("best.keras")
        if self._keep is not None and (self.model.stop_training or done % self._keep == 0):
            self._save(kept_at(done))
        if self.model.stop_training or done % self._every == 0:
            self._draw(done)
            self._keep_previous()
            self._save("checkpoint.keras")

    def _draw(self, done: int) -> None:
        if "sample" in self.model.endpoints():
            path = self._out / "samples" / f"epoch_{done:03d}.png"
            pictures.save(pictures.samples(self.model), path)

    def _write_history(self, name: str, history: list[Entry]) -> None:
        with replace_file(self._out / name) as aside:
            aside.write_text("".join(json.dumps(line) + "\n" for line in history))

    def _save(self, name: str) -> None:
        with replace_file(self._out / name) as aside:
            self.model.save(aside)

    def _keep_previous(self) -> None:
        checkpoint = self._out / "checkpoint.keras"
        if checkpoint.is_file():
            with replace_file(self._out / "previous.keras") as aside:
                aside.unlink()
                try:
                    os.link(checkpoint, aside)
                except OSError:  # a file system without hard links
                    shutil.copyfile(checkpoint, aside)


def _read_record(out: Path, resume: bool) -> Record | None:
    """Return the record of the run in `out`, or None for a new folder; hidden files are ignored."""
    if all(path.name.startswith(".") for path in out.iterdir()):
        return None
    if not resume:
        raise FileExistsError(
            "The folder of a new run must be new or empty; resume continues the run in it. "
            f"Received: out={str(out)!r}"
        )
    if not (out / "run.json").is_file():
        raise FileExistsError(
            "A folder that is not empty must hold run.json, to resume from. "
            f"Received: out={str(out)!r}"
        )
    return Run(out).record


def _requested_record(
    name, recipe, data, epochs, seed, init, bfloat16, recorded: Record | None
) -> Record:
    """Return the record of the requested run, with None replaced by the recorded or the recipe's value."""
    if recorded is not None:
        init = recorded.init if init is None else init
        bfloat16 = recorded.bfloat16 if bfloat16 is None else bfloat16
        seed = recorded.seed if seed is None else seed
        name, recipe = (recorded.name, recorded.recipe) if recipe is None else (name, recipe)
        data = recorded.recipe["data"]["name"] if data is None else data
        epochs = recorded.recipe["training"]["epochs"] if epochs is None else epochs
    seed = 0 if seed is None else seed
    reading.check_number("seed", seed, int, 0, LARGEST_SEED)
    changes = [] if data is None else [f"data.name={json.dumps(naming.absolute(data))}"]
    changes += [] if epochs is None else [f"training.epochs={json.dumps(epochs)}"]
    recipe = reading.apply_changes(recipe, changes)
    recipe = json.loads(json.dumps(recipe))  # as it will be read back: tuples become lists
    names = {key: recipe["data"][key] for key in ("name", "target") if key in recipe["data"]}
    recipe["data"] |= {key: naming.absolute(name) for key, name in names.items()}
    init = None if init is None else _absolute(init)
    return Record(name, recipe, seed, init, bool(bfloat16), versions(), machine())


def _absolute(name: str | Path) -> str:
    """Return the absolute path of a folder or file, so that a run can be resumed anywhere, or the name."""
    return str(Path(name).resolve()) if Path(name).exists() else str(name)


def _merge_records(recorded: Record, asked: Record) -> Record:
    """Return the recorded run with the requested number of epochs; all else must agree."""
    recipe = copy.deepcopy(recorded.recipe)
    training = recipe["training"]
    if training["decay"] is None:
        training["epochs"] = max(training["epochs"], asked.recipe["training"]["epochs"])
    run = dataclasses.replace(recorded, recipe=recipe)
    for key in ("name", "recipe", "seed", "init", "bfloat16"):
        if getattr(run, key) != getattr(asked, key):
            raise ValueError(
                "A resumed run must have the arguments of its start; only the number of epochs may grow, "
                "and only at a constant learning rate. "
                f"Received: {key}={getattr(asked, key)!r}, started with {getattr(recorded, key)!r}"
            )
    return run


def _copy_networks(source: tfgen.Unified, target: tfgen.Unified) -> None:
    if type(source) is not type(target):
        raise ValueError(
            f"init must be a {type(target).__name__}, as the recipe is. "
            f"Received: a {type(source).__name__}"
        )
    for name, network in target.players.items():
        network.set_weights(source.players[name].get_weights())
    if target.average is not None:
        target.theta_average.set_weights(target.theta.get_weights())


def _sweep(out: Path) -> None:
    """Remove temporary files of interrupted writes, see `replace_file`."""
    for suffix in _SUFFIXES:
        for leftover in out.rglob(f".????????{suffix}"):
            leftover.unlink()
