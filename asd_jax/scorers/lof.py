"""Local outlier factor: how much sparser a vector lies than its neighbours do."""

import dataclasses
from typing import Any

import numpy as np
from jaxtyping import Float

from asd_jax.scorers.refit import SKLEARN_VERSION, RefittedOnLoad
from asd_jax.scorers.standardization import apply, checked, standardization


@dataclasses.dataclass(frozen=True)
class LocalOutlierFactorScorer(RefittedOnLoad):
    """Local outlier factor (Breunig et al., 2000) among the training vectors; about 1 for a normal vector.

    Attributes:
        mean, scale: standardisation of the vectors, `(dim,)`.
        vectors: the standardised training vectors, `(n, dim)`.
        n_neighbors: neighbours looked at; at most one fewer than there are vectors.
        check_scores, sklearn_version: see `RefittedOnLoad`.
    """

    name = "lof"
    reads = "vector"
    clip_level = True
    min_clips = 2

    mean: Float[np.ndarray, " dim"]
    scale: Float[np.ndarray, " dim"]
    vectors: Float[np.ndarray, "n dim"]
    n_neighbors: int
    check_scores: Float[np.ndarray, " n_checks"] | None = None
    sklearn_version: str = SKLEARN_VERSION

    @classmethod
    def fit(
        cls, vectors: Float[np.ndarray, "n dim"], *, n_neighbors: int = 10, standardize: bool = True
    ) -> "LocalOutlierFactorScorer":
        """Fit on normal vectors; an InputError where there are fewer than two."""
        vectors = checked(vectors, scorer=cls.name, at_least=cls.min_clips)
        mean, scale = standardization(vectors, standardize=standardize)
        return cls(mean, scale, (vectors - mean) * scale, min(n_neighbors, len(vectors) - 1))

    def _estimator(self) -> Any:
        from sklearn.neighbors import LocalOutlierFactor

        return LocalOutlierFactor(n_neighbors=self.n_neighbors, novelty=True).fit(self.vectors)

    def _raw_scores(self, vectors: Float[np.ndarray, "n dim"]) -> Float[np.ndarray, " n"]:
        return -self._fitted.score_samples(vectors)

    def score(self, vectors: Float[np.ndarray, "n dim"]) -> Float[np.ndarray, " n"]:
        """Local outlier factor of each vector."""
        return self._raw_scores(apply(vectors, self.mean, self.scale, self.name))

    def leave_one_out(self) -> Float[np.ndarray, " n"]:
        """Score of each training vector among the others."""
        return -self._fitted.negative_outlier_factor_
