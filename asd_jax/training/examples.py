"""Where batches come from: examples of clips wherever they lie, in an order that seed and epoch settle."""

import dataclasses
import functools
import math
from collections.abc import Callable, Iterator, Sequence
from typing import Any, Protocol, runtime_checkable

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Int

from asd_jax.errors import InputError
from asd_jax.features import Scaling
from asd_jax.features.stored_clips import StoredClips
from asd_jax.training import hosts, placement
from asd_jax.training.batches import AnySource, Elsewhere, Picks, Read, Source
from asd_jax.training.config import TrainingConfig
from asd_jax.training.reading import read_ahead, read_segments


@runtime_checkable
class Examples(Protocol):
    """What `fit` asks for its batches."""

    length: int  # rows of an example
    batch_size: int
    epochs: int
    steps_per_epoch: int
    source: AnySource

    def calls(
        self, *, seed: int, epoch: int, steps_per_call: int
    ) -> Iterator[tuple[Picks | Read, Bool[np.ndarray, " steps_per_call"]]]:
        """The steps of an epoch in calls of equal length, and which of them are real: the last call is filled up."""

    def validation(self) -> Iterator[tuple[Picks | Read, int]]:
        """Batches of the validation examples, and how many of each are real."""


@dataclasses.dataclass(frozen=True)
class Listed:
    """Examples by a list of where they begin; what a config leaves to the data is settled here.

    Attributes:
        source: the clips' values in device memory, or what becomes of those that are read, and of segments their
            scaling.
        train: all training examples.
        held_back: all validation examples.
        length: rows of an example, fewer than the model's where a clip is shorter.
        batch_size: examples a step, fewer than the config's where there are fewer.
        epochs: epochs, more than the config's where `min_steps` asks for it.
        notes: what differs from the config and why, for the user.
        read: reads examples from clips that device memory does not hold; None where it does.
    """

    source: AnySource
    train: Picks
    held_back: Picks
    length: int
    batch_size: int
    epochs: int
    notes: tuple[str, ...] = ()
    read: Callable[[Picks], Read] | None = None

    @classmethod
    def of(
        cls,
        clips: StoredClips,
        train: Int[np.ndarray, " n_train"],
        validation: Int[np.ndarray, " n_validation"],
        *,
        length: int,
        hop: int,
        config: TrainingConfig,
        scaling: Scaling | None = None,
        targets: Int[np.ndarray, " n_clips"] | None = None,
        values: Array | None = None,
    ) -> "Listed":
        """Cut clips into examples.

        Args:
            clips: all clips.
            train, validation: indices of those to train on, and of those to validate by.
            length: rows of an example, as the model asks.
            hop: rows from the start of an example to that of the next.
            config: of the training.
            scaling: of frames.
            targets: of each clip.
            values: those of the clips in device memory, where they are there already; clips in a file are read from
                there instead.

        Raises:
            InputError: fewer examples than a batch holds that must not shrink.
        """
        notes = []
        shortest = int(clips.clip_length.min())
        if shortest < length:
            notes.append(f"segments of {shortest} instead of {length} frames: the shortest clip has no more")
            length, hop = shortest, max(1, hop - (length - shortest))
        cut = functools.partial(_picks, clips, targets=targets, length=length, hop=hop)
        examples = cut(train)
        batch_size, epochs, more = settled(len(examples.starts), config)
        read = None
        if values is None and not placement.holds(clips):
            source, read = Elsewhere(scaling), functools.partial(read_segments, clips, length=length)
        else:
            source = Source(jnp.asarray(clips.values) if values is None else values, scaling)
        return cls(source, examples, cut(validation), length, batch_size, epochs, (*notes, *more), read)

    @property
    def steps_per_epoch(self) -> int:
        """Optimiser steps an epoch."""
        return len(self.train.starts) // self.batch_size

    def calls(
        self, *, seed: int, epoch: int, steps_per_call: int
    ) -> Iterator[tuple[Picks | Read, Bool[np.ndarray, " steps_per_call"]]]:
        """See `Examples`."""
        listed = self._calls(seed=seed, epoch=epoch, steps_per_call=steps_per_call)
        if self.read is not None and hosts.several():
            own = placement.own_rows(self.batch_size)
            listed = ((_take(picks, (slice(None), own)), active) for picks, active in listed)
        return self._ready(listed)

    def validation(self) -> Iterator[tuple[Picks | Read, int]]:
        """See `Examples`."""
        return self._ready(self._validation())

    def _ready(self, listed: Iterator[tuple[Picks, Any]]) -> Iterator[tuple[Picks | Read, Any]]:
        return listed if self.read is None else read_ahead(listed, self.read)

    def _calls(
        self, *, seed: int, epoch: int, steps_per_call: int
    ) -> Iterator[tuple[Picks, Bool[np.ndarray, " steps_per_call"]]]:
        order = epoch_order(len(self.train.starts), self.batch_size, seed=seed, epoch=epoch)
        for first in range(0, len(order), steps_per_call):
            part = order[first : first + steps_per_call]
            active = np.arange(steps_per_call) < len(part)
            yield _take(self.train, np.pad(part, ((0, steps_per_call - len(part)), (0, 0)))), active

    def _validation(self) -> Iterator[tuple[Picks, int]]:
        """Batches of one size, the last filled up with the first example."""
        count = len(self.held_back.starts)
        size = min(self.batch_size, count)
        for first in range(0, count, size or 1):
            part = np.arange(first, min(first + size, count))
            yield _take(self.held_back, np.pad(part, (0, size - len(part)))), len(part)


def settled(n_examples: int, config: TrainingConfig) -> tuple[int, int, tuple[str, ...]]:
    """Examples a step and epochs for so many training examples, and notes of what differs from the config.

    Raises:
        InputError: fewer examples than a batch holds that must not shrink.
    """
    batch_size, notes = config.batch_size, []
    if n_examples < batch_size:
        if not config.shrink_batch:
            raise InputError(
                f"`batch_size={batch_size}` is more than the {n_examples} training examples; give a smaller one"
            )
        notes.append(f"batch size {n_examples} instead of {batch_size}: there are no more training examples")
        batch_size = n_examples
    epochs = max(config.epochs, math.ceil(config.min_steps / (n_examples // batch_size)))
    if epochs > config.epochs:
        notes.append(f"{epochs} instead of {config.epochs} epochs, to reach {config.min_steps} steps on this small set")
    return batch_size, epochs, tuple(notes)


def _take(picks: Picks, indices: Any) -> Picks:
    return Picks(picks.starts[indices], None if picks.targets is None else picks.targets[indices])


def _picks(clips: StoredClips, chosen: np.ndarray, *, targets: np.ndarray | None, length: int, hop: int) -> Picks:
    starts = [segment_starts(clips, chosen[k : k + 1], length=length, hop=hop) for k in range(len(chosen))]
    joined = np.concatenate([np.zeros(0, np.int32), *starts])
    if targets is None:
        return Picks(joined)
    return Picks(joined, np.repeat(targets[chosen], [len(of_clip) for of_clip in starts]).astype(np.int32))


def segment_starts(
    clips: StoredClips, chosen: Int[np.ndarray, " n"], *, length: int, hop: int
) -> Int[np.ndarray, " n_examples"]:
    """First rows of the examples of the chosen clips: every `hop` rows, never crossing a clip.

    The tail of a clip that the hop would leave out gets one more example, which ends with the clip.
    """
    starts = [np.zeros(0, np.int64)]
    for start, rows in zip(clips.clip_start[chosen], clips.clip_length[chosen], strict=True):
        last = rows - length
        offsets = np.arange(0, last + 1, hop)
        starts.append(start + (offsets if offsets[-1] == last else np.append(offsets, last)))
    found = np.concatenate(starts)
    return found if clips.on_disk else found.astype(np.int32)  # device memory holds no more than 32 bits can count


def epoch_order(n_examples: int, batch_size: int, *, seed: int, epoch: int) -> Int[np.ndarray, "n_steps batch"]:
    """Indices of the examples of every step: a shuffle that depends on the seed and the epoch alone.

    Every path takes its order from here. Examples beyond the last whole batch sit out this epoch; the shuffle makes
    them others every time.
    """
    n_steps = n_examples // batch_size
    order = np.random.default_rng([seed, epoch]).permutation(n_examples)
    return order[: n_steps * batch_size].reshape(n_steps, batch_size)


def split_validation(
    machines: Sequence[object], *, fraction: float, seed: int, recordings: Int[np.ndarray, " n_clips"] | None = None
) -> tuple[Int[np.ndarray, " n_train"], Int[np.ndarray, " n_validation"]]:
    """Choose validation clips: of each machine the same fraction of its recordings, rounded.

    Never all of them; and at least one where there are three or more, unless the fraction is 0.

    Args:
        machines: of each clip.
        fraction: share of the recordings.
        seed: of the choice.
        recordings: number of the recording that each clip was cut from, which stay together; each clip is its own by
            default.
    """
    known = sorted(set(machines))
    number = np.asarray([known.index(machine) for machine in machines])
    sources = np.arange(len(number)) if recordings is None else recordings
    held_out = []
    for k in range(len(known)):
        of_machine = np.unique(sources[number == k])
        least = int(fraction > 0 and len(of_machine) > 2)
        n_validation = min(max(round(fraction * len(of_machine)), least), len(of_machine) - 1)
        held_out.extend(np.random.default_rng([seed, k]).permutation(of_machine)[:n_validation])
    is_validation = np.isin(sources, held_out)
    return np.flatnonzero(~is_validation), np.flatnonzero(is_validation)
