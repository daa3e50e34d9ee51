"""The control that needs no network."""

import dataclasses
from collections.abc import Iterable, Sequence

import numpy as np
from jaxtyping import Array, Float

from asd_jax.datasets.clips import Machine
from asd_jax.features import summaries
from asd_jax.features.stored_clips import StoredClips
from asd_jax.representations.representation import ClipArrays, ClipRepresentation, Plain


def mean_frames(clips: Iterable[Float[np.ndarray, "_ n_features"]]) -> Float[np.ndarray, "n_clips n_features"]:
    """The mean frame of each clip, summed in float64."""
    return np.stack([clip.mean(axis=0, dtype=np.float64) for clip in clips]).astype(np.float32)


@dataclasses.dataclass(frozen=True)
class FrameMean(Plain):
    """The time-mean of a clip's frames: the control that needs no network."""

    kind = "frame_mean"

    def __call__(self, clips: StoredClips, machines: Sequence[Machine] = ()) -> ClipRepresentation:
        """Represent each clip by its mean frame."""
        return ClipRepresentation(mean_frames(clips.clip(index) for index in range(len(clips))))

    def of_frames(self, frames: Float[Array, "n_clips n_frames n_features"], machine: Machine) -> ClipArrays:
        """See `Representation`."""
        return ClipArrays(summaries.mean(frames))
