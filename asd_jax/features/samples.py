"""A front end for networks that read waveforms: the samples themselves."""

import dataclasses
from collections.abc import Iterable
from typing import Any, ClassVar

import numpy as np
from jaxtyping import Array, Float

from asd_jax.features.stored_clips import StoredClips

_FULL_SCALE = 2**15


def _aligned(size: int, dtype: type) -> np.ndarray:
    """An array that begins on 64 bytes, which JAX on a CPU takes over without a copy."""
    memory = np.empty(size + 64 // np.dtype(dtype).itemsize, dtype)
    first = -memory.ctypes.data % 64 // memory.itemsize
    return memory[first : first + size]


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
        length = np.asarray([len(clip) for clip in clips], np.int64)
        start = np.cumsum(length) - length
        exact = all(clip.dtype == np.int16 for clip in clips)
        values = _aligned(int(length.sum()), np.int16 if exact else np.float32)
        for index, first in enumerate(start):
            clip, clips[index] = clips[index], clips[index][:0]  # gone as soon as it is stored
            as_stored = clip if exact or clip.dtype != np.int16 else clip / np.float32(_FULL_SCALE)
            values[first : first + len(clip)] = as_stored
        return StoredClips(values, start, length)

    def to_dict(self) -> dict[str, Any]:
        """Settings as plain JSON values."""
        return {"kind": self.kind, **dataclasses.asdict(self)}

    @classmethod
    def from_dict(cls, settings: dict[str, Any]) -> "Samples":
        """The front end that `to_dict` described."""
        return cls(**settings)
