"""Test recordings as a detector hears them: one score each, and the limit that each is held against."""

import dataclasses
from collections.abc import Mapping, Sequence

import numpy as np
from jaxtyping import Bool, Float, Int

from asd_jax.datasets.clips import Clip, Machine, recording_index
from asd_jax.datasets.cutting import SHORT
from asd_jax.detectors.detector import Detector
from asd_jax.detectors.recordings import limits, statistics
from asd_jax.detectors.thresholds import Threshold, decide


@dataclasses.dataclass(frozen=True)
class Heard:
    """Recordings, and what a detector makes of them.

    Attributes:
        detector: whose scores they are.
        recordings: a clip each, that at which its worst three begin by the headline scorer; named as the recording.
        worst: index of that clip among all clips.
        scores: by scorer.
        n_clips: that each was cut into; 1 for detectors that do not tell lengths apart.
        long_enough: whether there is a decision on it.
    """

    detector: Detector
    recordings: tuple[Clip, ...]
    worst: Int[np.ndarray, " n_recordings"]
    scores: Mapping[str, Float[np.ndarray, " n_recordings"]]
    n_clips: Int[np.ndarray, " n_recordings"]
    long_enough: Bool[np.ndarray, " n_recordings"]

    @classmethod
    def from_clips(
        cls, detector: Detector, clips: Sequence[Clip], scores: Mapping[str, np.ndarray], seconds: Sequence[float]
    ) -> "Heard":
        """From the scores of clips by scorer, and how long each clip is (empty where that is not known)."""
        recording = recording_index([clip.recording for clip in clips])
        found = {name: statistics(of, recording, consecutive=detector.consecutive) for name, of in scores.items()}
        worst = found[detector.headline_scorer][1]
        counts = np.bincount(recording)
        enough = np.ones(len(counts), bool)
        if detector.clip_seconds is None:
            counts[:] = 1
        elif len(seconds):
            enough[recording[np.asarray(seconds) < SHORT * detector.clip_seconds]] = False
        recordings = tuple(dataclasses.replace(clips[index], file_name=clips[index].recording) for index in worst)
        return cls(detector, recordings, worst, {name: of for name, (of, _) in found.items()}, counts, enough)

    def of(self, machine: Machine) -> Bool[np.ndarray, " n_recordings"]:
        """Which recordings are a machine's."""
        return np.asarray([clip.machine == machine for clip in self.recordings])

    def limits(self, scorer: str, machine: Machine, threshold: Threshold) -> Float[np.ndarray, " n_recordings"]:
        """What each recording is held against where a threshold of the machine decides."""
        return limits(threshold, self.detector.fitted[scorer][machine].normal_scores, self.n_clips.tolist())

    def decisions(self, scorer: str) -> np.ma.MaskedArray:
        """Whether each is anomalous, as `Detector.judge` decides; masked where there is no decision."""
        held_against = np.full(len(self.recordings), np.inf)
        for machine, fitted in self.detector.fitted[scorer].items():
            own = self.of(machine)
            held_against[own] = self.limits(scorer, machine, fitted.threshold)[own]
        return np.ma.masked_where(~self.long_enough, decide(self.scores[scorer], held_against))
