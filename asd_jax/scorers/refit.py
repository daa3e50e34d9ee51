"""Scorers whose state is their training vectors: the scikit-learn estimator is fitted again on load, never pickled."""

import importlib.metadata
import warnings
from typing import Any

import numpy as np
from jaxtyping import Float

SKLEARN_VERSION = importlib.metadata.version("scikit-learn")

_N_CHECKS = 5
_TOLERANCE = 1e-6


class RefittedOnLoad:
    """Mixin of a scorer dataclass with the fields `vectors`, `check_scores` and `sklearn_version`.

    `_estimator` makes the fitted estimator from the fields and `_raw_scores` its scores of standardised vectors. A
    new scorer is given no check scores and notes those of its first vectors; one that is loaded compares its own.
    """

    name: str
    vectors: np.ndarray
    check_scores: np.ndarray | None
    sklearn_version: str

    def __post_init__(self) -> None:
        object.__setattr__(self, "_fitted", self._estimator())  # not a field: rebuilt, never saved
        # Beside the training vectors, whose nearest neighbour is themselves, so that the scores tell more.
        scores = self._raw_scores(self.vectors[:_N_CHECKS] + 0.1)
        if self.check_scores is None:
            object.__setattr__(self, "check_scores", scores)
        elif not np.allclose(scores, self.check_scores, rtol=_TOLERANCE, atol=0):
            off = np.max(np.abs(scores / self.check_scores - 1))
            warnings.warn(
                f"{self.name}: fitted again with scikit-learn {SKLEARN_VERSION}, its scores differ by {off:.1e} "
                f"from those saved with {self.sklearn_version}; install that version or train again",
                stacklevel=2,
            )

    def _estimator(self) -> Any:
        raise NotImplementedError

    def _raw_scores(self, vectors: Float[np.ndarray, "n dim"]) -> Float[np.ndarray, " n"]:
        raise NotImplementedError
