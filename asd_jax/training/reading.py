"""Examples of clips that memory does not hold: read from where these lie while the steps before them run."""

from collections.abc import Callable, Iterable, Iterator
from typing import Any

import numpy as np
from jaxtyping import Int

from asd_jax.features.stored_clips import StoredClips
from asd_jax.training.batches import Picks, Read

_AHEAD = 2  # calls that are read before they are asked for: each is up to 50 steps


def read_ahead(listed: Iterable[tuple[Picks, Any]], read: Callable[[Picks], Read]) -> Iterator[tuple[Read, Any]]:
    """The examples of each item, in the order given, read by Grain's threads a few items ahead.

    Args:
        listed: picks, and what comes with them.
        read: the examples of picks.
    """
    import grain  # late: it takes most of a second, and few runs need it

    items = list(listed)

    def ready(index: int) -> tuple[Read, Any]:
        picks, beside = items[index]
        return read(picks), beside

    options = grain.ReadOptions(num_threads=_AHEAD, prefetch_buffer_size=_AHEAD)
    return iter(grain.MapDataset.range(len(items)).map(ready).to_iter_dataset(options))


def read_segments(clips: StoredClips, picks: Picks, *, length: int) -> Read:
    """Runs of `length` rows of the clips' values, from the rows of `picks.starts` on."""
    starts = np.asarray(picks.starts, np.int64)
    values = _aligned((starts.size, length, *clips.values.shape[1:]), clips.values.dtype)
    for example, start in zip(values, starts.ravel().tolist(), strict=True):
        example[...] = clips.values[start : start + length]
    return Read(values.reshape(*starts.shape, *values.shape[1:]), picks.targets)


def read_clips(clips: StoredClips, longest: int, picks: Picks) -> Read:
    """Whole clips of the numbers `picks.starts`, each followed by zeros up to `longest` samples."""
    chosen = np.asarray(picks.starts, np.int64)
    values = _aligned((chosen.size, longest), clips.values.dtype)
    for row, index in zip(values, chosen.ravel().tolist(), strict=True):
        clip = clips.clip(index)
        row[: len(clip)], row[len(clip) :] = clip, 0
    lengths: Int[np.ndarray, "*steps batch"] = clips.clip_length[chosen].astype(np.int32)
    return Read(values.reshape(*chosen.shape, longest), picks.targets, lengths)


def _aligned(shape: tuple[int, ...], dtype: np.dtype) -> np.ndarray:
    """Memory that begins on 64 bytes, which JAX on a CPU takes over without a copy."""
    n_bytes = int(np.prod(shape)) * dtype.itemsize
    memory = np.empty(n_bytes + 64, np.uint8)
    first = -memory.ctypes.data % 64
    return memory[first : first + n_bytes].view(dtype).reshape(shape)
