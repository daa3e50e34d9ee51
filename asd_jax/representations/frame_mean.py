"""The control that needs no network."""

import dataclasses
from collections.abc import Sequence
from typing import Any

import numpy as np
from jaxtyping import PyTree

from asd_jax.datasets.clips import Machine
from asd_jax.features.stored_clips import StoredClips
from asd_jax.representations.representation import ClipRepresentation


@dataclasses.dataclass(frozen=True)
class FrameMean:
    """The time-mean of a clip's frames: the control that needs no network."""

    kind = "frame_mean"

    def __call__(self, clips: StoredClips, machines: Sequence[Machine] = ()) -> ClipRepresentation:
        """Represent each clip by its mean frame."""
        means = np.add.reduceat(clips.values, clips.clip_start, axis=0, dtype=np.float64)
        return ClipRepresentation((means / clips.clip_length[:, None]).astype(np.float32))

    def to_state(self) -> tuple[dict[str, Any], PyTree]:
        """Settings; there are no arrays."""
        return {"kind": self.kind}, {}

    @classmethod
    def from_state(cls, settings: dict[str, Any], arrays: PyTree) -> "FrameMean":
        """Rebuild from `to_state`."""
        return cls()
