"""A front end for networks that read waveforms: the samples themselves."""

import dataclasses
import itertools
from collections.abc import Iterable
from typing import Any, ClassVar

import numpy as np
from jaxtyping import Array, Float

from asd_jax.features.storage import RowsFile, Storage
from asd_jax.features.stored_clips import StoredClips

_FULL_SCALE = 2**15
_BLOCK = 2**20  # samples that are written again at once


def _aligned(size: int, dtype: type) -> np.ndarray:
    """An array that begins on 64 bytes, which JAX on a CPU takes over without a copy."""
    memory = np.empty(size + 64 // np.dtype(dtype).itemsize, dtype)
    first = -memory.ctypes.data % 64 // memory.itemsize
    return memory[first : first + size]


def _exact(waveform: Float[np.ndarray, " n_samples"]) -> np.ndarray:
    """The samples as int16 where that gives back every one exactly, else as they are."""
    scaled = waveform * np.float32(_FULL_SCALE)
    rounded = np.clip(scaled, -_FULL_SCALE, _FULL_SCALE - 1).astype(np.int16)
    return rounded if np.array_equal(rounded, scaled) else waveform


def _as_float(clip: np.ndarray) -> np.ndarray:
    return clip / np.float32(_FULL_SCALE) if clip.dtype == np.int16 else clip


def _in_file(clips: Iterable[np.ndarray], storage: Storage) -> StoredClips:
    """Clips in a file, int16 until one comes that is not; then all are written again as float32."""
    file, dtype = RowsFile(storage.folder, (), np.int16), np.dtype(np.int16)
    length: list[int] = []
    written = 0
    for clip in clips:
        if dtype == np.int16 and clip.dtype != np.int16:
            before, dtype = file.finish(written), np.dtype(np.float32)
            file = RowsFile(storage.folder, (), dtype)
            for first in range(0, written, _BLOCK):
                file.write(first, _as_float(before[first : first + _BLOCK]))
        file.write(written, clip if dtype == np.int16 else _as_float(clip))
        length.append(len(clip))
        written += len(clip)
    lengths = np.asarray(length, np.int64)
    return StoredClips(file.finish(written), np.cumsum(lengths) - lengths, lengths)


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

    def store(self, waveforms: Iterable[Float[np.ndarray, " _"]], *, storage: Storage | None = None) -> StoredClips:
        """Waveforms of a stream in one array: int16 where that gives back every sample exactly, else float32.

        Args:
            waveforms: one at a time.
            storage: how much memory they may take, and where they go that take more.
        """
        clips: list[np.ndarray] = []
        n_bytes = 0
        stream = map(_exact, waveforms)
        for clip in stream:
            clips.append(clip)
            n_bytes += clip.nbytes
            if storage is not None and not storage.holds(n_bytes):
                return _in_file(itertools.chain(clips, stream), storage)
        if not clips:
            return StoredClips(np.zeros(0, np.int16), np.zeros(0, np.int64), np.zeros(0, np.int64))
        length = np.asarray([len(clip) for clip in clips], np.int64)
        start = np.cumsum(length) - length
        exact = all(clip.dtype == np.int16 for clip in clips)
        values = _aligned(int(length.sum()), np.int16 if exact else np.float32)
        for index, first in enumerate(start):
            clip, clips[index] = clips[index], clips[index][:0]  # gone as soon as it is stored
            values[first : first + len(clip)] = clip if exact else _as_float(clip)
        return StoredClips(values, start, length)

    def to_dict(self) -> dict[str, Any]:
        """Settings as plain JSON values."""
        return {"kind": self.kind, **dataclasses.asdict(self)}

    @classmethod
    def from_dict(cls, settings: dict[str, Any]) -> "Samples":
        """The front end that `to_dict` described."""
        return cls(**settings)
