"""What a run on normal recordings alone says of false alarms, against counts by hand."""

import numpy as np
import pytest
from scipy.stats import beta

from asd_jax.datasets import Machine
from asd_jax.detectors import Detector, thresholds
from asd_jax.detectors.fitted_scorers import FittedScorer
from asd_jax.detectors.thresholds import Source
from asd_jax.features import FrontEnd
from asd_jax.representations import FrameMean
from asd_jax.runs.expectation import expect, expectation_table
from asd_jax.scorers.mse import MeanSquaredError

MACHINE = Machine("press", "id_00")


def fitted(scores, rule="gamma_0.9"):
    return FittedScorer(MeanSquaredError(), np.sort(scores), thresholds.fit(rule, scores, source=Source.OUT_OF_FOLD))


def test_false_alarms_are_counted_with_thresholds_that_did_not_see_them():
    scores = np.random.default_rng(0).gamma(3.0, size=50)
    found = expect(MACHINE, fitted(scores), "percentile_80")
    ordered, fold = np.sort(scores), thresholds.folds(50, seed=0)
    n_false = sum((ordered[fold == k] > np.quantile(ordered[fold != k], 0.8)).sum() for k in range(5))
    assert (found.n_false, found.n_normal, found.rate) == (n_false, 50, n_false / 50)
    low, high = beta.ppf(0.025, n_false, 51 - n_false), beta.ppf(0.975, n_false + 1, 50 - n_false)
    assert found.interval == pytest.approx((low, high), rel=1e-6)
    assert found.threshold == np.quantile(scores, 0.8)


def test_the_table_says_what_decides_and_what_cannot_be_promised():
    detector = Detector(FrontEnd(), FrameMean(), {"mse": {MACHINE: fitted(np.arange(1.0, 41.0))}}, "mse")
    table = expectation_table(detector)
    assert table.header[0] == "rule"  # one machine: its id is left out
    assert [row[0] for row in table.rows] == ["gamma_0.9", "gamma_0.95", "gamma_0.99", "gamma_0.999"]
    assert table.kinds[0] == "decides" and "* gamma_0.9" in table.text()
    share = expect(MACHINE, detector.fitted["mse"][MACHINE], "gamma_0.9").rate
    assert table.rows[0][3] == f"{24 * share:.1f}"
    assert "40 clips cannot show what happens less often than once in 40" in table.text()


def test_a_rule_that_never_alarms_says_so():
    few = fitted(np.arange(1.0, 9.0), rule="conformal")
    table = expectation_table(Detector(FrontEnd(), FrameMean(), {"mse": {MACHINE: few}}, "mse"))
    assert table.rows[0][:2] == ["conformal", "never alarms"]
