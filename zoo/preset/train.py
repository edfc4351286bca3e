"""Trains a recipe into a folder, from which it goes on exactly after being stopped at any moment.

A run's folder holds

    run.json          recipe, seed, start, versions and machine, written before the first step
    checkpoint.keras  the whole model with its optimiser's slots; it alone says how far the run is
    best.keras        the same at the best epoch so far, if images are held out to choose it by
    history.jsonl     a line for each epoch
    samples/          a grid of samples for each epoch
    logs/             for TensorBoard
"""

import contextlib
import copy
import difflib
import importlib.metadata
import json
import os
import platform
import time
from pathlib import Path

import keras
import tensorflow as tf

import tfgen
import zoo
from tfgen.drawing import pictures
from tfgen.saved_model import replaced_file
from zoo.preset import looking

MOST_EPOCHS = 100_000
LARGEST_SEED = 2**31 - 1
MONITORED = "val_bound"  # on the images held out, the higher the better
_PACKAGES = ("tensorflow", "keras", "numpy", "tensorflow-datasets", "scikit-learn")
_SUFFIXES = (".json", ".jsonl", ".keras", ".png")


def train(
    recipe,
    out,
    *,
    data=None,
    epochs=None,
    seed=0,
    init=None,
    bfloat16=None,
    resume=False,
    every=1,
    verbose="auto",
):
    """Trains a fresh model on a recipe's data; every epoch ends with a checkpoint moved in place.

    A resumed run equals one that was never stopped: order and noise are functions of (seed, epoch)
    and of (seed, step), and the checkpoint holds both counters. It is equal bit for bit where
    TensorFlow is deterministic, which `tf.config.experimental.enable_op_determinism` promises.

    Args:
        recipe: a name in `zoo.RECIPES`, or a dictionary like its entries.
        out: folder of the run; new or empty, unless the run is resumed.
        data: name of another data set than the recipe's.
        epochs: another number than the recipe's.
        seed: of the starting weights, the order of the data and the noise.
        init: a preset, folder or `.keras` file whose networks' weights are the starting weights.
        bfloat16: multiply in bfloat16 and add in float32; see `products_in_bfloat16`.
        resume: go on with the run in `out`; arguments that are None are then taken from it. More
            epochs may be asked for where the learning rate does not depend on their number.
        every: epochs between checkpoints, each with its grid of samples; the last epoch has one too.
        verbose: of `keras.Model.fit`.

    Returns:
        The trained model, at its best epoch if images are held out to choose it by.

    Raises:
        FileExistsError: `out` is not empty, and either `resume` is False or it holds no run.
        ValueError: an unknown recipe, a number out of range, a run that was begun otherwise, or
            `init` with other networks.
        OSError: `out` cannot be written.
    """
    out = Path(out)
    recorded = _recorded(out, resume)
    run = _agreed(recorded, _run(recipe, data, epochs, seed, init, bfloat16, recorded))
    recipe, training = run["recipe"], run["recipe"]["training"]
    kind, data = getattr(zoo, recipe["model"]), recipe["data"]
    summaries = looking.found(recipe, run["name"] or recipe["model"])
    if verbose:
        print(*summaries, sep="\n")
    dataset = kind.load_data(**data, batch_size=training["batch_size"], seed=seed)
    dataset, held_out = dataset if isinstance(dataset, tuple) else (dataset, None)

    if (out / "checkpoint.keras").is_file():
        model = zoo.load(out / "checkpoint.keras")
    else:
        model = fresh(recipe, seed, int(dataset.cardinality()))
        if run["init"] is not None:
            _copy_networks(zoo.load(run["init"]), model)
    write_json(out / "run.json", run)
    _sweep(out)
    if not is_finished(run, read_history(out)[: int(model.epochs)]):
        board = keras.callbacks.TensorBoard(out / "logs", write_graph=False)
        with products_in_bfloat16(run["bfloat16"]):
            model.fit(
                dataset,
                validation_data=held_out,
                initial_epoch=int(model.epochs),
                epochs=training["epochs"],
                callbacks=[board, _Record(out, run, every)],
                verbose=verbose,
            )
    return model if held_out is None else zoo.load(out / "best.keras")


def fresh(recipe, seed, batches):
    """The model that a run of a recipe starts from, a function of the seed alone.

    Args:
        recipe: a dictionary like the entries of `zoo.RECIPES`.
        seed: of the starting weights and the noise.
        batches: in an epoch.
    """
    data = recipe["data"]
    geometry = {key: data[key] for key in ("name", "size", "channels") if key in data}
    keras.utils.set_random_seed(seed)
    return zoo.build(recipe, tfgen.data.info(**geometry), seed=seed, batches=batches)


@contextlib.contextmanager
def products_in_bfloat16(wanted):
    """Within it convolutions and matrix products read bfloat16, if `wanted`; all state is float32.

    Steps are 1.2 to 1.7 times as fast on a processor with AMX (benchmarks/BFLOAT16.md).  TensorFlow
    passes the wish over on a GPU and without oneDNN's kernels.
    """
    option = "auto_mixed_precision_onednn_bfloat16"
    before = tf.config.optimizer.get_experimental_options().get(option, False)
    tf.config.optimizer.set_experimental_options({option: wanted})
    try:
        yield
    finally:
        tf.config.optimizer.set_experimental_options({option: before})


def best_epoch(history):
    """The first epoch with the highest bound on the images held out; None where none were."""
    if not history or MONITORED not in history[0]:
        return None
    return max(history, key=lambda entry: entry[MONITORED])["epoch"]


def is_finished(run, history):
    """Whether a run has done its epochs, or has not risen for as many as its patience.

    Args:
        run: `run.json` of the run.
        history: its epochs so far.
    """
    training = run["recipe"]["training"]
    patience, best = training.get("patience"), best_epoch(history)
    stopped = None not in (patience, best) and len(history) - best >= patience
    return stopped or len(history) >= training["epochs"]


def read_run(out):
    """`run.json` of a run's folder.

    Raises:
        FileNotFoundError: the folder holds no run.
    """
    path = Path(out) / "run.json"
    if not path.is_file():
        raise FileNotFoundError(f"A run's folder must hold run.json. Received: {str(out)!r}")
    return {"bfloat16": False, **json.loads(path.read_text())}  # older runs do not say


def read_history(out):
    """[{"epoch", "seconds", objective or metric ...}] of the epochs recorded in a run's folder."""
    path = Path(out) / "history.jsonl"
    return [json.loads(line) for line in path.read_text().splitlines()] if path.is_file() else []


def write_json(path, value):
    """Writes indented JSON, in whole or not at all."""
    with replaced_file(path) as aside:
        aside.write_text(json.dumps(value, indent=2) + "\n")


def machine():
    """The machine class that a wall time belongs to; cores are those that this process may use."""
    usable = getattr(os, "sched_getaffinity", None)  # not on macOS and Windows
    return {"processor": _processor(), "cores": len(usable(0)) if usable else os.cpu_count()}


def versions():
    """{package: version} of what the numbers of a run depend on."""
    packages = {name: importlib.metadata.version(name) for name in _PACKAGES}
    return {"python": platform.python_version(), "tfgen": tfgen.__version__, **packages}


class _Record(keras.callbacks.Callback):
    """Writes an epoch's line of history, its samples and last its checkpoint.

    Killed in between, the run does the epoch again and overwrites what was written of it.
    """

    def __init__(self, out, run, every):
        super().__init__()
        self._out, self._run, self._every = out, run, every

    def on_epoch_begin(self, epoch, logs=None):
        self._began = time.perf_counter()

    def on_epoch_end(self, epoch, logs=None):
        seconds = round(time.perf_counter() - self._began, 3)
        done = int(self.model.epochs)
        entry = {"epoch": done, "seconds": seconds, **{k: float(v) for k, v in logs.items()}}
        history = [entry for entry in read_history(self._out) if entry["epoch"] < done] + [entry]
        with replaced_file(self._out / "history.jsonl") as aside:
            aside.write_text("".join(json.dumps(line) + "\n" for line in history))
        if best_epoch(history) == done:
            self._save("best.keras")
        self.model.stop_training = is_finished(self._run, history)
        if self.model.stop_training or done % self._every == 0:
            self._draw(done)
            self._save("checkpoint.keras")

    def _draw(self, done):
        if "sample" in self.model.endpoints():
            path = self._out / "samples" / f"epoch_{done:03d}.png"
            pictures.save(pictures.samples(self.model), path)

    def _save(self, name):
        with replaced_file(self._out / name) as aside:
            self.model.save(aside)


def _recorded(out, resume):
    """The run that `out` holds, or None for a new or empty folder; leftovers are hidden files."""
    if not out.exists() or all(path.name.startswith(".") for path in out.iterdir()):
        return None
    if not resume:
        raise FileExistsError(
            "The folder of a new run must be new or empty; resume goes on with the run that it "
            f"holds. Received: out={str(out)!r}"
        )
    if not (out / "run.json").is_file():
        raise FileExistsError(
            "A folder that is not empty must hold run.json to go on from. "
            f"Received: out={str(out)!r}"
        )
    return read_run(out)


def _run(recipe, data, epochs, seed, init, bfloat16, recorded):
    """What run.json says of the run asked for; what is None is as recorded, or as in the recipe."""
    name = recipe if isinstance(recipe, str) else None
    recipe = recipe if name is None else _named(name)
    defaults = recipe if recorded is None else recorded["recipe"]
    epochs = defaults["training"]["epochs"] if epochs is None else epochs
    data = defaults["data"]["name"] if data is None else data
    if recorded is not None:
        init = recorded["init"] if init is None else init
        bfloat16 = recorded["bfloat16"] if bfloat16 is None else bfloat16
    _check_integer("epochs", epochs, 1, MOST_EPOCHS)
    _check_integer("seed", seed, 0, LARGEST_SEED)
    run = {
        "name": name,
        "recipe": {
            **recipe,
            "data": {**recipe["data"], "name": str(data)},
            "training": {**recipe["training"], "epochs": epochs},
        },
        "seed": seed,
        "init": None if init is None else str(init),
        "bfloat16": bool(bfloat16),
        "versions": versions(),
        "machine": machine(),
    }
    return json.loads(json.dumps(run))  # as it will be read back: tuples become lists


def _check_integer(name, value, low, high):
    if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
        raise ValueError(
            f"{name} must be an integer from {low} to {high:,}. Received: {name}={value!r}"
        )


def _named(name):
    if name not in zoo.RECIPES:
        nearest = difflib.get_close_matches(name, zoo.RECIPES, n=1, cutoff=0)
        raise ValueError(
            f"A recipe must be one of zoo.RECIPES; the nearest is {nearest[0]!r}. "
            f"Received: {name!r}"
        )
    return zoo.RECIPES[name]


def _agreed(recorded, asked):
    """The run to do: as asked if none is recorded, else the recorded one, which must agree."""
    if recorded is None:
        return asked
    run = copy.deepcopy(recorded)
    training = run["recipe"]["training"]
    if training["decay"] is None:
        training["epochs"] = max(training["epochs"], asked["recipe"]["training"]["epochs"])
    for key in ("name", "recipe", "seed", "init", "bfloat16"):
        if run[key] != asked[key]:
            raise ValueError(
                "A run goes on as it was begun; only more epochs may be asked for, and only at a "
                "constant learning rate. "
                f"Received: {key}={asked[key]!r}, begun with {recorded[key]!r}"
            )
    return run


def _copy_networks(source, target):
    if type(source) is not type(target):
        raise ValueError(
            f"init must be a {type(target).__name__}, as the recipe is. "
            f"Received: a {type(source).__name__}"
        )
    for name, network in target.players.items():
        network.set_weights(source.players[name].get_weights())
    if target.average is not None:
        target.theta_average.set_weights(target.theta.get_weights())


def _sweep(out):
    """Removes what interrupted writes left aside, see `replaced_file`."""
    for suffix in _SUFFIXES:
        for leftover in out.rglob(f".????????{suffix}"):
            leftover.unlink()


def _processor():
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        lines = []
    models = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(models, platform.processor() or platform.machine())
