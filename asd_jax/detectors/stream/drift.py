"""Drift of a machine's normal scores over hours and days, told apart from faults of minutes.

A minute's scores become their median, an hour's minutes theirs, so that a fault of less than half an hour moves an hour
little. The first two days of service give the centre and the spread of such hours, and two cumulative sums (Page, 1954,
"Continuous inspection schemes") watch those that follow, one for scores that rise and one for scores that fall:

    z = (median of the hour − centre) / spread,    sum = max(0, sum + min(z, most) − slack)

Hours of a hall are not independent: a night is quieter than a day, and what moves the level stays for hours. Hence the
spread is widened by what the first days' hours remember of each other: that of a sum of AR(1) values is larger by
sqrt((1 + r) / (1 - r)), r being the correlation of an hour with the next. It is a robust one, since a fault may fall
into these days, and never less than a share of that of the detector's normal scores, since they may be quiet. Slack,
limit and the most that an hour counts were chosen by `benchmarks/drift.py`, on other weeks than those it counts.
"""

import dataclasses
import math
import statistics
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from asd_jax.errors import InputError
from asd_jax.features.shapes import Float

_HOUR, _DAY = 3_600.0, 86_400.0
_MOST_IN_A_MINUTE = 600  # scores; further ones of that minute are not needed for its median
_MOST_WIDER = 2.0  # two days are too few to know of a longer memory
_PER_IQR = 1.349  # interquartile ranges of a normal distribution per standard deviation


@dataclasses.dataclass(frozen=True)
class DriftRule:
    """When a change of the hours' medians is drift.

    Attributes:
        baseline_hours: hours of service with enough sound that give centre and spread.
        min_minutes: an hour with scores in fewer of its minutes counts for nothing.
        floor: the least spread of hours, in spreads of normal scores (`normal_spread`).
        slack: what an hour may lie off the centre and add nothing, in spreads of hours.
        most: what an hour counts at most, in spreads of hours.
        limit: of the sums, in spreads of hours.
    """

    baseline_hours: int = 48
    min_minutes: int = 6
    floor: float = 0.2
    slack: float = 1.0
    most: float = 4.0
    limit: float = 15.0

    def __post_init__(self) -> None:
        """Raise `InputError` for a rule that could never report, or would report everything."""
        if self.baseline_hours < 2 or not 1 <= self.min_minutes <= 60:
            raise InputError("a rule of drift needs `baseline_hours` of 2 or more and `min_minutes` from 1 to 60")
        if not (self.floor > 0.0 and 0.0 <= self.slack < self.most and self.limit > 0.0):
            raise InputError("a rule of drift needs `floor` and `limit` above 0, and `slack` from 0 to below `most`")


class DriftReport(NamedTuple):
    """What is said of a drift.

    Attributes:
        direction: of the scores, `higher` or `lower`.
        in_hours: how far the median lies from the baseline of the hours since the change began, the last 24 at most; in
            spreads of hours as the sums have them.
        in_normal: the same in spreads of normal scores.
        since: where the change began, on the clock of `update`; below zero where that began anew in between.
        sentence: for whoever is called.
    """

    direction: str
    in_hours: float
    in_normal: float
    since: float
    sentence: str


def normal_spread(normal_scores: Float[np.ndarray, " n_normal"]) -> float:
    """Spread of normal scores: their interquartile range as a standard deviation, which skewed tails do not widen.

    Raises:
        InputError: fewer than two scores, or all the same.
    """
    scores = np.asarray(normal_scores, np.float64)
    spread = _robust_spread(scores) if len(scores) > 1 else 0.0
    if not spread > 0.0:
        raise InputError("drift needs at least two different normal scores to be held against")
    return spread


class Drift:
    """Watches scores for drift. Its memory is bounded, and `state` is all that it knows.

    Args:
        rule: when a change is drift.
        spread: of normal scores, from `normal_spread`.
    """

    def __init__(self, rule: DriftRule, *, spread: float) -> None:
        if not (math.isfinite(spread) and spread > 0.0):
            raise InputError(f"drift needs a spread of normal scores above 0, not {spread}")
        self.rule = rule
        self._state: dict[str, Any] = {
            "spread": float(spread),
            "clock": None,  # seconds of the last score, on a clock of its own that never goes back
            "ahead": 0.0,  # that clock less the caller's
            "minute": None,
            "scores": [],  # of this minute
            "minutes": [],  # medians of this hour's
            "baseline": [],  # medians of the first hours
            "centre": None,
            "scale": None,
            "sums": {"higher": 0.0, "lower": 0.0},
            "since": {"higher": None, "lower": None},
            "day": [],  # [hour, median] of the last 24 hours
            "told": {"higher": None, "lower": None},
        }

    @classmethod
    def from_state(cls, rule: DriftRule, state: dict[str, Any]) -> "Drift":
        """One that goes on where another was when it gave its `state`; the clock may begin anew.

        Raises:
            InputError: what is given is no such state.
        """
        drift = cls(rule, spread=1.0)
        if not isinstance(state, dict) or set(state) != set(drift._state):
            raise InputError("the state of drift that was kept is damaged; delete it, and two days begin anew")
        drift._state = _copied(state)
        return drift

    def state(self) -> dict[str, Any]:
        """All that it knows, in plain JSON values."""
        return _copied(self._state)

    @property
    def baseline_hours(self) -> int:
        """Hours of the baseline heard so far."""
        return len(self._state["baseline"])

    def update(self, seconds: float, score: float) -> DriftReport | None:
        """Hear a score; returns a report when an hour has ended that makes a drift, at most once a day while it lasts.

        Args:
            seconds: on a clock that does not go back, of sound; where it does, as after a restart, time goes on from
                the last score.
            score: of a window; one that is not finite is passed over.
        """
        if not (math.isfinite(score) and math.isfinite(seconds)):
            return None
        state = self._state
        clock = float(seconds) + state["ahead"]
        if state["clock"] is not None and clock < state["clock"]:
            state["ahead"] += state["clock"] - clock
            clock = state["clock"]
        report, minute = None, int(clock // 60.0)
        if minute != state["minute"]:
            report = self._next_minute(minute, clock)
        state["clock"] = clock
        if len(state["scores"]) < _MOST_IN_A_MINUTE:
            state["scores"].append(float(score))
        return report

    def _next_minute(self, minute: int, clock: float) -> DriftReport | None:
        state, report = self._state, None
        if state["scores"]:
            state["minutes"].append(_median(state["scores"]))
            state["scores"] = []
        before, state["minute"] = state["minute"], minute
        if before is not None and minute // 60 != before // 60:
            if len(state["minutes"]) >= self.rule.min_minutes:
                report = self._heard(before // 60, _median(state["minutes"]), clock)
            state["minutes"] = []
        return report

    def _heard(self, hour: int, median: float, clock: float) -> DriftReport | None:
        """An hour with its median."""
        state = self._state
        state["day"] = [entry for entry in state["day"] if entry[0] > hour - 24] + [[hour, median]]
        if len(state["baseline"]) < self.rule.baseline_hours:
            state["baseline"].append(median)
            if len(state["baseline"]) == self.rule.baseline_hours:
                state["centre"] = _median(state["baseline"])
                state["scale"] = max(_spread_of_hours(state["baseline"]), self.rule.floor * state["spread"])
            return None
        z = (median - state["centre"]) / state["scale"]
        reports = [self._sum("higher", z, hour, clock), self._sum("lower", -z, hour, clock)]
        return next((report for report in reports if report), None)

    def _sum(self, direction: str, z: float, hour: int, clock: float) -> DriftReport | None:
        state, rule = self._state, self.rule
        before = state["sums"][direction]
        # Held at twice the limit, so that a drift that is over is over within a day or so.
        now = min(max(0.0, before + min(z, rule.most) - rule.slack), 2.0 * rule.limit)
        state["sums"][direction] = now
        if now == 0.0:
            state["since"][direction] = None
        elif before == 0.0:
            state["since"][direction] = hour * _HOUR
        told = state["told"][direction]
        if now <= rule.limit or (told is not None and clock - told < _DAY):
            return None
        state["told"][direction] = clock
        return self._report(direction, clock)

    def _report(self, direction: str, clock: float) -> DriftReport:
        state = self._state
        since = state["since"][direction]
        changed = [median for hour, median in state["day"] if hour * _HOUR >= since]
        off = _median(changed) - state["centre"]
        in_hours, in_normal = off / state["scale"], off / state["spread"]
        over, side = "over the last day" if clock - since > _DAY else "since then", "above" if off > 0 else "below"
        sentence = (
            f"the scores have drifted {direction} for {_hours(clock - since)}: {over} their median lies "
            f"{abs(in_normal):.1f} spreads of normal scores {side} that of the first days; "
            "where the machine is as it should be, recalibrate (python -m experiments.recalibrate)"
        )
        return DriftReport(direction, in_hours, in_normal, since - state["ahead"], sentence)


def _robust_spread(values: Float[np.ndarray, " n"]) -> float:
    low, high = np.quantile(values, [0.25, 0.75])
    return float(high - low) / _PER_IQR


def _spread_of_hours(medians: Sequence[float]) -> float:
    """Spread of hourly medians, widened by what they remember of each other; 0 where they are all the same."""
    hours = np.asarray(medians)
    if not (spread := _robust_spread(hours)) > 0.0:
        return 0.0
    off = np.clip((hours - np.median(hours)) / spread, -3.0, 3.0)  # an hour with a fault says little of the others
    r = max(0.0, float(np.sum(off[1:] * off[:-1]) / np.sum(off**2)))
    return spread * (min(_MOST_WIDER, math.sqrt((1.0 + r) / (1.0 - r))) if r < 1.0 else _MOST_WIDER)


def _median(values: Sequence[float]) -> float:
    return statistics.median(values)


def _hours(seconds: float) -> str:
    hours = round(seconds / _HOUR)
    return f"{hours} hours" if hours < 72 else f"{round(hours / 24)} days"


def _copied(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _copied(item) for key, item in value.items()}
    return [_copied(item) for item in value] if isinstance(value, list) else value
