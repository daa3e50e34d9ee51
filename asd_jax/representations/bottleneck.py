"""The width of a bottleneck, chosen by validation error: never by labels."""

import dataclasses
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from jaxtyping import Float

from asd_jax.datasets.extraction import Extracted
from asd_jax.representations.recipe import Hooks
from asd_jax.training import FitResult

if TYPE_CHECKING:
    from asd_jax.representations.trained import Member, Trained


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


def _clip_errors(
    recipe: "Trained", members: Sequence["Member"], results: Sequence[FitResult], train: Extracted
) -> Float[np.ndarray, " n_clips"]:
    """Mean squared residual of each member's validation clips, one member after another."""
    errors = []
    for member, result in zip(members, results, strict=True):
        machines = [train.clips[index].machine for index in member.validation]
        values = member.representation(result, recipe.training)(train.frames.select(member.validation), machines)
        errors.append(np.nanmean(values.window_error, axis=1, dtype=np.float64))
    return np.concatenate(errors)


def choose(
    recipe: "Trained", train: Extracted, seed: int, hooks: Hooks
) -> tuple[list["Member"], list[FitResult], dict[str, Any]]:
    """Train networks of every width and choose one.

    Returns:
        the members of the chosen width, how their training went, and for the results what each width reached.
    """
    trained, errors = {}, {}
    for size in dict.fromkeys(recipe.bottleneck_sizes):
        wide = dataclasses.replace(recipe, model=dataclasses.replace(recipe.model, bottleneck_size=size))
        members = wide.members(train, seed)
        results = wide.train_members(members, hooks, Path(f"bottleneck_{size}"))
        trained[size], errors[size] = (members, results), _clip_errors(wide, members, results, train)
    chosen = smallest_within_one_standard_error(errors)
    hooks.say(f"bottleneck of {chosen}, chosen by validation error")
    report = {
        "chosen": chosen,
        "rule": "smallest width within one standard error of the best validation error",
        "validation_loss": {
            str(size): {"mean": float(np.mean(of_clips)), "standard_error": _standard_error(of_clips)}
            for size, of_clips in errors.items()
        },
    }
    return *trained[chosen], {"bottleneck_size": report}
