"""Representations without a trained network: summaries of a clip's frames, and overlapping slices of them.

Each has `min_frames` (fewest frames of a clip) and `fit(frames)`, which gives it what it takes from normal training
clips and is called once, before the first clip is represented.
"""

import dataclasses
import functools
from typing import Any

import jax
import numpy as np
from jaxtyping import Array, Float, PyTree

from asd_jax import representations
from asd_jax.errors import InputError
from asd_jax.extraction import ClipFrames
from asd_jax.features import FrontEnd, Scaling, min_max, summaries
from asd_jax.representations import ClipRepresentation, FrameMean
from asd_jax.vggish_embedding import VGGishEmbedding
from asd_jax.window_vectors import WindowVectors

STATISTICS = ("mean", "std", "max", "twfr")


@functools.partial(jax.jit, static_argnames=("statistics", "decay"))
def _summarize(
    frames: Float[Array, "batch n_frames n_features"], statistics: tuple[str, ...], decay: float
) -> Float[Array, "batch dim"]:
    compute = {
        "mean": summaries.mean,
        "std": summaries.std,
        "max": summaries.maximum,
        "twfr": functools.partial(summaries.twfr, r=decay),
    }
    return jax.numpy.concatenate([compute[name](frames) for name in statistics], axis=-1)


@dataclasses.dataclass(frozen=True)
class ClipSummary:
    """Statistics over a clip's frames, side by side.

    Attributes:
        statistics: of `STATISTICS`.
        decay: weight of a frame relative to the next higher one in `twfr` (see `features.twfr`).
    """

    kind = "clip_summary"
    min_frames = 1

    statistics: tuple[str, ...] = ("mean",)
    decay: float = 0.99

    def __post_init__(self) -> None:
        unknown = [name for name in self.statistics if name not in STATISTICS]
        if unknown or not self.statistics:
            raise InputError(f"--summary={','.join(self.statistics)}: give one or more of {', '.join(STATISTICS)}")
        if not 0 <= self.decay <= 1:
            raise InputError(f"--twfr_decay={self.decay}: give a number from 0 (the maximum) to 1 (the mean)")

    def fit(self, frames: ClipFrames) -> "ClipSummary":
        """There is nothing to fit."""
        return self

    def __call__(self, clips: ClipFrames) -> ClipRepresentation:
        """Represent each clip; clips of one length go together, since padding would enter the statistics."""
        vectors = None
        for length in np.unique(clips.clip_length):
            members = np.flatnonzero(clips.clip_length == length)
            for first in range(0, len(members), 64):
                chosen = members[first : first + 64]
                frames = np.stack([clips.clip(int(index)) for index in chosen])
                part = np.asarray(_summarize(frames, self.statistics, self.decay))
                vectors = np.empty((len(clips), part.shape[1]), np.float32) if vectors is None else vectors
                vectors[chosen] = part
        return ClipRepresentation(vectors)

    def to_state(self) -> tuple[dict[str, Any], PyTree]:
        """Settings; there are no arrays."""
        return {"kind": self.kind, "statistics": list(self.statistics), "decay": self.decay}, {}

    @classmethod
    def from_state(cls, settings: dict[str, Any], arrays: PyTree) -> "ClipSummary":
        """Rebuild from `to_state`."""
        return cls(tuple(settings["statistics"]), settings["decay"])


@dataclasses.dataclass(frozen=True)
class OverlappingFrames:
    """Overlapping slices of a spectrogram scaled to [0, 1], as window vectors; the clip's vector is its mean frame.

    Frames after the last whole slice are left out.

    Attributes:
        window_frames: spectrogram frames in a slice.
        window_hop: spectrogram frames from one slice to the next.
        scaling: one minimum and maximum over the normal training clips; None before `fit`.
    """

    kind = "overlapping_frames"

    window_frames: int
    window_hop: int
    scaling: Scaling | None = None

    @classmethod
    def of_seconds(
        cls, front_end: FrontEnd, *, frame_seconds: float = 0.6, overlap: float = 0.5
    ) -> "OverlappingFrames":
        """Slices of a duration that overlap by a share of it, rounded as `features.frames` does."""
        length = round(frame_seconds * front_end.sample_rate / front_end.hop_length)
        if length < 1:
            shortest = front_end.hop_length / front_end.sample_rate
            raise InputError(f"--frame_seconds={frame_seconds} is shorter than one spectrogram frame, {shortest:.3f} s")
        if not 0 <= overlap < 1:
            raise InputError(f"--overlap={overlap}: give a share from 0 to below 1")
        return cls(length, max(1, round((1 - overlap) * length)))

    @property
    def min_frames(self) -> int:
        """Fewest frames of a clip: one slice."""
        return self.window_frames

    def fit(self, frames: ClipFrames) -> "OverlappingFrames":
        """Take the minimum and maximum from normal training clips."""
        return dataclasses.replace(self, scaling=min_max(frames.frames))

    def __call__(self, clips: ClipFrames) -> ClipRepresentation:
        """Represent each clip."""
        scaling = Scaling(np.asarray(self.scaling.offset), np.asarray(self.scaling.scale))
        frames = clips.frames - scaling.offset
        frames *= scaling.scale
        scaled = dataclasses.replace(clips, frames=frames)
        windows = WindowVectors(frames, clips.clip_start, clips.clip_length, self.window_frames, self.window_hop)
        return ClipRepresentation(FrameMean()(scaled).vector, window_vector=windows)

    def to_state(self) -> tuple[dict[str, Any], PyTree]:
        """Settings and arrays."""
        settings = {"kind": self.kind, "window_frames": self.window_frames, "window_hop": self.window_hop}
        if self.scaling is None:
            return settings, {}
        return settings, {"offset": np.asarray(self.scaling.offset), "scale": np.asarray(self.scaling.scale)}

    @classmethod
    def from_state(cls, settings: dict[str, Any], arrays: PyTree) -> "OverlappingFrames":
        """Rebuild from `to_state`."""
        return cls(settings["window_frames"], settings["window_hop"], Scaling(arrays["offset"], arrays["scale"]))


REGISTRY = representations.REGISTRY | {kind.kind: kind for kind in (ClipSummary, OverlappingFrames, VGGishEmbedding)}
