"""What a detector takes from a recording, clip by clip, and what it says of it."""

import dataclasses
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from jaxtyping import Float

from asd_jax.datasets.cutting import Cutting


@dataclasses.dataclass(frozen=True)
class Verdict:
    """What a detector says of waveforms, an entry each (scalars for a single waveform).

    Attributes:
        scores: anomaly scores.
        is_anomalous: whether the score is above the threshold; masked where the score is not finite.
        thresholds: of the machine that each waveform was held against.
        share_of_normal_above: share of the normal clips (recordings, where these were cut) unseen by the scorer that
            score higher; NaN where the score is.
        machine_ids: the id that each waveform was held against.
        machine_types: its machine type.
        worst_start_seconds: where in each waveform its worst clip starts: 0 unless the detector cuts.
    """

    scores: np.ndarray
    is_anomalous: np.ma.MaskedArray
    thresholds: np.ndarray
    share_of_normal_above: np.ndarray
    machine_ids: np.ndarray
    machine_types: np.ndarray
    worst_start_seconds: np.ndarray


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
