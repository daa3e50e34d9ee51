"""What a step of training reads: a batch, cut out of stored clips inside compiled code, or read from elsewhere."""

import dataclasses

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Int, PRNGKeyArray, PyTree

from asd_jax.features import Scaling
from asd_jax.features.stored_clips import as_float, cut


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
    """Which examples, and their targets; the last axis is the batch.

    Attributes:
        starts: rows of `StoredClips.values` where they start; of whole clips their numbers.
        targets: what the objective made of each example's clip; None where it reads none.
    """

    starts: Int[Array, "*steps batch"] | Int[np.ndarray, "*steps batch"]
    targets: Int[Array, "*steps batch"] | Int[np.ndarray, "*steps batch"] | None = None


@jax.tree_util.register_dataclass
@dataclasses.dataclass(frozen=True)
class Read:
    """Examples that were read from where their clips lie, since device memory does not hold these.

    Attributes:
        values: `(*steps, batch, length, n_features)` frames, or `(*steps, batch, longest)` samples of whole clips.
        targets: as in `Picks`.
        clip_length: of whole clips, the rest of which is zero; None of segments.
    """

    values: Array | np.ndarray
    targets: Int[Array, "*steps batch"] | Int[np.ndarray, "*steps batch"] | None = None
    clip_length: Int[Array, "*steps batch"] | Int[np.ndarray, "*steps batch"] | None = None


@jax.tree_util.register_dataclass
@dataclasses.dataclass(frozen=True)
class Source:
    """What examples are cut from, in device memory: `StoredClips.values` and the scaling of frames, if any."""

    values: PyTree
    scaling: Scaling | None = None

    def batch(self, picks: Picks, length: int, *, key: PRNGKeyArray | None = None) -> Batch:
        """The examples picked, `length` rows each; nothing is drawn; for compiled code."""
        values = cut(self.values, picks.starts, length)
        return Batch(values if self.scaling is None else self.scaling(values), picks.targets)


@jax.tree_util.register_dataclass
@dataclasses.dataclass(frozen=True)
class ClipSource:
    """Whole clips in device memory, each in a row of its own: an example is a clip, tiled or cropped to a length.

    Attributes:
        values: `(n_clips, longest)` frames or samples, int16 at full scale 2**15 or float32; the rest of a row is zero.
        clip_length: `(n_clips,)` of each.
    """

    values: PyTree
    clip_length: Int[Array, " n_clips"]

    def batch(self, picks: Picks, length: int, *, key: PRNGKeyArray | None = None) -> Batch:
        """The clips picked, over and over where they are shorter than `length`; for compiled code.

        Args:
            picks: which.
            length: of an example.
            key: draws where an example of a longer clip begins; None begins with the clip.
        """
        whole = self.clip_length[picks.starts]
        first = jnp.zeros_like(whole)
        if key is not None:
            first = jax.random.randint(key, whole.shape, 0, jnp.maximum(whole - length, 0) + 1, dtype=whole.dtype)
        columns = (first[:, None] + jnp.arange(length, dtype=whole.dtype)[None, :]) % whole[:, None]
        values = self.values[picks.starts[:, None], columns]
        return Batch(as_float(values), picks.targets)


@jax.tree_util.register_dataclass
@dataclasses.dataclass(frozen=True)
class Elsewhere:
    """Segments of clips that lie elsewhere: they come with each call, and are scaled here."""

    scaling: Scaling | None = None

    def batch(self, read: Read, length: int, *, key: PRNGKeyArray | None = None) -> Batch:
        """See `Source`."""
        values = as_float(read.values)
        return Batch(values if self.scaling is None else self.scaling(values), read.targets)


@jax.tree_util.register_dataclass
@dataclasses.dataclass(frozen=True)
class ClipsElsewhere:
    """Whole clips that lie elsewhere: they come with each call."""

    def batch(self, read: Read, length: int, *, key: PRNGKeyArray | None = None) -> Batch:
        """See `ClipSource`."""
        rows = jnp.arange(read.values.shape[0], dtype=jnp.int32)
        return ClipSource(read.values, read.clip_length).batch(Picks(rows, read.targets), length, key=key)


AnySource = Source | ClipSource | Elsewhere | ClipsElsewhere
