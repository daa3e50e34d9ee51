"""Drift by hand: hours, the baseline, the two sums; gaps, restarts, faults of minutes, and a small simulation."""

import json
import math

import numpy as np
import pytest

from asd_jax.detectors.stream.drift import Drift, DriftRule, normal_spread
from asd_jax.errors import InputError

# The centre is 0 and the spread 1 whatever the hours of the baseline: the floor decides.
RULE = DriftRule(baseline_hours=4, min_minutes=6, floor=1.0, slack=1.0, most=4.0, limit=6.0)
HOUR = 3_600


def hear(drift, scores, *, hour=0, minutes=range(60), every=60):
    """Hours of one score each; returns (hour at whose end it was told, report)."""
    told = []
    for number, score in enumerate(scores):
        for minute in minutes:
            seconds = (hour + number) * HOUR + minute * every
            if report := drift.update(float(seconds), float(score)):
                told.append((hour + number, report))
    return told


def sums(drift):
    return drift.state()["sums"]


def test_the_sums_by_hand():
    drift = Drift(RULE, spread=1.0)
    assert hear(drift, [-0.2, 0.1, -0.1, 0.2]) == []
    # An hour counts when the next begins: 3 − 1, 9 held at 4 − 1, 0.5 − 1, 3 − 1 make 2, 5, 4.5, 6.5.
    for hour, score, before in ((4, 3.0, 0.0), (5, 9.0, 2.0), (6, 0.5, 5.0), (7, 3.0, 4.5)):
        assert hear(drift, [score], hour=hour) == []
        assert sums(drift) == {"higher": pytest.approx(before), "lower": 0.0}
    ((hour, report),) = hear(drift, [0.0], hour=8)
    assert hour == 8 and sums(drift)["higher"] == pytest.approx(6.5)
    assert (report.direction, report.since) == ("higher", 4.0 * HOUR)
    # The hours since then: 3, 9, 0.5, 3.
    assert report.in_hours == pytest.approx(3.0) and report.in_normal == pytest.approx(3.0)
    assert "drifted higher for 4 hours" in report.sentence and "python -m experiments.recalibrate" in report.sentence


def test_lower_is_drift_too():
    drift = Drift(RULE, spread=2.0)
    told = hear(drift, [0.0] * 4 + [-10.0] * 8)
    assert [hour for hour, _ in told] == [7]  # three hours of 4 − 1 make 9
    assert told[0][1].direction == "lower"
    assert told[0][1].in_normal == -5.0 and "5.0 spreads of normal scores below" in told[0][1].sentence


def test_while_it_lasts_it_is_told_once_a_day():
    drift = Drift(RULE, spread=1.0)
    told = hear(drift, [0.0] * 4 + [10.0] * 60)
    assert [hour for hour, _ in told] == [7, 31, 55]
    # Back at the centre it is over within a day, and nothing more is said.
    assert hear(drift, [0.0] * 48, hour=64) == [] and sums(drift)["higher"] == 0.0
    assert [hour for hour, _ in hear(drift, [10.0] * 8, hour=112)] == [115]


def test_the_first_hours_standardise():
    drift = Drift(DriftRule(baseline_hours=4, floor=0.01), spread=1.0)
    hear(drift, [1.0, 3.0, 2.0, 6.0, 0.0])
    # Quartiles 1.75 and 3.75; off by -1.5, 0.5, -0.5 and 3.5 of which neighbours are opposed: nothing is widened.
    assert (drift.state()["centre"], drift.baseline_hours) == (2.5, 4)
    assert drift.state()["scale"] == pytest.approx(2.0 / 1.349)


def test_hours_that_remember_each_other_have_a_wider_spread():
    hours = np.repeat([0.0, 1.0, 3.0, 2.0], 2)
    off = np.clip((hours - 1.5) / (1.5 / 1.349), -3.0, 3.0)
    r = np.sum(off[1:] * off[:-1]) / np.sum(off**2)
    drift = Drift(DriftRule(baseline_hours=8, floor=0.01), spread=1.0)
    hear(drift, [*hours, 0.0])
    assert 0.3 < r < 0.6
    assert drift.state()["scale"] == pytest.approx(1.5 / 1.349 * np.sqrt((1 + r) / (1 - r)))


def test_the_floor_keeps_quiet_days_from_being_a_hair_trigger():
    rule = DriftRule()
    quiet = [math.sin(hour / 4) * 1e-6 for hour in range(48)]
    later = [0.2 * math.sin(hour / 4) for hour in range(120)]
    assert hear(Drift(rule, spread=1.0), quiet + later) == []
    assert hear(Drift(DriftRule(floor=1e-9), spread=1.0), quiet + later) != []


def test_scores_of_any_scale_are_told_alike():
    rng = np.random.default_rng(0)
    scores = np.concatenate([rng.gamma(3.0, size=48), rng.gamma(3.0, size=60) + 3.0])
    reports = [hear(Drift(RULE, spread=2.0 * scale), scores * scale + shift) for scale, shift in ((1, 0), (1e4, -5e5))]
    assert reports[0] and [hour for hour, _ in reports[0]] == [hour for hour, _ in reports[1]]
    assert reports[0][0][1].in_normal == pytest.approx(reports[1][0][1].in_normal)


def test_an_hour_with_little_sound_counts_for_nothing():
    drift = Drift(RULE, spread=1.0)
    hear(drift, [0.0] * 4)
    assert hear(drift, [99.0] * 20, hour=4, minutes=range(5)) == [] and sums(drift)["higher"] == 0.0
    assert len(hear(drift, [99.0] * 5, hour=24, minutes=range(6))) == 1


def test_a_gap_of_days():
    whole, broken = Drift(RULE, spread=1.0), Drift(RULE, spread=1.0)
    hear(whole, [0.0] * 4 + [3.0] * 2)
    hear(broken, [0.0] * 4)
    hear(broken, [3.0] * 2, hour=500)
    hear(whole, [3.0], hour=6)
    hear(broken, [3.0], hour=700)
    assert sums(whole) == sums(broken) != {"higher": 0.0, "lower": 0.0}
    assert [hour for hour, _ in broken.state()["day"]] == [500, 501]  # hour 700 has not ended


def test_what_is_not_finite_is_passed_over():
    drift, plain = Drift(RULE, spread=1.0), Drift(RULE, spread=1.0)
    for index in range(20 * 60):
        seconds, score = 60.0 * index, index % 7 / 7
        for odd in (math.nan, math.inf, -math.inf):
            assert drift.update(seconds, odd) is None
        assert drift.update(math.nan, 0.0) is None
        drift.update(seconds, score)
        plain.update(seconds, score)
    assert drift.state() == plain.state()


@pytest.mark.parametrize("stops", [1, 59, 60, 61, 1_000, 4_000])
def test_a_restart_changes_nothing(stops):
    rng = np.random.default_rng(1)
    scores = np.concatenate([rng.normal(size=6_000), rng.normal(size=6_000) + 3.0])
    whole, broken, told = Drift(RULE, spread=1.0), Drift(RULE, spread=1.0), ([], [])
    for index, score in enumerate(scores):
        if index % stops == stops - 1 and index < 9 * stops:
            broken = Drift.from_state(RULE, json.loads(json.dumps(broken.state(), allow_nan=False)))
        for drift, of in ((whole, told[0]), (broken, told[1])):
            if report := drift.update(12.0 * index, score):
                of.append((index, report))
    assert told[0] == told[1] != [] and whole.state() == broken.state()


def test_a_clock_that_begins_anew_goes_on():
    drift = Drift(RULE, spread=1.0)
    hear(drift, [0.0] * 4 + [10.0] * 2, hour=1_000)
    told = hear(drift, [10.0] * 4, hour=0)
    assert len(told) == 1 and told[0][1].since == pytest.approx(-2 * HOUR, abs=HOUR)
    assert "for 3 hours" in told[0][1].sentence or "for 4 hours" in told[0][1].sentence


def test_its_memory_is_bounded():
    drift, largest = Drift(RULE, spread=1.0), 0
    for index in range(40_000):
        drift.update(0.05 * index + HOUR * (index // 5_000), 0.123456789012345)
        if index % 1_000 == 999:
            largest = max(largest, len(json.dumps(drift.state())))
    hear(drift, [0.0] * 200, hour=20)
    assert largest < 20_000 and len(json.dumps(drift.state())) < 5_000


def test_states_and_rules_that_cannot_be():
    with pytest.raises(InputError, match="damaged"):
        Drift.from_state(RULE, {"sums": {}})
    for wrong in ({"limit": 0.0}, {"slack": 5.0}, {"baseline_hours": 1}, {"min_minutes": 0}, {"floor": 0.0}):
        with pytest.raises(InputError, match="a rule of drift needs"):
            DriftRule(**wrong)
    with pytest.raises(InputError, match="spread"):
        Drift(RULE, spread=math.nan)
    with pytest.raises(InputError, match="two different"):
        normal_spread(np.ones(5))


def test_the_spread_of_normal_scores():
    scores = np.random.default_rng(0).normal(5.0, 2.0, 20_000)
    assert normal_spread(scores) == pytest.approx(2.0, rel=0.03)
    assert normal_spread(np.append(scores, [1e9] * 100)) == pytest.approx(2.0, rel=0.03)


def simulated(seed, *, shift=0.0, faults=False, hours=168):
    """A week of skewed scores with hours that remember each other and a night, six windows a minute."""
    rng = np.random.default_rng(seed)
    wander, scores = 0.0, []
    for hour in range(hours):
        wander = 0.85 * wander + 0.15 * rng.normal()
        level = wander + 0.3 * np.sin(2 * np.pi * hour / 24 + seed) + shift * np.clip((hour - 48) / 12, 0.0, 1.0)
        of_hour = (rng.gamma(4.0, size=360) - 4.0) / 2.0 + level
        if faults and hour >= 48 and rng.random() < 0.2:
            start = rng.integers(240)
            of_hour[start : start + 120] = 30.0  # of twenty minutes
        scores.append(of_hour)
    drift = Drift(DriftRule(), spread=1.0)
    told = ((index // 360, drift.update(10.0 * index, score)) for index, score in enumerate(np.concatenate(scores)))
    return [(hour, report.direction) for hour, report in told if report]


@pytest.mark.slow
def test_normal_weeks_and_faults_of_minutes_are_no_drift():
    assert sum(bool(simulated(seed, faults=seed % 2 == 0)) for seed in range(4)) <= 1


@pytest.mark.parametrize("shift", [2.0, -2.0])
def test_a_change_is_told_within_a_day(shift):
    for seed in range(2):
        hour, direction = simulated(seed, shift=shift, hours=73)[0]
        assert 48 < hour <= 72 and direction == ("higher" if shift > 0 else "lower")
