"""Rank-weighted window errors: between the mean and the maximum."""

import dataclasses
from typing import Any

import numpy as np
from jaxtyping import Float

from asd_jax.scorers import pooling


@dataclasses.dataclass(frozen=True)
class RankPooledError:
    """Global weighted rank pooling of a clip's window errors (see `pooling.gwrp`); needs no fit.

    Attributes:
        decay: weight of a window relative to the next higher one; 1 is the mean, 0 the maximum.
    """

    name = "gwrp"
    reads = "window_error"

    decay: float = pooling.GWRP_DECAY

    @classmethod
    def fit(
        cls, window_error: Float[np.ndarray, "n_clips max_windows"], *, decay: float = pooling.GWRP_DECAY
    ) -> "RankPooledError":
        """There is nothing to fit."""
        return cls(decay)

    def score(self, window_error: Float[np.ndarray, "n_clips max_windows"]) -> Float[np.ndarray, " n_clips"]:
        """Weighted mean over the ranked windows of each clip; NaN marks windows that a clip does not have."""
        return self.formula(window_error, np)

    def formula(self, window_error: Any, xp: Any) -> Any:
        """The score by the operations of `xp`, NumPy's or for what is exported JAX's."""
        return pooling.gwrp(window_error, decay=self.decay, xp=xp)
