"""The control that needs no network."""

import dataclasses
from collections.abc import Sequence

import numpy as np
from jaxtyping import Array, Float

from asd_jax.datasets.clips import Machine
from asd_jax.features import summaries
from asd_jax.features.stored_clips import StoredClips
from asd_jax.representations.representation import ClipArrays, ClipRepresentation, Plain


@dataclasses.dataclass(frozen=True)
class FrameMean(Plain):
    """The time-mean of a clip's frames: the control that needs no network."""

    kind = "frame_mean"

    def __call__(self, clips: StoredClips, machines: Sequence[Machine] = ()) -> ClipRepresentation:
        """Represent each clip by its mean frame."""
        means = np.add.reduceat(clips.values, clips.clip_start, axis=0, dtype=np.float64)
        return ClipRepresentation((means / clips.clip_length[:, None]).astype(np.float32))

    def of_frames(self, frames: Float[Array, "n_clips n_frames n_features"], machine: Machine) -> ClipArrays:
        """See `Representation`."""
        return ClipArrays(summaries.mean(frames))
