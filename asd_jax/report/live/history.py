"""What the page remembers: an hour of scores, 30 days of hours, a minute of spectra, 200 events; none of it grows."""

import itertools
import math
import statistics
import threading
import time as clock
from collections import deque
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

import numpy as np

from asd_jax.features.shapes import Float

HOUR_SECONDS, SPECTRUM_SECONDS = 3_600.0, 60.0
N_DAYS, N_EVENTS = 30, 200
_MOST_POINTS, _MOST_COLUMNS, _MOST_TEXT = 36_000, 4_096, 1_000
LOWEST_DB, HIGHEST_DB, STEPS_PER_DB = -120.0, 7.5, 2.0  # of spectra as bytes


class Numbered:
    """The last of a series, whose entries keep their numbers."""

    def __init__(self, most: int) -> None:
        self._entries: deque[Any] = deque(maxlen=most)
        self.next = 0

    def append(self, entry: Any) -> None:
        """Add an entry, in place of the oldest where there is no room."""
        self._entries.append(entry)
        self.next += 1

    def drop_while(self, is_old: Any) -> None:
        """Drop entries from the oldest on as long as they are old."""
        while self._entries and is_old(self._entries[0]):
            self._entries.popleft()

    @property
    def first(self) -> int:
        """Number of the oldest entry that is kept."""
        return self.next - len(self._entries)

    def since(self, number: int) -> list[Any]:
        """Those from a number on."""
        return list(itertools.islice(self._entries, max(0, number - self.first), None))


class History:
    """Scores, hours, spectra and events as they come; read by the page's threads while the monitor writes."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._points, self._columns = Numbered(_MOST_POINTS), Numbered(_MOST_COLUMNS)
        self._hours, self._events = Numbered(24 * N_DAYS), Numbered(N_EVENTS)
        self._hour: int | None = None
        self._of_hour: deque[tuple[float, float]] = deque(maxlen=_MOST_POINTS)
        self._begins = (0.0, 0.0)  # time and seconds of this hour's first score
        self._seconds, self._heard = 0.0, clock.monotonic()

    def score(self, time: str, seconds: float, score: float, threshold: float, above: bool | None) -> None:
        """A window's score; see `LivePage.score`."""
        at = datetime.fromisoformat(time)
        epoch = (at if at.tzinfo else at.replace(tzinfo=UTC)).timestamp()
        point = (
            round(epoch, 3),
            round(seconds, 3),
            _number(score),
            _number(threshold),
            None if above is None else bool(above),
        )
        with self._lock:
            self._seconds, self._heard = seconds, clock.monotonic()
            self._points.append(point)
            # Hours are those of the sound's clock: the computer's may be set back.
            self._points.drop_while(lambda old: not 0.0 <= seconds - old[1] <= HOUR_SECONDS)
            hour = int(seconds // HOUR_SECONDS)
            if hour != self._hour:
                if finished := self._this_hour():
                    self._hours.append(finished)
                self._of_hour.clear()
                self._hour, self._begins = hour, point[:2]
            if math.isfinite(score):
                self._of_hour.append((float(score), float(threshold)))

    def spectrum(self, columns: Float[np.ndarray, "n_columns n_bands"]) -> None:
        """Columns of a spectrogram in dB, the oldest first."""
        levels = np.clip(np.nan_to_num(np.asarray(columns, np.float32), nan=LOWEST_DB), LOWEST_DB, HIGHEST_DB)
        coded = ((levels - LOWEST_DB) * STEPS_PER_DB).astype(np.uint8)
        with self._lock:
            for column in coded:
                self._columns.append((self._seconds, column.tobytes()))
            self._columns.drop_while(lambda old: not 0.0 <= self._seconds - old[0] <= SPECTRUM_SECONDS)

    def event(self, event: Mapping[str, Any]) -> None:
        """An event of the monitor's; long texts are cut."""
        with self._lock:
            self._events.append(_plain(event))

    def since(self, *, points: int = 0, columns: int = 0, hours: int = 0, events: int = 0) -> dict[str, Any]:
        """Everything from these numbers on, as plain values and `bytes`, with the numbers that come next."""
        with self._lock:
            found = {
                "points": (self._points.next, self._points.since(points)),
                "columns": (self._columns.next, self._columns.since(columns)),
                "hours": (self._hours.next, self._hours.since(hours)),
                "events": (self._events.next, self._events.since(events)),
            }
            kept = {"points": self._points.first, "columns": self._columns.first}
            age = clock.monotonic() - self._heard
            hour, rate = self._this_hour(), self._column_rate()
        result: dict[str, Any] = {
            name: {"next": number, "new": new, "first": kept.get(name, 0)} for name, (number, new) in found.items()
        }
        new = [column for _, column in result["columns"]["new"]]
        n_bands = len(new[-1]) if new else 0
        # A change of bands, as after another detector was loaded, begins the picture anew.
        result["columns"]["new"] = b"".join(column for column in new if len(column) == n_bands)
        return {**result, "n_bands": n_bands, "columns_per_second": rate, "silent_seconds": round(age, 1), "hour": hour}

    def folders(self) -> set[str]:
        """Names of the alarms' folders among the events."""
        with self._lock:
            events = self._events.since(0)
        return {event["folder"] for event in events if isinstance(event.get("folder"), str)}

    def _column_rate(self) -> float:
        """Columns a second, from all but those that came first; 0 while that cannot be told."""
        at = [seconds for seconds, _ in self._columns.since(0)]
        heard = at[-1] - at[0] if at else 0.0
        return round(sum(of > at[0] for of in at) / heard, 3) if heard > 0.0 else 0.0

    def _this_hour(self) -> tuple[float | None, ...] | None:
        """Time and seconds of its first score, least, median and largest score, and the threshold."""
        if not self._of_hour:
            return None
        scores = [score for score, _ in self._of_hour]
        numbers = (min(scores), statistics.median(scores), max(scores), self._of_hour[-1][1])
        return (*self._begins, *map(_number, numbers))


def _number(value: float) -> float | None:
    """Six digits, for JSON; None where it is not finite."""
    return float(f"{value:.6g}") if math.isfinite(value) else None


def _plain(value: Any, depth: int = 0) -> Any:
    """What JSON can hold of a value, of bounded size."""
    if value is None or isinstance(value, bool | int):
        return value
    if isinstance(value, float | np.floating):
        return _number(float(value))
    if isinstance(value, np.integer):
        return int(value)
    if isinstance(value, Mapping) and depth < 3:
        return {str(name)[:100]: _plain(item, depth + 1) for name, item in itertools.islice(value.items(), 50)}
    if isinstance(value, Iterable) and not isinstance(value, str | bytes) and depth < 3:
        return [_plain(item, depth + 1) for item in itertools.islice(value, 50)]
    # A lone surrogate, as in the name of a file that is no text, cannot be written as UTF-8.
    return str(value)[:_MOST_TEXT].encode("utf-8", "replace").decode("utf-8")
