"""Distance to the nearest normal vector, relative to how close together normal vectors lie there."""

import dataclasses
from typing import Any

import numpy as np
from jaxtyping import Float

from asd_jax.scorers.distances import squared_distances
from asd_jax.scorers.metric import as_measured, checked_metric
from asd_jax.scorers.standardization import checked, fitting, standardization, standardized


@dataclasses.dataclass(frozen=True)
class RescaledNearestNeighbor:
    """The smallest distance to a training vector, each divided by that one's mean distance to its nearest others.

    Where normal vectors are sparse, as of a rare condition, larger distances are normal too; no domain labels are
    needed (Wilkinghoff et al., "Keeping the balance", 2025).

    Attributes:
        mean, scale: standardisation of the vectors, `(dim,)`.
        vectors: the training vectors as they are measured, `(n, dim)`.
        spacing: mean distance of each to its nearest others, `(n,)`.
        metric: `euclidean`, or `cosine`: of vectors at length 1.
    """

    name = "knn_rescaled"
    reads = "vector"
    clip_level = True
    min_clips = 2

    mean: Float[np.ndarray, " dim"]
    scale: Float[np.ndarray, " dim"]
    vectors: Float[np.ndarray, "n dim"]
    spacing: Float[np.ndarray, " n"]
    metric: str = "euclidean"

    @classmethod
    def fit(
        cls,
        vectors: Float[np.ndarray, "n dim"],
        *,
        n_neighbors: int = 4,
        metric: str = "euclidean",
        standardize: bool = True,
    ) -> "RescaledNearestNeighbor":
        """Fit on normal vectors; an InputError where there are fewer than two.

        Args:
            vectors: of normal clips.
            n_neighbors: others that a vector's spacing is the mean distance to.
            metric: `euclidean` or `cosine`.
            standardize: whether the scorer standardises.
        """
        vectors, metric = checked(vectors, scorer=cls.name, at_least=cls.min_clips), checked_metric(metric)
        mean, scale = standardization(vectors, standardize=standardize)
        own = as_measured((vectors - mean) * scale, metric)
        distances = np.sqrt(squared_distances(own, own))
        np.fill_diagonal(distances, np.inf)
        nearest = np.sort(distances, axis=1)[:, : min(n_neighbors, len(own) - 1)].mean(axis=1)
        least = 1e-6 * nearest.mean() or 1.0  # of copies of one clip, whose spacing is none
        return cls(mean, scale, own, np.maximum(nearest, least), metric)

    def score(self, vectors: Float[np.ndarray, "n dim"]) -> Float[np.ndarray, " n"]:
        """Relative distance of each vector; about 1 for normal ones."""
        return self.formula(fitting(vectors, len(self.mean), self.name), np)

    def formula(self, vectors: Any, xp: Any) -> Any:
        """The score by the operations of `xp`, NumPy's for float64 vectors or JAX's for what is exported."""
        measured = as_measured(standardized(vectors, self.mean, self.scale), self.metric, xp)
        distances = xp.sqrt(squared_distances(measured, self.vectors, xp))
        return (distances / xp.asarray(self.spacing)[None, :]).min(axis=1)
