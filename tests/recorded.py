"""Records of `tfgen reproduce`, made by hand."""


def record(arm="IWGAN", seed=0, **changes):
    return {
        "cell": "gan_digits",
        "arm": arm,
        "seed": seed,
        "scale": "here",
        "recipe": {"data": {"name": "digits"}, "build": {"arm": arm}, "training": {"epochs": 1}},
        "start": {"theta": "a", "phi": "b"},
        "data": "d",
        "steps": 10,
        "seconds": 60.0,
        "scores": {"inception_score_ratio": 0.5},
        "machine": {"processor": "P", "cores": 2},
        "versions": {"tensorflow": "2.21"},
        "ended": "2026-01-01T00:00:00+00:00",
        **changes,
    }
