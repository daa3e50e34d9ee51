"""When recordings were made: by a time in their names, else by the dates of their files where these can be believed."""

import datetime
import re
from collections.abc import Callable, Sequence
from pathlib import Path, PurePosixPath
from typing import NamedTuple

import numpy as np

from asd_jax.datasets.machines import explicit_id_in

_DAY = r"(?<!\d)(?P<year>(?:19|20)\d\d)(?P<apart>[-_.]?)(?P<month>0\d|1[0-2])(?P=apart)(?P<day>[0-2]\d|3[01])"
_HOUR, _SIXTY = r"(?P<hour>[01]\d|2[0-3])", r"[0-5]\d"
# With something between hours and minutes, or six digits, or four after a T: 0012 may as well count recordings.
_CLOCK = (
    rf"{_HOUR}(?:[-_:.h](?P<minute>{_SIXTY})(?:[-_:.m](?P<second>{_SIXTY})s?)?|(?P<minute6>{_SIXTY})(?P<second6>{_SIXTY})"
    rf"|(?<=T\d\d)(?P<minute4>{_SIXTY}))(?!\d)"
)
_DAY_AND_CLOCK = re.compile(rf"{_DAY}(?:T|[-_ .]{{0,3}}){_CLOCK}")
_DAY_ALONE, _CLOCK_ALONE = re.compile(rf"{_DAY}(?!\d)"), re.compile(rf"(?<!\d){_CLOCK}")
_UNIX = re.compile(r"1\d{9}(?:\d{3})?")  # seconds or milliseconds, from 2001 to 2033
_LEAST_APART = 10.0  # seconds, where nobody knows how long recordings are


class RecordingTimes(NamedTuple):
    """When recordings were made.

    Attributes:
        times: of each, on the clock that named it; None where it is not known.
        are_of_names: whether the names say so, or else the modification dates of the files.
    """

    times: tuple[datetime.datetime | None, ...]
    are_of_names: bool


def time_in(path: str) -> datetime.datetime | None:
    """The time that a path carries, such as `2026-11-24T10-00-00`, `20261124_100000`, `2026-11-24_10h00`, or Unix
    seconds.

    A date may stand in a folder above, and the time of day in the name; a date without one is its midnight. Dates begin
    with the year: 03-04-2026 may be of March or of April. Unix seconds or milliseconds count where the name has no
    other number.
    """
    stem, above = PurePosixPath(path).stem, PurePosixPath(path).parent.as_posix().replace("/", "_")
    if found := _DAY_AND_CLOCK.search(stem):
        return _moment(found, found)
    day, clock = _DAY_ALONE.search(stem), _CLOCK_ALONE.search(stem)
    if day:
        return _moment(day, None)
    if days := list(_DAY_ALONE.finditer(above)):
        return _moment(days[-1], clock)
    numbers = re.findall(r"\d+", re.sub(explicit_id_in(stem) or "$^", " ", stem.lower()))
    if len(numbers) == 1 and _UNIX.fullmatch(numbers[0]):
        seconds = int(numbers[0][:10])
        return datetime.datetime.fromtimestamp(seconds, datetime.UTC).replace(tzinfo=None)
    return None


def recording_times(
    paths: Sequence[str],
    *,
    machines: Sequence[object] = (),
    seconds: Sequence[float] = (),
    modified: Callable[[str], float] | None = None,
) -> RecordingTimes | None:
    """When recordings were made, where that can be told of at least half of them and they are not all of one time.

    Where fewer names have a time, the modification dates of the files count if they may be recording times: one
    recorder ends recordings no closer together than they are long, while copies follow each other in no time. So the
    median step from one date to the next, of each machine, must be half as long as a recording at least.

    Args:
        paths: of the files.
        machines: of each, which may have recorders of their own; one for all where empty.
        seconds: how long each recording is; not known where empty.
        modified: gives the modification date of a file in seconds since 1970, or raises OSError; None where names alone
            count.
    """
    named = tuple(time_in(path) for path in paths)
    if 2 * sum(time is not None for time in named) >= len(paths):
        return RecordingTimes(named, True) if len(set(named) - {None}) > 1 else None
    if modified is None:
        return None
    try:
        dates = np.asarray([modified(path) for path in paths])
    except OSError:
        return None
    of = np.asarray([str(machine) for machine in machines] or [""] * len(paths))
    steps = np.concatenate([np.diff(np.sort(dates[of == name])) for name in np.unique(of)])
    length = float(np.median(seconds)) if len(seconds) else _LEAST_APART
    if not len(steps) or np.median(steps) < length / 2:
        return None
    return RecordingTimes(tuple(datetime.datetime.fromtimestamp(date) for date in dates.tolist()), False)


def modification_date(path: str) -> float:
    """Of a file, in seconds since 1970; OSError where it is gone."""
    return Path(path).stat().st_mtime


def _moment(day: re.Match, clock: re.Match | None) -> datetime.datetime | None:
    """None where there is no such day."""
    of = clock.groupdict() if clock else {}
    hour, minute = of.get("hour") or 0, of.get("minute") or of.get("minute6") or of.get("minute4") or 0
    second = of.get("second") or of.get("second6") or 0
    try:
        return datetime.datetime(
            int(day["year"]), int(day["month"]), int(day["day"]), *map(int, (hour, minute, second))
        )
    except ValueError:
        return None
