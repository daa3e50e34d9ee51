"""From clips to their frames: decoding in parallel, what cannot be read, what is silent."""

import dataclasses
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np
from jaxtyping import Int
from tqdm import tqdm

from asd_jax.datasets.clips import Clip, Dataset
from asd_jax.datasets.read_ahead import read_ahead
from asd_jax.datasets.sound import Sound, measure
from asd_jax.errors import InputError
from asd_jax.features import AnyFrontEnd, Vectors
from asd_jax.features.extraction import extract_waveforms
from asd_jax.features.storage import Storage
from asd_jax.features.stored_clips import StoredClips


@dataclasses.dataclass(frozen=True)
class Extracted:
    """Frames of a list of clips: those that could be read, and what was found on the way.

    Attributes:
        clips: the clips read, in the order given.
        frames: their frames.
        silent: file names of clips in which every sample is zero.
        bad: one line for every file left out under `skip_bad_files`.
        sounds: level, bandwidth and the like of the clips read; empty where nothing was heard.
    """

    clips: tuple[Clip, ...]
    frames: StoredClips
    silent: tuple[str, ...]
    bad: tuple[str, ...]
    sounds: tuple[Sound, ...] = ()

    @property
    def seconds(self) -> tuple[float, ...]:
        """How long each clip is."""
        return tuple(sound.seconds for sound in self.sounds)

    def of(self, chosen: Int[np.ndarray, " n"]) -> "Extracted":
        """The chosen clips, in the order given."""
        clips, sounds = (tuple(of[index] for index in chosen) if of else () for of in (self.clips, self.sounds))
        return dataclasses.replace(self, clips=clips, frames=self.frames.select(chosen), sounds=sounds)

    def followed_by(self, other: "Extracted", *, storage: Storage | None = None) -> "Extracted":
        """These clips, and then the other's; `storage` as in `extract`."""
        frames = StoredClips.joined([self.frames, other.frames], storage=storage)
        return Extracted(
            self.clips + other.clips,
            frames,
            self.silent + other.silent,
            self.bad + other.bad,
            self.sounds + other.sounds,
        )


def extract_from(dataset: Dataset, clips: Sequence[Clip], front_end: AnyFrontEnd, **options: Any) -> Extracted:
    """Frames of a data set's clips, or their vectors where these were computed elsewhere; options as in `extract`."""
    if not isinstance(front_end, Vectors):
        return extract(clips, dataset.read, front_end, **options)
    if dataset.vectors is None:
        raise InputError("this run reads vectors that were computed elsewhere; give their file by `embeddings`")
    vectors = np.stack([dataset.vectors[clip.file_name] for clip in clips])
    return Extracted(tuple(clips), front_end.store(vectors), (), ())


def extract(
    clips: Sequence[Clip],
    read: Callable[[Clip], np.ndarray],
    front_end: AnyFrontEnd,
    *,
    min_frames: int = 1,
    skip_bad_files: bool = False,
    storage: Storage | None = None,
    description: str = "clips",
) -> Extracted:
    """Read clips and compute their frames, with a progress bar when on a terminal.

    Args:
        clips: the clips to read.
        read: waveform of a clip (`Dataset.read`).
        front_end: the transform.
        min_frames: fewest frames that a clip must give, as the model asks.
        skip_bad_files: leave bad files out and report them, instead of stopping at the first.
        storage: how much memory the frames may take, and where they go that take more; None for any amount.
        description: what the progress bar says.

    Raises:
        InputError: a file is bad (see `read_audio`) or too short, or none could be read.
    """
    kept, silent, bad, sounds = [], [], [], []

    def waveforms() -> Iterator[np.ndarray]:
        stream = read_ahead(clips, read)
        for clip, waveform in tqdm(stream, total=len(clips), desc=description, unit="clip", disable=None):
            if not isinstance(waveform, InputError) and front_end.n_frames(len(waveform)) < min_frames:
                seconds = len(waveform) / front_end.sample_rate
                needed = (min_frames - 1) * front_end.hop_length / front_end.sample_rate
                waveform = InputError(
                    f"{clip.file_name} is too short: {seconds:.2f} s, but the model needs at least {needed:.2f} s "
                    f"({min_frames} frames); remove it or pass `skip_bad_files`"
                )
            if isinstance(waveform, InputError):
                if not skip_bad_files:
                    raise waveform
                bad.append(str(waveform))
                continue
            kept.append(clip)
            sounds.append(measure(waveform, sample_rate=front_end.sample_rate))
            if not waveform.any():
                silent.append(clip.file_name)
            yield waveform

    frames = extract_waveforms(waveforms(), front_end, n_clips=len(clips), storage=storage)
    if not len(frames):
        raise InputError(f"none of the {len(clips)} {description} could be read; the first: {(*bad, '')[0]}")
    return Extracted(tuple(kept), frames, tuple(silent), tuple(bad), tuple(sounds))
