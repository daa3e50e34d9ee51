"""What a step of training reads: a batch, cut out of stored clips inside compiled code."""

import dataclasses

import jax
import numpy as np
from jaxtyping import Array, Float, Int, PyTree

from asd_jax.features import Scaling
from asd_jax.features.stored_clips import cut


@jax.tree_util.register_dataclass
@dataclasses.dataclass(frozen=True)
class Batch:
    """Examples side by side.

    Attributes:
        values: scaled frames `(batch, segment_frames, n_features)`, or samples `(batch, n_samples)`.
        targets: what the objective made of each example's clip; None where it reads none.
    """

    values: Float[Array, "batch length *n_features"]
    targets: Int[Array, " batch"] | None = None


@jax.tree_util.register_dataclass
@dataclasses.dataclass(frozen=True)
class Picks:
    """Which examples: rows of `StoredClips.values` where they start, and their targets; the last axis is the batch."""

    starts: Int[Array, "*steps batch"] | Int[np.ndarray, "*steps batch"]
    targets: Int[Array, "*steps batch"] | Int[np.ndarray, "*steps batch"] | None = None


@jax.tree_util.register_dataclass
@dataclasses.dataclass(frozen=True)
class Source:
    """What examples are cut from, in device memory: `StoredClips.values` and the scaling of frames, if any."""

    values: PyTree
    scaling: Scaling | None = None

    def batch(self, picks: Picks, length: int) -> Batch:
        """The examples picked, `length` rows each; for compiled code."""
        values = cut(self.values, picks.starts, length)
        return Batch(values if self.scaling is None else self.scaling(values), picks.targets)
