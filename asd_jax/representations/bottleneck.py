"""The width of a bottleneck, chosen by validation error: never by labels."""

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from jaxtyping import Float

from asd_jax.features.stored_clips import StoredClips
from asd_jax.representations.members import TrainedMember


def smallest_within_one_standard_error(errors: Mapping[int, Float[np.ndarray, " n_clips"]]) -> int:
    """The smallest width whose mean validation error is within one standard error of the best width's.

    A wider bottleneck reconstructs ever more, anomalies too; what it gains within the noise is not worth that
    (the one-standard-error rule of Breiman et al., "Classification and regression trees", 1984).

    Args:
        errors: of each validation clip, by width.
    """
    mean = {size: float(np.mean(of_clips)) for size, of_clips in errors.items()}
    best = min(mean, key=mean.get)
    limit = mean[best] + _standard_error(errors[best])
    return min(size for size in errors if mean[size] <= limit)


def _standard_error(values: Float[np.ndarray, " n_clips"]) -> float:
    return float(np.std(values, ddof=1) / np.sqrt(len(values))) if len(values) > 1 else 0.0


def clip_errors(members: Sequence[TrainedMember], clips: StoredClips) -> Float[np.ndarray, " n_clips"]:
    """Mean squared residual of each member's validation clips, one member after another."""
    values = [member.residual(clips.select(member.planned.validation)).window_error for member in members]
    return np.concatenate([np.nanmean(of_member, axis=1, dtype=np.float64) for of_member in values])


def train_all(
    sizes: Sequence[int], train: Callable[[int], list[TrainedMember]], clips: StoredClips
) -> tuple[list[TrainedMember], dict[str, Any]]:
    """Train networks of every width and choose one.

    Args:
        sizes: widths.
        train: gives the trained members of a width.
        clips: the training clips, among them those for validation.

    Returns:
        the members of the chosen width, and for the results what each width reached.
    """
    members = {size: train(size) for size in dict.fromkeys(sizes)}
    errors = {size: clip_errors(of_size, clips) for size, of_size in members.items()}
    chosen = smallest_within_one_standard_error(errors)
    report = {
        "chosen": chosen,
        "rule": "smallest width within one standard error of the best validation error",
        "validation_loss": {
            str(size): {"mean": float(np.mean(of_clips)), "standard_error": _standard_error(of_clips)}
            for size, of_clips in errors.items()
        },
    }
    return members[chosen], report


def with_bottleneck(model: Any, size: int) -> Any:
    """A model's config with another width."""
    return dataclasses.replace(model, bottleneck_size=size)
