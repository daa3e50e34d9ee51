import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from asd_jax.detectors.thresholds import Method, Source, Threshold
from asd_jax.evaluation import oracle_thresholds
from asd_jax.evaluation.decisions import at_threshold


def test_max_f1_by_hand():
    scores = np.array([1.0, 2.0, 3.0, 4.0, 5.0])
    is_anomaly = np.array([False, True, False, True, True])
    # Above 3.5: two of three found, none false, F1 0.8. Above 1.5: all three found, one false, F1 6/7.
    threshold = oracle_thresholds.fit("oracle_max_f1", scores, is_anomaly)
    assert threshold.value == 1.5 and threshold.method == "oracle"
    assert at_threshold(threshold, scores, is_anomaly).f1 == pytest.approx(6 / 7)


def test_tpr_by_hand():
    scores = np.array([0.0, 1.0, 2.0, 3.0, 4.0, 2.5])
    is_anomaly = np.array([True, True, True, True, True, False])
    threshold = oracle_thresholds.fit("oracle_tpr_0.8", scores, is_anomaly)
    assert threshold.value == 0.5
    assert at_threshold(threshold, scores, is_anomaly).true_positive_rate == 0.8


@settings(deadline=None, max_examples=60)
@given(st.lists(st.tuples(st.integers(0, 6), st.booleans()), min_size=2, max_size=25))
def test_no_threshold_does_better(clips):
    scores, is_anomaly = np.array([float(score) for score, _ in clips]), np.array([label for _, label in clips])
    best, at_80 = (oracle_thresholds.fit(name, scores, is_anomaly) for name in oracle_thresholds.RULES)
    if is_anomaly.all() or not is_anomaly.any():
        assert best is None and at_80 is None
        return
    candidates = [Threshold("", value - 0.5, Method.ORACLE, 1, Source.LABELLED_TEST) for value in range(8)]
    tried = [at_threshold(candidate, scores, is_anomaly) for candidate in candidates]
    found = at_threshold(best, scores, is_anomaly)
    assert found.f1 == pytest.approx(max(values.f1 for values in tried))
    found = at_threshold(at_80, scores, is_anomaly)
    enough = [values.false_alarm_rate for values in tried if values.true_positive_rate >= 0.8]
    assert found.true_positive_rate >= 0.8 and found.false_alarm_rate == min(enough)


def test_scores_that_are_not_finite_and_neighbours_without_room():
    assert oracle_thresholds.fit("oracle_max_f1", np.array([0.0, np.nan]), np.array([False, True])) is None
    scores = np.array([1.0, np.nextafter(1.0, 2.0)])
    threshold = oracle_thresholds.fit("oracle_max_f1", scores, np.array([False, True]))
    assert at_threshold(threshold, scores, np.array([False, True])).f1 == 1.0


def test_unknown_rule():
    with pytest.raises(ValueError, match="no rule 'max_f1'; there are oracle_max_f1"):
        oracle_thresholds.fit("max_f1", np.zeros(2), np.array([True, False]))
