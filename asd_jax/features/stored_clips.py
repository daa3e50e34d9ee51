"""Clips of any length in one array, each stored once; examples are cut from it inside compiled code."""

import collections
import dataclasses
import math
from collections.abc import Iterator, Sequence

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Int, Int16

from asd_jax.features.length_buckets import LengthBuckets
from asd_jax.features.storage import RowsFile, Storage

Values = Float[np.ndarray, "total n_features"] | Float[np.ndarray, " total"] | Int16[np.ndarray, " total"]


@dataclasses.dataclass(frozen=True)
class StoredClips:
    """Clips that may differ in length, concatenated: frames, or waveforms, in memory or in a file.

    Attributes:
        values: `(total, n_features)` float32 frames, or `(total,)` samples, float32 or int16 at full scale 2**15. In a
            file they may be those of further clips too.
        clip_start: `(n_clips,)` row of each clip's first frame or sample.
        clip_length: `(n_clips,)` frames or samples of each clip.
    """

    values: Values
    clip_start: Int[np.ndarray, " n_clips"]
    clip_length: Int[np.ndarray, " n_clips"]

    @classmethod
    def from_clips(cls, clips: Sequence[np.ndarray]) -> "StoredClips":
        """Concatenate one clip after another: frames or samples, as float32 unless they are int16."""
        length = np.asarray([len(clip) for clip in clips], dtype=np.int64)
        start = np.concatenate([[0], np.cumsum(length)[:-1]]).astype(np.int64)
        values = np.concatenate(clips)
        return cls(values if values.dtype == np.int16 else values.astype(np.float32, copy=False), start, length)

    @classmethod
    def joined(cls, parts: Sequence["StoredClips"], *, storage: Storage | None = None) -> "StoredClips":
        """The clips of all, one part after another; int16 only where all are.

        Args:
            parts: all of frames, or all of samples.
            storage: how much memory they may take, and where they go that take more.
        """
        exact = all(part.values.dtype == np.int16 for part in parts)
        clips = (part.clip(i) if exact else part.floats(i) for part in parts for i in range(len(part)))
        length = np.concatenate([part.clip_length for part in parts])
        width, dtype = parts[0].values.shape[1:], parts[0].values.dtype if exact else np.dtype(np.float32)
        n_bytes = int(length.sum()) * math.prod(width) * dtype.itemsize
        if storage is None or storage.holds(n_bytes):
            return cls.from_clips(list(clips))
        file, start = RowsFile(storage.folder, width, dtype), np.cumsum(length) - length
        for first, clip in zip(start.tolist(), clips, strict=True):
            file.write(first, clip)
        return cls(file.finish(int(length.sum())), start, length)

    @property
    def on_disk(self) -> bool:
        """Whether the values are in a file, and read as they are asked for."""
        return isinstance(self.values, np.memmap)

    @property
    def n_bytes(self) -> int:
        """That the values of these clips take."""
        return int(self.clip_length.sum()) * math.prod(self.values.shape[1:]) * self.values.itemsize

    def __len__(self) -> int:
        return len(self.clip_start)

    def clip(self, index: int) -> np.ndarray:
        """Frames or samples of one clip (a view)."""
        start = self.clip_start[index]
        return self.values[start : start + self.clip_length[index]]

    def floats(self, index: int) -> np.ndarray:
        """One clip as float32; int16 samples in [-1, 1)."""
        clip = self.clip(index)
        return clip if np.issubdtype(clip.dtype, np.floating) else clip * np.float32(2**-15)

    def select(self, chosen: Int[np.ndarray, " n"]) -> "StoredClips":
        """The chosen clips, in the order given: a copy, or of clips in a file the same file."""
        if self.on_disk:
            return dataclasses.replace(self, clip_start=self.clip_start[chosen], clip_length=self.clip_length[chosen])
        return StoredClips.from_clips([self.clip(int(index)) for index in chosen])

    def blocks(self, n_rows: int = 65_536) -> Iterator[np.ndarray]:
        """The rows of all clips one after another, `n_rows` at a time, the last block what is left."""
        if not self.on_disk:
            yield from (self.values[first : first + n_rows] for first in range(0, len(self.values), n_rows))
            return
        block, filled = np.empty((n_rows, *self.values.shape[1:]), self.values.dtype), 0
        for index in range(len(self)):
            clip = self.clip(index)
            while len(clip):
                part = clip[: n_rows - filled]
                block[filled : filled + len(part)] = part
                clip, filled = clip[len(part) :], filled + len(part)
                if filled == n_rows:
                    yield block
                    block, filled = np.empty_like(block), 0
        if filled:
            yield block[:filled]

    def padded_batches(self, *, max_length: int = 2048) -> Iterator[tuple[Int[np.ndarray, " n"], np.ndarray]]:
        """Clips in batches of one padded length each, every batch of a length equally large.

        Args:
            max_length: most frames or samples in a batch, unless a single clip has more. On a CPU an LSTM scored 18 %
                more clips a second by 2048 frames than by 8192, whose states outgrow its caches.

        Yields:
            indices of the clips in the batch's first rows, and their zero-padded values; further rows are zero.
        """
        buckets = LengthBuckets()
        groups = collections.defaultdict(list)
        for index, length in enumerate(self.clip_length):
            groups[buckets(int(length))].append(index)
        for padded_length, members in groups.items():
            size = min(max(1, max_length // padded_length), len(members))
            for first in range(0, len(members), size):
                chosen = np.asarray(members[first : first + size])
                batch = np.zeros((size, padded_length, *self.values.shape[1:]), self.values.dtype)
                for row, index in enumerate(chosen.tolist()):
                    batch[row, : self.clip_length[index]] = self.clip(index)
                yield chosen, batch


def cut(values: Array, starts: Int[Array, " batch"], length: int) -> Float[Array, "batch length *n_features"]:
    """Runs of `length` rows of `StoredClips.values`, as float32: int16 samples in [-1, 1); for compiled code."""
    return as_float(values[starts[:, None] + jnp.arange(length)[None, :]])


def as_float(values: Array) -> Array:
    """float32; int16 samples in [-1, 1)."""
    return values if jnp.issubdtype(values.dtype, jnp.floating) else values.astype(jnp.float32) / 2**15
