"""What a network is trained on: examples cut from clips, their order, the validation clips, the number of steps."""

import dataclasses
import functools
import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from jaxtyping import Int

from asd_jax.detectors.recording_scores import recording_index
from asd_jax.features.stored_clips import StoredClips


@dataclasses.dataclass(frozen=True)
class TrainingConfig:
    """How a network is trained.

    Attributes:
        epochs: passes over the training clips.
        min_steps: least number of steps; small sets get more epochs to reach it.
        batch_size: examples (segments) a step; shrinks to the number there is.
        learning_rate: Adam's, at the start.
        schedule: `cosine` decays to zero over the run, `constant` does not.
        patience: epochs without a better validation loss after which training stops and the best parameters are
            used; None trains all epochs and uses the latest.
        min_delta: by how much a validation loss must be lower to count as better.
        mesh: `none` trains on one device, `data` splits every batch over all of them.
    """

    epochs: int = 10
    min_steps: int = 0
    batch_size: int = 32
    learning_rate: float = 1e-3
    schedule: str = "cosine"
    patience: int | None = None
    min_delta: float = 0.0
    mesh: str = "none"


def segment_starts(
    clips: StoredClips, chosen: Int[np.ndarray, " n"], *, segment_frames: int, segment_hop: int
) -> Int[np.ndarray, " n_examples"]:
    """First frames of the examples of the chosen clips: every `segment_hop` frames, never crossing a clip.

    The tail of a clip that the hop would leave out gets one more segment, which ends with the clip.
    """
    starts = []
    for start, length in zip(clips.clip_start[chosen], clips.clip_length[chosen], strict=True):
        last = length - segment_frames
        offsets = np.arange(0, last + 1, segment_hop)
        if offsets[-1] < last:
            offsets = np.append(offsets, last)
        starts.append(start + offsets)
    return np.concatenate(starts)


def epoch_order(n_examples: int, batch_size: int, *, seed: int, epoch: int) -> Int[np.ndarray, "n_steps batch"]:
    """Indices of the examples of every step: a shuffle that depends on the seed and the epoch alone.

    Every path (resumed or not, one member or many) takes its order from here. Examples beyond the last whole batch
    sit out this epoch; the shuffle makes them others every time.
    """
    n_steps = n_examples // batch_size
    order = np.random.default_rng([seed, epoch]).permutation(n_examples)
    return order[: n_steps * batch_size].reshape(n_steps, batch_size)


def split_validation(
    machine_ids: list[str], *, fraction: float, seed: int, recordings: Sequence[str] | None = None
) -> tuple[Int[np.ndarray, " n_train"], Int[np.ndarray, " n_validation"]]:
    """Choose validation clips: of each machine id the same fraction of its recordings, rounded.

    Never all of them; and at least one where there are three or more, unless the fraction is 0.

    Args:
        machine_ids: of each clip.
        fraction: share of the recordings.
        seed: of the choice.
        recordings: that each clip was cut from, which stay together; each clip is its own by default.
    """
    ids = np.asarray(machine_ids)
    sources = np.arange(len(ids)) if recordings is None else recording_index(recordings)
    held_out = []
    for number, machine_id in enumerate(sorted(set(machine_ids))):
        of_id = np.unique(sources[ids == machine_id])
        least = int(fraction > 0 and len(of_id) > 2)
        n_validation = min(max(round(fraction * len(of_id)), least), len(of_id) - 1)
        held_out.extend(np.random.default_rng([seed, number]).permutation(of_id)[:n_validation])
    is_validation = np.isin(sources, held_out)
    return np.flatnonzero(~is_validation), np.flatnonzero(is_validation)


@dataclasses.dataclass(frozen=True)
class Plan:
    """The numbers of a run that follow from its data: what is trained on, for how many steps.

    Attributes:
        starts, validation_starts: first frames of the examples.
        segment_frames: frames of an example, fewer than the config's where a clip is shorter.
        batch_size: examples a step, fewer than the config's where there are fewer.
        epochs: epochs, more than the config's where `min_steps` asks for it.
        notes: what differs from the config and why, for the user.
    """

    starts: Int[np.ndarray, " n_examples"]
    validation_starts: Int[np.ndarray, " n_validation"]
    segment_frames: int
    batch_size: int
    epochs: int
    notes: tuple[str, ...]

    @property
    def steps_per_epoch(self) -> int:
        """Optimiser steps an epoch."""
        return len(self.starts) // self.batch_size

    @property
    def n_steps(self) -> int:
        """Optimiser steps of the whole run."""
        return self.epochs * self.steps_per_epoch


def make_plan(
    model_config: Any,
    config: TrainingConfig,
    clips: StoredClips,
    train: Int[np.ndarray, " n_train"],
    validation: Int[np.ndarray, " n_validation"],
) -> Plan:
    """Cut the clips into examples and settle what the config leaves to the data."""
    notes = []
    shortest = int(clips.clip_length.min())
    segment_frames, segment_hop = model_config.segment_frames, model_config.segment_hop
    if shortest < segment_frames:
        notes.append(f"segments of {shortest} instead of {segment_frames} frames: the shortest clip has no more")
        segment_hop = max(1, segment_hop - (segment_frames - shortest))
        segment_frames = shortest
    cut = functools.partial(segment_starts, clips, segment_frames=segment_frames, segment_hop=segment_hop)
    starts = cut(train)
    batch_size = config.batch_size
    if len(starts) < batch_size:
        notes.append(f"batch size {len(starts)} instead of {batch_size}: there are no more training examples")
        batch_size = len(starts)
    steps = len(starts) // batch_size
    epochs = max(config.epochs, math.ceil(config.min_steps / steps))
    if epochs > config.epochs:
        notes.append(f"{epochs} instead of {config.epochs} epochs, to reach {config.min_steps} steps on this small set")
    validation_starts = cut(validation) if len(validation) else np.zeros(0, np.int64)
    return Plan(starts, validation_starts, segment_frames, batch_size, epochs, tuple(notes))
