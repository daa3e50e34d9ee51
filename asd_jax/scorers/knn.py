"""Distance to the nearest normal vectors."""

import dataclasses
from typing import Any

import numpy as np
from jaxtyping import Float

from asd_jax.scorers.distances import squared_distances
from asd_jax.scorers.refit import SKLEARN_VERSION, RefittedOnLoad
from asd_jax.scorers.standardization import apply, checked, standardization, standardized


@dataclasses.dataclass(frozen=True)
class NearestNeighborsScorer(RefittedOnLoad):
    """Mean Euclidean distance of a standardised vector to its nearest training vectors.

    Attributes:
        mean, scale: standardisation of the vectors, `(dim,)`.
        vectors: the standardised training vectors, `(n, dim)`.
        n_neighbors: neighbours looked at; at most as many as there are vectors.
        check_scores, sklearn_version: see `RefittedOnLoad`.
    """

    name = "knn"
    reads = "vector"
    clip_level = True

    mean: Float[np.ndarray, " dim"]
    scale: Float[np.ndarray, " dim"]
    vectors: Float[np.ndarray, "n dim"]
    n_neighbors: int
    check_scores: Float[np.ndarray, " n_checks"] | None = None
    sklearn_version: str = SKLEARN_VERSION

    @classmethod
    def fit(
        cls, vectors: Float[np.ndarray, "n dim"], *, n_neighbors: int = 2, standardize: bool = True
    ) -> "NearestNeighborsScorer":
        """Fit on normal vectors."""
        vectors = checked(vectors, scorer=cls.name)
        mean, scale = standardization(vectors, standardize=standardize)
        return cls(mean, scale, (vectors - mean) * scale, min(n_neighbors, len(vectors)))

    def _estimator(self) -> Any:
        from sklearn.neighbors import NearestNeighbors

        return NearestNeighbors(n_neighbors=self.n_neighbors).fit(self.vectors)

    def _raw_scores(self, vectors: Float[np.ndarray, "n dim"]) -> Float[np.ndarray, " n"]:
        return self._fitted.kneighbors(vectors)[0].mean(axis=1)

    def score(self, vectors: Float[np.ndarray, "n dim"]) -> Float[np.ndarray, " n"]:
        """Mean distance to the nearest training vectors, in standard deviations."""
        return self._raw_scores(apply(vectors, self.mean, self.scale, self.name))

    def formula(self, vectors: Any, xp: Any) -> Any:
        """The score by the operations of `xp`, NumPy's for float64 vectors or JAX's for what is exported."""
        nearest = xp.sort(squared_distances(standardized(vectors, self.mean, self.scale), self.vectors, xp), axis=1)
        return xp.sqrt(nearest[:, : self.n_neighbors]).mean(axis=1)

    def leave_one_out(self) -> Float[np.ndarray, " n"]:
        """Score of each training vector among the others."""
        return self._fitted.kneighbors(n_neighbors=min(self.n_neighbors, len(self.vectors) - 1))[0].mean(axis=1)
