"""Measures at a threshold, by hand."""

import numpy as np
import pytest

from asd_jax.detectors import thresholds
from asd_jax.detectors.thresholds import Method, Source, Threshold
from asd_jax.evaluation.decisions import at_threshold


def test_measures_by_hand():
    threshold = Threshold("gamma_0.9", 1.0, Method.GAMMA, 10, Source.VALIDATION)
    scores = np.array([0.5, 1.5, 0.2, 2.0, 3.0, 0.9])
    is_anomaly = np.array([False, False, False, True, True, True])
    values = at_threshold(threshold, scores, is_anomaly)
    assert values.confusion == ((2, 1), (1, 2))
    assert values.false_alarm_rate == pytest.approx(1 / 3)
    assert values.true_positive_rate == values.recall == pytest.approx(2 / 3)
    assert values.precision == pytest.approx(2 / 3)
    assert values.f1 == pytest.approx(2 / 3)
    assert values.accuracy == pytest.approx(4 / 6)
    assert values.normal_precision == values.normal_recall == values.normal_f1 == pytest.approx(2 / 3)


def test_measures_of_scores_that_are_not_finite_are_undefined():
    threshold = Threshold("gamma_0.9", 1.0, Method.GAMMA, 10, Source.VALIDATION)
    values = at_threshold(threshold, np.array([0.5, np.nan]), np.array([False, True]))
    assert values.recall is None and values.confusion is None
    assert values.undefined == "1 of 2 scores are not finite"


def test_measures_without_anomalies_are_undefined_not_zero():
    threshold = Threshold("gamma_0.9", 9.0, Method.GAMMA, 10, Source.VALIDATION)
    values = at_threshold(threshold, np.arange(3.0), np.zeros(3, bool))
    assert values.recall is None and values.precision is None and values.f1 is None
    assert values.false_alarm_rate == 0.0


def test_a_threshold_that_never_alarms():
    threshold = thresholds.fit("conformal", np.arange(8.0), source=Source.VALIDATION)
    values = at_threshold(threshold, np.array([1e9, 0.0]), np.array([True, False]))
    assert values.value is None and values.confusion == ((1, 0), (1, 0))
    assert values.method == "conformal, never alarms: needs 9 normal clips"
