"""From recordings to frames: decoding in parallel, the front end compiled and batched, each clip stored once."""

import collections
import dataclasses
import functools
import math
import os
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor

import jax
import numpy as np
from jaxtyping import Array, Float, Int
from tqdm import tqdm

from asd_jax.datasets.clips import Clip
from asd_jax.datasets.read_ahead import read_ahead
from asd_jax.errors import InputError
from asd_jax.features import FrontEnd
from asd_jax.length_buckets import LengthBuckets

_BATCH_SAMPLES = 2**20  # 6 clips of 10 s at 16 kHz: larger batches gain nothing on a CPU and cost memory
_MOST_EXPECTED_ROWS = 2**22  # 2 GiB of 128 bands: a first clip of hours says nothing of the next


@dataclasses.dataclass(frozen=True)
class ClipFrames:
    """Frames of clips that may differ in length, concatenated.

    Attributes:
        frames: `(total_frames, n_features)` float32.
        clip_start: `(n_clips,)` row of each clip's first frame.
        clip_length: `(n_clips,)` frames of each clip.
    """

    frames: Float[np.ndarray, "total_frames n_features"]
    clip_start: Int[np.ndarray, " n_clips"]
    clip_length: Int[np.ndarray, " n_clips"]

    @classmethod
    def from_clips(cls, clips: Sequence[Float[np.ndarray, "_ n_features"]]) -> "ClipFrames":
        """Concatenate the frames of one clip after another."""
        length = np.asarray([len(frames) for frames in clips], dtype=np.int64)
        start = np.concatenate([[0], np.cumsum(length)[:-1]]).astype(np.int64)
        return cls(np.concatenate(clips).astype(np.float32, copy=False), start, length)

    def __len__(self) -> int:
        return len(self.clip_start)

    def clip(self, index: int) -> Float[np.ndarray, "n_frames n_features"]:
        """Frames of one clip (a view)."""
        start = self.clip_start[index]
        return self.frames[start : start + self.clip_length[index]]

    def select(self, chosen: Int[np.ndarray, " n"]) -> "ClipFrames":
        """The chosen clips, in the order given (a copy)."""
        return ClipFrames.from_clips([self.clip(int(index)) for index in chosen])

    def padded_batches(
        self, *, max_frames: int = 8192
    ) -> Iterator[tuple[Int[np.ndarray, " n"], Float[np.ndarray, "batch n_frames n_features"]]]:
        """Clips in batches of one padded length each, every batch of a length equally large.

        Yields:
            indices of the clips in the batch's first rows, and their zero-padded frames; further rows are zero.
        """
        buckets = LengthBuckets()
        groups = collections.defaultdict(list)
        for index, length in enumerate(self.clip_length):
            groups[buckets(int(length))].append(index)
        for padded_length, members in groups.items():
            size = min(max(1, max_frames // padded_length), len(members))
            for first in range(0, len(members), size):
                chosen = np.asarray(members[first : first + size])
                batch = np.zeros((size, padded_length, self.frames.shape[1]), np.float32)
                for row, index in enumerate(chosen.tolist()):
                    batch[row, : self.clip_length[index]] = self.clip(index)
                yield chosen, batch


@dataclasses.dataclass(frozen=True)
class Extracted:
    """Frames of a list of clips: those that could be read, and what was found on the way.

    Attributes:
        clips: the clips read, in the order given.
        frames: their frames.
        silent: file names of clips in which every sample is zero.
        bad: one line for every file left out under `skip_bad_files`.
    """

    clips: tuple[Clip, ...]
    frames: ClipFrames
    silent: tuple[str, ...]
    bad: tuple[str, ...]


@functools.partial(jax.jit, static_argnames="front_end")
def _extract_batch(
    front_end: FrontEnd, waveforms: Float[Array, "batch n_samples"]
) -> Float[Array, "batch n_frames n_features"]:
    return front_end(waveforms)


def extract_waveforms(
    waveforms: Iterable[Float[np.ndarray, " _"]], front_end: FrontEnd, *, n_clips: int = 1
) -> ClipFrames:
    """Frames of each waveform of a stream, computed in compiled batches of one padded length each.

    Args:
        waveforms: mono float32 at the front end's rate, of any lengths; taken one at a time.
        n_clips: how many to expect: where clips are of one length, memory is taken once and holds nothing else.
    """
    buckets = LengthBuckets()
    waiting = collections.defaultdict(list)
    rows = _Rows(front_end.n_features, n_clips)
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


class _Rows:
    """Rows for the frames of clips whose number is not known beforehand, one array from the first clip to the last."""

    def __init__(self, n_features: int, n_clips: int) -> None:
        self._n_clips = n_clips
        self._rows = np.empty((0, n_features), np.float32)
        self._start = [0]

    def reserve(self, n_frames: int, *, before_moving: Callable[[], None]) -> int:
        """Make room for a clip's frames and return its number; nobody may be writing when the array moves."""
        needed, capacity = self._start[-1] + n_frames, len(self._rows)
        if needed > capacity:
            before_moving()
            expected = min(n_frames * self._n_clips, _MOST_EXPECTED_ROWS)
            shape = (max(needed, expected, capacity + capacity // 4), self._rows.shape[1])
            if capacity == 0:
                self._rows = np.empty(shape, np.float32)  # untouched pages take no memory
            else:
                self._rows.resize(shape, refcheck=False)
        self._start.append(needed)
        return len(self._start) - 2

    def fill(self, index: int, frames: Float[np.ndarray, "_ n_features"]) -> None:
        """Write a clip's frames; those beyond what was reserved, of padding, are left out."""
        start, end = self._start[index : index + 2]
        self._rows[start:end] = frames[: end - start]

    def finish(self) -> ClipFrames:
        """The frames of all clips, in the order in which they were reserved."""
        start = np.asarray(self._start, np.int64)
        self._rows.resize((self._start[-1], self._rows.shape[1]), refcheck=False)
        return ClipFrames(self._rows, start[:-1], np.diff(start))


def extract(
    clips: Sequence[Clip],
    read: Callable[[Clip], np.ndarray],
    front_end: FrontEnd,
    *,
    min_frames: int = 1,
    skip_bad_files: bool = False,
    description: str = "clips",
) -> Extracted:
    """Read clips and compute their frames, with a progress bar when on a terminal.

    Args:
        clips: the clips to read.
        read: waveform of a clip (`Dataset.read`).
        front_end: the transform.
        min_frames: fewest frames that a clip must give, as the model asks.
        skip_bad_files: leave bad files out and report them, instead of stopping at the first.
        description: what the progress bar says.

    Raises:
        InputError: a file is bad (see `read_audio`) or too short, or none could be read.
    """
    kept, silent, bad = [], [], []

    def waveforms() -> Iterator[np.ndarray]:
        stream = read_ahead(clips, read)
        for clip, waveform in tqdm(stream, total=len(clips), desc=description, unit="clip", disable=None):
            if not isinstance(waveform, InputError) and front_end.n_frames(len(waveform)) < min_frames:
                seconds = len(waveform) / front_end.sample_rate
                needed = (min_frames - 1) * front_end.hop_length / front_end.sample_rate
                waveform = InputError(
                    f"{clip.file_name} is too short: {seconds:.2f} s, but the model needs at least {needed:.2f} s "
                    f"({min_frames} frames); remove it or pass --skip_bad_files"
                )
            if isinstance(waveform, InputError):
                if not skip_bad_files:
                    raise waveform
                bad.append(str(waveform))
                continue
            kept.append(clip)
            if not waveform.any():
                silent.append(clip.file_name)
            yield waveform

    frames = extract_waveforms(waveforms(), front_end, n_clips=len(clips))
    if not len(frames):
        raise InputError(f"none of the {len(clips)} {description} could be read; the first: {(*bad, '')[0]}")
    return Extracted(tuple(kept), frames, tuple(silent), tuple(bad))
