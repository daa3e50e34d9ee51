"""What a detector takes from a recording, clip by clip, and what it says of it."""

import dataclasses
from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np

from asd_jax.datasets.clips import Machine
from asd_jax.datasets.cutting import Cutting
from asd_jax.detectors.calibration import Calibrated
from asd_jax.detectors.recordings import limit, share_of_normal_above, statistic
from asd_jax.detectors.thresholds import decide
from asd_jax.features.shapes import Float

_LARGEST = np.finfo(np.float64).max  # in place of scores that are not finite, where machines are chosen between
Heard = Sequence[tuple[float, Float[np.ndarray, " n_machines"]]]  # where each clip of a recording starts, its scores


class Timeline(NamedTuple):
    """The clips of a recording that were scored, in the order of time.

    Attributes:
        start_seconds: where each starts.
        scores: of each.
        threshold: of a single clip: those above it are worth a look and raise no alarm on their own.
    """

    start_seconds: Float[np.ndarray, " n_clips"]
    scores: Float[np.ndarray, " n_clips"]
    threshold: float

    @property
    def above(self) -> Float[np.ndarray, " n_clips"]:
        """How far each lies above the threshold, negative below it."""
        return self.scores - self.threshold


@dataclasses.dataclass(frozen=True)
class Verdict:
    """What a detector says of waveforms, an entry each (scalars for a single waveform).

    Attributes:
        scores: anomaly scores; NaN where there is none.
        is_anomalous: whether the score is above the limit; masked where there is no verdict.
        thresholds: what each score was held against: the threshold of clips, or for a recording of several clips the
            limit for so many.
        share_of_normal_above: share of the normal clips unseen by the scorer that score higher, for recordings of
            several clips that of normal recordings of so many clips; NaN where the score is.
        machine_ids: the id that each waveform was held against.
        machine_types: its machine type.
        worst_start_seconds: where in each waveform its worst three clips start, or its worst where there are fewer.
        reasons: why there is no verdict; empty where there is one.
        timelines: a `Timeline` each.
        remarks: what the user must know of this detector's verdicts, a line each.
    """

    scores: np.ndarray
    is_anomalous: np.ma.MaskedArray
    thresholds: np.ndarray
    share_of_normal_above: np.ndarray
    machine_ids: np.ndarray
    machine_types: np.ndarray
    worst_start_seconds: np.ndarray
    reasons: np.ndarray
    timelines: np.ndarray
    remarks: tuple[str, ...] = ()

    def single(self) -> "Verdict":
        """That of a single waveform, in scalars."""
        names = (field.name for field in dataclasses.fields(Verdict) if field.name != "remarks")
        return dataclasses.replace(self, **{name: getattr(self, name).reshape(()) for name in names})


class Piece(NamedTuple):
    """A clip of a recording, on its way to a verdict.

    Attributes:
        recording: the recording's number.
        start_seconds: where in it the clip starts.
        waveform: at the front end's rate.
    """

    recording: int
    start_seconds: float
    waveform: Float[np.ndarray, " n_samples"]


def cut_waveform(
    waveform: np.ndarray, cutting: Cutting | None, *, sample_rate: int
) -> Iterator[tuple[float, np.ndarray]]:
    """The clips of a waveform and where they start, in seconds; without a cutting the waveform itself.

    The samples are those that `read_audio` gives for these clips of a file.
    """
    if cutting is None or waveform.ndim != 1 or not sample_rate > 0:  # refused where waveforms are prepared
        yield 0.0, waveform
        return
    length = round(cutting.clip_seconds * sample_rate)
    for start in cutting.starts(len(waveform) / sample_rate):
        yield start, waveform[round(start * sample_rate) :][:length]


def judged(
    machines: Sequence[tuple[Machine, Calibrated]],
    held_against: Sequence[Sequence[int]],
    heard: Sequence[Heard],
    reasons: np.ndarray,
    *,
    consecutive: int,
    remarks: tuple[str, ...],
) -> Verdict:
    """The verdict on recordings, each by the machine with the smallest of its scores.

    Args:
        machines: the detector's, with the scorer that is asked.
        held_against: numbers of the machines of each recording, at least one.
        heard: what was scored of each recording.
        reasons: why there is no verdict on it; empty where nothing is in the way.
        consecutive: clips whose median is a score, see `recordings.statistic`; of 1 the threshold decides.
        remarks: see `Verdict`.
    """
    n = len(heard)
    scores, limits, above, starts = (np.full(n, np.nan) for _ in range(4))
    types, ids, reasons, timelines = (np.array(reasons, object) for _ in range(4))
    for index, (own, clips) in enumerate(zip(held_against, heard, strict=True)):
        start_seconds = np.asarray([start for start, _ in clips])
        table = np.asarray([row for _, row in clips]).reshape(-1, len(machines))
        found = {of: statistic(table[:, of], consecutive=consecutive) if clips else (np.nan, 0) for of in own}
        nearest = min(own, key=lambda of: np.nan_to_num(found[of][0], nan=_LARGEST, posinf=_LARGEST))
        (types[index], ids[index]), fitted = machines[nearest]
        timelines[index] = Timeline(start_seconds, table[:, nearest], fitted.threshold.value)
        n_clips = max(1, len(clips)) if consecutive > 1 else 1
        limits[index] = limit(fitted.threshold, fitted.normal_scores, n_clips)
        score, first = found[nearest]
        if clips:
            starts[index] = start_seconds[first]
        if not reasons[index] and not np.isfinite(score):
            reasons[index] = f"the score at {starts[index]:g} s is not finite" if clips else "nothing was heard"
        elif reasons[index]:
            continue
        scores[index], above[index] = score, share_of_normal_above(score, fitted.normal_scores, n_clips)
    return Verdict(scores, decide(scores, limits), limits, above, ids, types, starts, reasons, timelines, remarks)
