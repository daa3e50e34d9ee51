"""When windows are an alarm, and how often normal ones are."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from asd_jax.detectors import recordings
from asd_jax.detectors.exported import ExportedScorer
from asd_jax.detectors.stream import false_alarms
from asd_jax.detectors.stream.alarms import AlarmRule, Alarms, Change, Votes
from asd_jax.detectors.thresholds import Method, Source, Threshold, fit
from asd_jax.errors import InputError

ABOVE = {"x": True, ".": False, "?": None}


def changes(text, rule, *, length=1.0, hop=1.0):
    """A for an alarm, C for its end, - for nothing, of one window after another."""
    alarms = Alarms(rule, overlapping=math.ceil(length / hop))
    found = ""
    for index, letter in enumerate(text):
        change = alarms.update(index * hop, index * hop + length, ABOVE[letter])
        found += {Change.ALARM: "A", Change.CLEAR: "C", None: "-"}[change]
        assert alarms.is_active == (found.rfind("A") > found.rfind("C"))
    return found, alarms.suppressed


def rule(alarm="3/5", clear="5/5", quiet_minutes=0.0):
    return AlarmRule(Votes.parse(alarm, name="alarm"), Votes.parse(clear, name="clear"), quiet_minutes)


@pytest.mark.parametrize(
    ("windows", "expected", "options"),
    [
        ("..x.x.x..", "------A--", {}),  # three of five
        ("xx", "--", {}),
        ("xxx.....xxx", "--A----C--A", {}),
        ("xxx....x.....", "--A---------C", {}),  # five below in a row
        ("xxx?.?.?.?.?.", "--A---------C", {}),  # those without a verdict are none of them
        ("x?x??????x", "---------A", {}),
        ("??????", "------", {}),
        ("xx...xx..x", "---------A", {}),
        ("xxx.x....", "--A----C-", {"clear": "4/5"}),
        ("x.x.", "ACAC", {"alarm": "1/1", "clear": "1/1"}),
        # What ended an alarm does not begin the next, nor what began it.
        ("xxx..x..xx.x.", "--A-C----A--C", {"clear": "2/5"}),
    ],
)
def test_sequences_by_hand(windows, expected, options):
    found, suppressed = changes(windows, rule(**options))
    assert (found, suppressed) == (expected, 0)


def test_windows_that_overlap_count_once():
    # Windows of 6.368 s a second apart: one bang of a second is in seven of them, and no alarm.
    options = {"length": 6.368, "hop": 1.0}
    assert changes("." * 10 + "x" * 7 + "." * 40, rule(), **options)[0] == "-" * 57
    found, _ = changes("." * 10 + "x" * 30 + "." * 60, rule(), **options)
    assert found.index("A") == 10 + 2 * 7  # the third window that does not overlap the first
    assert found.index("C") == 40 + 4 * 7
    assert found.count("A") == found.count("C") == 1
    # A length of exactly so many hops touches, and does not overlap.
    assert changes("x" * 9, rule(), length=4 * 0.1, hop=0.1)[0].index("A") == 8


def test_quiet_minutes_suppress_and_count():
    burst = "xxx....."  # alarm at the third, clear at the eighth
    found, suppressed = changes(burst * 10, rule(quiet_minutes=1.0))
    assert [index for index, change in enumerate(found) if change == "A"] == [2, 66]
    assert suppressed == 8  # 7 between them, and the last
    # An alarm that lasts beyond the quiet minutes is raised then.
    found, suppressed = changes(burst + "x" * 80, rule(quiet_minutes=1.0))
    assert [index for index, change in enumerate(found) if change == "A"] == [2, 62]
    assert suppressed == 1


@settings(max_examples=100, deadline=None)
@given(
    st.lists(st.sampled_from([True, False, None]), max_size=120), st.integers(1, 4), st.integers(0, 4),
    st.sampled_from([1.0, 2.5, 3.0, 6.368]),
)  # fmt: skip
def test_the_first_alarm_is_where_a_plain_search_finds_it(above, least, more, length):
    votes = Votes(least, least + more)
    alarms, found = Alarms(AlarmRule(votes, Votes(5, 5), 0.0), overlapping=math.ceil(length)), None
    expected, heard = None, []
    for index, of in enumerate(above):
        change = alarms.update(float(index), index + length, of)
        found = index if found is None and change is Change.ALARM else found
        if of is not None:
            heard.append((index, of))
        chosen, limit = [], math.inf
        for start, is_above in reversed(heard if of is not None else []):
            if start + length <= limit + 1e-6:
                chosen.append(is_above)
                limit = start
        if expected is None and sum(chosen[: votes.of]) >= votes.least:
            expected = index
    assert found == expected
    assert len(alarms._windows) <= 8 * 7 + 1


@pytest.mark.parametrize("text", ["", "3", "6/5", "0/5", "a/b", "3/5/7", " 3/5", "3/-5", "1000/1000"])
def test_votes_that_are_none(text):
    with pytest.raises(InputError, match=f"`alarm={text}`: give windows of windows, such as 3/5"):
        Votes.parse(text, name="alarm")
    assert str(Votes.parse("12/60", name="alarm")) == "12/60"


# How often.

SHARES = [0.0, 1e-6, 0.001, 0.05, 0.3, 0.9, 1.0]


@pytest.mark.parametrize("votes", [Votes(1, 1), Votes(3, 5), Votes(5, 5), Votes(7, 20)])
@pytest.mark.parametrize("share", SHARES)
def test_alarms_a_week_are_binomial(share, votes):
    expected = 7 * 24 * 3600 / 10.0 * stats.binom.sf(votes.least - 1, votes.of, share)
    assert false_alarms.per_week(share, votes, window_seconds=10.0) == pytest.approx(expected, rel=1e-9, abs=1e-15)


@pytest.mark.parametrize("votes", [Votes(1, 1), Votes(3, 5), Votes(5, 5)])
@pytest.mark.parametrize("per_week", [1e-6, 0.1, 1.0, 50.0, 5_000.0])
def test_the_share_is_the_inverse(per_week, votes):
    share = false_alarms.share_for(per_week, votes, window_seconds=10.0)
    assert false_alarms.per_week(share, votes, window_seconds=10.0) == pytest.approx(per_week, rel=1e-9)
    assert false_alarms.share_for(1e9, votes, window_seconds=10.0) == pytest.approx(1.0)


def scorer(scores, value):
    return ExportedScorer(np.sort(scores), Threshold("gamma_0.9", value, Method.GAMMA, len(scores), Source.OUT_OF_FOLD))


def test_the_threshold_of_a_window():
    scores = np.random.default_rng(0).gamma(4.0, 1.0, 200)
    low = [false_alarms.window_threshold(scorer(scores, -9.0), share) for share in (1.0, 0.5, 0.1, 0.01, 1e-4)]
    assert low == sorted(low)
    assert low[1:] == [recordings.prediction_limit(np.sort(scores), share) for share in (0.5, 0.1, 0.01, 1e-4)]
    unseen = np.random.default_rng(1).gamma(4.0, 1.0, 100_000)
    assert np.mean(unseen > low[2]) == pytest.approx(0.1, abs=0.03)
    assert false_alarms.window_threshold(scorer(scores, 500.0), 0.1) == 500.0
    assert false_alarms.window_threshold(scorer(scores, math.inf), 0.1) == math.inf
    assert false_alarms.window_threshold(scorer(scores[:1], 0.0), 0.1) == math.inf


def test_the_limit_of_recordings_is_that_of_the_prediction():
    scores = np.sort(np.random.default_rng(0).gamma(4.0, 1.0, 60))
    threshold = fit("gamma_0.9", scores, source=Source.OUT_OF_FOLD)
    logs = np.log(scores - (scores.min() - scores.std() - 1e-12))
    for n_clips in (2, 5, 100):
        at = stats.t.isf(0.1 / n_clips, len(scores) - 1) * logs.std(ddof=1) * math.sqrt(1 + 1 / len(scores))
        expected = scores.min() - scores.std() - 1e-12 + math.exp(logs.mean() + at)
        assert recordings.limit(threshold, scores, n_clips) == pytest.approx(max(threshold.value, expected), rel=1e-6)
    assert recordings.limit(threshold, scores, 1) == threshold.value
    assert recordings.prediction_limit(scores[:1], 0.1) == math.inf


def test_the_share_above_is_never_none():
    fitted = scorer(np.arange(9.0), 0.0)
    assert [false_alarms.share_above(fitted, at) for at in (-1.0, 6.5, 100.0, math.inf)] == [0.9, 0.2, 0.1, 0.1]
    assert [false_alarms.rounded(value) for value in (549.6, 1.0, 0.01234)] == [550.0, 1.0, 0.012]
