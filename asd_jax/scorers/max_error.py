"""Largest window error: for faults that are short."""

import dataclasses
from typing import Any

import numpy as np
from jaxtyping import Float

from asd_jax.scorers import pooling


@dataclasses.dataclass(frozen=True)
class MaximumError:
    """Largest of a clip's window errors; needs no fit."""

    name = "max"
    reads = "window_error"

    @classmethod
    def fit(cls, window_error: Float[np.ndarray, "n_clips max_windows"]) -> "MaximumError":
        """There is nothing to fit."""
        return cls()

    def score(self, window_error: Float[np.ndarray, "n_clips max_windows"]) -> Float[np.ndarray, " n_clips"]:
        """Maximum over the windows of each clip; NaN marks windows that a clip does not have."""
        return self.formula(window_error, np)

    def formula(self, window_error: Any, xp: Any) -> Any:
        """The score by the operations of `xp`, NumPy's or for what is exported JAX's."""
        return pooling.maximum(window_error, xp=xp)
