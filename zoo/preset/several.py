"""Runs of one recipe with several seeds, and comparisons of such runs, paired by seed.

A folder of several runs holds `seed_0/`, `seed_1/` and so on, each the folder of a run.
"""

import dataclasses
import hashlib
import math
import re
import subprocess
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

import tfgen
from tfgen import untrusted
from tfgen.evaluation import capabilities, paired
from tfgen.evaluation import evaluator as evaluators
from zoo.preset.run import Run
from zoo.preset.train import write_json
from zoo.recipes import evaluation_data

SCORES = "scores.json"  # of a run, kept beside its checkpoint
_SEED = re.compile(r"seed_(\d+)")

Scores = dict[str, float]  # metric: value


def folder_of(out: Path, seed: int) -> Path:
    """Return the folder of a seed's run."""
    return out / f"seed_{seed}"


def execute(words: Sequence[str], out: Path, seeds: Iterable[int]) -> None:
    """Train with every seed, one process after another; finished runs are skipped.

    Args:
        words: Arguments of `tfgen train` except --seed, --out and --resume.
        out: Folder of the runs.
        seeds: Seed of each run.

    Raises:
        RuntimeError: A process failed; its errors are on stderr.
    """
    for seed in seeds:
        run = Run(folder_of(out, seed))
        begun = (run.folder / "run.json").is_file()
        if begun and run.is_finished:
            continue
        command = [sys.executable, "-m", "zoo.cli", "train", *words, "--seed", str(seed)]
        command += ["--out", str(run.folder), *(["--resume"] if begun else [])]
        with subprocess.Popen(command) as process:
            try:
                code = process.wait()
            except BaseException:
                process.terminate()
                raise
        if code:
            raise RuntimeError(f"A run must end well. Received: exit code {code} of seed {seed}")


def last_epochs(out: Path, seeds: Iterable[int]) -> dict[int, Scores]:
    """Return {seed: entry of the epoch that is kept}.

    Args:
        out: Folder of the runs.
        seeds: Seeds of finished runs.
    """
    found = {}
    for seed in seeds:
        run = Run(folder_of(out, seed))
        entry = run.history[(run.best_epoch or 0) - 1]
        found[seed] = {name: value for name, value in entry.items() if name != "seconds"}
    return found


def mean_row(numbers: Sequence[float]) -> tuple[float, float, float]:
    """Return mean and t interval of numbers of several seeds; NaN for one seed."""
    found = paired.compare(numbers, [0.0] * len(numbers))
    return found.mean, found.low, found.high


@dataclasses.dataclass(frozen=True)
class Arm:
    """Runs that differ only by their seeds.

    Attributes:
        name: Folder as given.
        runs: {seed: run}.
    """

    name: str
    runs: dict[int, Run]


def arms(folders: Iterable[str | Path]) -> list[Arm]:
    """Return the arms in folders.

    Args:
        folders: Folders of one run or of several; folders of one run of the same recipe make one arm.

    Returns:
        The arms in the order of the folders, at least two, that learned from the same data.

    Raises:
        FileNotFoundError: A folder holds no run.
        ValueError: An arm has two runs of a seed or of two recipes, there are fewer than two arms, the
            arms learn from different data or share no seed.
    """
    found: dict[str, Arm] = {}
    for folder in map(Path, folders):
        for run in _runs_of(folder):
            record = run.record
            key = repr((record.recipe, record.init, record.bfloat16))
            arm = found.setdefault(key, Arm(str(folder), {}))
            if record.seed in arm.runs:
                raise ValueError(
                    "An arm must have one run of each seed. "
                    f"Received: seed {record.seed} in {arm.runs[record.seed].folder} and {run.folder}"
                )
            arm.runs[record.seed] = run
    several = list(found.values())
    if len({arm.name for arm in several}) < len(several):
        raise ValueError(
            "The runs of a folder must be of one recipe. "
            f"Received: {', '.join(arm.name for arm in several)}"
        )
    data = {data_names(arm) for arm in several}
    if len(several) < 2 or len(data) > 1 or not shared_seeds(several):
        raise ValueError(
            "Two arms or more must have learned from data of one name, with a seed that all of them have. "
            f"Received: {', '.join(f'{a.name} (seeds {sorted(a.runs)})' for a in several)} "
            f"of {', '.join(sorted(map(str, data)))}"
        )
    return several


def shared_seeds(several: Iterable[Arm]) -> list[int]:
    """Return the seeds that all arms have."""
    return sorted(set.intersection(*(set(arm.runs) for arm in several)))


def data_names(arm: Arm) -> tuple[str, ...]:
    """Return the names of the data sets that an arm's recipe reads."""
    data = next(iter(arm.runs.values())).record.recipe["data"]
    return tuple(data[key] for key in ("name", "target") if key in data)


def scores(run: Run, samples: int, evaluator: str | Path | None = None) -> Scores:
    """Return the metrics of `tfgen.evaluate` of a run's model, computed once and kept in the run's folder.

    Args:
        run: Finished run.
        samples: Number of generated images.
        evaluator: Folder of the evaluator; None for that of the data set.

    Raises:
        FileNotFoundError: There is no evaluator.
        ValueError: The run is not finished.
    """
    model = run.model().release()
    data = run.record.recipe["data"]
    if "sample" in model.endpoints() and evaluator is None:
        evaluator = evaluators.find_evaluator(data["name"])
    state: dict[str, Any] = {
        "epochs": len(run.history),
        "samples": samples,
        "evaluator": None if evaluator is None else _fingerprint(Path(evaluator)),
    }
    path = run.folder / SCORES
    if path.is_file():
        known = untrusted.read_document(path)
        if state.items() <= known.items():
            return known["metrics"]
    found = tfgen.evaluate(
        model, evaluation_data(data, model.endpoints()), samples, evaluator=evaluator
    )
    metrics = {name: number["value"] for name, number in found.items()}
    write_json(path, {**state, "metrics": metrics})
    return metrics


@dataclasses.dataclass(frozen=True)
class Comparison:
    """Comparison of an arm with the first arm, in one metric.

    Attributes:
        metric: Name of the metric.
        arm, base: Names of the arms.
        arm_mean, base_mean: Means of the arms over the seeds that all arms have.
        differences: Statistics of arm - base, seed by seed.
        adjusted: Holm's p-value over all comparisons of the table; None for too few seeds.
    """

    metric: str
    arm: str
    base: str
    arm_mean: float
    base_mean: float
    differences: paired.Paired
    adjusted: float | None = None

    def to_dict(self) -> dict[str, Any]:
        """Return the comparison for JSON, with None for NaN."""
        numbers = dataclasses.asdict(self.differences).items()
        known = {k: None if isinstance(v, float) and math.isnan(v) else v for k, v in numbers}
        return {**dataclasses.asdict(self), "differences": known}


def compare_arms(several: Sequence[Arm], numbers: dict[str, dict[int, Scores]]) -> list[Comparison]:
    """Compare every arm with the first, metric by metric, paired by seed.

    Args:
        several: Arms.
        numbers: {name of an arm: {seed: scores}} of the seeds that all arms have.

    Returns:
        Comparisons in all metrics of the models that both arms have.
    """
    seeds, (base, *others) = shared_seeds(several), several
    of_real_images = set(capabilities.ceilings().values())
    found = []
    for arm in others:
        rows = [(numbers[arm.name][seed], numbers[base.name][seed]) for seed in seeds]
        shared = [m for m in rows[0][0] if all(m in a and m in b for a, b in rows)]
        for metric in [m for m in shared if m not in of_real_images]:
            a, b = ([row[side][metric] for row in rows] for side in (0, 1))
            means = float(np.mean(a)), float(np.mean(b))
            found.append(Comparison(metric, arm.name, base.name, *means, paired.compare(a, b)))
    if not found or found[0].differences.p is None:
        return found
    adjusted = paired.holm([row.differences.p for row in found])
    return [dataclasses.replace(r, adjusted=p) for r, p in zip(found, adjusted, strict=True)]


def _runs_of(folder: Path) -> list[Run]:
    if (folder / "run.json").is_file():
        return [Run(folder)]
    found = [Run(path) for path in sorted(folder.glob("seed_*")) if _SEED.fullmatch(path.name)]
    if not found:
        raise FileNotFoundError(
            "A folder to compare must hold run.json, or runs named seed_0, seed_1 and so on. "
            f"Received: {str(folder)!r}"
        )
    return found


def _fingerprint(folder: Path) -> str:
    """Return the checksum of an evaluator's reference, which identifies its weights."""
    return hashlib.sha256((folder / "reference.npz").read_bytes()).hexdigest()
