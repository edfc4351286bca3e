"""Two workers that Ray starts train a recipe as one device does: `python -m pytest tests/ray_workers.py`.

Needs the extra `ray`; pytest does not find it by itself.
"""

import importlib.util
from pathlib import Path

import numpy as np
import pytest
import small

pytestmark = pytest.mark.filterwarnings("default")  # Ray's own
EXAMPLE = Path(__file__).resolve().parents[1] / "examples" / "launch" / "ray_train.py"


def test_ray_s_workers_equal_one(tmp_path):
    spec = importlib.util.spec_from_file_location("ray_train", EXAMPLE)
    example = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(example)
    whole = small.train(small.GAN, tmp_path / "whole", changes=small.DESCENT)
    example.main(small.GAN, str(tmp_path / "run"), changes=small.DESCENT)
    found = small.load_checkpoint(tmp_path / "run")
    assert int(found.epochs.numpy()) == 2
    for value, one in zip(found.get_weights(), whole.get_weights(), strict=True):
        assert np.abs(value - one).max() <= 3e-5 * max(1, np.abs(one).max())
