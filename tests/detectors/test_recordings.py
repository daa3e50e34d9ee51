"""The rule that turns scores of clips into a verdict on a recording: by hand, and how often it alarms."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from asd_jax.datasets.clips import recording_index
from asd_jax.detectors import thresholds
from asd_jax.detectors.recordings import limit, limits, share_of_normal_above, statistic, statistics
from asd_jax.detectors.thresholds import Method, Source, Threshold

NORMAL = np.exp(0.5 * np.random.default_rng(0).standard_normal(60))


def fitted(scores, rule="gamma_0.9"):
    return thresholds.fit(rule, np.asarray(scores, float), source=Source.OUT_OF_FOLD)


def test_by_hand():
    assert statistic(np.array([7.0])) == (7.0, 0)
    assert statistic(np.array([1.0, 7.0])) == (7.0, 1)
    assert statistic(np.array([1.0, 9.0, 2.0, 1.0, 1.0])) == (2.0, 0)  # one loud clip raises nothing
    assert statistic(np.array([1.0, 1.0, 9.0, 2.0, 8.0, 1.0])) == (8.0, 2)
    assert statistic(np.array([1.0, 9.0, 2.0]), consecutive=1) == (9.0, 1)
    recording = recording_index(["b", "a", "b", "a", "b", "c"])
    scores, first = statistics(np.array([1.0, 5.0, 3.0, 4.0, 2.0, -2.0]), recording)
    assert scores.tolist() == [2.0, 5.0, -2.0] and first.tolist() == [0, 1, 5]


@given(st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=40))
def test_a_score_lies_among_those_of_the_clips(scores):
    scores = np.asarray(scores)
    found, first = statistic(scores)
    assert scores.min() <= found <= scores.max() and 0 <= first < len(scores)
    assert statistic(np.repeat(scores, 3))[0] == scores.max()  # a fault of three clips shows as it is


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_one_clip_that_is_not_finite_leaves_no_score(bad):
    score, first = statistic(np.array([1.0, 2.0, 3.0, bad, 4.0]))
    assert np.isnan(score) and first == 3
    assert np.isnan(share_of_normal_above(score, NORMAL, 5))


def test_the_limit_is_the_prediction_limit_for_that_many_clips():
    from scipy.stats import t

    threshold = fitted(NORMAL)
    assert limit(threshold, NORMAL, 1) == threshold.value
    location = NORMAL.min() - NORMAL.std()
    logs = np.log(NORMAL - location)
    for count in (3, 100):
        expected = logs.mean() + logs.std(ddof=1) * np.sqrt(61 / 60) * t.ppf(1 - 0.1 / count, 59)
        assert limit(threshold, NORMAL, count) == pytest.approx(location + np.exp(expected))
        assert share_of_normal_above(location + np.exp(expected), NORMAL, count) == pytest.approx(0.1)
    moved = 3 * NORMAL - 10  # another zero and unit of the score change nothing
    assert limit(fitted(moved), moved, 100) == pytest.approx(3 * limit(threshold, NORMAL, 100) - 10)
    assert share_of_normal_above(NORMAL.min() - 9, NORMAL, 100) == 1.0
    assert (np.diff(limits(threshold, NORMAL, [1, 2, 3, 10, 360])) > 0).all()


def test_what_never_alarms_for_clips_never_does_for_recordings():
    never = fitted(np.arange(1.0, 9.0), "conformal")
    assert np.isinf(limit(never, np.arange(1.0, 9.0), 100))
    assert never.never_alarms.startswith("conformal has 8 unseen normal clips (out-of-fold training clips) and needs 9")
    assert not fitted(NORMAL).never_alarms
    assert limit(Threshold("gamma_0.9", 1.0, Method.GAMMA, 1, Source.VALIDATION), np.ones(1), 2) == np.inf


@pytest.mark.slow
@pytest.mark.parametrize("count", [1, 10, 100, 360])
@pytest.mark.parametrize("alike", [1, 6])  # clips in a row with one score: how far a recording depends on itself
@pytest.mark.parametrize("shape", [np.exp, lambda z: z, lambda z: -np.log1p(np.exp(-z))])
def test_false_alarms_do_not_grow_with_length(count, alike, shape):
    rng, alarms = np.random.default_rng(count), []
    for _ in range(300):
        normal = shape(0.6 * rng.standard_normal(60))
        clips = np.repeat(shape(0.6 * rng.standard_normal(-(-count // alike))), alike)[:count]
        alarms.append(statistic(clips)[0] > limit(fitted(normal), normal, count))
    assert np.mean(alarms) <= (0.16 if count == 1 else 0.1)
