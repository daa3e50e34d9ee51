"""Mean squared residual: the score of the DCASE baseline."""

import dataclasses

import numpy as np
from jaxtyping import Float

from asd_jax.scorers import pooling


@dataclasses.dataclass(frozen=True)
class MeanSquaredError:
    """Mean of a clip's window errors; needs no fit."""

    name = "mse"
    reads = "window_error"

    @classmethod
    def fit(cls, window_error: Float[np.ndarray, "n_clips max_windows"]) -> "MeanSquaredError":
        """There is nothing to fit."""
        return cls()

    def score(self, window_error: Float[np.ndarray, "n_clips max_windows"]) -> Float[np.ndarray, " n_clips"]:
        """Mean over the windows of each clip; NaN marks windows that a clip does not have."""
        return pooling.mean(window_error)
