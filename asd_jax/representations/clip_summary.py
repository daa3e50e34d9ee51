"""Summaries of a clip's frames: statistics over time, without a network."""

import dataclasses
import functools
from collections.abc import Sequence

import jax
import numpy as np
from jaxtyping import Array, Float

from asd_jax.datasets.clips import Machine
from asd_jax.errors import InputError
from asd_jax.features import summaries
from asd_jax.features.stored_clips import StoredClips
from asd_jax.representations.recipe import Untrained
from asd_jax.representations.representation import ClipArrays, ClipRepresentation, Plain

STATISTICS = ("mean", "std", "max", "twfr")


@functools.partial(jax.jit, static_argnames=("statistics", "decay"))
def _summarize(
    frames: Float[Array, "batch n_frames n_features"], statistics: tuple[str, ...], decay: float
) -> Float[Array, "batch dim"]:
    compute = {
        "mean": summaries.mean,
        "std": summaries.std,
        "max": summaries.maximum,
        "twfr": functools.partial(summaries.twfr, r=decay),
    }
    return jax.numpy.concatenate([compute[name](frames) for name in statistics], axis=-1)


@dataclasses.dataclass(frozen=True)
class ClipSummary(Plain, Untrained):
    """Statistics over a clip's frames, side by side.

    Attributes:
        statistics: of `STATISTICS`.
        decay: weight of a frame relative to the next higher one in `twfr` (see `features.twfr`).
    """

    kind = "clip_summary"
    min_frames = 1

    statistics: tuple[str, ...] = ("mean",)
    decay: float = 0.99

    def __post_init__(self) -> None:
        unknown = [name for name in self.statistics if name not in STATISTICS]
        if unknown or not self.statistics:
            raise InputError(f"`summary={','.join(self.statistics)}`: give one or more of {', '.join(STATISTICS)}")
        if not 0 <= self.decay <= 1:
            raise InputError(f"`twfr_decay={self.decay}`: give a number from 0 (the maximum) to 1 (the mean)")

    def __call__(self, clips: StoredClips, machines: Sequence[Machine] = ()) -> ClipRepresentation:
        """Represent each clip; clips of one length go together, since padding would enter the statistics."""
        vectors = None
        for length in np.unique(clips.clip_length):
            members = np.flatnonzero(clips.clip_length == length)
            for first in range(0, len(members), 64):
                chosen = members[first : first + 64]
                frames = np.stack([clips.clip(int(index)) for index in chosen])
                part = np.asarray(_summarize(frames, self.statistics, self.decay))
                vectors = np.empty((len(clips), part.shape[1]), np.float32) if vectors is None else vectors
                vectors[chosen] = part
        return ClipRepresentation(vectors)

    def of_frames(self, frames: Float[Array, "n_clips n_frames n_features"], machine: Machine) -> ClipArrays:
        """See `Representation`."""
        return ClipArrays(_summarize(frames, self.statistics, self.decay))
