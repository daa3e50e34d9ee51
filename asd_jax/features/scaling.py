"""Scaling of frames, fitted on normal training clips."""

import dataclasses
from collections.abc import Iterator

import jax
import numpy as np
from jaxtyping import Array, Float

from asd_jax.features.stored_clips import StoredClips

_BLOCK = 65_536  # rows at once


@jax.tree_util.register_dataclass
@dataclasses.dataclass(frozen=True)
class Scaling:
    """`(frames - offset) * scale`, a value a feature.

    Attributes:
        offset: `(n_features,)`; before `jax.vmap` over the members of an ensemble also `(members, n_features)`.
        scale: likewise.
    """

    offset: Float[Array, "*members n_features"] | Float[np.ndarray, "*members n_features"]
    scale: Float[Array, "*members n_features"] | Float[np.ndarray, "*members n_features"]

    def __call__(
        self, frames: Float[Array, "*batch n_features"] | Float[np.ndarray, "*batch n_features"]
    ) -> Float[Array, "*batch n_features"] | Float[np.ndarray, "*batch n_features"]:
        """Scaled frames, of NumPy where they and the scaling are."""
        shape = (1,) * (frames.ndim - 1) + (-1,)
        return (frames - self.offset.reshape(shape)) * self.scale.reshape(shape)


Frames = Float[np.ndarray, "total_frames n_features"] | StoredClips


def _blocks(frames: Frames) -> Iterator[Float[np.ndarray, "_ n_features"]]:
    if isinstance(frames, StoredClips):
        return frames.blocks(_BLOCK)
    return (frames[first : first + _BLOCK] for first in range(0, len(frames), _BLOCK))


def standardize(frames: Frames) -> Scaling:
    """Zero mean and unit variance of each feature over the frames; a constant feature keeps its scale.

    Sums run in float64 over blocks of rows, since float32 sums of millions of frames lose digits.

    Args:
        frames: in an array, or those of clips, wherever they lie.
    """
    n_frames = int(frames.clip_length.sum()) if isinstance(frames, StoredClips) else len(frames)
    mean = sum(block.sum(axis=0, dtype=np.float64) for block in _blocks(frames)) / n_frames
    squares = sum(np.square(block - mean).sum(axis=0, dtype=np.float64) for block in _blocks(frames))
    std = np.sqrt(squares / n_frames)
    scale = 1 / np.where(std > 1e-6, std, 1.0)
    return Scaling(mean.astype(np.float32), scale.astype(np.float32))


def min_max(frames: Frames, *, per_bin: bool = False) -> Scaling:
    """The frames' smallest value to 0 and largest to 1: one of each over all features, or of each feature (`per_bin`).

    Values that were not seen in training may fall outside [0, 1]; nothing clips them, since loudness beyond that of
    training is a sign of an anomaly. A constant feature, or a constant whole, keeps its scale.

    Args:
        frames: as in `standardize`.
        per_bin: whether each feature has its own.
    """
    extremes = [(block.min(axis=0), block.max(axis=0)) for block in _blocks(frames)]
    smallest = np.min([low for low, _ in extremes], axis=0).astype(np.float64)
    largest = np.max([high for _, high in extremes], axis=0).astype(np.float64)
    if not per_bin:
        smallest = np.full_like(smallest, smallest.min())
        largest = np.full_like(largest, largest.max())
    span = largest - smallest
    scale = 1 / np.where(span > 0, span, 1.0)
    return Scaling(smallest.astype(np.float32), scale.astype(np.float32))


# Names that a model's config can ask for.
REGISTRY = {scaling.__name__: scaling for scaling in (standardize, min_max)}
