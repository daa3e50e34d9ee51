"""From recordings to frames: decoding in parallel, the front end compiled and batched, each clip stored once."""

import collections
import dataclasses
import functools
from collections.abc import Callable, Iterator, Sequence

import jax
import numpy as np
from jaxtyping import Array, Float, Int
from tqdm import tqdm

from asd_jax.datasets.clips import Clip
from asd_jax.datasets.read_ahead import read_ahead
from asd_jax.errors import InputError
from asd_jax.features import FrontEnd
from asd_jax.length_buckets import LengthBuckets

_BATCH_SAMPLES = 2**21  # 13 clips of 10 s at 16 kHz: larger batches gain nothing on a CPU and cost memory


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
    waveforms: Iterator[Float[np.ndarray, " _"]] | Sequence[Float[np.ndarray, " _"]], front_end: FrontEnd
) -> list[Float[np.ndarray, "_ n_features"]]:
    """Frames of each waveform of a stream, computed in compiled batches of one padded length each.

    Args:
        waveforms: mono float32 at the front end's rate, of any lengths; taken one at a time.
    """
    buckets = LengthBuckets()
    waiting = collections.defaultdict(list)
    result: dict[int, np.ndarray] = {}

    def flush(padded_length: int, batch_size: int) -> None:
        rows = waiting.pop(padded_length)
        batch = np.zeros((batch_size, padded_length), np.float32)
        for row, (_, waveform) in enumerate(rows):
            batch[row, : len(waveform)] = waveform
        frames = np.asarray(_extract_batch(front_end, batch))
        for (index, waveform), clip_frames in zip(rows, frames, strict=False):
            result[index] = clip_frames[: front_end.n_frames(len(waveform))].copy()

    for index, waveform in enumerate(waveforms):
        length = len(waveform)
        padded_length = buckets(length) if front_end.pads_freely else length
        batch_size = max(1, _BATCH_SAMPLES // padded_length)
        waiting[padded_length].append((index, waveform))
        if len(waiting[padded_length]) == batch_size:
            flush(padded_length, batch_size)
    for padded_length, rows in list(waiting.items()):
        flush(padded_length, len(rows))
    return [result[index] for index in range(len(result))]


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

    frames = extract_waveforms(waveforms(), front_end)
    if not frames:
        raise InputError(f"none of the {len(clips)} {description} could be read; the first: {(*bad, '')[0]}")
    return Extracted(tuple(kept), ClipFrames.from_clips(frames), tuple(silent), tuple(bad))
