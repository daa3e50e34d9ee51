"""A front end for networks that read waveforms: the samples themselves."""

import dataclasses
from collections.abc import Iterable
from typing import Any, ClassVar

import numpy as np
from jaxtyping import Array, Float

from asd_jax.features.stored_clips import StoredClips

_FULL_SCALE = 2**15


@dataclasses.dataclass(frozen=True)
class Samples:
    """Waveforms as they are: a frame is a sample.

    Attributes:
        sample_rate: in Hz.
    """

    kind: ClassVar[str] = "samples"
    features: ClassVar[tuple[str, ...]] = ("samples",)
    hop_length: ClassVar[int] = 1

    sample_rate: int = 16_000

    def n_frames(self, n_samples: int) -> int:
        """As many as there are samples."""
        return n_samples

    def batched(self, waveform: Float[Array, "*batch n_samples"]) -> Float[Array, "*batch n_samples"]:
        """The samples, as they come."""
        return waveform

    def store(self, waveforms: Iterable[Float[np.ndarray, " _"]]) -> StoredClips:
        """Waveforms of a stream in one array: int16 where that gives back every sample exactly, else float32."""
        clips: list[np.ndarray] = []
        for waveform in waveforms:
            scaled = waveform * np.float32(_FULL_SCALE)
            rounded = np.clip(scaled, -_FULL_SCALE, _FULL_SCALE - 1).astype(np.int16)
            clips.append(rounded if np.array_equal(rounded, scaled) else waveform)
        if not clips:
            return StoredClips(np.zeros(0, np.int16), np.zeros(0, np.int64), np.zeros(0, np.int64))
        if any(clip.dtype != np.int16 for clip in clips):
            clips = [clip / np.float32(_FULL_SCALE) if clip.dtype == np.int16 else clip for clip in clips]
        return StoredClips.from_clips(clips)

    def to_dict(self) -> dict[str, Any]:
        """Settings as plain JSON values."""
        return {"kind": self.kind, **dataclasses.asdict(self)}

    @classmethod
    def from_dict(cls, settings: dict[str, Any]) -> "Samples":
        """The front end that `to_dict` described."""
        return cls(**settings)
