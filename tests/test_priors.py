"""Priors of a VAE: what is trained, what is fitted afterwards, and the page."""

import pytest

import zoo
from zoo.studies import priors


@pytest.fixture
def small(monkeypatch):
    """The study's recipes, one epoch of narrow networks."""
    changes = ["build.width=4", "build.latent_dim=4", "training.epochs=1"]
    whole = priors.recipe
    monkeypatch.setattr(
        priors,
        "recipe",
        lambda prior: priors.reading.apply_changes(whole(prior), changes),
    )
    monkeypatch.setattr(priors, "SAMPLES", 50)


def test_recipes_differ_by_the_prior_alone_and_hold_nothing_out():
    normal, learned = (priors.recipe(prior) for prior in priors.TRAINED)
    assert learned == {**normal, "build": {**normal["build"], "mixture_prior": 20}}
    assert not normal["data"].get("held_out")
    assert not normal["training"].get("patience")


def test_a_fit_afterwards_moves_samples_and_no_bound(small, tmp_path):
    found = priors.measure(100, tmp_path)
    normal, fitted, learned = (found[way] for way in (priors.NORMAL, priors.FITTED, priors.LEARNED))
    assert fitted["bound"] == normal["bound"] != learned["bound"]
    assert fitted["fid"] not in {normal["fid"], learned["fid"]}
    trained = {path.name: zoo.load(path / "checkpoint.keras") for path in tmp_path.iterdir()}
    assert trained["normal-100"].learned_prior is None
    assert trained["learned-100"].learned_prior is not None


def test_the_page_pairs_seeds():
    def scores(bound):
        return dict.fromkeys(priors.METRICS, 0.5) | {"bound": bound}

    seeds = {
        str(seed): {
            priors.NORMAL: scores(bound),
            priors.FITTED: scores(bound),
            priors.LEARNED: scores(bound + gain),
        }
        for seed, bound, gain in ((100, -20.0, 1.0), (101, -30.0, 1.0), (102, -40.0, 1.3))
    }
    machines = dict.fromkeys(seeds, priors.machine())
    written = priors.page({"machines": machines, "seeds": seeds})
    assert "| N(0, I) | -30.000 ± 10.000 | 0.500 ± 0.000 |" in written
    assert "| learned mixture | +1.100 (+0.670 to +1.530) | +0.000 |" in written
    assert "seeds 100, 101, 102" in written
