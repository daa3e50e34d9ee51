"""Whole clips as examples, tiled or cropped to one length inside compiled code."""

import dataclasses
from collections.abc import Iterator

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Bool, Int

from asd_jax.features.stored_clips import StoredClips
from asd_jax.training.batches import ClipSource, Picks
from asd_jax.training.config import TrainingConfig
from asd_jax.training.examples import batches_of, calls_of, settled


@dataclasses.dataclass(frozen=True)
class WholeClips:
    """Clips in device memory, of which each is one example; what a config leaves to the data is settled here.

    Attributes:
        source: the clips.
        train, held_back: those to train on, and those to validate by.
        length: of an example.
        batch_size, epochs, notes: as of `InMemory`.
    """

    source: ClipSource
    train: Picks
    held_back: Picks
    length: int
    batch_size: int
    epochs: int
    notes: tuple[str, ...] = ()

    @classmethod
    def of(
        cls,
        source: ClipSource,
        train: Int[np.ndarray, " n_train"],
        validation: Int[np.ndarray, " n_validation"],
        *,
        length: int,
        config: TrainingConfig,
        targets: Int[np.ndarray, " n_clips"],
    ) -> "WholeClips":
        """Arguments as of `InMemory.of`; errors too."""
        batch_size, epochs, notes = settled(len(train), config)

        def picks(chosen: np.ndarray) -> Picks:
            return Picks(chosen.astype(np.int32), targets[chosen].astype(np.int32))

        return cls(source, picks(train), picks(validation), length, batch_size, epochs, notes)

    @property
    def steps_per_epoch(self) -> int:
        """Optimiser steps an epoch."""
        return len(self.train.starts) // self.batch_size

    def calls(
        self, *, seed: int, epoch: int, steps_per_call: int
    ) -> Iterator[tuple[Picks, Bool[np.ndarray, " steps_per_call"]]]:
        """See `Examples`."""
        return calls_of(self.train, self.batch_size, seed=seed, epoch=epoch, steps_per_call=steps_per_call)

    def validation(self) -> Iterator[tuple[Picks, int]]:
        """See `Examples`."""
        return batches_of(self.held_back, self.batch_size)


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
