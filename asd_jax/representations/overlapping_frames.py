"""Overlapping slices of a clip's spectrogram."""

import dataclasses
from collections.abc import Sequence
from typing import Any

import numpy as np
from jaxtyping import Array, Float, PyTree

from asd_jax.datasets.clips import Machine
from asd_jax.errors import InputError
from asd_jax.features import FrontEnd, Scaling, min_max
from asd_jax.features.stored_clips import StoredClips
from asd_jax.files import hidden
from asd_jax.models.windows import windows
from asd_jax.representations.frame_mean import FrameMean, mean_frames
from asd_jax.representations.recipe import Untrained
from asd_jax.representations.representation import ClipArrays, ClipRepresentation
from asd_jax.representations.window_vectors import WindowVectors


@dataclasses.dataclass(frozen=True)
class OverlappingFrames(Untrained):
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
    scaling: Scaling | None = hidden(default=None)

    @classmethod
    def of_seconds(
        cls, front_end: FrontEnd, *, frame_seconds: float = 0.6, overlap: float = 0.5
    ) -> "OverlappingFrames":
        """Slices of a duration that overlap by a share of it, rounded as `features.frames` does."""
        length = round(frame_seconds * front_end.sample_rate / front_end.hop_length)
        if length < 1:
            shortest = front_end.hop_length / front_end.sample_rate
            raise InputError(f"`frame_seconds={frame_seconds}` is shorter than one spectrogram frame, {shortest:.3f} s")
        if not 0 <= overlap < 1:
            raise InputError(f"`overlap={overlap}`: give a share from 0 to below 1")
        return cls(length, max(1, round((1 - overlap) * length)))

    @property
    def min_frames(self) -> int:
        """Fewest frames of a clip: one slice."""
        return self.window_frames

    def fit_frames(self, frames: StoredClips) -> "OverlappingFrames":
        """Take the minimum and maximum from normal training clips."""
        return dataclasses.replace(self, scaling=min_max(frames))

    def __call__(self, clips: StoredClips, machines: Sequence[Machine] = ()) -> ClipRepresentation:
        """Represent each clip."""
        scaling = Scaling(np.asarray(self.scaling.offset), np.asarray(self.scaling.scale))
        windows = WindowVectors(
            clips.values, clips.clip_start, clips.clip_length, self.window_frames, self.window_hop, scaling
        )
        scaled = (scaling(clips.clip(index)) for index in range(len(clips)))
        return ClipRepresentation(mean_frames(scaled), window_vector=windows)

    def of_frames(self, frames: Float[Array, "n_clips n_frames n_features"], machine: Machine) -> ClipArrays:
        """See `Representation`."""
        frames = self.scaling(frames)
        cut = windows(frames, self.window_frames, self.window_hop)
        vectors = cut.reshape(*cut.shape[:2], -1)
        return ClipArrays(FrameMean().of_frames(frames, machine).vector, window_vector=vectors)

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
