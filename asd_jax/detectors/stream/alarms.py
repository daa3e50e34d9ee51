"""When windows above the threshold become an alarm, and when it is over."""

import collections
import dataclasses
import enum
import math
import re
from typing import NamedTuple

from asd_jax.errors import InputError

_EPSILON = 1e-6  # seconds; times of samples are rounded


class Votes(NamedTuple):
    """At least `least` of the latest `of` windows that do not overlap."""

    least: int
    of: int

    @classmethod
    def parse(cls, text: str, *, name: str) -> "Votes":
        """From `3/5`; an InputError calls the setting by `name`."""
        match = re.fullmatch(r"(\d{1,3})/(\d{1,3})", text)
        if not match or not 1 <= int(match[1]) <= int(match[2]):
            raise InputError(f"`{name}={text}`: give windows of windows, such as 3/5")
        return cls(int(match[1]), int(match[2]))

    def __str__(self) -> str:
        """As it is parsed."""
        return f"{self.least}/{self.of}"


@dataclasses.dataclass(frozen=True)
class AlarmRule:
    """When an alarm is raised and cleared.

    Attributes:
        alarm: windows above the threshold that raise it.
        clear: windows not above it that end it.
        quiet_minutes: after an alarm in which no other is raised.
    """

    alarm: Votes = Votes(3, 5)
    clear: Votes = Votes(5, 5)
    quiet_minutes: float = 10.0


class Change(enum.StrEnum):
    """What a window may bring."""

    ALARM = "alarm"
    CLEAR = "clear"


class Alarms:
    """Debounces windows.

    At each window the latest ones that do not overlap each other are looked at, that window first. A window without a
    verdict is none of them. An alarm ends by windows that are heard after it, and the next begins by such ones.

    Args:
        rule: when.
        overlapping: windows that overlap one another, at most: their length in hops.
    """

    def __init__(self, rule: AlarmRule, *, overlapping: int) -> None:
        self.rule = rule
        self.is_active = False
        self.suppressed = 0  # alarms that fell into quiet minutes
        self._raised_at = -math.inf
        self._is_suppressed = False
        most = max(rule.alarm.of, rule.clear.of) * max(1, overlapping) + 1
        self._windows: collections.deque[tuple[float, float, bool]] = collections.deque(maxlen=most)

    def update(self, start: float, end: float, above: bool | None) -> Change | None:
        """Take a window, from `start` to `end` in seconds of the stream, later than those before."""
        if above is None:
            return None
        self._windows.append((start, end, above))
        latest = self._apart(max(self.rule.alarm.of, self.rule.clear.of))
        if self.is_active:
            clear = latest[: self.rule.clear.of]
            if sum(not of for of in clear) >= self.rule.clear.least:
                self.is_active = False
                self._windows.clear()  # what ended an alarm does not begin the next
                return Change.CLEAR
            return None
        if sum(latest[: self.rule.alarm.of]) < self.rule.alarm.least:
            self._is_suppressed = False
            return None
        if end < self._raised_at + 60 * self.rule.quiet_minutes:
            self.suppressed += not self._is_suppressed
            self._is_suppressed = True
            return None
        self.is_active, self._raised_at, self._is_suppressed = True, end, False
        self._windows.clear()  # else those beside the ones that raised it, from half a window on, could end it at once
        return Change.ALARM

    def _apart(self, most: int) -> list[bool]:
        """Whether each of the latest windows that do not overlap is above the threshold, the latest first."""
        found, limit = [], math.inf
        for start, end, above in reversed(self._windows):
            if end <= limit + _EPSILON:
                found.append(above)
                limit = start
                if len(found) == most:
                    break
        return found
