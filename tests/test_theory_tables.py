"""Divergences of tables, and what the package exports."""

import numpy as np
from enumeration import EXACT
from numpy.testing import assert_allclose

from tfgen.paper import theory


def test_divergences_by_hand():
    p, q = np.array([0.5, 0.5, 0.0]), np.array([0.25, 0.25, 0.5])
    assert_allclose(theory.kl(p, q), np.log(2), **EXACT)
    assert np.isposinf(theory.kl(q, p))
    assert_allclose(theory.jsd(np.array([1.0, 0.0]), np.array([0.0, 1.0])), np.log(2), **EXACT)


def test_every_export_resolves():
    assert len(set(theory.__all__)) == len(theory.__all__)
    assert all(hasattr(theory, name) for name in theory.__all__)
