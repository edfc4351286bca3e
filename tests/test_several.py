"""`tfgen train --seeds` and `tfgen compare`: runs of several seeds, and arms of them paired by seed."""

import json

import numpy as np
import pytest
import small
from click.testing import CliRunner
from scipy import stats

from zoo import cli
from zoo.preset import several
from zoo.preset.run import Run


def run(*arguments):
    return CliRunner().invoke(cli.main, list(map(str, arguments)))


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """Two seeds of one recipe by the command, each in a process, the first of them begun before."""
    folder = tmp_path_factory.mktemp("several")
    recipe = {**small.RESNET, "training": {**small.RESNET["training"], "epochs": 1, "decay": None}}
    (folder / "recipe.json").write_text(json.dumps(recipe))
    small.train(recipe, folder / "base" / "seed_0", seed=0)
    command = ("train", folder / "recipe.json", "--seeds", "0-1", "--out", folder / "base")
    assert "new or empty" in run(*command).stderr
    before = (folder / "base" / "seed_0" / "history.jsonl").read_bytes()
    result = run(*command, "--resume")
    assert result.exit_code == 0, result.output
    assert (folder / "base" / "seed_0" / "history.jsonl").read_bytes() == before
    changed = {**recipe, "training": {**recipe["training"], "epochs": 2}}
    for seed in (0, 1, 2):
        small.train(changed, folder / "other" / f"seed_{seed}", seed=seed)
    return folder, result.stdout


def test_the_table_of_seeds_is_of_their_histories(trained):
    folder, printed = trained
    lines = [line.split() for line in printed.splitlines()]
    assert lines[0][:2] == ["seed", "epoch"]
    values = [Run(folder / "base" / f"seed_{seed}").history[0]["omega"] for seed in (0, 1)]
    column = lines[0].index("omega")
    assert [line[column] for line in lines[1:3]] == [f"{value:.4g}" for value in values]
    mean = next(line for line in lines if line[0] == "mean")
    assert mean[column] == f"{np.mean(values):.4g}"


def test_arms_are_compared_by_the_seeds_that_both_have(trained):
    folder, _ = trained
    arms = (folder / "base", folder / "other")
    rows = json.loads(run("compare", *arms, "--samples", 40, "--json").stdout)
    [row] = [row for row in rows if row["metric"] == "accuracy"]
    scores = [
        [json.loads((arm / f"seed_{seed}" / "scores.json").read_text())["metrics"]["accuracy"]
         for seed in (0, 1)]
        for arm in arms
    ]  # fmt: skip
    differences = np.subtract(scores[1], scores[0])
    assert row["differences"]["count"] == 2
    assert row["differences"]["mean"] == pytest.approx(differences.mean())
    interval = stats.ttest_1samp(differences, 0).confidence_interval()
    if differences.std() > 0:
        assert row["differences"]["low"] == pytest.approx(interval.low)
    assert row["differences"]["p"] is None  # of fewer than 6 pairs
    assert (row["arm_mean"], row["base_mean"]) == pytest.approx(
        (np.mean(scores[1]), np.mean(scores[0]))
    )


def test_a_printed_comparison_is_cut_nowhere_and_leaves_out_metrics_of_real_images(trained):
    folder, _ = trained
    printed = run("compare", folder / "base", folder / "other", "--samples", 40).stdout
    lines = [line.split() for line in printed.splitlines()]
    assert printed.startswith("base: base; 2 seeds: 0, 1\n")
    assert "…" not in printed
    metrics = json.loads((folder / "base" / "seed_0" / "scores.json").read_text())["metrics"]
    assert [line[:2] for line in lines[2:]] == [[name, "other"] for name in metrics]

    numbers = {name: {0: {"fid": 1.0, "inception_score_real": 9.0}} for name in "ab"}
    arms = [several.Arm(name, {0: None}) for name in "ab"]
    assert [row.metric for row in several.compare_arms(arms, numbers)] == ["fid"]


def test_scores_are_measured_once(trained, monkeypatch):
    folder, _ = trained
    first = several.scores(Run(folder / "base" / "seed_1"), 40)
    monkeypatch.setattr(several.tfgen, "evaluate", lambda *_, **__: pytest.fail("scored again"))
    assert several.scores(Run(folder / "base" / "seed_1"), 40) == first


def test_from_six_seeds_on_there_is_an_exact_test():
    base, arm = several.Arm("base", {}), several.Arm("arm", {})
    for seed in range(6):
        base.runs[seed] = arm.runs[seed] = None
    numbers = {
        "base": {seed: {"fid": 1.0, "kid": 0.0} for seed in range(6)},
        "arm": {seed: {"fid": 2.0 + seed, "kid": (-1) ** seed * (1 + seed)} for seed in range(6)},
    }
    fid, kid = several.compare_arms([base, arm], numbers)
    assert fid.differences.p == pytest.approx(2 / 64)
    assert fid.differences.p == pytest.approx(stats.wilcoxon([1 + i for i in range(6)]).pvalue)
    assert fid.adjusted == pytest.approx(2 * 2 / 64)
    assert kid.adjusted == kid.differences.p > 0.5


@pytest.mark.parametrize(
    ("runs", "message"),
    [
        (["base"], "Two arms or more must have learned from data of one name"),
        (["base", "base"], "An arm must have one run of each seed"),
        (["."], "must hold run.json, or runs named seed_0"),
    ],
)
def test_arms_that_are_none_are_refused(trained, runs, message):
    folder, _ = trained
    result = run("compare", *(folder / name for name in runs))
    assert result.exit_code == 1
    assert message in result.stderr
