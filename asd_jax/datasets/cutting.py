"""Long recordings cut into clips: only where they start is settled here, the samples are read when a clip is."""

import dataclasses
import statistics
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

from asd_jax.datasets.audio import duration_seconds
from asd_jax.datasets.clips import Clip
from asd_jax.errors import InputError

_LEAST_SECONDS = 0.1  # shorter ones would be millions, each shorter than a window
_ALIKE = 2.0  # lengths of recordings that differ by no more than this factor


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


def warn_of_lengths(clips: Sequence[Clip]) -> tuple[str, ...]:
    """A warning where test recordings are cut into far more or fewer clips than training recordings."""
    counts = {}
    for split in ("train", "test"):
        by_recording = Counter(clip.recording for clip in clips if clip.split == split)
        counts[split] = statistics.median(by_recording.values()) if by_recording else None
    train, test = counts["train"], counts["test"]
    if train is None or test is None or max(train, test) <= _ALIKE * min(train, test):
        return ()
    return (
        f"warning: training recordings have {train:g} clips (median), test recordings {test:g}: the worst of more is "
        "worse, so that thresholds of the ones do not hold for the others; cut the files to similar lengths",
    )


def cut(clip: Clip, data_dir: Path, cutting: Cutting) -> Iterator[Clip]:
    """The clips of a recording. One that cannot be read stays whole: the error comes, once, when it is read."""
    try:
        starts = cutting.starts(duration_seconds(data_dir / clip.recording))
    except InputError:
        yield clip
        return
    for start in starts:
        name = f"{clip.recording}@{start:.3f}s"
        yield dataclasses.replace(clip, file_name=name, start_seconds=start, clip_seconds=cutting.clip_seconds)
