"""From waveforms to frames: the front end compiled and batched, each clip stored once."""

import collections
import functools
import math
import os
import threading
from collections.abc import Iterable
from concurrent.futures import Future, ThreadPoolExecutor

import jax
import numpy as np
from jaxtyping import Array, Float

from asd_jax.features import AnyFrontEnd, FrontEnd, Samples
from asd_jax.features.length_buckets import LengthBuckets
from asd_jax.features.rows import Rows
from asd_jax.features.storage import Storage
from asd_jax.features.stored_clips import StoredClips

_BATCH_SAMPLES = 2**20  # 6 clips of 10 s at 16 kHz: larger batches gain nothing on a CPU and cost memory


@functools.partial(jax.jit, static_argnames="front_end")
def _extract_batch(
    front_end: FrontEnd, waveforms: Float[Array, "batch n_samples"]
) -> Float[Array, "batch n_frames n_features"]:
    return front_end(waveforms)


def extract_waveforms(
    waveforms: Iterable[Float[np.ndarray, " _"]],
    front_end: AnyFrontEnd,
    *,
    n_clips: int = 1,
    storage: Storage | None = None,
) -> StoredClips:
    """Frames of each waveform of a stream, computed in compiled batches of one padded length each, or its samples.

    Args:
        waveforms: mono float32 at the front end's rate, of any lengths; taken one at a time.
        n_clips: how many to expect: where clips are of one length, memory is taken once and holds nothing else.
        storage: how much memory they may take, and where they go that take more; None for any amount.

    Raises:
        InputError: they do not fit on the disk.
    """
    if isinstance(front_end, Samples):
        return front_end.store(waveforms, storage=storage)
    buckets = LengthBuckets()
    waiting = collections.defaultdict(list)
    rows = Rows(front_end.n_features, n_clips, storage)
    memory = threading.local()

    def compute(clips: list[tuple[int, np.ndarray]], padded_length: int, batch_size: int) -> None:
        batch = _reused(memory, (batch_size, padded_length))
        for row, (_, waveform) in enumerate(clips):
            batch[row, : len(waveform)] = waveform
            batch[row, len(waveform) :] = 0.0
        batch[len(clips) :] = 0.0
        frames = np.asarray(_extract_batch(front_end, batch))
        for (index, _), clip_frames in zip(clips, frames, strict=False):
            rows.fill(index, clip_frames)

    # A transform keeps one core busy, so that batches run side by side; few enough wait to hold their memory down.
    # The first batch of a shape runs alone: two threads would compile the same program twice.
    n_threads = os.cpu_count() or 1
    running: collections.deque[Future[None]] = collections.deque()
    compiled = set()

    def start(pool: ThreadPoolExecutor, padded_length: int, batch_size: int) -> None:
        batch = (waiting.pop(padded_length), padded_length, batch_size)
        if batch[1:] not in compiled:
            compiled.add(batch[1:])
            compute(*batch)
            return
        running.append(pool.submit(compute, *batch))
        if len(running) > n_threads:
            running.popleft().result()

    def wait() -> None:
        while running:
            running.popleft().result()

    with ThreadPoolExecutor(n_threads) as pool:
        for waveform in waveforms:
            length = len(waveform)
            index = rows.reserve(front_end.n_frames(length), before_moving=wait)
            padded_length = buckets(length) if front_end.pads_freely else length
            batch_size = max(1, _BATCH_SAMPLES // padded_length)
            waiting[padded_length].append((index, waveform))
            if len(waiting[padded_length]) == batch_size:
                start(pool, padded_length, batch_size)
        for padded_length, clips in list(waiting.items()):
            start(pool, padded_length, len(clips))
        wait()
    return rows.finish()


def _reused(memory: threading.local, shape: tuple[int, int]) -> Float[np.ndarray, "batch n_samples"]:
    """This thread's batch of a shape, with what was in it before.

    Fresh memory would cost its page faults every time, and JAX a copy wherever it does not begin on 64 bytes.
    """
    if getattr(memory, "batch", None) is None or memory.batch.shape != shape:
        samples = np.empty(math.prod(shape) + 16, np.float32)
        first = -samples.ctypes.data % 64 // samples.itemsize
        memory.batch = samples[first : first + math.prod(shape)].reshape(shape)
    return memory.batch
