"""Several scorers as one: scores in standard deviations of unseen normal clips, and their mean or maximum."""

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from jaxtyping import Float

from asd_jax.errors import InputError
from asd_jax.representations.representation import ClipRepresentation

LABEL = "fusion"
RULES: dict[str, Callable[[Any], Any]] = {
    "mean": lambda values: values.mean(axis=0),
    "max": lambda values: values.max(axis=0),
}


@dataclasses.dataclass(frozen=True)
class FusionSpec:
    """Which scorers of a run are fused, and how.

    Attributes:
        of: their labels.
        rule: `mean` or `max` of their standardised scores.
    """

    of: tuple[str, ...]
    rule: str = "mean"

    def __post_init__(self) -> None:
        if self.rule not in RULES:
            raise InputError(f"`fusion_rule={self.rule}`: give {' or '.join(RULES)}")
        if len(set(self.of)) < 2 or len(set(self.of)) < len(self.of):
            raise InputError(f"`fusion={'+'.join(self.of)}`: name two or more scorers, such as knn+mahalanobis")

    def check(self, labels: Sequence[str]) -> None:
        """Raise InputError for a scorer that the run does not have."""
        for label in self.of:
            if label not in labels:
                raise InputError(
                    f"`fusion={'+'.join(self.of)}`: {label} is none of this run's scorers, {', '.join(labels)}"
                )


@dataclasses.dataclass(frozen=True)
class FusedScorer:
    """Fitted scorers of a machine, and the scale of each: label-free fusion (arXiv 2606.19269).

    Attributes:
        parts: the scorers, with `score(values)`.
        location, scale: mean and standard deviation of each one's scores of unseen normal clips, `(n_parts,)`.
        rule: of `RULES`.
    """

    name = LABEL
    reads = "itself"  # the whole representation: its parts read what they need

    parts: tuple[Any, ...]
    location: Float[np.ndarray, " n_parts"]
    scale: Float[np.ndarray, " n_parts"]
    rule: str

    @classmethod
    def fit(
        cls, parts: Sequence[Any], unseen: Float[np.ndarray, "n_parts n_clips"], rule: str
    ) -> tuple["FusedScorer", Float[np.ndarray, " n_clips"]]:
        """Fit the scales, and fuse the scores that they were fitted on.

        Args:
            parts: fitted scorers.
            unseen: their scores of normal clips, as of clips that they were not fitted on.
            rule: of `RULES`.
        """
        scale = unseen.std(axis=1)
        fused = cls(tuple(parts), unseen.mean(axis=1), np.where(scale > 0, scale, 1.0), rule)
        return fused, fused.fuse(unseen)

    def fuse(self, scores: Float[np.ndarray, "n_parts n_clips"]) -> Float[np.ndarray, " n_clips"]:
        """Of clips, from the scores of the parts."""
        return RULES[self.rule]((scores - self.location[:, None]) / self.scale[:, None])

    def score(self, values: ClipRepresentation) -> Float[np.ndarray, " n_clips"]:
        """Fused score of each clip; 0 is that of a usual normal one."""
        return self.fuse(np.stack([part.score(values) for part in self.parts]))

    def formula(self, values: Any, xp: Any) -> Any:
        """The score by the operations of `xp`, NumPy or `jax.numpy`, from `ClipArrays`."""
        scores = xp.stack([part.formula(values, xp) for part in self.parts])
        return RULES[self.rule]((scores - self.location[:, None]) / self.scale[:, None])

    def to_state(self) -> tuple[dict[str, Any], dict[str, Any]]:
        """JSON settings and arrays, from which `from_state` rebuilds it."""
        states = {str(number): part.to_state() for number, part in enumerate(self.parts)}
        settings = {"rule": self.rule, "parts": {number: state[0] for number, state in states.items()}}
        arrays = {number: state[1] for number, state in states.items()}
        return settings, {"location": self.location, "scale": self.scale, "parts": arrays}

    @classmethod
    def from_state(
        cls, settings: Mapping[str, Any], arrays: Mapping[str, Any], *, part: Callable[[Any, Any], Any]
    ) -> "FusedScorer":
        """Rebuild from `to_state`; `part` rebuilds a fitted scorer."""
        parts = tuple(part(saved, arrays["parts"][number]) for number, saved in settings["parts"].items())
        return cls(parts, arrays["location"], arrays["scale"], settings["rule"])
