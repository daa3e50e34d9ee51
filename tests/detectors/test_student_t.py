import numpy as np
import pytest
import scipy.stats

from asd_jax.detectors import student_t


@pytest.mark.parametrize("df", [1, 2, 5, 29, 400, 20_000])
def test_both_equal_scipy(df):
    for t in (-30.0, -2.0, 0.0, 1e-3, 0.7, 2.0, 9.0, 400.0):
        expected = scipy.stats.t.sf(t, df)
        assert student_t.sf(t, df) == pytest.approx(expected, rel=1e-9, abs=1e-300)
    for share in (1e-9, 1e-4, 0.1, 0.5, 0.9):
        assert student_t.isf(share, df) == pytest.approx(scipy.stats.t.isf(share, df), rel=1e-9, abs=1e-12)


def test_the_ends():
    assert student_t.sf(np.inf, 3) == 0.0
    assert student_t.sf(-np.inf, 3) == 1.0
