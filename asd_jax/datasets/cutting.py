"""Long recordings cut into clips: only where they start is settled here, the samples are read when a clip is."""

import dataclasses
import math
import statistics
from collections.abc import Iterator, Sequence
from pathlib import Path

from asd_jax.datasets.clips import Clip
from asd_jax.errors import InputError

_LEAST_SECONDS = 0.1  # shorter ones would be millions, each shorter than a window
_MOST_OF_ONE = 30  # clips that a long recording may train with
LONG = 1.5  # times the usual length: longer recordings are cut
SHORT = 0.5  # times the usual length: shorter ones get no verdict


@dataclasses.dataclass(frozen=True)
class Cutting:
    """How recordings are cut.

    Attributes:
        clip_seconds: length of a clip.
        hop_seconds: from the start of a clip to that of the next.
    """

    clip_seconds: float
    hop_seconds: float

    def __post_init__(self) -> None:
        for name, value in (("clip_seconds", self.clip_seconds), ("clip_hop_seconds", self.hop_seconds)):
            if not _LEAST_SECONDS <= value < float("inf"):
                raise InputError(f"`{name}`={value}: give a number of seconds, at least {_LEAST_SECONDS:g}")
        if self.hop_seconds > self.clip_seconds:
            raise InputError(
                f"`clip_hop_seconds`={self.hop_seconds:g} is more than `clip_seconds`={self.clip_seconds:g}, which "
                "would leave out what lies between; give at most as much"
            )

    def starts(self, duration: float) -> list[float]:
        """Where the clips of a recording start, in seconds, for a recording of `duration` seconds.

        The tail that the hop would leave out gets one more clip, which ends with the recording, so that all clips are
        of one length; a recording shorter than a clip is one clip.
        """
        last = duration - self.clip_seconds
        if last <= 0:
            return [0.0]
        # The tolerance keeps a rounding error from adding a clip that repeats the one before.
        count = int(last / self.hop_seconds + 1e-9) + 1
        starts = [index * self.hop_seconds for index in range(count)]
        return starts if last - starts[-1] < 1e-6 else [*starts, last]


def cutting_of_long(duration: float, clip_seconds: float) -> Cutting | None:
    """How a recording of `duration` seconds is cut beside clips of `clip_seconds`; None where it stays whole."""
    if _LEAST_SECONDS <= clip_seconds < duration / LONG:
        return Cutting(clip_seconds, clip_seconds)
    return None


def cut_long(clips: Sequence[Clip], data_dir: Path, clip_seconds: float | None) -> tuple[list[Clip], tuple[str, ...]]:
    """Recordings cut where they are far longer than the others.

    Clips of one recording are alike, and an hour of them would outvote all others: of a training recording at most 30
    are kept, evenly spread.

    Args:
        clips: whole recordings.
        data_dir: folder that their names are relative to.
        clip_seconds: how long clips are; None for the median of the training recordings.

    Returns:
        the clips, and what the user should know of it, a line each.
    """
    seconds = {clip.recording: _seconds(data_dir / clip.recording) for clip in clips}
    known = [seconds[clip.recording] for clip in clips if clip.split == "train" and seconds[clip.recording]]
    typical = clip_seconds or (statistics.median(known) if known else math.inf)
    found: list[Clip] = []
    n_long = 0
    for clip in clips:
        cutting = cutting_of_long(seconds[clip.recording], typical)
        if cutting is None:
            found.append(clip)
            continue
        n_long += 1
        cut_from = list(parts(clip, seconds[clip.recording], cutting))
        found += cut_from[:: math.ceil(len(cut_from) / _MOST_OF_ONE)] if clip.split == "train" else cut_from
    lines = []
    if n_long:
        lines.append(
            f"{n_long} recording(s) longer than {LONG:g} times {typical:.4g} s, the usual length, are cut into clips "
            f"of that length; each trains with at most {_MOST_OF_ONE} of them (with all by `clip_seconds`)"
        )
    n_short = sum(value < SHORT * typical for value in known) if clip_seconds is None else 0
    if n_short:
        lines.append(
            f"warning: {n_short} training recording(s) are shorter than half of {typical:.4g} s, the usual length; "
            "recordings as short as these get no verdict. Give all one length by `clip_seconds`"
        )
    return found, tuple(lines)


def _seconds(path: Path) -> float:
    """Duration; 0 for a recording that cannot be read, which stays whole: the error comes when it is read."""
    from asd_jax.datasets.audio import duration_seconds  # late: an exported detector cuts waveforms and reads no files

    try:
        return duration_seconds(path)
    except InputError:
        return 0.0


def parts(clip: Clip, duration: float, cutting: Cutting) -> Iterator[Clip]:
    """The clips of a recording of `duration` seconds."""
    for start in cutting.starts(duration):
        name = f"{clip.recording}@{start:.3f}s"
        yield dataclasses.replace(clip, file_name=name, start_seconds=start, clip_seconds=cutting.clip_seconds)


def cut(clip: Clip, data_dir: Path, cutting: Cutting) -> Iterator[Clip]:
    """The clips of a recording. One that cannot be read stays whole: the error comes, once, when it is read."""
    from asd_jax.datasets.audio import duration_seconds  # late, see above

    try:
        duration = duration_seconds(data_dir / clip.recording)
    except InputError:
        yield clip
        return
    yield from parts(clip, duration, cutting)
