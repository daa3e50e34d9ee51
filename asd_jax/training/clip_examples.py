"""Whole clips as examples, tiled or cropped to one length inside compiled code."""

from collections.abc import Callable

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Int

from asd_jax.features.stored_clips import StoredClips
from asd_jax.training.batches import ClipsElsewhere, ClipSource, Picks, Read
from asd_jax.training.config import TrainingConfig
from asd_jax.training.examples import Listed, settled


def whole_clips(
    source: ClipSource | ClipsElsewhere,
    train: Int[np.ndarray, " n_train"],
    validation: Int[np.ndarray, " n_validation"],
    *,
    length: int,
    config: TrainingConfig,
    targets: Int[np.ndarray, " n_clips"],
    read: Callable[[Picks], Read] | None = None,
) -> Listed:
    """Examples of which each is a clip.

    Args:
        source: the clips, from `clip_source`.
        train, validation: indices of those to train on, and of those to validate by.
        length: samples of an example.
        config: of the training.
        targets: class of each clip.
        read: reads clips that the source does not hold.

    Raises:
        InputError: as in `Listed.of`.
    """
    batch_size, epochs, notes = settled(len(train), config)

    def picks(chosen: np.ndarray) -> Picks:
        return Picks(chosen.astype(np.int32), targets[chosen].astype(np.int32))

    return Listed(source, picks(train), picks(validation), length, batch_size, epochs, notes, read)


def clip_source(clips: StoredClips) -> ClipSource:
    """Clips side by side in device memory, padded with zeros to the longest.

    In rows, since an index into all samples of a large release would not fit in 32 bits.
    """
    lengths = clips.clip_length
    if (lengths == lengths[0]).all():
        rows = clips.values.reshape(len(clips), -1)
    else:
        rows = np.zeros((len(clips), int(lengths.max())), clips.values.dtype)
        for index in range(len(clips)):
            rows[index, : lengths[index]] = clips.clip(index)
    return ClipSource(jax.device_put(rows), jnp.asarray(lengths, jnp.int32))  # on a CPU no copy of `Samples.store`
